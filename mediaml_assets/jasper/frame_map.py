"""The frame map: which source picture each frame of the standard encode shows, when that was shown, and the inverse.

Stored as Parquet with delta packing, so that any tool reads it: one row a source picture, with its time stamp and the
frame at which it takes the screen, in groups of 65,536 rows that are read one by one. Rate, clock and first time stamp
stand in the file's own metadata. A two-hour film of constant rate takes under 100 kB, whatever its container does to
the time stamps.
"""

import math
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mediaml_assets.errors import TimecodeRefused
from mediaml_assets.jasper.files import MediaFile
from mediaml_assets.jasper.timecode import Timecode

GROUP = 65_536
"""Rows that are read together for a look-up."""

_SCHEMA = pa.schema([("source_pts", pa.int64()), ("first_frame", pa.int64())])
_PTS, _FIRST_FRAME = 0, 1


@dataclass(frozen=True)
class SourcePicture:
    """One picture of the source.

    Attributes:
        frame: its number, in the order shown, counted from 0.
        pts: its time stamp in the source stream, in ticks.
        time: seconds from the source's first shown picture to it, exactly.
    """

    frame: int
    pts: int
    time: Fraction


class FrameMap:
    """A title's frame map. Look-ups read a part of the file, the arrays all of it; nothing is read before.

    Attributes:
        rate: frames a second of the standard encode.
        time_base: seconds of one tick of the source's time stamps.
        first_pts: time stamp of the source's first shown picture: time 0, and where its timecode starts. Earlier than
            that of picture 0 where the pictures before it could not be decoded.
        frame_count: frames of the standard encode.
        picture_count: pictures of the source that were decoded, those included that no frame shows.
    """

    def __init__(self, file: pq.ParquetFile) -> None:
        """Args: the opened Parquet file that `FrameMapWriter` wrote."""
        self._file = file
        said = {key.decode(): value.decode() for key, value in file.metadata.metadata.items()}
        self.rate, self.time_base = Fraction(said["rate"]), Fraction(said["time_base"])
        self.first_pts, self.frame_count = int(said["first_pts"]), int(said["frame_count"])
        self.picture_count: int = file.metadata.num_rows
        self._group = lru_cache(maxsize=2)(self._read_group)

    @classmethod
    def open(cls, file: MediaFile) -> "FrameMap":
        """Open the map that `file` holds; of one elsewhere its ranges are fetched."""
        return cls(pq.ParquetFile(file if isinstance(file, Path) else pa.PythonFile(file.open(), mode="r")))

    def close(self) -> None:
        """Let go of the file: nothing more can be asked of this map."""
        self._file.close(force=True)

    @cached_property
    def source_frame(self) -> NDArray[np.int64]:
        """Number of the source picture that each frame shows, counted from 0: int64 [frame_count], never falling."""
        firsts = _numbers(self._file.read(["first_frame"], use_threads=False).column(0))
        return np.repeat(np.arange(self.picture_count), np.diff(firsts, append=self.frame_count))

    @cached_property
    def source_pts(self) -> NDArray[np.int64]:
        """Time stamp of that picture in the source, in ticks of `time_base`: int64 [frame_count], never falling."""
        stamps = _numbers(self._file.read(["source_pts"], use_threads=False).column(0))
        return stamps[self.source_frame]

    def at(self, index: int) -> SourcePicture:
        """What frame `index` of the standard encode shows.

        Raises:
            IndexError: it is outside [0, frame_count).
        """
        if not 0 <= index < self.frame_count:
            raise IndexError(f"frame {index} is not within [0, {self.frame_count})")
        return self.picture(self._last_up_to(_FIRST_FRAME, index))

    def picture(self, source_frame: int) -> SourcePicture:
        """Picture `source_frame` of the source, whether a frame shows it or not.

        Raises:
            IndexError: it is outside [0, picture_count).
        """
        if not 0 <= source_frame < self.picture_count:
            raise IndexError(f"source picture {source_frame} is not within [0, {self.picture_count})")
        pts = self._value(_PTS, source_frame)
        return SourcePicture(source_frame, pts, (pts - self.first_pts) * self.time_base)

    def source_time(self, index: int) -> Fraction:
        """Seconds from the source's first shown picture to the one that frame `index` shows, exactly."""
        return self.at(index).time

    def frames_of(self, source_frame: int) -> tuple[int, int] | None:
        """The frames [first, end) that show source picture `source_frame`; None when none does: it was left out.

        Raises:
            IndexError: there is no such picture.
        """
        self.picture(source_frame)
        last = source_frame + 1 == self.picture_count
        first = self._value(_FIRST_FRAME, source_frame)
        end = self.frame_count if last else self._value(_FIRST_FRAME, source_frame + 1)
        return None if first == end else (first, end)

    def picture_at(self, time: Fraction) -> SourcePicture | None:
        """What the source shows `time` seconds after its first shown picture; None before its first decoded one.

        The last picture is on screen for ever.
        """
        found = self._last_up_to(_PTS, self.first_pts + int(time // self.time_base))
        return None if found < 0 else self.picture(found)

    def frames_at(self, time: Fraction) -> tuple[int, int] | None:
        """The frames [first, end) that show what the source shows at `time`, as `picture_at`; None when none does."""
        found = self.picture_at(time)
        return None if found is None else self.frames_of(found.frame)

    def timecode(self, index: int, start: Timecode) -> Timecode:
        """The source's timecode of what frame `index` shows, where that of its first shown picture is `start`.

        It is `start` and the slot in which the picture stands when time runs at the timecode's rate: the same as
        counting pictures where the source is constant, and right across those that it leaves out. In a source of
        variable rate a picture has the label of the slot that its time is nearest to. A timecode of half the picture's
        rate labels pairs (ST 12-1).
        """
        return start + self._labels(index, start)

    def frames_labelled(self, label: Timecode, start: Timecode) -> tuple[int, int] | None:
        """The frames [first, end) whose `timecode` is `label`, the inverse of it; None when no frame has it.

        Raises:
            TimecodeRefused: it does not count as `start` does.
        """
        if (label.rate, label.drop) != (start.rate, start.drop):
            raise TimecodeRefused(f"{label} does not count as {start} does, at {start.rate} frames a second; ask alike")
        wanted, frames = (label.frames - start.frames) % start.day, range(self.frame_count)
        first, end = (
            find(frames, wanted, key=lambda n: self._labels(n, start)) for find in (bisect_left, bisect_right)
        )
        return None if first == end else (first, end)

    def _labels(self, index: int, start: Timecode) -> int:
        """How many labels after `start` that of a frame is."""
        nominal = round(self.rate)
        shared = nominal // start.rate if nominal % start.rate == 0 else 1
        related = nominal % start.rate == 0 or start.rate % nominal == 0
        slots = self.rate * start.rate / nominal if related and not start.drop else start.exact_rate
        return math.floor(self.at(index).time * slots * shared + Fraction(1, 2)) // shared

    def _value(self, column: int, row: int) -> int:
        return int(self._group(row // GROUP)[column][row % GROUP])

    def _last_up_to(self, column: int, value: int) -> int:
        """The last row whose value is `value` or less, -1 for none; of two with the same value the later one."""
        number = 0
        for later in range(1, self._file.num_row_groups):
            if self._file.metadata.row_group(later).column(column).statistics.min <= value:
                number = later
        return number * GROUP + int(np.searchsorted(self._group(number)[column], value, side="right")) - 1

    def _read_group(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        pts, firsts = self._file.read_row_group(number, use_threads=False).columns
        return _numbers(pts), _numbers(firsts)


def _numbers(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """An int64 column without nulls, by its buffers: Arrow's own way, here and on writing, imports pandas first."""
    parts = [np.frombuffer(one.buffers()[1], np.int64, len(one), 8 * one.offset) for one in column.chunks]
    return np.concatenate(parts)


class FrameMapWriter:
    """Collects the frame map while a title is encoded: 16 bytes a picture in memory, far fewer in the file."""

    def __init__(self, rate: Fraction, time_base: Fraction, first_pts: int) -> None:
        """Args: as the attributes of `FrameMap`."""
        self._said = {"rate": str(rate), "time_base": str(time_base), "first_pts": str(first_pts)}
        self._rows = array("q")

    def add(self, source_pts: int, first_frame: int) -> None:
        """Note the next source picture: its time stamp, and how many frames stand before it takes the screen."""
        self._rows.extend((source_pts, first_frame))

    def save(self, path: Path, frame_count: int) -> None:
        """Write the map of `frame_count` frames to `path`."""
        rows = np.array(self._rows, np.int64).reshape(-1, 2)
        buffers = [pa.py_buffer(rows[:, column].copy()) for column in (_PTS, _FIRST_FRAME)]
        columns = [pa.Array.from_buffers(pa.int64(), len(rows), [None, buffer]) for buffer in buffers]
        said = {**self._said, "frame_count": str(frame_count)}
        table = pa.table(columns, schema=_SCHEMA.with_metadata(said))
        pq.write_table(
            table, path, row_group_size=GROUP, use_dictionary=False, column_encoding="DELTA_BINARY_PACKED",
            compression="zstd",
        )  # fmt: skip
