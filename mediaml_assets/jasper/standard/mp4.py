"""Writing an mp4 of numbered pictures at a constant rate with sound: the one way that the project writes film."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import av
import numpy as np
from numpy.typing import NDArray

_BT709 = 1
_LIMITED = 1
_AAC_FRAME = 1024


@dataclass(frozen=True)
class Aac:
    """The sound of an mp4: samples a second, the layout, and bits a second."""

    rate: int
    layout: Literal["mono", "stereo"]
    bits: int


class Mp4Writer:
    """Encodes yuv420p pictures with x264 and samples with AAC; equal input gives equal bytes.

    A context manager; leaving it without an error finishes the file. Its index stands at its beginning, so that it
    plays before it is whole; colours are marked as BT.709 in the limited range.
    """

    def __init__(
        self,
        path: Path,
        rate: Fraction,
        size: tuple[int, int],
        x264: Mapping[str, str],
        sound: Aac | None,
    ) -> None:
        """Args: the file, frames a second, (width, height), options of libx264, and the sound, if there is any."""
        self._rate, self._tick, self.pictures, self._samples = rate, 1 / rate, 0, 0
        self._file = av.open(
            str(path), "w", format="mp4", container_options={"movflags": "+faststart", "fflags": "+bitexact"}
        )
        self._video = self._video_stream(size, x264)
        self._sound = sound
        self._audio: Any = None if sound is None else self._audio_stream(sound)

    def __enter__(self) -> "Mp4Writer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._file:
            if error is None:
                self._file.mux(self._video.encode(None))
                if self._audio is not None:
                    self._file.mux(self._audio.encode(None))

    def show(self, picture: Any, key: bool = False) -> None:
        """Encode a PyAV yuv420p ``VideoFrame`` as the next picture; as a key frame if `key`."""
        picture.pict_type = av.video.frame.PictureType.I if key else av.video.frame.PictureType.NONE
        picture.color_range, picture.colorspace = _LIMITED, _BT709
        picture.pts, picture.time_base = self.pictures, self._tick
        self.pictures += 1
        self._file.mux(self._video.encode(picture))

    def hear(self, samples: NDArray[np.int16]) -> None:
        """Encode the next samples, int16 [n, channels]; n is a multiple of 1,024 but in the last call."""
        if self._sound is None:
            raise ValueError("this mp4 was opened without sound")
        for at in range(0, len(samples), _AAC_FRAME):
            frame = audio_frame(samples[at : at + _AAC_FRAME], self._sound.layout, self._sound.rate, self._samples)
            self._samples += frame.samples
            self._file.mux(self._audio.encode(frame))

    def _video_stream(self, size: tuple[int, int], x264: Mapping[str, str]) -> Any:
        stream = self._file.add_stream("libx264", rate=self._rate, options=dict(x264))
        context = stream.codec_context
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        context.thread_count, context.time_base = 1, 1 / self._rate
        context.color_range, context.colorspace = _LIMITED, _BT709
        context.color_primaries = context.color_trc = _BT709
        return stream

    def _audio_stream(self, sound: Aac) -> Any:
        stream = self._file.add_stream(
            "aac", rate=sound.rate, layout=sound.layout, options={"aac_coder": "fast", "flags": "+bitexact"}
        )
        stream.bit_rate = sound.bits
        stream.codec_context.thread_count = 1
        return stream


def audio_frame(samples: NDArray[np.int16], layout: str, rate: int, at: int) -> Any:
    """A PyAV audio frame of int16 [n, channels] that starts at sample `at`."""
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
    return frame


def sixteen_bits(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Samples in [-1, 1) as int16, the same shape; what is beyond is clipped."""
    return np.asarray(np.clip(np.rint(samples * np.float32(32_768)), -32_768, 32_767), np.int16)
