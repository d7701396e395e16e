"""Shots made over: a part of each, in another crop, grade and encode, as a recap or another version would have it."""

from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.duplicate_truth.films import FilmShots
from mediaml_assets.features.joined_shots import JoinedShots
from mediaml_assets.features.measures.descriptor import descriptor
from mediaml_assets.features.shot_embedding import Embeddings, Vectors
from mediaml_assets.features.shot_prints import PER_SECOND, ShotPrints, shot_prints
from mediaml_assets.features.shots import Shot
from mediaml_assets.jasper.frame_tape import CHROMA, LUMA
from mediaml_assets.jasper.reading.frame import Frame
from mediaml_assets.jasper.reading.media import Media

Planes = npt.NDArray[np.uint8]
WIDTH, HEIGHT = 640, 360
WHOLE = (0, 0, WIDTH, HEIGHT)
CROP = 0.08  # most that is cut off across or down
TRIM = 0.25  # most of a shot that is left out at either end


@dataclass(frozen=True)
class Picture:
    """Planes as a frame has them."""

    y: Planes
    u: Planes
    v: Planes


@dataclass(frozen=True)
class Tape:
    """A frame tape in memory."""

    y: Planes
    u: Planes
    v: Planes


@dataclass(frozen=True)
class Reel:
    """A film of the pictures of altered shots alone, two a second: what `shot_prints` reads of a standard encode."""

    tape: Tape
    active: tuple[int, int, int, int] = WHOLE
    rate: Fraction = Fraction(PER_SECOND)


@dataclass(frozen=True)
class Altered:
    """Altered shots of a film: the places of the originals, embeddings and prints."""

    of: list[int]
    embedding: Embeddings
    prints: ShotPrints


def altered_shots(film: FilmShots, random: np.random.Generator) -> Altered:
    """One altered part of each shot of a film that lasts at least a second."""
    rate = float(film.media.rate)
    chosen = [place for place, shot in enumerate(film.shots) if shot.usable_end - shot.usable_start >= rate]
    vectors: list[list[Vectors]] = []
    pictures: list[Picture] = []
    rows: list[Shot] = []
    for place in chosen:
        shot = film.shots[place]
        frames = _part(shot, rate / PER_SECOND, random)
        look = _Look(random)
        made = [look(frame.rgb(), film.media.active) for frame in film.media.video.frames(frames)]
        moments = (cast("Frame", made[at]) for at in (0, len(made) // 2, len(made) - 1))
        vectors.append([descriptor(one, WHOLE) for one in moments])
        start = len(pictures)
        rows.append(Shot(len(rows), start, start + len(made), start, start + len(made)))
        pictures += made
    shots = JoinedShots(tuple(rows), ("start", *["cut"] * (len(rows) - 1)))
    embedding = Embeddings(np.arange(len(rows), dtype=np.int32), np.asarray(vectors, np.float32))
    reel = cast("Media", Reel(_tape(pictures)))
    return Altered(chosen, embedding, ShotPrints.from_table(shot_prints(reel, shots)))


def _part(shot: Shot, step: float, random: np.random.Generator) -> list[int]:
    """Frames of a part of a shot, `step` apart, from anywhere in its first quarter to anywhere in its last."""
    length = shot.usable_end - shot.usable_start
    first = shot.usable_start + random.uniform(0, TRIM) * length
    last = shot.usable_end - 1 - random.uniform(0, TRIM) * length
    return [int(first + k * step) for k in range(int((last - first) / step) + 1)]


class _Look:
    """One crop, grade and encode."""

    def __init__(self, random: np.random.Generator) -> None:
        self.crop, self.place = random.uniform(0, CROP, 2), random.uniform(0, 1, 2)
        self.gain, self.lift, self.gamma = (
            random.uniform(0.75, 1.15),
            random.uniform(-12, 12),
            random.uniform(0.75, 1.3),
        )
        self.tint = random.uniform(0.85, 1.15, 3)
        self.quality = int(random.integers(30, 75))

    def __call__(self, rgb: Planes, active: tuple[int, int, int, int]) -> Picture:
        x, y, width, height = active
        cut_x, cut_y = (self.crop * (width, height)).astype(int)
        left, top = (np.array([cut_x, cut_y]) * self.place).astype(int)
        part = rgb[y + top : y + height - cut_y + top, x + left : x + width - cut_x + left]
        light = 255 * (cv2.resize(part, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA) / 255.0) ** self.gamma
        graded = np.clip(light * self.gain * self.tint + self.lift, 0, 255).astype(np.uint8)
        coded = cv2.imencode(".jpg", graded, [cv2.IMWRITE_JPEG_QUALITY, self.quality])[1]
        luma, red, blue = cv2.split(cv2.cvtColor(cv2.imdecode(coded, cv2.IMREAD_COLOR), cv2.COLOR_RGB2YCrCb))
        small = [cv2.resize(plane, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA) for plane in (blue, red)]
        u, v = ((plane.astype(np.float32) - 128) * (224 / 255) + 128 for plane in small)
        return Picture((16 + luma * (219 / 255)).astype(np.uint8), u.astype(np.uint8), v.astype(np.uint8))


def _tape(pictures: list[Picture]) -> Tape:
    def reduced(name: str, shape: tuple[int, int]) -> Planes:
        planes = (getattr(one, name) for one in pictures)
        return np.stack([cv2.resize(plane, shape[::-1], interpolation=cv2.INTER_AREA) for plane in planes])

    return Tape(reduced("y", LUMA), reduced("u", CHROMA), reduced("v", CHROMA))
