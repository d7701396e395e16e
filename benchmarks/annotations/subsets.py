"""Any subset of titles: the ten nearest shots of 100,000, by Marken's vectors and by FAISS with an id selector.

Shots lie title by title, so that a title is a range of rows. Both sides begin with the names of the titles and a
vector, and end with row numbers and scores, the selector included. FAISS' selector is the fastest, at each size, of
those that its documentation names for the case: a range where the titles make one, a bitmap, a batch of ids.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.annotations.catalogue import WIDTH, Catalogue, Numbers
from mediaml_assets.marken.embedded.vectors import Ranges, VectorIndex

SIZES = (1, 10, 50, 500)
TITLES, K = 500, 10
"""100,000 shots."""
Vector = npt.NDArray[np.float32]
Ask = Callable[[Sequence[str], Vector], Numbers]


@dataclass(frozen=True)
class Found:
    """Of one number of titles."""

    ms: float
    """Marken, median."""
    faiss_ms: Mapping[str, float]
    """By selector, median."""
    recall: float
    rows: float
    """Answered, of those asked for."""

    @property
    def over_faiss(self) -> float:
        """Marken over FAISS at its best."""
        return self.ms / min(self.faiss_ms.values())


def measured(seed: int, repeats: int, titles: int = TITLES) -> dict[int, Found]:
    """By number of titles; the sides take turns."""
    catalogue = Catalogue(seed, titles)
    shots, names = catalogue.rows["SHOT"], catalogue.names
    source = shots.vectors
    assert source is not None
    random = np.random.default_rng([seed, 5])
    edges = np.searchsorted(shots.title, np.arange(titles + 1))
    place = {name: number for number, name in enumerate(names)}
    ours = _marken(source, edges, place)
    others = _faiss(source, edges, place)
    found = {}
    for size in (size for size in SIZES if size <= titles):
        ms: dict[str, list[float]] = {}
        shared = rows = wanted = 0
        for _ in range(repeats):
            chosen = [names[number] for number in random.permutation(titles)[:size]]
            vector = source[random.integers(len(source))] + random.standard_normal(WIDTH).astype(np.float32) / 40
            answer = _timed(ms, "marken", ours, chosen, vector)
            for name, ask in others.items():
                if name != "range" or size in (1, titles):
                    _timed(ms, name, ask, chosen, vector)
            right = _right(source, edges, [place[name] for name in chosen], vector)
            shared += len(np.intersect1d(answer[: len(right)], right))
            rows += len(answer)
            wanted += len(right)
        medians = {name: float(np.median(some)) for name, some in ms.items()}
        found[size] = Found(medians.pop("marken"), medians, shared / wanted, rows / wanted)
    return found


def _timed(ms: dict[str, list[float]], name: str, ask: Ask, titles: Sequence[str], vector: Vector) -> Numbers:
    began = time.perf_counter()
    answer = ask(titles, vector)
    ms.setdefault(name, []).append((time.perf_counter() - began) * 1e3)
    return answer


def _marken(source: Vector, edges: Numbers, place: Mapping[str, int]) -> Ask:
    index, starts, stops = VectorIndex(source), edges[:-1], edges[1:]

    def ask(titles: Sequence[str], vector: Vector) -> Numbers:
        numbers = sorted(place[title] for title in titles)
        return index.nearest(Ranges(starts[numbers], stops[numbers]), vector, K)[0]

    return ask


def _faiss(source: Vector, edges: Numbers, place: Mapping[str, int]) -> dict[str, Ask]:
    import faiss

    wrapped: Any = faiss
    index: Any = faiss.IndexFlatIP(WIDTH)
    index.add(source)

    def within(make: Callable[[list[tuple[int, int]]], Any]) -> Ask:
        def ask(titles: Sequence[str], vector: Vector) -> Numbers:
            spans = [(int(edges[place[title]]), int(edges[place[title] + 1])) for title in titles]
            _, found = index.search(vector[None], K, params=wrapped.SearchParameters(sel=make(spans)))
            return np.asarray(found[0])

        return ask

    def bitmap(spans: list[tuple[int, int]]) -> Any:
        bits = np.zeros(len(source), bool)
        for start, stop in spans:
            bits[start:stop] = True
        return wrapped.IDSelectorBitmap(np.packbits(bits, bitorder="little"))

    def batch(spans: list[tuple[int, int]]) -> Any:
        return wrapped.IDSelectorBatch(np.concatenate([np.arange(*span) for span in spans]))

    return {
        "range": within(lambda spans: wrapped.IDSelectorRange(min(spans)[0], max(spans)[1])),
        "bitmap": within(bitmap),
        "batch": within(batch),
    }


def _right(source: Vector, edges: Numbers, titles: Sequence[int], vector: Vector) -> Numbers:
    """By plain means: the ten highest products in double precision."""
    rows = np.concatenate([np.arange(edges[title], edges[title + 1]) for title in sorted(titles)])
    vectors = source[rows].astype(np.float64)
    scores = vectors @ vector.astype(np.float64) / np.linalg.norm(vectors, axis=1)
    return np.asarray(rows[np.argsort(-scores, kind="stable")[:K]])
