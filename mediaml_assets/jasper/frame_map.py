"""The frame map: which source picture each frame of the standard encode shows, and when that picture was shown."""

from array import array
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mediaml_assets.jasper.files import MediaFile, mapped


@dataclass(frozen=True)
class FrameMap:
    """A title's frame map.

    Attributes:
        source_frame: int64 [n], number of the source picture, in the order shown, counted from 0.
        source_pts: int64 [n], its time stamp in the source stream.
        time_base: seconds of one tick of those time stamps.
    """

    source_frame: NDArray[np.int64]
    source_pts: NDArray[np.int64]
    time_base: Fraction

    def source_time(self, index: int) -> Fraction:
        """Seconds from the first shown picture of the source to the one that frame `index` shows, exactly."""
        return int(self.source_pts[index] - self.source_pts[0]) * self.time_base

    @classmethod
    def open(cls, file: MediaFile, time_base: Fraction) -> "FrameMap":
        """Map what `file` holds: little-endian int64 [n, 2], source frame and source time stamp."""
        rows = mapped(file, "<i8").reshape(-1, 2)
        return cls(rows[:, 0], rows[:, 1], time_base)


class FrameMapWriter:
    """Collects the frame map while a title is encoded: 16 bytes a frame."""

    def __init__(self) -> None:
        self._rows = array("q")

    def __len__(self) -> int:
        return len(self._rows) // 2

    def add(self, source_frame: int, source_pts: int) -> None:
        """Note the source picture of the next frame."""
        self._rows.extend((source_frame, source_pts))

    def save(self, path: Path) -> None:
        """Write the map to `path`."""
        path.write_bytes(np.array(self._rows, dtype="<i8").tobytes())
