"""What algorithms read: a title's standard encode, frame-exact, by index or from end to end."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from mediaml_assets.jasper.delivered.container import open_derivative
from mediaml_assets.jasper.files import MediaFile
from mediaml_assets.jasper.frame_map import FrameMap
from mediaml_assets.jasper.frame_tape import FrameTape
from mediaml_assets.jasper.planes import Plane, plane_view
from mediaml_assets.jasper.reading.decoder import Decoder, Seeker

_FULL_SCALE = 32_768.0


class ValueView(Protocol):
    """A stored value as a reading type sees it: the title, its one row and its files."""

    @property
    def title(self) -> str:
        """The slug of the title."""

    def row(self) -> dict[str, Any]:
        """The columns of the one row."""

    def blob(self, name: str) -> MediaFile:
        """The stored file that column `name` holds."""


class Frame:
    """One frame of a standard encode. Its planes are views of the decoder's memory: treat them as read-only."""

    __slots__ = ("_decoded", "index")

    def __init__(self, index: int, decoded: Any) -> None:
        """Args: frame number, and the decoded PyAV ``VideoFrame``."""
        self.index = index
        self._decoded = decoded

    @property
    def y(self) -> Plane:
        """Luma, uint8 [height, width], 16 black to 235 white."""
        return plane_view(self._decoded.planes[0])

    @property
    def u(self) -> Plane:
        """Blue difference, uint8 [height / 2, width / 2], 128 neutral."""
        return plane_view(self._decoded.planes[1])

    @property
    def v(self) -> Plane:
        """Red difference, uint8 [height / 2, width / 2], 128 neutral."""
        return plane_view(self._decoded.planes[2])

    def gray(self) -> Plane:
        """The luma plane, uint8 [height, width]."""
        return self.y

    def rgb(self) -> NDArray[np.uint8]:
        """Red, green and blue from BT.709 limited range: uint8 [height, width, 3], 0 to 255; a copy."""
        pixels: NDArray[np.uint8] = self._decoded.to_ndarray(format="rgb24", src_colorspace="ITU709")
        return pixels


class Media:
    """A title's standard encode. Not for use by several threads at once; processes each open their own.

    Attributes:
        title: the title's slug.
        rate: frames a second, exact and constant.
        frame_count: number of frames; indices run over [0, frame_count).
        width: canvas across, in pixels.
        height: canvas down, in pixels.
        active: x, y, width, height of the active picture on the canvas, without bars.
        sound_rate: samples a second of the sound.
    """

    columns: ClassVar[tuple[str, ...]] = (
        "video", "sound", "tape", "frame_map", "width", "height", "frame_count", "rate_num", "rate_den",
        "active_x", "active_y", "active_w", "active_h", "time_base_num", "time_base_den", "gop", "sound_rate",
    )  # fmt: skip

    def __init__(self, title: str, files: "MediaFiles", facts: "MediaFacts") -> None:
        """Args: the slug, where the files are, and what the row says of them."""
        self.title = title
        self._files, self._facts = files, facts
        self.rate, self.frame_count = facts.rate, facts.frame_count
        self.width, self.height, self.active = facts.width, facts.height, facts.active
        self.sound_rate = facts.sound_rate

    @classmethod
    def from_value(cls, view: ValueView) -> Self:
        """Read a stored ``standard_encode``."""
        row = view.row()
        return cls(
            view.title,
            MediaFiles(
                view.blob("video"), view.blob("sound") if row["sound"] else None, view.blob("tape"),
                view.blob("frame_map"),
            ),
            MediaFacts(
                Fraction(row["rate_num"], row["rate_den"]), row["frame_count"], row["width"], row["height"],
                (row["active_x"], row["active_y"], row["active_w"], row["active_h"]),
                Fraction(row["time_base_num"], row["time_base_den"]), row["gop"], row["sound_rate"],
            ),
        )  # fmt: skip

    @cached_property
    def tape(self) -> FrameTape:
        """64x36 YUV of every frame, mapped from its file."""
        return FrameTape.open(self._files.tape)

    def frames(self, indices: Iterable[int]) -> Iterator[Frame]:
        """The frames with these numbers, in the order given; a seek decodes at most one group of pictures (12).

        Neighbours, repetitions and either direction cost one decoding of each group.

        Raises:
            IndexError: a number is outside [0, frame_count).
        """
        for index in indices:
            yield Frame(index, self._seeker.frame(index))

    def sequential(self, start: int = 0, end: int | None = None) -> Iterator[Frame]:
        """Frames [start, end) one after the other; to the last when `end` is None. No frame is kept."""
        stop = self.frame_count if end is None else end
        if not 0 <= start <= stop <= self.frame_count:
            raise IndexError(f"{self.title}: frames [{start}, {stop}) are not within [0, {self.frame_count})")
        if start == stop:
            return
        with Decoder(self._files.video, self.rate) as decoder:
            for index, decoded in decoder.from_key_frame(start):
                if index >= start:
                    yield Frame(index, decoded)
                if index + 1 >= stop:
                    return

    @property
    def has_sound(self) -> bool:
        """Whether the title has sound at all."""
        return self._files.sound is not None

    def sound(self, start: int = 0, end: int | None = None) -> NDArray[np.float32] | None:
        """The sound, or its samples [start, end) as far as there are any; None without sound.

        float32 [samples] in [-1, 1), mono, sample n at n / `sound_rate` s. Only what is asked for is read.
        """
        if self._files.sound is None:
            return None
        blocks, first = [np.zeros(0, np.int16)], 0
        with open_derivative(self._files.sound) as container:
            if start:
                container.seek(start, stream=container.streams.audio[0])
            for frame in container.decode(audio=0):
                if len(blocks) == 1:
                    first = frame.pts
                elif end is not None and frame.pts >= end:
                    break
                blocks.append(frame.to_ndarray().reshape(-1))
        samples = np.concatenate(blocks)[max(0, start - first) : None if end is None else max(0, end - first)]
        return samples.astype(np.float32) / np.float32(_FULL_SCALE)

    def source_time(self, index: int) -> Fraction:
        """Seconds from the source's first picture to the one that frame `index` shows, exactly."""
        return self.frame_map.source_time(self._checked(index))

    def timecode(self, index: int) -> str:
        """``HH:MM:SS:FF`` of a frame, counted from 00:00:00:00 at the rate rounded to whole frames, non-drop."""
        base = max(1, round(self.rate))
        seconds, frame = divmod(self._checked(index), base)
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{frame:02}"

    @cached_property
    def frame_map(self) -> FrameMap:
        """Which source picture each frame shows."""
        return FrameMap.open(self._files.frame_map, self._facts.time_base)

    @cached_property
    def _seeker(self) -> Seeker:
        return Seeker(Decoder(self._files.video, self.rate), self.title, self.frame_count, self._facts.gop)

    def _checked(self, index: int) -> int:
        if not 0 <= index < self.frame_count:
            raise IndexError(f"{self.title}: frame {index} is not within [0, {self.frame_count})")
        return index


@dataclass(frozen=True)
class MediaFiles:
    """Where the files of a standard encode are; no sound file when the title has none."""

    video: MediaFile
    sound: MediaFile | None
    tape: MediaFile
    frame_map: MediaFile


@dataclass(frozen=True)
class MediaFacts:
    """What is known of a standard encode: see `Media` and, for ``time_base``, `FrameMap`."""

    rate: Fraction
    frame_count: int
    width: int
    height: int
    active: tuple[int, int, int, int]
    time_base: Fraction
    gop: int
    sound_rate: int
