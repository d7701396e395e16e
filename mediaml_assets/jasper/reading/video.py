"""The pictures of a film: by number, by time, by shot, one after the other, or in batches."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from itertools import islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mediaml_assets.jasper.reading.frame import Frame, Rgb, RgbConverter, Size
from mediaml_assets.jasper.reading.source import FrameSource, Seeker
from mediaml_assets.jasper.reading.thumbnails import (
    POSTER_CANDIDATES,
    STRIP_HEIGHT,
    information,
    moments,
)
from mediaml_assets.jasper.reading.timeline import Seconds, Timeline, shown_at


class Range(Protocol):
    """A shot, or whatever else says which frames [start, end) it means."""

    @property
    def start(self) -> int:
        """Its first frame."""

    @property
    def end(self) -> int:
        """The frame after its last."""


class Video:
    """The pictures of one film, numbered from 0 in the order shown. Not for use by several threads at once.

    Only what is asked for is decoded: any picture costs at most the way from the key frame before it, reading on costs
    each picture once, and no more pictures are held than a caller holds.
    """

    def __init__(
        self, source: FrameSource, timeline: Timeline, pixel_aspect: Callable[[], Fraction] = lambda: Fraction(1)
    ) -> None:
        """Args: where decoded pictures come from, when each is shown, and what tells the shape of a pixel."""
        self._source, self._timeline, self._pixel_aspect = source, timeline, pixel_aspect
        self._seeker = Seeker(source)
        self._convert = RgbConverter()

    def __len__(self) -> int:
        """Number of pictures."""
        return len(self._source)

    def close(self) -> None:
        """Let go of the open file; asked for more, it opens it again."""
        self._seeker.close()

    @property
    def rate(self) -> Fraction:
        """Pictures a second: exact where it is constant, else the usual rate nearest to what is typical."""
        return self._timeline.rate

    @property
    def duration(self) -> Fraction:
        """Seconds from the first picture to the end of the last."""
        return self._timeline.duration

    def times(self) -> NDArray[np.float64]:
        """When each picture appears, in seconds from the first one: float64 [n]; `time_of` is exact."""
        return self._timeline.times()

    def time_of(self, index: int) -> Fraction:
        """When a picture appears, in seconds from the first one, exactly.

        Raises:
            IndexError: there is no such picture.
        """
        return self._timeline.time_of(self.checked(index))

    def index_at(self, time: Seconds) -> int:
        """The number of the picture on screen at `time`, in seconds from the first one.

        A picture is on screen from its own time (``index_at(time_of(i))`` is i, also as floats) to the next one's.

        Raises:
            IndexError: it is not within [0, duration).
        """
        if not 0 <= time < self.duration:
            raise IndexError(f"{self._source.name}: {float(time):g} s is not within [0, {float(self.duration):g}) s")
        return shown_at(self._timeline, len(self), time)

    def frames(self, indices: Iterable[int]) -> Iterator[Frame]:
        """The frames with these numbers, in the order given.

        Neighbours, repetitions and either direction cost one decoding of each group between key frames.

        Raises:
            IndexError: a number is not within [0, len), or that picture is damaged.
        """
        for index in indices:
            yield Frame(index, self._seeker.frame(self.checked(index)), self._convert)

    def at(self, times: Iterable[Seconds]) -> Iterator[Frame]:
        """The frames on screen at these times, in seconds from the first one, in the order given; see `index_at`."""
        return self.frames(self.index_at(time) for time in times)

    def clip(self, shot: Range, step: int = 1) -> Iterator[Frame]:
        """The frames [shot.start, shot.end), or every `step`-th of them."""
        return self.sequential(shot.start, shot.end, step)

    def sequential(self, start: int = 0, end: int | None = None, step: int = 1) -> Iterator[Frame]:
        """Frames start, start + step, ... before `end`; to the last when `end` is None. No frame is kept.

        The file is opened once more, so other reading may go on beside it. Of a damaged film, frames that cannot be
        decoded are left out: each frame has its own number.

        Raises:
            IndexError: [start, end) is not within [0, len).
            ValueError: `step` is less than 1.
        """
        if step < 1:
            raise ValueError(f"{self._source.name}: frames can be read every 1, 2, ... of them, not every {step}")
        if start or (end is not None and end < 0):
            self._check_range(start, end)
        return self._read(start, end, step)

    def _read(self, start: int, end: int | None, step: int) -> Iterator[Frame]:
        if start == end:
            return
        with self._source.reader() as reader:
            for index, decoded in reader.frames_from(start):
                if end is not None and index >= end:
                    return
                if index >= start and (index - start) % step == 0:
                    yield Frame(index, decoded, self._convert)
                if index + 1 == end:
                    return
        # not every film says how many frames it has without being read, so from its start on this is asked last
        self._check_range(start, end)

    def _check_range(self, start: int, end: int | None) -> None:
        stop = len(self) if end is None else end
        if not 0 <= start <= stop <= len(self):
            raise IndexError(f"{self._source.name}: frames [{start}, {stop}) are not within [0, {len(self)})")

    def batch(self, indices: Sequence[int], size: Size | None = None) -> Rgb:
        """The pictures with these numbers in one array: uint8 [len(indices), height, width, 3], RGB, 0 to 255.

        Args:
            indices: one number or more, in any order.
            size: (width, height) of each; by default as stored, upright.

        Raises:
            IndexError: see `frames`.
            ValueError: no number, or pictures that differ in size and no `size`.
        """
        # in order of time each group between key frames is decoded once
        times = sorted(set(indices))
        batch = self._together(self.frames(times), len(times), size)
        if batch is None:
            raise ValueError(f"{self._source.name}: a batch has one frame or more")
        return batch if list(indices) == times else batch[np.searchsorted(times, indices)]

    def batches(
        self, count: int, start: int = 0, end: int | None = None, step: int = 1, size: Size | None = None
    ) -> Iterator[Rgb]:
        """Frames start, start + step, ... before `end`, `count` at a time: uint8 [count, height, width, 3], RGB.

        The last batch may be shorter. One batch is held at a time. Arguments and errors are those of `sequential` and
        `batch`.
        """
        if count < 1:
            raise ValueError(f"{self._source.name}: a batch has one frame or more")
        return self._batches(self.sequential(start, end, step), count, size)

    def _batches(self, frames: Iterator[Frame], count: int, size: Size | None) -> Iterator[Rgb]:
        while (batch := self._together(islice(frames, count), count, size)) is not None:
            yield batch

    def _together(self, frames: Iterator[Frame], most: int, size: Size | None) -> Rgb | None:
        batch: Rgb | None = None
        filled = 0
        for frame in frames:
            picture = frame.rgb(size)
            if batch is None:
                batch = np.empty((most, *picture.shape), np.uint8)
            if picture.shape != batch.shape[1:]:
                raise ValueError(f"{self._source.name}: frame {frame.index} is of another size; give size=(w, h)")
            batch[filled] = picture
            filled += 1
        return None if batch is None else batch[:filled]

    def strip(self, count: int, height: int = STRIP_HEIGHT) -> Rgb:
        """Small pictures of `count` moments at equal distances: uint8 [count, height, width, 3], square pixels.

        Each is from the middle of its part of the film, or, to decode little, the key frame before it in that part.
        There are fewer of a film with fewer frames, and moments that cannot be decoded are left out.

        Raises:
            IndexError: none can be decoded.
            ValueError: `count` is less than 1.
        """
        if count < 1:
            raise ValueError(f"{self._source.name}: a strip has one picture or more, not {count}")
        return np.stack(list(self._thumbnails(count, height).values()))

    def poster(self) -> Rgb:
        """The picture that tells most, at its stored size: uint8 [height, width, 3].

        Of 24 moments at equal distances it is the one whose grey levels hold the most information (see
        `thumbnails.information`): neither black, nor blank, nor faded.

        Raises:
            IndexError: none can be decoded.
        """
        small = self._thumbnails(POSTER_CANDIDATES, STRIP_HEIGHT)
        best = max(small, key=lambda index: information(small[index]))
        return next(self.frames([best])).rgb()

    def _thumbnails(self, count: int, height: int) -> dict[int, Rgb]:
        """Small pictures of moments at equal distances, by number, all of one size."""
        found: dict[int, Rgb] = {}
        size: Size | None = None
        for first, middle in moments(len(self), count):
            key = self._source.key_frame(middle)
            # what is damaged is left out
            with suppress(IndexError):
                frame = next(self.frames([key if key >= first else middle]))
                size = size or frame.shown_size(self._pixel_aspect(), height)
                found[frame.index] = frame.rgb(size)
        if not found:
            raise IndexError(f"{self._source.name}: no picture of it can be decoded; deliver it again")
        return found

    def checked(self, index: int) -> int:
        """The number of a picture that there is; raises IndexError for any other."""
        if not 0 <= index < len(self):
            raise IndexError(f"{self._source.name}: frame {index} is not within [0, {len(self)})")
        return index
