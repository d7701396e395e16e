"""A catalogue's annotations, made from a seed: shots with vectors, faces, captions, quality events.

Titles have uneven numbers of shots; a shot's vector is that of its title, its scene (twenty shots) and itself, so that
neighbours are alike as shots of a scene are. Words are drawn as words are, a few of them often and most of them rarely.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mediaml_assets.marken.schema import ALGORITHM, TEMPORAL_SPATIAL, AnnotationType, Kind, Property

WIDTH = 128
FPS = 24
PER_TITLE = {"SHOT": 200, "FACE": 450, "CAPTION": 300, "QUALITY": 50}
"""On average, 1,000 together."""
BASES = (TEMPORAL_SPATIAL, ALGORITHM)
TYPES = {
    "SHOT": AnnotationType(
        "SHOT", 1, "A shot.", (Property("embedding", Kind.VECTOR, "How it looks.", dimensions=WIDTH),), BASES
    ),
    "FACE": AnnotationType("FACE", 1, "A face.", (), BASES),
    "CAPTION": AnnotationType("CAPTION", 1, "What is said.", (), BASES),
    "QUALITY": AnnotationType("QUALITY", 1, "What is wrong with the picture or the sound.", (), BASES),
}
PLACES = [
    "kitchen", "street", "office", "garden", "bedroom", "corridor", "harbour", "forest", "station", "bridge", "market",
    "rooftop", "cellar", "theatre", "restaurant", "beach", "hospital", "classroom", "church", "courtroom", "stadium",
    "prison", "library", "airport",
]  # fmt: skip
LIGHTS = ["sunrise", "noon", "dusk", "midnight"]
FAULTS = ["black", "frozen", "silence", "clipping", "flicker", "banding", "dropout", "hum"]
NAMES = 2_000
VOCABULARY = 5_000

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """All annotations of a type, title after title."""

    kind: AnnotationType
    title: Numbers
    """Number of the title."""
    number: Numbers
    """Within the title."""
    start: Floats
    """Seconds, whole frames."""
    end: Floats
    box: Floats
    """[n, 4]: x0, y0, x1, y1."""
    label: npt.NDArray[np.object_]
    confidence: Floats
    vectors: npt.NDArray[np.float32] | None = None
    """[n, 128], length 1."""

    def __len__(self) -> int:
        return len(self.title)

    def ids(self, rows: Numbers) -> list[str]:
        """Of some rows."""
        parts = zip(self.title[rows].tolist(), self.number[rows].tolist(), strict=True)
        return [f"{self.kind.name.lower()}-{title:04d}-{number:05d}" for title, number in parts]


@dataclass(frozen=True)
class Catalogue:
    """What is loaded and asked for."""

    seed: int
    titles: int

    @cached_property
    def names(self) -> list[str]:
        """Of the titles."""
        return [f"title-{number:04d}" for number in range(self.titles)]

    @cached_property
    def rows(self) -> dict[str, Rows]:
        """By type."""
        random = np.random.default_rng([self.seed, 1])
        shots = self._shots(random)
        long = np.zeros(self.titles)
        np.maximum.at(long, shots.title, shots.end)
        faces, captions, faults = (self._spread(random, name, long) for name in ("FACE", "CAPTION", "QUALITY"))
        return {"SHOT": shots, "FACE": faces, "CAPTION": captions, "QUALITY": faults}

    def __len__(self) -> int:
        return sum(map(len, self.rows.values()))

    def batches(self, together: int) -> Iterator[tuple[AnnotationType, str, pa.Table]]:
        """Type, scope and what an operation is given, for every type and so many titles; the scope is the first one."""
        for rows in self.rows.values():
            edges = np.searchsorted(rows.title, np.arange(self.titles + 1))
            for number in range(0, self.titles, together):
                some = np.arange(edges[number], edges[min(number + together, self.titles)])
                titles = pa.array([self.names[one] for one in rows.title[some].tolist()])
                yield rows.kind, self.names[number], batch(rows, some).append_column("title", titles)

    def _counts(self, random: np.random.Generator, name: str) -> Numbers:
        weights = random.uniform(0.5, 1.5, self.titles)
        return random.multinomial(PER_TITLE[name] * self.titles, weights / weights.sum()).astype(np.int64)

    def _shots(self, random: np.random.Generator) -> Rows:
        title = np.repeat(np.arange(self.titles), self._counts(random, "SHOT"))
        number = _within(title)
        frames = np.maximum(12, random.lognormal(4.4, 0.6, len(title)).astype(np.int64))
        end = np.cumsum(frames)
        first = np.flatnonzero(number == 0)
        end -= np.repeat(end[first] - frames[first], np.diff(first, append=len(title)))
        scene = title * 1_000 + number // 20
        of_scene = np.unique(scene, return_inverse=True)[1]
        place = random.integers(0, len(PLACES), of_scene.max() + 1)[of_scene]
        light = random.integers(0, len(LIGHTS), of_scene.max() + 1)[of_scene]
        label = np.array([f"{one} at {other}" for one in PLACES for other in LIGHTS], object)[
            place * len(LIGHTS) + light
        ]
        vectors = _drawn(random, self.titles)[title] + _drawn(random, of_scene.max() + 1)[of_scene]
        vectors += np.float32(0.8) * _drawn(random, len(title))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        box = _boxes(random, len(title), 0.2, 0.6)
        sure = random.uniform(0, 1, len(title)).round(3)
        return Rows(TYPES["SHOT"], title, number, (end - frames) / FPS, end / FPS, box, label, sure, vectors)

    def _spread(self, random: np.random.Generator, name: str, long: Floats) -> Rows:
        """Annotations anywhere in their titles."""
        title = np.repeat(np.arange(self.titles), self._counts(random, name))
        start = (random.uniform(0, 1, len(title)) * long[title] * FPS).astype(np.int64)
        order = np.lexsort((start, title))
        start, frames = start[order], random.integers(12, 5 * FPS, len(title))
        label = {"FACE": self._people, "CAPTION": self._sentences, "QUALITY": self._faults}[name](random, title)
        box = _boxes(random, len(title), 0.05, 0.25)
        sure = random.uniform(0, 1, len(title)).round(3)
        return Rows(TYPES[name], title, _within(title), start / FPS, (start + frames) / FPS, box, label, sure)

    @staticmethod
    def _people(random: np.random.Generator, title: Numbers) -> npt.NDArray[np.object_]:
        """Twelve people of each title."""
        names = np.array([one.capitalize() for one in words(np.random.default_rng(11), NAMES)], object)
        cast = random.integers(0, NAMES, (title.max() + 1, 12))
        return names[cast[title, np.minimum(random.geometric(0.25, len(title)) - 1, 11)]]

    @staticmethod
    def _sentences(random: np.random.Generator, title: Numbers) -> npt.NDArray[np.object_]:
        known = np.array(words(np.random.default_rng(12), VOCABULARY), object)
        drawn = np.minimum(random.zipf(1.3, (len(title), 9)), VOCABULARY) - 1
        many = random.integers(3, 10, len(title)).tolist()
        said = [" ".join(row[:count]) for row, count in zip(known[drawn].tolist(), many, strict=True)]
        return np.array(said, object)

    @staticmethod
    def _faults(random: np.random.Generator, title: Numbers) -> npt.NDArray[np.object_]:
        return np.array(FAULTS, object)[random.integers(0, len(FAULTS), len(title))]


def batch(rows: Rows, some: Numbers) -> pa.Table:
    """What an operation is given: a table that is not validated yet."""
    ids = pa.array(rows.ids(some))
    columns = {"id": ids, "entity_kind": pa.repeat("shot", len(some)), "entity_id": ids}
    columns |= {"time_start": pa.array(rows.start[some]), "time_end": pa.array(rows.end[some])}
    columns |= {f"region_{side}": pa.array(rows.box[some, at]) for at, side in enumerate(("x0", "y0", "x1", "y1"))}
    columns |= {"label": pa.array(rows.label[some].tolist()), "confidence": pa.array(rows.confidence[some])}
    if rows.vectors is not None:
        columns["embedding"] = pa.FixedSizeListArray.from_arrays(pa.array(rows.vectors[some].ravel()), WIDTH)
    return pa.table(columns)


def words(random: np.random.Generator, count: int) -> list[str]:
    """Different ones, of two to four syllables that nobody says."""
    syllables = [one + other for one in "bdfgklmnprstvz" for other in "aeiou"]
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(random.choice(syllables, random.integers(2, 5)))] = None
    return list(found)


def _within(title: Numbers) -> Numbers:
    """0, 1, 2 ... in each title."""
    first = np.flatnonzero(np.diff(title, prepend=-1))
    return np.arange(len(title)) - np.repeat(first, np.diff(first, append=len(title)))


def _drawn(random: np.random.Generator, count: int) -> npt.NDArray[np.float32]:
    """Directions [count, 128] whose components' variance falls as 1/r, as those of embeddings do."""
    spread = (np.arange(1, WIDTH + 1) ** -0.5).astype(np.float32)
    drawn = random.standard_normal((count, WIDTH), dtype=np.float32) * spread
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


def _boxes(random: np.random.Generator, count: int, least: float, most: float) -> Floats:
    sides = random.uniform(least, most, (count, 2))
    corner = random.uniform(0, 1, (count, 2)) * (1 - sides)
    return np.concatenate([corner, corner + sides], axis=1).round(4)
