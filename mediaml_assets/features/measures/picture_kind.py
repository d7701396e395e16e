"""What a single picture is good for: a picture to cut on, or black, a flat colour, a card of text, test bars.

No model. Black and flat are read off the range of light. A card has a plain or slowly changing ground, and on it many
thin strokes beside each other, most of them brighter than the ground or most of them darker: letters, or the lines of a
logo. Bars are the same all the way down, or all the way across. Text over a picture is a picture.
"""

from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from mediaml_assets.jasper.reading.frame import Frame

Kind = Literal["picture", "black", "flat", "card", "bars"]
Plane = npt.NDArray[np.uint8]

BLACK = 40  # luma, 16 is black: 99.5 % of a black picture lies below
FLAT = 14  # between the 0.5th and the 99.5th percentile of luma and of both colours of a flat picture
GROUND = 41  # pixels of the canvas: the ground is the median around each; strokes are thinner than half of it
STROKE = 30  # a stroke's difference to the ground in luma
EDGE, EDGES = 20, 0.015  # a 3x3 Sobel sum of the ground, and the largest share of pixels above it on a card
GRAIN = 2.0  # largest mean difference to the ground, in luma, where there are no strokes
LEAST_STROKES, MOST_STROKES = 0.001, 0.3  # share of the pixels
ONE_SIDED = 0.7  # least share of the strokes that are all brighter than the ground, or all darker; leaves are both
BESIDE = 4  # strokes beside each other in the median row that has any
ROWS = 5  # rows with that many
BARS_ALIKE, BARS_DIFFER = 2.0, 12.0  # deviation in luma along nine bars of ten, and between bars


def picture_kind(frame: Frame, active: tuple[int, int, int, int]) -> Kind:
    """What a frame's active picture (x, y, width, height on the canvas) shows."""
    x, y, width, height = active
    luma = frame.y[y : y + height, x : x + width]
    chroma = (slice(y // 2, (y + height) // 2), slice(x // 2, (x + width) // 2))
    low, high = np.percentile(luma, (0.5, 99.5))
    strokes = _strokes(luma)
    if strokes is not None and _is_text(strokes):
        return "card"
    if high < BLACK:
        return "black"
    if max(high - low, *(np.ptp(np.percentile(plane[chroma], (0.5, 99.5))) for plane in (frame.u, frame.v))) < FLAT:
        return "flat"
    return "bars" if _is_bars(luma) else "picture"


def _strokes(luma: Plane) -> npt.NDArray[np.bool_] | None:
    """Where thin things stand on a plain ground; None where the ground is not plain, or there are too few or many."""
    ground = cv2.medianBlur(np.ascontiguousarray(luma), GROUND)
    apart = cv2.absdiff(luma, ground)
    strokes = apart > STROKE
    share = strokes.mean()
    if not LEAST_STROKES <= share <= MOST_STROKES:
        return None
    edges = np.hypot(cv2.Sobel(ground, cv2.CV_32F, 1, 0), cv2.Sobel(ground, cv2.CV_32F, 0, 1))
    free = cv2.dilate(strokes.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
    plain = (edges > EDGE).mean() <= EDGES and free.any() and apart[free].mean() <= GRAIN
    brighter = (luma > ground)[strokes].mean()
    return strokes if plain and max(brighter, 1 - brighter) >= ONE_SIDED else None


def _is_text(strokes: npt.NDArray[np.bool_]) -> bool:
    """Whether strokes stand beside each other as those of letters do."""
    padded = np.pad(strokes, ((0, 0), (1, 0)))
    beside = np.count_nonzero(padded[:, 1:] & ~padded[:, :-1], axis=1)
    used = beside[beside > 0]
    return len(used) >= ROWS and bool(np.median(used) >= BESIDE)


def _is_bars(luma: Plane) -> bool:
    """Whether the upper two thirds are alike all the way down, or the whole is alike all the way across."""
    upright, across = luma[: 2 * len(luma) // 3].astype(np.float32), luma.T.astype(np.float32)
    return any(
        np.quantile(one.std(axis=0), 0.9) < BARS_ALIKE and one.mean(axis=0).std() > BARS_DIFFER
        for one in (upright, across)
    )
