"""The palette of one picture: which colours it has, how light they are, and whether they stand high or low in it.

A histogram of the pixels over a lattice of CIE Lab with points 20 units apart (6 x 9 x 9), once for the upper and once
for the lower part of the picture. A pixel is shared by its eight neighbours on the lattice, and by the two parts as its
height is, so that a colour a little off, or a little lower, is a neighbour and no stranger. The square roots make the
dot product of two palettes the Bhattacharyya coefficient of two distributions (Bhattacharyya, 1943; for colours:
Comaniciu, Ramesh & Meer, PAMI 2003): one number for palette, light and place together.

Greys are in every film and say nothing, so a pixel of chroma C counts w = 0.02 + 0.98 C^2 / (C^2 + 25^2), and the
whole is damped by s^2 / (s^2 + 0.12^2), s being the mean of w: grey pictures score below 0.03 with whatever, vivid
ones near 1 with what has their colours.
"""

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

SHAPE = (2, 6, 9, 9)  # parts of the picture, L, a, b
STEP, SPREAD = 20.0, 80.0  # between points; a and b reach from -SPREAD to SPREAD
GREY_COUNTS, HALF_CHROMA = 0.02, 25.0
PLAIN = 0.12  # mean of what pixels count, at which a palette is damped to a half
DIMENSIONS = int(np.prod(SHAPE))


def palette(lab: Array) -> Array:
    """The palette of a Lab picture [height, width, 3]: float32 [972], shorter than 1."""
    square = (lab[..., 1:] ** 2).sum(axis=2)
    counts = GREY_COUNTS + (1 - GREY_COUNTS) * square / (square + HALF_CHROMA**2)
    mean = float(counts.mean())
    return np.asarray(np.sqrt(histogram(lab, counts)) * (mean**2 / (mean**2 + PLAIN**2)), np.float32)


def histogram(lab: Array, counts: Array) -> Array:
    """The share of the pixels, each as much as it counts, at each point of the lattice: float32 [972], sum 1."""
    offset = np.array([0, SPREAD, SPREAD], np.float32)
    along = (lab.reshape(-1, 3) + offset) / STEP
    low, part = zip(*(_between(along[:, axis], SHAPE[1 + axis]) for axis in range(3)), strict=True)
    height = (np.arange(lab.shape[0], dtype=np.float32) + 0.5) / lab.shape[0]
    lower = np.repeat(height, lab.shape[1]) * counts.ravel()
    weights = (counts.ravel() - lower, lower)
    total = np.zeros((SHAPE[0], DIMENSIONS // SHAPE[0]))
    for corner in np.ndindex(2, 2, 2):
        where = np.ravel_multi_index([one + more for one, more in zip(low, corner, strict=True)], SHAPE[1:])
        shares = [share if more else 1 - share for share, more in zip(part, corner, strict=True)]
        share = shares[0] * shares[1] * shares[2]
        for half, weight in enumerate(weights):
            total[half] += np.bincount(where, weight * share, total.shape[1])
    return np.asarray(total.ravel() / total.sum(), np.float32)


@cache
def reached() -> npt.NDArray[np.intp]:
    """Those of the 972 points to which any colour of a screen gives a share: 694, the others are 0 in every palette."""
    level = np.linspace(0, 1, 52, dtype=np.float32)
    bgr = np.stack(np.meshgrid(level, level, level), axis=-1).reshape(-1, 1, 3)
    lab = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2Lab), np.float32)
    return np.flatnonzero(histogram(lab, np.ones(lab.shape[:2], np.float32)))


def _between(place: Array, count: int) -> tuple[npt.NDArray[np.intp], Array]:
    """The lattice point below each place, and how far it is on the way to the next one."""
    inside = np.clip(place, 0, count - 1)
    low = np.minimum(inside.astype(np.intp), count - 2)
    return low, inside - low
