"""The files of a standard encode, written frame by frame: picture with AAC, sound for algorithms, tape and map."""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av

from mediaml_assets.jasper.frame_map import FrameMapWriter
from mediaml_assets.jasper.frame_tape import TapeWriter
from mediaml_assets.jasper.planes import planes_of
from mediaml_assets.jasper.recipe import Recipe
from mediaml_assets.jasper.standard.mp4 import Aac, Mp4Writer, audio_frame
from mediaml_assets.jasper.standard.sound import Samples

VIDEO, SOUND, TAPE, MAP = "video.mp4", "sound.flac", "tape.yuv", "frame_map.parquet"


class PictureWriter:
    """Encodes canvas pictures at a constant rate, and writes the tape and the frame map beside them.

    A context manager; leaving it without an error finishes the files. `play` takes the sound for people.
    """

    def __init__(
        self, folder: Path, recipe: Recipe, rate: Fraction, with_sound: bool, frame_map: FrameMapWriter
    ) -> None:
        """Args: an existing folder, the recipe, frames a second, whether there is sound, and the map to save."""
        sound = Aac(recipe.play_rate, "stereo", recipe.play_bits) if with_sound else None
        size = (recipe.width, recipe.height)
        self._mp4 = Mp4Writer(folder / VIDEO, rate, size, recipe.x264_options(), sound)
        self._tape = TapeWriter(folder / TAPE)
        self._map, self._map_file = frame_map, folder / MAP

    def __enter__(self) -> "PictureWriter":
        self._tape.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._mp4.__exit__(kind, error, at)
            if error is None:
                self._map.save(self._map_file, self._mp4.pictures)
        finally:
            self._tape.__exit__(kind, error, at)

    def write(self, frame: Any, times: int) -> None:
        """Encode one canvas picture `times` times in a row, 1 or more: it is held until the next."""
        self._tape.write(*planes_of(frame))
        for held in range(times):
            if held:
                self._tape.repeat()
            self._mp4.show(frame)

    def play(self, samples: Samples) -> None:
        """Encode stereo samples, int16 [n, 2], for people; n is a multiple of 1,024 but in the last call."""
        self._mp4.hear(samples)


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
