"""The pictures of a standard encode: their places are arithmetic, so nothing is scanned."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

from mediaml_assets.jasper.delivered.container import open_derivative
from mediaml_assets.jasper.files import MediaFile


@dataclass(frozen=True)
class StandardFrames:
    """A `FrameSource` over the video file of a standard encode.

    Attributes:
        name: the title.
        file: the mp4.
        rate: frames a second.
        count: number of frames.
        gop: frames from one key frame to the next.
    """

    name: str
    file: MediaFile
    rate: Fraction
    count: int
    gop: int

    def __len__(self) -> int:
        return self.count

    def reader(self) -> "Decoder":
        """Open the file once more."""
        return Decoder(self.file, self.rate)

    def key_frame(self, index: int) -> int:
        """The multiple of `gop` at or before `index`."""
        return index - index % self.gop


class Decoder:
    """One open video file. Its key frames stand equally far apart and nothing is reordered, so pts gives the index."""

    def __init__(self, file: MediaFile, rate: Fraction) -> None:
        """Args: the video file, and its frames a second."""
        self._container = open_derivative(file)
        self._stream = self._container.streams.video[0]
        self._stream.codec_context.thread_count = 1
        self._stream.codec_context.thread_type = "NONE"
        self._ticks = 1 / (rate * self._stream.time_base)
        self._half = self._ticks.numerator // 2

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def frames_from(self, index: int) -> Iterator[tuple[int, Any]]:
        """(index, decoded frame) from the last key frame at or before `index` on, to the end of the file."""
        self._container.seek(round(index * self._ticks), stream=self._stream)
        frame, ticks, half = self._ticks.denominator, self._ticks.numerator, self._half
        for decoded in self._container.decode(self._stream):
            yield (decoded.pts * frame + half) // ticks, decoded
