import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.features.shot_embedding import Embeddings
from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets.features.unique_shots import (
    UNIQUE_SHOTS,
    UniqueShots,
    UniqueShotsConfig,
    keep_earliest,
    takes,
    unique_shots,
)


def embeddings(count: int, seed: int = 0) -> Embeddings:
    vectors = np.random.default_rng(seed).normal(size=(count, 3, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    return Embeddings(np.arange(count, dtype=np.int32), vectors)


def film(count: int) -> Shots:
    return Shots(tuple(Shot(i, i * 10, i * 10 + 10, i * 10, i * 10 + 10) for i in range(count)))


def test_the_earliest_take_is_kept_with_its_index() -> None:
    one = embeddings(5)
    one.vectors[3, :2] = one.vectors[1, 0]
    kept = unique_shots(film(5), one, UniqueShotsConfig(0.95))
    assert kept.schema.equals(UNIQUE_SHOTS)
    assert kept.column("index").to_pylist() == [0, 1, 2, 4]
    assert kept.column("start").to_pylist() == [0, 10, 20, 40]
    assert kept.column("duplicates").to_pylist() == [[], [3], [], []]
    assert kept.column("take_count").to_pylist() == [1, 2, 1, 1]
    read = UniqueShots.from_table(kept)
    assert (read.duplicates, read[1]) == (((), (3,), (), ()), film(5)[1])


def test_a_shot_that_only_begins_like_another_is_kept() -> None:
    one = embeddings(3)
    one.vectors[2, 0] = one.vectors[0, 0]
    assert len(unique_shots(film(3), one, UniqueShotsConfig())) == 3
    # but not one that shows what the other ends on
    one.vectors[2] = one.vectors[0, 2]
    assert len(unique_shots(film(3), one, UniqueShotsConfig())) == 2


@given(st.integers(1, 9), st.integers(0, 9), st.floats(-1, 1))
@settings(max_examples=30, deadline=None)
def test_takes_are_the_best_of_nine_products_when_two_moments_come_again(count: int, seed: int, again: float) -> None:
    one = embeddings(count, seed)

    def brute(earlier: np.ndarray, later: np.ndarray) -> float:
        seen = sorted(max(float(a @ b) for a in earlier) for b in later)
        return seen[2] if seen[1] >= again else -1

    expected = [[brute(a, b) for b in one.vectors] for a in one.vectors]
    np.testing.assert_allclose(takes(one, again), expected, atol=1e-5)


@given(st.integers(1, 12), st.integers(0, 99), st.floats(0, 1), st.floats(-1, 1))
@settings(max_examples=50, deadline=None)
def test_kept_shots_are_no_takes_and_dropped_ones_are(count: int, seed: int, threshold: float, again: float) -> None:
    likeness = takes(embeddings(count, seed), again)
    groups = keep_earliest(likeness, threshold)
    assert sorted([*groups, *(other for group in groups.values() for other in group)]) == list(range(count))
    assert all(likeness[a, b] < threshold for a in groups for b in groups if a < b)
    assert all(other > first and likeness[first, other] >= threshold for first, g in groups.items() for other in g)


@given(st.integers(2, 12), st.integers(0, 99), st.data())
@settings(max_examples=50, deadline=None)
def test_later_shots_change_nothing_of_earlier_ones(count: int, seed: int, data: st.DataObject) -> None:
    likeness = takes(embeddings(count, seed), 0.0)
    early = data.draw(st.integers(1, count - 1))
    whole, part = keep_earliest(likeness, 0.4), keep_earliest(likeness[:early, :early], 0.4)
    assert part == {kept: [one for one in group if one < early] for kept, group in whole.items() if kept < early}


def test_likeness_is_not_chained() -> None:
    similarity = np.array([[1, 0.9, 0.5], [0.9, 1, 0.9], [0.5, 0.9, 1]], np.float32)
    assert keep_earliest(similarity, 0.84) == {0: [1], 2: []}
