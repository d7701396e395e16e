"""The files of a standard encode, written frame by frame: picture with AAC, sound for algorithms, tape and map."""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from mediaml_assets.jasper.frame_map import FrameMapWriter
from mediaml_assets.jasper.frame_tape import TapeWriter
from mediaml_assets.jasper.planes import planes_of
from mediaml_assets.jasper.recipe import Recipe
from mediaml_assets.jasper.standard.sound import Samples

VIDEO, SOUND, TAPE, MAP = "video.mp4", "sound.flac", "tape.yuv", "frame_map.i64"
_BT709 = 1
_LIMITED = 1
_AAC_FRAME = 1024


class PictureWriter:
    """Encodes canvas pictures at a constant rate, and writes the tape and the frame map beside them.

    A context manager; leaving it without an error finishes the files. `play` takes the sound for people.
    """

    def __init__(self, folder: Path, recipe: Recipe, rate: Fraction, with_sound: bool) -> None:
        """Args: an existing folder, the recipe, frames a second, and whether there is sound."""
        self._folder, self._rate = folder, rate
        self._file = av.open(
            str(folder / VIDEO), "w", format="mp4", container_options={"movflags": "+faststart", "fflags": "+bitexact"}
        )
        self._video = self._video_stream(recipe)
        self._play: Any = self._play_stream(recipe) if with_sound else None
        self._played = 0
        self._tape = TapeWriter(folder / TAPE)
        self.frame_map = FrameMapWriter()

    def __enter__(self) -> "PictureWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._file, self._tape:
            if error is None:
                self._mux(self._video.encode(None))
                if self._play is not None:
                    self._mux(self._play.encode(None))
                self.frame_map.save(self._folder / MAP)

    def write(self, frame: Any, source_frame: int, source_pts: int, times: int) -> None:
        """Encode one canvas picture `times` times in a row, 1 or more: it is held until the next."""
        self._tape.write(*planes_of(frame))
        frame.pict_type = 0
        frame.color_range, frame.colorspace = _LIMITED, _BT709
        for held in range(times):
            if held:
                self._tape.repeat()
            frame.pts, frame.time_base = len(self.frame_map), 1 / self._rate
            self.frame_map.add(source_frame, source_pts)
            self._mux(self._video.encode(frame))

    def play(self, samples: Samples) -> None:
        """Encode stereo samples, int16 [n, 2], for people; n is a multiple of 1,024 but in the last call."""
        for at in range(0, len(samples), _AAC_FRAME):
            frame = audio_frame(samples[at : at + _AAC_FRAME], "stereo", self._play.rate, self._played)
            self._played += frame.samples
            self._mux(self._play.encode(frame))

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            self._file.mux(packet)

    def _video_stream(self, recipe: Recipe) -> Any:
        stream = self._file.add_stream("libx264", rate=self._rate, options=recipe.x264_options())
        context = stream.codec_context
        stream.width, stream.height, stream.pix_fmt = recipe.width, recipe.height, "yuv420p"
        context.thread_count, context.time_base = 1, 1 / self._rate
        context.color_range, context.colorspace = _LIMITED, _BT709
        context.color_primaries = context.color_trc = _BT709
        return stream

    def _play_stream(self, recipe: Recipe) -> Any:
        stream = self._file.add_stream(
            "aac", rate=recipe.play_rate, layout="stereo", options={"aac_coder": "fast", "flags": "+bitexact"}
        )
        stream.bit_rate = recipe.play_bits
        stream.codec_context.thread_count = 1
        return stream


class SoundWriter:
    """Writes sound as FLAC; a context manager."""

    def __init__(self, path: Path, recipe: Recipe) -> None:
        """Args: the file to write, and the recipe, which says how many samples a second and which channels."""
        self._file = av.open(str(path), "w", format="flac", container_options={"fflags": "+bitexact"})
        self._stream: Any = self._file.add_stream(
            "flac", rate=recipe.sound_rate, layout=recipe.sound_layout, options={"flags": "+bitexact"}
        )
        self._stream.codec_context.format = "s16"
        self._stream.codec_context.thread_count = 1
        self._recipe, self._written = recipe, 0

    def __enter__(self) -> "SoundWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._file:
            if error is None:
                self._file.mux(self._stream.encode(None))

    def write(self, samples: Samples) -> None:
        """Append samples, int16 [n, channels]; n is a multiple of 4,096 but in the last call."""
        frame = audio_frame(samples, self._recipe.sound_layout, self._recipe.sound_rate, self._written)
        self._written += frame.samples
        self._file.mux(self._stream.encode(frame))


def audio_frame(samples: NDArray[np.int16], layout: str, rate: int, at: int) -> Any:
    """A PyAV audio frame of int16 [n, channels] that starts at sample `at`."""
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
    return frame
