"""A picture descriptor that needs no model: Lab thumbnail, oriented gradients and colour histogram, 2,096 numbers.

Two frames of the same set-up (another take, another moment, a re-encode, a small crop or grade) have a dot product
near 1. The three parts are unit length by themselves, the histogram weighs 0.7, and the whole is unit length.
"""

import cv2
import numpy as np
import numpy.typing as npt

from mediaml_assets.features.measures.unit import unit
from mediaml_assets.jasper.reading.frame import Frame

Vector = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

WIDTH, HEIGHT = 160, 90
COLUMNS, ROWS = 16, 9
ANGLES = 8
COLOURS = 8
DIMENSIONS = COLUMNS * ROWS * 3 + COLUMNS * ROWS * ANGLES + COLOURS**3
HISTOGRAM_WEIGHT = 0.7

_LUMA = np.clip((np.arange(256) - 16) * (255 / 219), 0, 255).round().astype(np.uint8)
_CHROMA = np.clip((np.arange(256) - 128) * (255 / 224) + 128, 0, 255).round().astype(np.uint8)


def descriptor(frame: Frame, active: tuple[int, int, int, int]) -> Vector:
    """The unit vector, float32 [2096], of a frame's active picture (x, y, width, height on the canvas)."""
    bgr = reduced_bgr(frame, active)
    lab = cv2.cvtColor(bgr, cv2.COLOR_BGR2Lab)
    gray = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    return unit(np.concatenate([_thumbnail(lab), _gradients(gray), HISTOGRAM_WEIGHT * _histogram(lab)]))


def reduced_bgr(frame: Frame, active: tuple[int, int, int, int], size: tuple[int, int] = (WIDTH, HEIGHT)) -> Picture:
    """The active picture reduced by area averaging to `size` (width, height): uint8 [height, width, 3], BGR."""
    x, y, width, height = active
    chroma = (slice(y // 2, (y + height) // 2), slice(x // 2, (x + width) // 2))
    planes = (frame.y[y : y + height, x : x + width], frame.v[chroma], frame.u[chroma])
    luma, red, blue = (cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in planes)
    full_range = cv2.merge([cv2.LUT(luma, _LUMA), cv2.LUT(red, _CHROMA), cv2.LUT(blue, _CHROMA)])
    return np.asarray(cv2.cvtColor(full_range, cv2.COLOR_YCrCb2BGR), np.uint8)


def _thumbnail(lab: Picture) -> Vector:
    """Lab at 16x9, each channel less its mean, colour counted double: [432]."""
    small = cv2.resize(lab, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA).astype(np.float32)
    small -= small.mean(axis=(0, 1))
    small[..., 1:] *= 2
    return unit(small.ravel())


def _gradients(gray: Picture) -> Vector:
    """Histogram of oriented gradients: 16x9 cells of 8x8 pixels, 8 undirected angles, square root: [1152]."""
    small = cv2.resize(gray, (COLUMNS * 8, ROWS * 8), interpolation=cv2.INTER_AREA).astype(np.float32)
    dx, dy = cv2.Sobel(small, cv2.CV_32F, 1, 0), cv2.Sobel(small, cv2.CV_32F, 0, 1)
    angle = np.minimum((np.arctan2(dy, dx) % np.pi) * (ANGLES / np.pi), ANGLES - 1).astype(np.intp)
    rows, columns = np.indices(small.shape) // 8
    cell = (rows * COLUMNS + columns) * ANGLES + angle
    sums = np.bincount(cell.ravel(), np.hypot(dx, dy).ravel(), COLUMNS * ROWS * ANGLES)
    return unit(np.sqrt(sums).astype(np.float32))


def _histogram(lab: Picture) -> Vector:
    """Joint 8x8x8 Lab histogram, square root, less its mean: [512]."""
    bins = (lab // (256 // COLOURS)).astype(np.intp)
    joint = (bins[..., 0] * COLOURS + bins[..., 1]) * COLOURS + bins[..., 2]
    counts = np.sqrt(np.bincount(joint.ravel(), minlength=COLOURS**3) / joint.size)
    return unit((counts - counts.mean()).astype(np.float32))
