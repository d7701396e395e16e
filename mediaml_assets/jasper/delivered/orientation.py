"""How a stored picture is turned before it is shown: the display matrix, reduced to the eight right-angled cases."""

from dataclasses import dataclass
from typing import Any

import numpy as np

_TURNS = {
    ((1, 0), (0, 1)): (0, False, ()),
    ((-1, 0), (0, 1)): (0, True, ("hflip",)),
    ((-1, 0), (0, -1)): (180, False, ("hflip", "vflip")),
    ((1, 0), (0, -1)): (180, True, ("vflip",)),
    ((0, 1), (-1, 0)): (90, False, ("transpose=clock",)),
    ((0, 1), (1, 0)): (270, True, ("transpose=cclock_flip",)),
    ((0, -1), (1, 0)): (270, False, ("transpose=cclock",)),
    ((0, -1), (-1, 0)): (90, True, ("transpose=clock_flip",)),
}


@dataclass(frozen=True)
class Orientation:
    """A turn of the stored picture into the shown one.

    Attributes:
        rotation: degrees clockwise, one of 0, 90, 180, 270.
        mirrored: whether the picture is flipped left to right before that turn.
        filters: the libavfilter filters that do it, in order.
    """

    rotation: int = 0
    mirrored: bool = False
    filters: tuple[str, ...] = ()

    @property
    def swaps_sides(self) -> bool:
        """Whether width and height change places."""
        return self.rotation in (90, 270)


def orientation_of(frame: Any) -> Orientation | None:
    """Read the display matrix of a decoded PyAV ``VideoFrame``.

    The matrix (ISO/IEC 14496-12, 8.3.2) is nine int32, of which the upper left 2 x 2 turns and scales. A matrix of
    zeros, or without area, says nothing and counts as upright; returns None for a turn that is not a right angle.
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return Orientation()
    matrix = np.frombuffer(data, np.int32)[:9].astype(np.float64)
    turn = np.array([[matrix[0], matrix[1]], [matrix[3], matrix[4]]])
    scale = np.sqrt(abs(np.linalg.det(turn)))
    if scale == 0:
        return Orientation()
    unit = turn / scale
    nearest = np.rint(unit)
    if np.abs(unit - nearest).max() > 0.02:
        return None
    (a, b), (c, d) = nearest.astype(int).tolist()
    known = _TURNS.get(((a, b), (c, d)))
    return None if known is None else Orientation(*known)
