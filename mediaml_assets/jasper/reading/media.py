"""A film as it is read: pictures, sound, texts and images; and `Media`, a title's standard encode read that way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar, Protocol, Self

from mediaml_assets.jasper.files import MediaFile
from mediaml_assets.jasper.frame_map import FrameMap
from mediaml_assets.jasper.frame_tape import FrameTape
from mediaml_assets.jasper.reading.audio import Audio, StandardAudio
from mediaml_assets.jasper.reading.broadcast import Broadcast, Reader
from mediaml_assets.jasper.reading.source import FrameSource
from mediaml_assets.jasper.reading.standard_frames import StandardFrames
from mediaml_assets.jasper.reading.texts import Texts
from mediaml_assets.jasper.reading.timeline import ConstantTimes
from mediaml_assets.jasper.reading.video import Video
from mediaml_assets.jasper.timecode import Timecode


class ValueView(Protocol):
    """A stored value as a reading type sees it: the title, its one row and its files."""

    @property
    def title(self) -> str:
        """The slug of the title."""

    def row(self) -> dict[str, Any]:
        """The columns of the one row."""

    def blob(self, name: str) -> MediaFile:
        """The stored file that column `name` holds."""


class Film(Protocol):
    """What is read of a film, whichever file it is; a context manager, which closes what it opened.

    Attributes:
        title: the title's slug, or the file's name.
    """

    title: str

    @property
    def video(self) -> Video:
        """Its pictures."""

    @property
    def audio(self) -> Audio | None:
        """Its sound; None without."""

    @property
    def text(self) -> Texts:
        """Its cues; empty without."""

    @property
    def images(self) -> Sequence[Any]:
        """Its posters, stills and artwork; empty without."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Media:
    """A title's standard encode. Not for use by several threads at once; processes each open their own.

    Attributes:
        title: the title's slug.
        rate: frames a second, exact and constant.
        frame_count: number of frames; indices run over [0, frame_count).
        width: canvas across, in pixels.
        height: canvas down, in pixels.
        active: x, y, width, height of the active picture on the canvas, without bars.
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
        self._read_text: Callable[[], Texts] = Texts
        self._read_images: Callable[[], Sequence[Any]] = tuple
        self._frames: FrameSource = StandardFrames(title, files.video, facts.rate, facts.frame_count, facts.gop)

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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def video(self) -> Video:
        """Its pictures: uint8 planes, half as wide and high for colour, or RGB. A seek decodes one group at most."""
        return Video(self._frames, ConstantTimes(self.rate, self.frame_count))

    def with_frames(self, source: FrameSource) -> Self:
        """The same title, its decoded pictures from another source: one pass over the file that others share."""
        same = self._fresh()
        same._frames = source
        return same

    def with_companions(self, text: Callable[[], Texts], images: Callable[[], Sequence[Any]]) -> Self:
        """The same title, with what reads its cues and its artwork when they are asked for."""
        same = self._fresh()
        same._read_text, same._read_images = text, images
        return same

    def _fresh(self) -> Self:
        same = type(self)(self.title, self._files, self._facts)
        same._frames, same._read_text, same._read_images = self._frames, self._read_text, self._read_images
        return same

    @cached_property
    def text(self) -> Texts:
        """Its cues; empty where it has none, and where a feature reads the standard encode alone."""
        return self._read_text()

    @cached_property
    def images(self) -> Sequence[Any]:
        """Its posters, stills and artwork (`pictures.artwork.Picture`); empty likewise."""
        return self._read_images()

    @classmethod
    def together(cls, view: ValueView, readers: int) -> list[Self]:
        """The same title once for each of several threads, which decode its pictures once for all (see `Broadcast`).

        Each must be closed when it has been read: the others wait for it until then.
        """
        one = cls.from_value(view)
        return [one.with_frames(source) for source in Broadcast(one._frames, readers).readers]

    def close(self) -> None:
        """Let go of what it opened. One that is read together with others can be closed from any thread.

        Asked for more, it opens it again; a `frame_map` that was taken from it is closed, a `tape` is the taker's.
        """
        self.__dict__.pop("tape", None)
        if "frame_map" in self.__dict__:
            self.__dict__.pop("frame_map").close()
        if isinstance(self._frames, Reader):
            self._frames.close()
        elif "video" in self.__dict__:
            self.video.close()

    @cached_property
    def audio(self) -> Audio | None:
        """Its sound, mono, at the recipe's rate as stored; None when the title has none."""
        if self._files.sound is None:
            return None
        return StandardAudio(self.title, self._files.sound, self._facts.sound_rate, self.frame_count / self.rate)

    @cached_property
    def tape(self) -> FrameTape:
        """64x36 YUV of every frame, mapped from its file."""
        return FrameTape.open(self._files.tape)

    def source_time(self, index: int) -> Fraction:
        """Seconds from the source's first picture to the one that frame `index` shows, exactly."""
        return self.frame_map.source_time(self.video.checked(index))

    def timecode(self, index: int, start: Timecode | None = None) -> str:
        """``HH:MM:SS:FF`` of a frame.

        With the source's `start` timecode (`container_facts`) it is the source's own of what the frame shows; without,
        frames are counted from 00:00:00:00 at the rate rounded to whole frames, non-drop.
        """
        checked = self.video.checked(index)
        zero = Timecode(0, max(1, round(self.rate)))
        return str(zero + checked if start is None else self.frame_map.timecode(checked, start))

    @cached_property
    def frame_map(self) -> FrameMap:
        """Which source picture each frame shows."""
        return FrameMap.open(self._files.frame_map)


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
