"""Decoding a standard encode: from a key frame on, or any one frame with a memory of the last ones."""

from collections import OrderedDict
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Self

from mediaml_assets.jasper.delivered.container import open_derivative
from mediaml_assets.jasper.files import MediaFile


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

    def from_key_frame(self, index: int) -> Iterator[tuple[int, Any]]:
        """(index, decoded frame) from the last key frame at or before `index` on, to the end of the file."""
        self._container.seek(round(index * self._ticks), stream=self._stream)
        frame, ticks, half = self._ticks.denominator, self._ticks.numerator, self._half
        for decoded in self._container.decode(self._stream):
            yield (decoded.pts * frame + half) // ticks, decoded


class Seeker:
    """Random access with a memory of the last frames decoded."""

    def __init__(self, decoder: Decoder, title: str, frame_count: int, gop: int) -> None:
        """Args: the open file, the title's slug and number of frames, and frames from one key frame to the next."""
        self._decoder, self._title, self._count, self._gop = decoder, title, frame_count, gop
        self._kept: OrderedDict[int, Any] = OrderedDict()
        self._running: Iterator[tuple[int, Any]] = iter(())
        self._next = -gop

    def frame(self, index: int) -> Any:
        """The decoded PyAV ``VideoFrame`` with this number.

        Raises:
            IndexError: there is none.
        """
        if not 0 <= index < self._count:
            raise IndexError(f"{self._title}: frame {index} is not within [0, {self._count})")
        if index in self._kept:
            return self._kept[index]
        ahead = index - self._next
        if not 0 <= ahead < self._gop:
            self._running = self._decoder.from_key_frame(index)
        for found, decoded in self._running:
            self._keep(found, decoded)
            if found == index:
                return decoded
        raise IndexError(f"{self._title}: frame {index} is missing from the video file; standardise the title again")

    def _keep(self, index: int, decoded: Any) -> None:
        self._kept[index] = decoded
        self._kept.move_to_end(index)
        self._next = index + 1
        while len(self._kept) > 2 * self._gop:
            self._kept.popitem(last=False)
