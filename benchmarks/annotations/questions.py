"""What is asked of a catalogue: each question as a search, and its right answer by brute force over plain arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.annotations.catalogue import PLACES, WIDTH, Catalogue, Floats, Numbers, Rows

GROUPS, SIZE = 10, 3
Groups = list[tuple[str, list[str]]]
"""Title and the ids of its best hits, the best group first."""
Ranges = list[tuple[float, float]]


@dataclass(frozen=True)
class Combined:
    """Time, space, label, vector and group in one: the titles whose shots look most like a vector, three of each."""

    start: float
    end: float
    box: tuple[float, float, float, float]
    word: str
    sure: float
    vector: npt.NDArray[np.float32]

    def search(self, moment: str | None = None) -> dict[str, Any]:
        """As Marken is asked."""
        x0, y0, x1, y1 = self.box
        asked = [
            f"T_INTERSECTS(time, INTERVAL({self.start}, {self.end}))",
            f"S_INTERSECTS(region, BBOX({x0}, {y0}, {x1}, {y1}))",
            f"MATCH(label, '{self.word}')",
            f"confidence >= {self.sure}",
        ]
        return {
            "types": ["SHOT"],
            "filter": " AND ".join(asked),
            "nearest": {"field": "embedding", "to": {"vector": self.vector.tolist()}, "exact": True},
            "collapse": {"field": "title", "inner_hits": {"size": SIZE}},
            "limit": GROUPS,
            **({"as_of": moment} if moment else {}),
        }

    def survivors(self, rows: Rows) -> Numbers:
        """Rows for which the filter holds."""
        x0, y0, x1, y1 = self.box
        box = rows.box
        kept = (rows.start < self.end) & (rows.end > self.start) & (rows.confidence >= self.sure)
        kept &= (box[:, 0] <= x1) & (box[:, 2] >= x0) & (box[:, 1] <= y1) & (box[:, 3] >= y0)
        kept[kept] = [self.word in label.split() for label in rows.label[kept]]
        return np.flatnonzero(kept)

    def answer(self, catalogue: Catalogue) -> Groups:
        """The right one."""
        rows = catalogue.rows["SHOT"]
        assert rows.vectors is not None
        some = self.survivors(rows)
        vectors = rows.vectors[some].astype(np.float64)
        wanted = self.vector.astype(np.float64)
        scores = vectors @ wanted / np.linalg.norm(vectors, axis=1) / np.linalg.norm(wanted)
        found: dict[int, list[int]] = {}
        for place in np.lexsort((some, -scores)).tolist():
            found.setdefault(int(rows.title[some[place]]), []).append(int(some[place]))
        return [
            (catalogue.names[title], rows.ids(np.array(hits[:SIZE]))) for title, hits in list(found.items())[:GROUPS]
        ]


@dataclass(frozen=True)
class Join:
    """When a person is seen and a place is shown, in one title."""

    title: str
    person: str
    place: str

    def search(self, moment: str | None = None) -> dict[str, Any]:
        """As Marken is asked."""
        parts = [
            {"types": ["FACE"], "filter": f"label = '{self.person}'"},
            {"types": ["SHOT"], "filter": f"MATCH(label, '{self.place}')"},
        ]
        return {
            "within": {"parts": parts},
            "titles": [self.title],
            "limit": 1_000,
            **({"as_of": moment} if moment else {}),
        }

    def answer(self, catalogue: Catalogue) -> Ranges:
        """The right one: the seconds in which both hold, the earliest first."""
        number = catalogue.names.index(self.title)
        held = []
        for name, holds in (("FACE", self.person.__eq__), ("SHOT", lambda label: self.place in label.split())):
            rows = catalogue.rows[name]
            some = np.arange(*np.searchsorted(rows.title, [number, number + 1]))
            some = some[[bool(holds(label)) for label in rows.label[some]]]
            held.append(_union(rows.start[some], rows.end[some]))
        both = [(max(a, c), min(b, d)) for a, b in held[0] for c, d in held[1]]
        return sorted((start, end) for start, end in both if start < end)


def combined(catalogue: Catalogue, count: int, salt: int) -> list[Combined]:
    """Random ones, near to what there is."""
    random = np.random.default_rng([catalogue.seed, 2, salt])
    shots = catalogue.rows["SHOT"]
    assert shots.vectors is not None
    found = []
    for _ in range(count):
        start = round(float(random.uniform(0, 600)), 2)
        corner = random.uniform(0, 0.5, 2).round(3).tolist()
        sides = random.uniform(0.1, 0.4, 2).round(3).tolist()
        box = (corner[0], corner[1], round(corner[0] + sides[0], 3), round(corner[1] + sides[1], 3))
        near = shots.vectors[random.integers(len(shots))]
        near = (near + 0.5 * random.standard_normal(WIDTH) / np.sqrt(WIDTH)).astype(np.float32)
        length = round(float(random.uniform(60, 300)), 2)
        word, sure = str(random.choice(PLACES)), round(float(random.uniform(0, 0.5)), 2)
        found.append(Combined(start, round(start + length, 2), box, word, sure, near))
    return found


def joins(catalogue: Catalogue, count: int, salt: int) -> list[Join]:
    """Random ones, each of a person and a place of its title."""
    random = np.random.default_rng([catalogue.seed, 3, salt])
    found = []
    for _ in range(count):
        number = int(random.integers(catalogue.titles))
        drawn: Mapping[str, str] = {
            name: str(random.choice(rows.label[slice(*np.searchsorted(rows.title, [number, number + 1]))]))
            for name, rows in catalogue.rows.items()
            if name in ("FACE", "SHOT")
        }
        found.append(Join(catalogue.names[number], drawn["FACE"], drawn["SHOT"].split()[0]))
    return found


def _union(starts: Floats, ends: Floats) -> Ranges:
    """Ranges that meet as one."""
    found: Ranges = []
    for start, end in sorted(zip(starts.tolist(), ends.tolist(), strict=True)):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found
