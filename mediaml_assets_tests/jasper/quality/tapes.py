"""Frame tapes of luma alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mediaml_assets.jasper.frame_tape import FRAME_BYTES, FrameTape


def tape_of(luma: NDArray[Any]) -> FrameTape:
    """A tape of luma pictures [n, 36, 64] with neutral chroma."""
    rows = np.full((len(luma), FRAME_BYTES), 128, np.uint8)
    rows[:, : 36 * 64] = luma.reshape(len(luma), 36 * 64)
    return FrameTape.of(rows)


def moving(frames: int) -> NDArray[np.uint8]:
    """A pan over a smooth relief, luma 60 to 190: no two frames alike, and nothing flashes."""
    across = np.arange(64) + np.arange(frames)[:, None]
    wave = 125 + 65 * np.sin(across / 20)
    return np.repeat(wave[:, None, :], 36, axis=1).astype(np.uint8)


def texture(frames: int, step: int) -> Any:
    """Dark and bright patches, 3 to 9 pixels large, that move by `step` pixels a frame."""
    patches = np.random.default_rng(1).integers(0, 2, (12, 400)) * 150 + 50
    wide = np.repeat(np.repeat(patches, 3, axis=0), 5, axis=1)
    return np.stack([wide[:, n * step : n * step + 64] for n in range(frames)])


def flashing(hertz: float, rate: int, seconds: float, low: int = 40, high: int = 200, area: float = 1.0) -> Any:
    """A picture that turns bright and dark again `hertz` times a second, in the left part of this area."""
    frames = np.full((round(seconds * rate), 36, 64), low, np.uint8)
    bright = (np.arange(len(frames)) * 2 * hertz // rate) % 2 == 1
    frames[bright, :, : round(64 * area)] = high
    return frames
