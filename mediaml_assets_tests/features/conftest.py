"""Pictures and films made of arrays, for tests of the features."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from mediaml_assets.features.shots import Shot

Picture = npt.NDArray[np.uint8]


def texture(seed: int, width: int = 640, height: int = 360, grain: int = 20) -> Picture:
    """A smooth random picture, uint8 [height, width], luma 40-220."""
    small = np.random.default_rng(seed).random((height // grain + 2, width // grain + 2)).astype(np.float32)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    low, high = float(large.min()), float(large.max())
    return np.asarray(40 + 180 * (large - low) / (high - low), np.uint8)


def panned(seed: int, count: int, dx: float, dy: float = 0.0, grain: int = 20) -> list[Picture]:
    """`count` pictures whose content moves by (dx, dy) canvas pixels a frame."""
    wide = texture(seed, 1600, 1000, grain)
    moves = [np.array([[1, 0, dx * i - 480], [0, 1, dy * i - 320]], np.float32) for i in range(count)]
    return [np.asarray(cv2.warpAffine(wide, move, (640, 360), flags=cv2.INTER_LINEAR), np.uint8) for move in moves]


class Tape:
    """A frame tape of luma pictures with neutral chroma."""

    def __init__(self, pictures: Sequence[Picture]) -> None:
        self.y = np.stack([cv2.resize(p, (64, 36), interpolation=cv2.INTER_AREA) for p in pictures])
        self.u = np.full((len(pictures), 18, 32), 128, np.uint8)
        self.v = self.u.copy()


@dataclass(frozen=True)
class ArrayFrame:
    """One frame of an ArrayMedia: what `Frame` offers."""

    index: int
    y: Picture
    u: Picture
    v: Picture

    def rgb(self) -> Picture:
        return np.repeat(self.y[..., None], 3, axis=2)


@dataclass(frozen=True)
class ArrayAudio:
    """Sound of 16 kHz in memory."""

    stored: npt.NDArray[np.float32]
    rate = 16_000

    def samples(self, start: Fraction, end: Fraction, rate: int = 16_000) -> npt.NDArray[np.float32]:
        assert rate == self.rate
        return self.stored[round(start * self.rate) : round(end * self.rate)]


class ArrayMedia:
    """A film whose frames are luma pictures [360, 640] in memory, with what features read of `Media`."""

    title = "array"
    width, height = 640, 360
    active = (0, 0, 640, 360)

    def __init__(self, pictures: Sequence[Picture], rate: int = 25) -> None:
        self.pictures = pictures
        self.rate = Fraction(rate)
        self.frame_count = len(pictures)
        self.tape = Tape(pictures)
        self.asked: list[int] = []
        self.samples: npt.NDArray[np.float32] | None = None

    @property
    def video(self) -> "ArrayMedia":
        return self

    @property
    def audio(self) -> "ArrayAudio | None":
        return None if self.samples is None else ArrayAudio(self.samples)

    def frames(self, indices: Sequence[int]) -> Iterator[ArrayFrame]:
        chroma = np.full((180, 320), 128, np.uint8)
        for index in indices:
            self.asked.append(index)
            yield ArrayFrame(index, self.pictures[index], chroma, chroma)

    def sequential(self) -> Iterator[ArrayFrame]:
        return self.frames(range(self.frame_count))

    def clip(self, shot: Shot) -> Iterator[ArrayFrame]:
        return self.frames(range(shot.start, shot.end))


@pytest.fixture
def cut_film() -> ArrayMedia:
    """Two still shots of 30 frames that meet in a cut."""
    return ArrayMedia([texture(1)] * 30 + [texture(2)] * 30)
