"""Titles whose every frame says its own number, without files."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pytest

from mediaml_assets.search_platform.previews import Cut

BITS = 12


@dataclass
class NumberedFrame:
    """A frame whose number stands in twelve black or white columns."""

    index: int
    shade: int
    u: np.ndarray = field(default_factory=lambda: np.full((180, 320), 128, np.uint8))
    v: np.ndarray = field(default_factory=lambda: np.full((180, 320), 128, np.uint8))

    @property
    def y(self) -> np.ndarray:
        bits = (self.index >> np.arange(BITS)) & 1
        luma = np.full((360, 640), self.shade, np.uint8)
        luma[:180] = np.where(np.repeat(bits, 640 // BITS + 1)[:640], 235, 16)
        return luma

    def rgb(self) -> np.ndarray:
        return np.repeat(self.y[:, :, None], 3, axis=2)


def number_of(luma: np.ndarray) -> int:
    """The number that a frame shows, also after lossy compression."""
    width = 640 // BITS + 1
    return sum(int(luma[90, bit * width + width // 2 - 5] > 128) << bit for bit in range(BITS))


@dataclass(frozen=True)
class Tone:
    """A sine that is as long as the picture, with silence around it."""

    hertz: float
    seconds: Fraction

    def samples(self, start: Fraction, end: Fraction, rate: int) -> np.ndarray:
        time = np.arange(round(start * 16_000), round(end * 16_000)) / 16_000
        heard = (time >= 0) & (time < float(self.seconds))
        return (0.5 * np.sin(2 * np.pi * self.hertz * time) * heard).astype(np.float32)


@dataclass
class NumberedMedia:
    """What previews read of `Media`."""

    title: str
    rate: Fraction
    frame_count: int
    shade: int
    tone: float | None
    width: int = 640
    height: int = 360

    def frames(self, indices: Iterable[int]) -> Iterator[NumberedFrame]:
        for index in indices:
            assert 0 <= index < self.frame_count
            yield NumberedFrame(index, self.shade)

    @property
    def video(self) -> "NumberedMedia":
        return self

    @property
    def audio(self) -> "Tone | None":
        return None if self.tone is None else Tone(self.tone, self.frame_count / self.rate)

    def timecode(self, index: int) -> str:
        seconds, frame = divmod(index, round(self.rate))
        return f"00:00:{seconds:02}:{frame:02}"


@pytest.fixture
def first() -> NumberedMedia:
    return NumberedMedia("film-one", Fraction(24_000, 1_001), 900, 60, 500.0)


@pytest.fixture
def second() -> NumberedMedia:
    return NumberedMedia("show-s01e02", Fraction(30), 900, 180, 1_500.0)


def make_cut(flavour: str = "frame", rank: int = 1, **other: int) -> Cut:
    frames = {"start1": 300, "end1": 400, "start2": 600, "end2": 700, "out_frame": 397, "in_frame": 603, **other}
    return Cut(flavour, rank, "film-one", 12, "show-s01e02", 4, 0.9137, **frames)
