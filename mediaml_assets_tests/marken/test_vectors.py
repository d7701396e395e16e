"""Scores do not depend on what is scored with them; cuts by approximate scores are certain."""

from fractions import Fraction
from itertools import pairwise
from math import sqrt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.marken.engine import Order
from mediaml_assets.marken.vectors import (
    Fetched,
    contenders,
    cosine,
    error_bound,
    lengths_of,
    normalised,
    ordered,
    refined,
)

SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed: int, count: int, width: int) -> np.ndarray:
    """Rows of lengths between 1e-15 and 1e15, some of them nearly alike, some equal."""
    random = np.random.default_rng(seed)
    rows = random.standard_normal((count, width))
    rows[count // 2 :] = rows[: count - count // 2] + random.choice([0, 1e-7, 1e-3], (count - count // 2, 1))
    return (rows * 10 ** random.uniform(-15, 15, (count, 1))).astype(np.float32)


def test_known_cosines() -> None:
    rows = np.array([[3, 4], [-3, -4], [4, -3], [0, 2], [1e-30, 0], [3e38, 3e38]], np.float32)
    found = cosine(rows, np.array([0.6, 0.8], np.float32) * 5)
    assert found.dtype == np.float64
    assert found == pytest.approx([1, -1, 0, 0.8, 0.6, 1.4 / sqrt(2)], abs=1e-7)
    assert cosine(rows[:0], rows[0]).tolist() == []


@pytest.mark.parametrize("width", [1, 2, 3, 7, 128, 769])
def test_a_score_is_that_of_fractions(width: int) -> None:
    rows = drawn(width, 6, width)
    vector = rows[-1] * np.float32(0.3)
    for row, score in zip(rows, cosine(rows, vector), strict=True):
        a, b = ([Fraction(float(number)) for number in one] for one in (row, vector))
        dot = sum(x * y for x, y in zip(a, b, strict=True))
        exact = float(dot) / sqrt(sum(x * x for x in a)) / sqrt(sum(x * x for x in b))
        assert score == pytest.approx(exact, abs=1e-14)
        assert -1 <= score <= 1


@given(SEEDS, st.integers(1, 300), st.integers(1, 40), st.data())
@settings(max_examples=60, deadline=None)
def test_scores_are_bit_equal_in_any_subset_order_and_layout(
    seed: int, width: int, count: int, data: st.DataObject
) -> None:
    rows = drawn(seed, count, width)
    whole = cosine(rows, rows[0])
    chosen = np.array(data.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=60)))
    assert cosine(rows[chosen], rows[0]).tobytes() == whole[chosen].tobytes()
    assert cosine(rows[chosen], rows[0], lengths_of(rows)[chosen]).tobytes() == whole[chosen].tobytes()
    assert cosine(np.asfortranarray(rows)[::-1], rows[0]).tobytes() == whole[::-1].tobytes()
    assert all(cosine(rows[one : one + 1], rows[0])[0] == whole[one] for one in chosen[:5])


def test_scores_are_bit_equal_over_blocks() -> None:
    rows = drawn(5, 9_000, 100)
    whole = cosine(rows, rows[1])
    cuts = [0, 1, 2_000, 2_621, 2_622, 7_777, 9_000]
    parts = [cosine(rows[start:stop], rows[1]) for start, stop in pairwise(cuts)]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def single_precision(rows: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """As pgvector does: three running sums in single precision, the quotient in double."""
    dot, a, b = (np.zeros(len(rows), np.float32) for _ in range(3))
    for column, number in zip(rows.T, vector, strict=True):
        dot, a, b = dot + column * number, a + column * column, b + number * number
    return dot.astype(np.float64) / np.sqrt(a.astype(np.float64) * b)


@given(SEEDS, st.sampled_from([1, 3, 128, 1000]))
@settings(max_examples=40, deadline=None)
def test_single_precision_is_within_the_bound(seed: int, width: int) -> None:
    rows = drawn(seed, 40, width)
    exact = cosine(rows, rows[0])
    near = normalised(rows)
    assert np.abs(near @ near[0] - exact).max() <= error_bound(width)
    assert np.abs(single_precision(near, near[0]) - exact).max() <= error_bound(width)
    assert error_bound(width) < 0.0002


@given(SEEDS, st.integers(1, 60), st.integers(1, 12), st.booleans())
@settings(max_examples=80, deadline=None)
def test_contenders_hold_the_best_of_every_group(seed: int, count: int, k: int, grouped: bool) -> None:
    random = np.random.default_rng(seed)
    exact = random.integers(0, 20, count) / 20  # many ties
    error = 0.03
    approximate = (exact + random.uniform(-error, error, count)).astype(np.float32)
    groups = random.integers(0, 4, count) if grouped else np.zeros(count, np.int64)
    found = set(contenders(approximate, k, error + 1e-6, groups if grouped else None).tolist())
    for group in set(groups.tolist()):
        members = np.flatnonzero(groups == group)
        kth = np.sort(exact[members])[::-1][min(k, len(members)) - 1]
        assert set(members[exact[members] >= kth].tolist()) <= found


def test_contenders_are_few() -> None:
    scores = np.linspace(0, 1, 1001).astype(np.float32)
    assert contenders(scores, 3, 0.0004).tolist() == [998, 999, 1000]
    assert contenders(scores, 3, 0.0006).tolist() == [997, 998, 999, 1000]
    assert contenders(scores, 2, 0.0004, np.arange(1001) // 500).tolist() == [498, 499, 998, 999, 1000]


def table(scores: np.ndarray, kinds: np.ndarray) -> pa.Table:
    kind = pa.array([None if one == 0 else f"é{one}" for one in kinds.tolist()], pa.string())
    ids = [f"{number * 7919 % 1000:03d}" for number in range(len(scores))]
    return pa.table({"id": ids, "version": np.ones(len(scores), np.int32), "score": scores, "kind": kind})


@given(SEEDS, st.integers(0, 80), st.integers(1, 12), st.booleans(), st.sampled_from(["score", "kind"]))
@settings(max_examples=80, deadline=None)
def test_refined_is_the_order_of_all_rows(seed: int, count: int, k: int, descending: bool, first: str) -> None:
    random = np.random.default_rng(seed)
    exact = random.integers(0, 15, count) / 15
    error = 0.05
    approximate = exact + random.uniform(-error, error, count)
    wanted = random.random(count) < 0.8
    rows = table(exact, random.integers(0, 3, count))
    best = np.argsort(-approximate if descending else approximate)
    asked = []

    def fetch(some: int | None) -> Fetched:
        asked.append(some)
        part = best if some is None else best[:some]
        rest = None if len(part) == count else float(approximate[part[-1]])
        return Fetched(rows.take(part[wanted[part]]), rest)

    order = [Order("score", descending), Order("kind", True)]
    order = order if first == "score" else order[::-1]
    found = refined(fetch, k, error, order)
    assert found.equals(ordered(rows.filter(wanted), order).slice(0, k))
    assert None not in asked or first == "kind"


def test_refined_fetches_no_more_than_it_takes() -> None:
    rows = table(np.linspace(1, 0, 1000), np.ones(1000, int))
    asked = []

    def fetch(some: int | None) -> Fetched:
        asked.append(some)
        return Fetched(rows.slice(0, some), rows["score"][some - 1].as_py())

    assert refined(fetch, 10, 0.001, [Order("score", True)])["id"].to_pylist() == rows["id"].to_pylist()[:10]
    assert asked == [26]
    refined(fetch, 10, 0.05, [Order("score", True)])
    assert asked == [26, 26, 104]


def test_order_is_total_with_nulls_last() -> None:
    rows = table(np.array([0.5, 0.5, -0.0, 0.0, 0.5]), np.array([0, 1, 2, 2, 2]))
    for descending, kinds in [(True, ["é2", "é1", None]), (False, ["é1", "é2", None])]:
        found = ordered(rows, [Order("score", True), Order("kind", descending)])
        assert found["kind"].to_pylist() == [*kinds, "é2", "é2"]
        assert found["id"].to_pylist()[3:] == sorted(rows["id"].to_pylist()[2:4])
