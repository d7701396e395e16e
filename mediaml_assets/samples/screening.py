"""Measuring a shot that was drawn small, as a shot detector and a duplicate finder would see it.

`fault` answers are 0 where a rule holds and grow with the distance to it, so that the best of several tries is known.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from mediaml_assets.samples.scenes import Planar, Stage

LIKENESS = 0.6  # greatest correlation of two Lab thumbnails of distinct shots of a title
CUT_CHANGE = 17.0  # least change over a cut: mean |Y| + |U| + |V| on the 64 x 36 canvas
CUT_RATIO = 3.4  # least change over a cut, in units of what moves in the two frames on either side (+ 1)
LOW_CONTRAST = 30.0  # a cut from dark to dark changes no more than this
DISSOLVE_CHANGE = 24.0  # least change of luma over a dissolve, on the canvas
DISSOLVE_LIKENESS = 0.3  # greatest correlation of luma over a dissolve
FADE_LUMA = 66.0  # least mean luma above black on either side of a fade
FADE_BALANCE = 1.5  # greatest ratio of the two
PATCH_DISTANCE, PATCH_SHARE = 27.0, 0.02  # around a planted silhouette: what is unlike the border, and how much of it
EDGE_SHARE = 0.05  # of the border has to be as a pixel is for the pixel to pass as background
FIGURE_DISTANCE = 35.0  # least difference of a planted figure from the border, in Lab

Small = npt.NDArray[np.float32]
LUMA, CHROMA = 64 * 36, 32 * 18


@dataclass(frozen=True)
class Screening:
    """What was measured of one shot.

    `head` and `tail`: its first and last three frames as float32 [3, 3456] (Y 64 x 36, then U and V 32 x 18); `thumbs`:
    Lab thumbnails 16 x 9 of three moments as unit rows, float32 [3, 432].
    """

    head: Small
    tail: Small
    thumbs: Small


def reduced(picture: Planar) -> Small:
    """A planar picture averaged to Y 64 x 36 and U, V 32 x 18, in one float32 row [3456]."""
    rows, width = len(picture) * 2 // 3, picture.shape[1]
    luma = cv2.resize(picture[:rows], (64, 36), interpolation=cv2.INTER_AREA)
    chroma = picture[rows:].reshape(2, rows // 2, width // 2)
    parts = [luma] + [cv2.resize(plane, (32, 18), interpolation=cv2.INTER_AREA) for plane in chroma]
    return np.concatenate([part.ravel() for part in parts]).astype(np.float32)


def change(a: Small, b: Small) -> float:
    """Mean |Y| + mean |U| + mean |V| between two reduced pictures."""
    d = np.abs(a - b)
    return float(d[:LUMA].mean() + d[LUMA : LUMA + CHROMA].mean() + d[LUMA + CHROMA :].mean())


def screened(stage: Stage) -> Screening:
    """Measure a shot."""
    last = stage.shot.visible - 1
    thumbs = [_thumb(stage.colours(k)) for k in (min(4, last), last // 2, max(0, last - 4))]
    head = [reduced(stage.planar(k)) for k in range(3)]
    tail = [reduced(stage.planar(k)) for k in range(last - 2, last + 1)]
    return Screening(np.stack(head), np.stack(tail), np.stack(thumbs))


def _thumb(image: npt.NDArray[np.uint8]) -> Small:
    """The Lab thumbnail as a unit row, its mean colour taken off, chroma counted twice."""
    lab = cv2.cvtColor(image, cv2.COLOR_BGR2LAB)
    thumb = cv2.resize(lab, (16, 9), interpolation=cv2.INTER_AREA).astype(np.float32)
    row = ((thumb - thumb.mean(axis=(0, 1))) * np.array([1, 2, 2], np.float32)).ravel()
    return np.asarray(row / (np.linalg.norm(row) + 1e-6), np.float32)


def likeness_fault(shot: Screening, others: Sequence[Screening]) -> float:
    """How much the shot looks like the most similar of the others."""
    if not others:
        return 0.0
    closest = float((np.concatenate([o.thumbs for o in others]) @ shot.thumbs.T).max())
    return max(0.0, closest - LIKENESS)


def cut_fault(a: Screening, b: Screening, share: float, low: bool) -> float:
    """How far a hard cut is from showing, on a canvas that the picture covers by `share`; `low`: but not much."""
    step = share * change(a.tail[2], b.head[0])
    beside = [change(x, y) for row in (a.tail, b.head) for x, y in itertools.pairwise(row)]
    fault = max(0.0, CUT_CHANGE - step) / CUT_CHANGE
    fault += max(0.0, CUT_RATIO - step / (share * float(np.mean(beside)) + 1.0))
    return fault + (max(0.0, step - LOW_CONTRAST) / LOW_CONTRAST if low else 0.0)


def dissolve_fault(a: Screening, b: Screening, share: float) -> float:
    """How far a dissolve is from joining two pictures that differ in light and in layout."""
    old, new = (
        cv2.resize(r[:LUMA].reshape(36, 64), (32, 18), interpolation=cv2.INTER_AREA) for r in (a.tail[0], b.head[2])
    )
    step = share * float(np.abs(new - old).mean())
    fault = max(0.0, DISSOLVE_CHANGE - step) / DISSOLVE_CHANGE
    return fault + max(0.0, float(np.corrcoef(old.ravel(), new.ravel())[0, 1]) - DISSOLVE_LIKENESS)


def bright_fault(shot: Screening) -> float:
    """How far a shot beside a fade is from being bright at both ends."""
    return max(0.0, FADE_LUMA - min(_luma(shot.tail[0]), _luma(shot.head[2]))) / FADE_LUMA


def fade_fault(a: Screening, b: Screening) -> float:
    """How far a fade is from joining two pictures of similar brightness."""
    old, new = _luma(a.tail[0]), _luma(b.head[2])
    return max(0.0, max(old, new) / max(1.0, min(old, new)) - FADE_BALANCE)


def outline_fault(stage: Stage, k: int) -> float:
    """How far the figure in frame `k` is from being the one thing that the picture's border does not show.

    Distances are in Lab from each pixel to the most similar twentieth of those along the top and the sides. The figure
    must be far from all of them, and nearly everything else close to one: a bright patch in the middle would pass for a
    part of the figure.
    """
    lab = cv2.cvtColor(stage.colours(k), cv2.COLOR_BGR2LAB)
    small = cv2.resize(lab, (48, 27), interpolation=cv2.INTER_AREA).astype(np.float32)
    share = cv2.resize(stage.figure_mask(k), (48, 27), interpolation=cv2.INTER_AREA)
    edge = np.concatenate([small[:2].reshape(-1, 3), small[:, :2].reshape(-1, 3), small[:, -2:].reshape(-1, 3)])
    edge = edge[np.concatenate([share[:2].ravel(), share[:, :2].ravel(), share[:, -2:].ravel()]) == 0]
    if len(edge) == 0:
        return 1.0
    near = max(0, int(len(edge) * EDGE_SHARE) - 1)
    away = np.partition(np.linalg.norm(small[:, :, None] - edge, axis=3), near, axis=2)[:, :, near]
    like_figure = float(np.mean(away[share == 0] > PATCH_DISTANCE))
    like_border = float(np.mean(away[share > 230] < FIGURE_DISTANCE)) if (share > 230).any() else 1.0
    return max(0.0, like_figure - PATCH_SHARE) + max(0.0, like_border - PATCH_SHARE)


def _luma(row: Small) -> float:
    """Mean luma above black."""
    return float(row[:LUMA].mean()) - 16
