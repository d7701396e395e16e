"""How high the sound of a standard encode stands from moment to moment: its silence, and a picture of it."""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaml_assets.jasper.quality.stretches import Stretch, runs

BLOCKS = 10
"""Blocks a second."""
_SILENT = 10 ** (-60 / 10)
_SILENT_SECONDS = 2
_FULL_SCALE = 32_768.0
_WIDTH, _HEIGHT = 768, 96
_INK, _PAPER = 96, 255


class SoundLevels:
    """Takes the sound of a standard encode block by block, on the clock of its picture."""

    def __init__(self, rate: int) -> None:
        """Args: samples a second, a multiple of 10."""
        self._length = rate // BLOCKS
        self._rest: NDArray[np.int16] = np.zeros(0, np.int16)
        self._power: list[float] = []
        self._low: list[int] = []
        self._high: list[int] = []

    def push(self, samples: NDArray[np.int16]) -> None:
        """Take int16 [n, channels] samples; of several channels the loudest counts at each moment."""
        if samples.shape[1] > 1:
            loudest = np.abs(samples.astype(np.int32)).argmax(axis=1)
            samples = samples[np.arange(len(samples)), loudest, None]
        joined = np.concatenate([self._rest, samples[:, 0]])
        whole = len(joined) // self._length * self._length
        self._rest = joined[whole:]
        blocks = joined[:whole].reshape(-1, self._length)
        self._power += np.square(blocks / _FULL_SCALE).mean(axis=1).tolist()
        self._low += blocks.min(axis=1).tolist()
        self._high += blocks.max(axis=1).tolist()

    @property
    def silence_share(self) -> float:
        """Share of whole blocks of a tenth of a second below -60 dB of full scale; 1 without any block."""
        return float(np.mean(self._silent())) if self._power else 1.0

    def silences(self) -> list[Stretch]:
        """Stretches of blocks, a tenth of a second each, of 2 s or more of silence."""
        return runs(self._silent(), _SILENT_SECONDS * BLOCKS)

    def draw(self, path: Path) -> Path:
        """Write the waveform as a grey PNG of 768 x 96 pixels, time across, and give its path."""
        picture = np.full((_HEIGHT, _WIDTH), _PAPER, np.uint8)
        picture[_HEIGHT // 2] = _INK
        edges = np.linspace(0, len(self._low), _WIDTH + 1).astype(int)
        for x, (start, end) in enumerate(pairwise(edges)):
            here = slice(start, max(end, start + 1))
            if self._low[here]:
                low, high = min(self._low[here]), max(self._high[here])
                top, bottom = (round((1 - value / _FULL_SCALE) * (_HEIGHT - 1) / 2) for value in (high, low))
                picture[top : bottom + 1, x] = _INK
        path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
        return path

    def _silent(self) -> NDArray[np.bool_]:
        silent: NDArray[np.bool_] = np.array(self._power) < _SILENT
        return silent
