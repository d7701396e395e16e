"""Searches over any rows find what a plain sort of exact scores finds; an index gives k, and the recall it states."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.marken.embedded import vectors
from mediaml_assets.marken.embedded.near import RECALL, Near, built
from mediaml_assets.marken.embedded.vectors import Ranges, VectorIndex, rows_of
from mediaml_assets.marken.vectors import cosine, error_bound, normalised

SEEDS = st.integers(0, 2**32 - 1)


def scenes(seed: int, count: int, width: int = 16, noise: float = 0.3) -> np.ndarray:
    """Twenty shots a scene, ten scenes a title, of lengths about 1; every 50th is the same as the one before."""
    random = np.random.default_rng(seed)
    titles = random.standard_normal((count // 200 + 1, width))
    scenes = np.repeat(titles, 10, axis=0) + 0.6 * random.standard_normal((10 * len(titles), width))
    shots = np.repeat(scenes, 20, axis=0)[:count] + noise * random.standard_normal((count, width))
    shots[50::50] = shots[49:-1:50]
    return (shots / np.sqrt(width)).astype(np.float32)


def subset(random: np.random.Generator, count: int, kind: str) -> np.ndarray | Ranges | None:
    if kind == "all":
        return None
    if kind == "scattered":
        return np.flatnonzero(random.random(count) < random.choice([0.005, 0.02, 0.3, 0.9]))
    edges = np.unique(random.integers(0, count + 1, 2 * random.integers(1, 20)))
    edges = edges[: len(edges) // 2 * 2].reshape(-1, 2)
    if kind == "touching" and len(edges):
        edges = np.stack([edges.ravel()[:-1], edges.ravel()[1:]], axis=1)
    return Ranges(edges[:, 0], edges[:, 1])


def plain(matrix: np.ndarray, numbers: np.ndarray, vector: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scores = cosine(matrix[numbers], vector)
    order = np.lexsort((numbers, -scores))
    return numbers[order], scores[order]


@given(SEEDS, st.sampled_from(["all", "scattered", "ranges", "touching"]), st.integers(1, 300), st.booleans())
@settings(max_examples=120, deadline=None)
def test_nearest_is_a_sort_of_exact_scores(seed: int, kind: str, k: int, at_one: bool) -> None:
    random = np.random.default_rng(seed)
    matrix = scenes(seed, 9_000)
    matrix = normalised(matrix) if at_one else matrix * (10 ** random.uniform(-15, 15, (9_000, 1))).astype(np.float32)
    index, vector, rows = VectorIndex(matrix), matrix[random.integers(9_000)] * 3, subset(random, 9_000, kind)
    numbers = np.arange(9_000) if rows is None else rows_of(rows)
    right, scores = plain(matrix, numbers, vector)
    stop = np.searchsorted(-scores, -scores[min(k, len(scores)) - 1], side="right") if len(scores) else 0
    found = index.nearest(rows, vector, k)
    assert found[0].tolist() == right[:stop].tolist()
    assert found[1].tobytes() == scores[:stop].tobytes()
    assert index.scores(rows, vector).tobytes() == cosine(matrix[numbers], vector).tobytes()
    assert np.abs(index.approximate(rows, vector) - cosine(matrix[numbers], vector)).max(initial=0) <= error_bound(16)
    least, low = index.nearest(rows, -vector, k)
    assert (-low).tobytes() == np.sort(scores)[: len(least)].tobytes()


@given(SEEDS, st.sampled_from(["all", "scattered", "ranges"]), st.integers(1, 100))
@settings(max_examples=60, deadline=None)
def test_pages_go_on_where_the_last_ended(seed: int, kind: str, k: int) -> None:
    random = np.random.default_rng(seed)
    matrix = scenes(seed, 3_000)
    index, vector, rows = VectorIndex(matrix), matrix[7], subset(random, 3_000, kind)
    right, scores = plain(matrix, np.arange(3_000) if rows is None else rows_of(rows), vector)
    if len(right):
        most = float(scores[random.integers(len(scores))])
        found, exact = index.nearest(rows, vector, k, most=most)
        below = scores[scores < most]
        floor = below[min(k, len(below)) - 1] if len(below) else most
        assert found.tolist() == right[(scores <= most) & (scores >= floor)].tolist()
        assert (exact <= most).all()


@given(SEEDS, st.sampled_from(["all", "scattered", "ranges"]), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_the_best_of_every_group_are_found(seed: int, kind: str, k: int) -> None:
    random = np.random.default_rng(seed)
    matrix = scenes(seed, 3_000)
    index, vector, rows = VectorIndex(matrix), matrix[7], subset(random, 3_000, kind)
    numbers = np.arange(3_000) if rows is None else rows_of(rows)
    groups = numbers // 500
    found, scores = index.nearest(rows, vector, k, groups=groups)
    assert scores.tobytes() == cosine(matrix[found], vector).tobytes()
    for group in set(groups.tolist()):
        right, exact = plain(matrix, numbers[groups == group], vector)
        assert set(right[exact >= exact[min(k, len(exact)) - 1]].tolist()) <= set(found.tolist())
    assert len(found) <= len(set(groups.tolist())) * (k + 3)


def recall(index: VectorIndex, queries: np.ndarray, rows: np.ndarray | None = None) -> float:
    shared = []
    for query in queries:
        near, right = (index.nearest(rows, query, 10, exact)[0] for exact in (False, True))
        assert len(near) >= 10
        shared.append(len(np.intersect1d(near, right)) / len(right))
    return float(np.mean(shared))


@pytest.fixture(scope="module")
def indexed() -> VectorIndex:
    matrix = scenes(3, 20_000, 32)
    return VectorIndex(matrix, built(matrix))


@pytest.mark.parametrize("seed", [1, 2])
def test_an_index_finds_the_share_it_states(indexed: VectorIndex, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "EXACT", 5_000)
    random = np.random.default_rng(seed)
    near = indexed._near(None)
    assert near is not None and near.recall >= RECALL
    assert near.index.nprobe < near.index.nlist / 2
    drawn = indexed.matrix[random.integers(0, 20_000, (2, 100))]
    fresh = drawn[0] + 0.1 * random.standard_normal(drawn[0].shape).astype(np.float32) / np.float32(np.sqrt(32))
    for queries in (fresh, normalised(drawn[0]) + normalised(drawn[1])):
        assert recall(indexed, queries) >= RECALL - 0.03
        assert recall(indexed, queries, np.flatnonzero(random.random(20_000) < 0.7)) >= RECALL - 0.03


def test_an_index_never_answers_for_few_rows(indexed: VectorIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(Near, "search", refuse)
    half = np.arange(10_000)
    assert len(indexed.nearest(None, indexed.matrix[0], 10, False)[0]) >= 10  # not beyond EXACT
    monkeypatch.setattr(vectors, "EXACT", 5_000)
    for rows in (half[:-1], half[:5], half[:0], Ranges(np.array([5, 90]), np.array([9, 100]))):
        indexed.nearest(rows, indexed.matrix[0], 10, False)
        assert indexed.explain(rows, False) == f"exact over {len(rows_of(rows))} of 20000 rows"
    indexed.nearest(None, indexed.matrix[0], 10, False, most=0.5)
    with pytest.raises(AssertionError):
        indexed.nearest(half, indexed.matrix[0], 10, False)
    assert indexed.explain(half, False).startswith("index over 10000 of 20000 rows, recall ")
    assert indexed.explain(half, True) == "exact over 10000 of 20000 rows"


@pytest.mark.parametrize("k", [1, 700, 19_990, 30_000])
def test_k_come_whenever_k_exist_also_where_the_cells_hold_fewer(
    indexed: VectorIndex, k: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "EXACT", 5_000)
    rows = np.flatnonzero(np.arange(20_000) % 400 >= 180)  # without the nearest scenes of the vector
    for wanted in (None, rows):
        found, scores = indexed.nearest(wanted, indexed.matrix[3], k, False)
        assert len(found) >= min(k, 20_000 if wanted is None else len(wanted))
        assert len(set(found.tolist())) == len(found)
        assert scores.tobytes() == cosine(indexed.matrix[found], indexed.matrix[3]).tobytes()


def test_an_index_is_made_in_the_background_when_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "EXACT", 1_500)
    index = VectorIndex(scenes(8, 2_000))
    index.nearest(None, index.matrix[0], 5, True)
    index.nearest(np.arange(1_500), index.matrix[0], 5, False)
    assert index._making is None
    right = index.nearest(None, index.matrix[0], 5)[0].tolist()
    assert index.nearest(None, index.matrix[0], 5, False)[0].tolist() == right
    assert index._making is not None and not index._making.daemon
    index._making.join(60)
    assert index.explain(None, False).startswith("index over 2000 of 2000 rows")
    assert len(index.nearest(None, index.matrix[0], 5, False)[0]) >= 5


def test_nothing_of_no_rows() -> None:
    index = VectorIndex(np.empty((0, 4), np.float32))
    query = np.ones(4, np.float32)
    for rows in (None, np.empty(0, np.int64), Ranges(np.empty(0, np.int64), np.empty(0, np.int64))):
        assert [len(part) for part in index.nearest(rows, query, 5)] == [0, 0]
        assert [len(part) for part in index.nearest(rows, query, 5, most=0.1, groups=np.empty(0, np.int64))] == [0, 0]
