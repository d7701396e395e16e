"""Short whole films in many containers and codecs, with moving pictures and sound, to be corrupted."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.media.priority import kept_priority

RATE, FRAMES = 25, 75
WIDTH, HEIGHT = 320, 180
_SHOT = 25
_MARGIN = 80
_QUIET = {"x265-params": "log-level=none:keyint=25:pools=none:frame-threads=1"}
_NASTY = (Path(__file__).parents[2] / os.environ.get("MEDIAML_SHARED", "../shared")).resolve() / "media" / "nasty"
_REAL = ("vfr__529b04__var_fps_video.mp4", "filename__e55e67__Tiny Sample - OLD.mp4")


@dataclass(frozen=True)
class Kind:
    """A container with its codecs; `suffix` names the container."""

    suffix: str
    video: str
    audio: str
    pixels: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)
    container: dict[str, str] = field(default_factory=dict)
    rate: int = 48_000


KINDS: tuple[Kind, ...] = (
    Kind("mp4", "libx264", "aac", options={"preset": "veryfast", "crf": "20", "g": "25"}),
    Kind("mov", "libx264", "pcm_s16le", options={"preset": "veryfast", "crf": "20", "g": "25", "bf": "0"}),
    Kind("mkv", "libx265", "ac3", options={"preset": "ultrafast", **_QUIET}),
    Kind("webm", "libvpx-vp9", "libopus", options={"deadline": "realtime", "cpu-used": "8", "b": "1M", "g": "25"}),
    Kind("ts", "libx264", "mp2", options={"preset": "veryfast", "crf": "20", "g": "25"}),
    Kind("avi", "mpeg4", "libmp3lame", options={"b": "2M", "g": "12"}),
    Kind("mxf", "mpeg2video", "pcm_s16le", options={"b": "4M", "g": "12"}),
    Kind("mp4", "libx264", "aac", options={"preset": "veryfast", "crf": "20", "g": "25"},
         container={"movflags": "frag_keyframe+empty_moov+default_base_moof"}),
    Kind("mov", "prores_ks", "pcm_s16le", pixels="yuv422p10le"),
    Kind("mkv", "libsvtav1", "flac", options={"preset": "12", "svtav1-params": "keyint=25:lp=1"}),
)  # fmt: skip
"""The ten; the last two give way to real films where development media are present."""


def films(folder: Path, seed: int) -> list[Path]:
    """Write the ten films into `folder`; two of them are real ones where development media are present."""
    real = [path for name in _REAL if (path := _NASTY / name).is_file()]
    rendered = KINDS[: len(KINDS) - len(real)]
    return [*(render(folder / f"{n}.{kind.suffix}", kind, seed * 100 + n) for n, kind in enumerate(rendered)), *real]


def render(path: Path, kind: Kind, seed: int) -> Path:
    """Write one film of 3 s: three shots over moving textures, and a sweep as its sound."""
    with kept_priority(), av.open(str(path), "w", options=kind.container) as out:
        video: Any = out.add_stream(kind.video, rate=RATE, options=kind.options)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, kind.pixels
        video.codec_context.thread_count = 1
        audio: Any = out.add_stream(kind.audio, rate=kind.rate, layout="stereo")
        for number, rgb in enumerate(pictures(seed)):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=kind.pixels)
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        for frame in sound(audio, kind.rate):
            out.mux(audio.encode(frame))
        out.mux(audio.encode(None))
    return path


def pictures(seed: int) -> Sequence[NDArray[np.uint8]]:
    """RGB pictures, uint8 [180, 320, 3]: each shot moves over a texture of its own, so that no two are alike."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(FRAMES):
        if number % _SHOT == 0:
            noise = random.normal(size=(HEIGHT + _MARGIN, WIDTH + _MARGIN, 3)).astype(np.float32)
            relief = cv2.GaussianBlur(noise, (0, 0), 6)
            texture = np.clip(128 + 55 * relief / relief.std(), 16, 235).astype(np.uint8)
        at = 3 * (number % _SHOT)
        found.append(np.ascontiguousarray(texture[at : at + HEIGHT, at : at + WIDTH]))
    return found


def sound(stream: Any, rate: int) -> Sequence[Any]:
    """Stereo frames of a rising tone, in the size and format that the encoder of `stream` wants."""
    time = np.arange(rate * FRAMES // RATE) / rate
    tone = (9000 * np.sin(2 * np.pi * (200 + 150 * time) * time)).astype(np.int16)
    size = stream.codec_context.frame_size or 1024
    resampler = av.AudioResampler(format=stream.codec_context.format, layout="stereo", rate=rate, frame_size=size)
    frame = av.AudioFrame.from_ndarray(np.repeat(tone, 2)[None], format="s16", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    return [*resampler.resample(frame), *resampler.resample(None)]
