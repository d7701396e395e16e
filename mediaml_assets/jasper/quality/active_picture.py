"""The active picture: the part of the canvas that ever shows something, without letterbox and pillarbox bars."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mediaml_assets.jasper.placement import Placement
from mediaml_assets.jasper.planes import Plane

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


class ActivePicture:
    """Watches canvas pictures and says which rows and columns are bars."""

    def __init__(self, placement: Placement) -> None:
        """Args: where the whole picture lies on the canvas."""
        self._at = placement
        self._dark_rows: NDArray[np.int64] = np.zeros(placement.height, np.int64)
        self._dark_columns: NDArray[np.int64] = np.zeros(placement.width, np.int64)
        self._frames = 0

    def look(self, luma: Plane) -> None:
        """Take one frame's luma, uint8 [canvas height, canvas width]."""
        at = self._at
        picture = luma[at.y : at.y + at.height, at.x : at.x + at.width]
        if picture.mean() < _BRIGHT_MEAN:
            return
        lit = picture > _DARK
        self._dark_rows += lit.mean(axis=1) <= _LIT_SHARE
        self._dark_columns += lit.mean(axis=0) <= _LIT_SHARE
        self._frames += 1

    def box(self) -> tuple[int, int, int, int]:
        """The active picture on the canvas: x, y, width, height in pixels, all even.

        The whole picture when fewer than 5 frames were bright enough, or when less than 30 % of it would be left.
        """
        at = self._at
        whole = (at.x, at.y, at.width, at.height)
        if self._frames < _FEWEST:
            return whole
        top, high = _span(self._dark_rows, self._frames)
        left, wide = _span(self._dark_columns, self._frames)
        if wide * high < _SMALLEST_SHARE * at.width * at.height:
            return whole
        return at.x + left, at.y + top, wide, high


def _span(dark: NDArray[Any], frames: int) -> tuple[int, int]:
    shown = np.flatnonzero(dark < _BAR_SHARE * frames)
    if not len(shown):
        return 0, len(dark)
    first = int(shown[0] + 1) // 2 * 2
    end = int(shown[-1] + 1) // 2 * 2
    return first, max(0, end - first)
