"""A film for measuring: 640x360 at 24 frames a second, moving, with cuts, each frame carrying its number.

The number stands in 12 cells along the lower edge, dark or bright, large enough to survive any encoder; `number_of`
reads it from the red channel of an RGB picture, in any process that has numpy.
"""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, RATE = 640, 360, 24
BITS = 12
CELL_HEIGHT = 24
SHOT = 60
DELIVERED = {"preset": "veryfast", "crf": "20", "bf": "3", "g": "48", "threads": "1"}
"""As a film is delivered: B-frames that others refer to, a key frame every two seconds at most, and at cuts."""


def render(path: Path, seed: int, count: int) -> Path:
    """Write `count` frames as H.264 with B-frames into an MP4."""
    random = np.random.default_rng(seed)
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as out:
        stream = out.add_stream("libx264", rate=RATE, options=DELIVERED)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        context = stream.codec_context
        context.thread_count, context.color_range, context.colorspace = 1, 1, 1
        wide = _scene(random)
        pan = random.integers(-6, 7, 2)
        for number in range(count):
            at = number % SHOT
            if at == 0:
                wide, pan = _scene(random), random.integers(-6, 7, 2)
            left, top = 360 + pan * (at - SHOT // 2)
            picture = wide[top : top + HEIGHT, left : left + WIDTH].copy()
            picture[-CELL_HEIGHT:] = _cells(number)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            out.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace="ITU709")))
        out.mux(stream.encode(None))
    return path


def number_of(picture: NDArray[np.uint8]) -> int:
    """The number that an RGB picture [360, 640, 3] carries."""
    row = picture[-CELL_HEIGHT // 2, :, 0]
    centres = (np.arange(BITS) * 2 + 1) * WIDTH // (2 * BITS)
    return int(sum(int(row[centre] > 128) << bit for bit, centre in enumerate(centres)))


def _scene(random: np.random.Generator) -> NDArray[np.uint8]:
    """A picture larger than the film's, with shapes of several sizes and fine grain."""
    shape = (HEIGHT + 720, WIDTH + 720)
    total = np.zeros((*shape, 3), np.float32)
    for cell, weight in ((160, 1.0), (40, 0.6), (10, 0.3)):
        small = random.random((shape[0] // cell + 2, shape[1] // cell + 2, 3), np.float32)
        total += weight * cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC)
    total += random.normal(0, 0.02, (*shape, 1)).astype(np.float32)
    return np.asarray(np.clip(40 + 90 * total, 0, 255), np.uint8)


def _cells(number: int) -> NDArray[np.uint8]:
    level = np.where(number >> np.arange(BITS) & 1, 220, 30)
    return np.asarray(level[np.arange(WIDTH) * BITS // WIDTH][None, :, None].repeat(3, axis=2), np.uint8)
