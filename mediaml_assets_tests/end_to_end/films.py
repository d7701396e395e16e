"""Small real films: moving textures under hard cuts, with sound; one frame may differ."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, RATE = 320, 180, 25
SHOT_FRAMES = 20


def film(path: Path, seed: int, shots: int = 4, changed_frame: int | None = None) -> Path:
    """A film of `shots` shots of 0.8 s; the corner of `changed_frame` is white, all else stays the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as out:
        picture = out.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "crf": "16", "g": "25"})
        picture.width, picture.height, picture.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        picture.codec_context.thread_count = 1
        sound = out.add_stream("aac", rate=48_000, layout="mono")
        for number, rgb in enumerate(_pictures(seed, shots)):
            if number == changed_frame:
                rgb[:40, :40] = 255
            _encode(out, picture, av.VideoFrame.from_ndarray(rgb, format="rgb24"), number, Fraction(1, RATE))
        _sound(out, sound, shots * SHOT_FRAMES / RATE)
        for stream in (picture, sound):
            out.mux(stream.encode(None))
    return path


def sound_only(path: Path) -> Path:
    """A file with the suffix of a film and no picture in it."""
    with av.open(str(path), "w") as out:
        sound = out.add_stream("aac", rate=48_000, layout="mono")
        _sound(out, sound, 1.0)
        out.mux(sound.encode(None))
    return path


def _pictures(seed: int, shots: int) -> Sequence[NDArray[np.uint8]]:
    """RGB pictures: each shot pans over a texture of its own, in a direction of its own."""
    random = np.random.default_rng(seed)
    found = []
    for shot in range(shots):
        texture = _texture(random)
        dx, dy = ((2, 0), (0, 1), (-2, 0), (0, -1))[shot % 4]
        for n in range(SHOT_FRAMES):
            x, y = 60 + dx * n, 40 + dy * n
            found.append(np.ascontiguousarray(texture[y : y + HEIGHT, x : x + WIDTH]))
    return found


def _texture(random: np.random.Generator) -> NDArray[np.uint8]:
    noise = random.normal(size=(HEIGHT + 80, WIDTH + 120)).astype(np.float32)
    relief = cv2.GaussianBlur(noise, (0, 0), 5)
    relief /= relief.std()
    colour = random.uniform(0.4, 1.0, 3)
    level = random.uniform(70, 170)
    return np.clip((level + 35 * relief)[..., None] * colour, 0, 255).astype(np.uint8)


def _sound(out: Any, sound: Any, seconds: float) -> None:
    samples = (8000 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * 48_000)) / 48_000)).astype(np.int16)
    for begin in range(0, len(samples), 1024):
        frame = av.AudioFrame.from_ndarray(samples[None, begin : begin + 1024], format="s16", layout="mono")
        frame.sample_rate = 48_000
        _encode(out, sound, frame, begin, Fraction(1, 48_000))


def _encode(out: Any, stream: Any, frame: Any, pts: int, time_base: Fraction) -> None:
    frame.pts, frame.time_base = pts, time_base
    out.mux(stream.encode(frame))
