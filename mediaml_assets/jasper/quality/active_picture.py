"""The active picture: the part of the canvas that shows something, without letterbox and pillarbox bars.

Bars may change inside a title, as in a scope film with scenes shot taller, or a documentary with old footage.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mediaml_assets.jasper.placement import Placement
from mediaml_assets.jasper.planes import Plane

Box = tuple[int, int, int, int]
"""x, y, width, height on the canvas, in pixels."""

_DARK = 32
"""Luma up to which a pixel may belong to a bar: black is 16, and encoders leave ringing around it."""
_LIT_SHARE = 0.02
"""A row or column is dark in a frame when at most this share of it is brighter."""
_BRIGHT_MEAN = 40.0
"""Only frames with at least this mean luma tell bars from night."""
_BAR_SHARE = 0.99
"""A row or column belongs to a bar when it is dark in at least this share of the frames that tell."""
_FEWEST = 5
_SMALLEST_SHARE = 0.3
_SAME = 4
"""Pixels by which the edges of one active picture differ from frame to frame."""
_CHANGED_SECONDS = 3


@dataclass(frozen=True)
class ActiveRange:
    """Frames ``[start, end)`` with one active picture."""

    start: int
    end: int
    box: Box


class ActivePicture:
    """Watches canvas pictures and says which rows and columns are bars."""

    def __init__(self, placement: Placement) -> None:
        """Args: where the whole picture lies on the canvas."""
        self._at = placement
        self._dark_rows: NDArray[np.int64] = np.zeros(placement.height, np.int64)
        self._dark_columns: NDArray[np.int64] = np.zeros(placement.width, np.int64)
        self._seen: list[tuple[int, Box]] = []

    def look(self, luma: Plane, frame: int) -> None:
        """Take the luma of frame number `frame`, uint8 [canvas height, canvas width]; numbers rise."""
        at = self._at
        picture = luma[at.y : at.y + at.height, at.x : at.x + at.width]
        if picture.mean() < _BRIGHT_MEAN:
            return
        lit = picture > _DARK
        dark_rows, dark_columns = lit.mean(axis=1) <= _LIT_SHARE, lit.mean(axis=0) <= _LIT_SHARE
        self._dark_rows += dark_rows
        self._dark_columns += dark_columns
        (top, high), (left, wide) = _shown(~dark_rows), _shown(~dark_columns)
        self._seen.append((frame, (at.x + left, at.y + top, wide, high)))

    def box(self) -> Box:
        """The active picture of the whole title: what is shown at any time; all numbers are even.

        The whole picture when fewer than 5 frames were bright enough, or when less than 30 % of it would be left.
        """
        at = self._at
        whole = (at.x, at.y, at.width, at.height)
        if len(self._seen) < _FEWEST:
            return whole
        top, high = _shown(self._dark_rows < _BAR_SHARE * len(self._seen))
        left, wide = _shown(self._dark_columns < _BAR_SHARE * len(self._seen))
        if wide * high < _SMALLEST_SHARE * at.width * at.height:
            return whole
        return at.x + left, at.y + top, wide, high

    def ranges(self, frames: int, rate: Fraction) -> list[ActiveRange]:
        """The active picture over [0, frames): one range, or more where bars come or go for 3 s or longer.

        Bars are the same on both sides. Where they change is known as exactly as frames were looked at.
        """
        whole = self.box()
        found: list[ActiveRange] = []
        for start, end, box in self._alike(frames):
            if end - start >= _CHANGED_SECONDS * rate and not _same(box, whole) and _is_barred(box, whole):
                begins = found[-1].end if found else 0
                if begins < start:
                    found.append(ActiveRange(begins, start, whole))
                found.append(ActiveRange(start, end, box))
        begins = found[-1].end if found else 0
        return [*found, ActiveRange(begins, frames, whole)] if begins < frames else found

    def _alike(self, frames: int) -> list[tuple[int, int, Box]]:
        """Neighbouring frames that tell and show the same box: first frame, the first frame after, the widest box."""
        groups: list[tuple[int, Box]] = []
        for frame, box in self._seen:
            if groups and _same(box, groups[-1][1]):
                groups[-1] = (groups[-1][0], _around(box, groups[-1][1]))
            else:
                groups.append((frame, box))
        starts = [*(0 if n == 0 else start for n, (start, _) in enumerate(groups)), frames]
        return [(start, end, box) for (start, end), (_, box) in zip(pairwise(starts), groups, strict=True)]


def _same(box: Box, other: Box) -> bool:
    return all(abs(a - b) <= _SAME for a, b in zip(_edges(box), _edges(other), strict=True))


def _edges(box: Box) -> tuple[int, int, int, int]:
    x, y, width, height = box
    return x, y, x + width, y + height


def _around(box: Box, other: Box) -> Box:
    (x0, y0, x1, y1), (a0, b0, a1, b1) = _edges(box), _edges(other)
    x, y = min(x0, a0), min(y0, b0)
    return x, y, max(x1, a1) - x, max(y1, b1) - y


def _is_barred(box: Box, whole: Box) -> bool:
    """Whether a box is large enough, and as far from the one side of the whole as from the other."""
    if box[2] * box[3] < _SMALLEST_SHARE * whole[2] * whole[3]:
        return False
    (x0, y0, x1, y1), (a0, b0, a1, b1) = _edges(box), _edges(whole)
    return abs((x0 - a0) - (a1 - x1)) <= 2 * _SAME and abs((y0 - b0) - (b1 - y1)) <= 2 * _SAME


def _shown(shown: NDArray[Any]) -> tuple[int, int]:
    """First and number of the rows or columns from the first shown one to the last, even; all when none is."""
    at = np.flatnonzero(shown)
    if not len(at):
        return 0, len(shown)
    first = int(at[0] + 1) // 2 * 2
    end = int(at[-1] + 1) // 2 * 2
    return first, max(0, end - first)
