"""The layout of one picture: where its strong edges and its light and dark masses stand, without texture and colour.

Edges: gradients of the blurred Lab picture, the channel with the steepest one at each pixel as in Dalal & Triggs
("Histograms of Oriented Gradients for Human Detection", CVPR 2005), weighed by the coherence of the structure tensor
(Bigun & Granlund, ICCV 1987) so that a contour or a horizon counts and grass or foliage does not. Their histograms over
8 undirected angles in 16 x 9 cells are blurred, halved to 8 x 5, and lose each angle's mean over the picture: what
remains is where the edges are, and not how many.

Masses: the lowest 8 x 5 coefficients of the luminance's cosine transform. As natural pictures have an amplitude that
falls with the frequency (Field, "Relations between the statistics of natural images and the response properties of
cortical cells", JOSA A 1987), each is multiplied by the square root of its frequency: else a bright sky over dark
ground would look like every other one.

Either part is a direction that is damped by s^2 / (s^2 + floor^2), s being its length before: a flat picture has none.
"""

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from mediaml_assets.features.measures.descriptor import Picture

Array = npt.NDArray[np.float32]

WIDTH, HEIGHT = 80, 45
CELLS = (16, 9)  # columns, rows in which gradients are collected
SMALL = (16, 10)  # columns, rows of the cosine transform, which takes even numbers only
GRID = (8, 5)  # columns, rows of either part
ANGLES = 8
BLUR = 1.2  # pixels: finer detail than this carries no eye over a cut
NEIGHBOURHOOD = 2.0  # pixels over which the structure tensor is averaged
WEAKEST = 0.6  # a gradient of Lab units a pixel, below which there is no edge
TOLERANCE = 1.3  # cells: how far an edge may be off
EDGE_FLOOR, MASS_FLOOR = 0.3, 30.0  # lengths at which a part counts half: about a tenth of a common picture's
EDGES = GRID[0] * GRID[1] * ANGLES
MASSES = GRID[0] * GRID[1]


def lab_picture(bgr: Picture) -> Array:
    """An 8-bit picture as float32 Lab, L in [0, 100]."""
    return np.asarray(cv2.cvtColor(bgr.astype(np.float32) / 255, cv2.COLOR_BGR2Lab), np.float32)


def edges(lab: Array) -> Array:
    """Where the strong edges of a Lab picture [45, 80, 3] are: float32 [320], no longer than 1."""
    dx, dy = _steepest(cv2.GaussianBlur(lab, (0, 0), BLUR))
    strength = np.maximum(np.hypot(dx, dy) * _coherence(dx, dy) - WEAKEST, 0)
    angle = np.arctan2(dy, dx) * (ANGLES / np.pi) % ANGLES
    grid = np.empty((GRID[1], GRID[0], ANGLES), np.float32)
    for number in range(ANGLES):  # a gradient between two angles is shared by them
        off = np.abs(angle - number)
        share = np.maximum(1 - np.minimum(off, ANGLES - off), 0)
        cells = np.sqrt(cv2.resize(strength * share, CELLS, interpolation=cv2.INTER_AREA))
        blurred = cv2.GaussianBlur(cells, (0, 0), TOLERANCE, borderType=cv2.BORDER_REFLECT)
        grid[..., number] = cv2.resize(blurred, GRID, interpolation=cv2.INTER_AREA)
    return damped((grid - grid.mean(axis=(0, 1))).ravel(), EDGE_FLOOR)


def masses(lab: Array) -> Array:
    """Where a Lab picture is light and dark: float32 [40], no longer than 1."""
    small = cv2.resize(lab[..., 0], SMALL, interpolation=cv2.INTER_AREA)
    return damped((cv2.dct(small)[: GRID[1], : GRID[0]] * _emphasis()).ravel(), MASS_FLOOR)


def damped(vector: Array, floor: float) -> Array:
    """A vector's direction times s^2 / (s^2 + floor^2), s being its length; a zero vector stays zero."""
    square = float(vector @ vector)
    return np.asarray(vector * (np.sqrt(square) / (square + floor**2)), np.float32)


def _steepest(lab: Array) -> tuple[Array, Array]:
    """Gradients (right, down), in Lab units a pixel, of the channel that is steepest at each pixel."""
    dx, dy = (cv2.Sobel(lab, cv2.CV_32F, right, 1 - right, scale=1 / 8) for right in (1, 0))
    steepest = (dx * dx + dy * dy).argmax(axis=2)[..., None]
    return tuple(np.take_along_axis(side, steepest, 2)[..., 0] for side in (dx, dy))  # type: ignore[return-value]


def _coherence(dx: Array, dy: Array) -> Array:
    """How much gradients around a pixel agree in their angle, in [0, 1]: (l1 - l2) / (l1 + l2) of the tensor."""
    xx, yy, xy = (cv2.GaussianBlur(product, (0, 0), NEIGHBOURHOOD) for product in (dx * dx, dy * dy, dx * dy))
    return np.asarray(np.sqrt((xx - yy) ** 2 + 4 * xy**2) / (xx + yy + 1e-2), np.float32)


@cache
def _emphasis() -> Array:
    """The square root of each coefficient's frequency; none for the mean."""
    down, right = np.mgrid[: GRID[1], : GRID[0]].astype(np.float32)
    return np.asarray(np.sqrt(np.hypot(right, down * WIDTH / HEIGHT)), np.float32)
