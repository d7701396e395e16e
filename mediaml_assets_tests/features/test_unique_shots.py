import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.features.shot_embedding import Embeddings
from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets.features.unique_shots import (
    UNIQUE_SHOTS,
    UniqueShotsConfig,
    keep_earliest,
    similarities,
    unique_shots,
)


def embeddings(count: int, seed: int = 0) -> Embeddings:
    vectors = np.random.default_rng(seed).normal(size=(count, 3, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    return Embeddings(np.arange(count, dtype=np.int32), vectors)


def test_the_earliest_take_is_kept_with_its_index() -> None:
    one = embeddings(5)
    one.vectors[3, 2] = one.vectors[1, 0]
    shots = Shots(tuple(Shot(i, i * 10, i * 10 + 10, i * 10, i * 10 + 10) for i in range(5)))
    kept = unique_shots(shots, one, UniqueShotsConfig(0.95))
    assert kept.schema.equals(UNIQUE_SHOTS)
    assert kept.column("index").to_pylist() == [0, 1, 2, 4]
    assert kept.column("start").to_pylist() == [0, 10, 20, 40]
    assert kept.column("duplicates").to_pylist() == [[], [3], [], []]
    assert kept.column("take_count").to_pylist() == [1, 2, 1, 1]


@given(st.integers(1, 9), st.integers(0, 9))
@settings(max_examples=20, deadline=None)
def test_similarities_are_the_best_of_nine_products(count: int, seed: int) -> None:
    one = embeddings(count, seed)
    brute = [[max(float(a @ b) for a in x for b in y) for y in one.vectors] for x in one.vectors]
    np.testing.assert_allclose(similarities(one), brute, atol=1e-5)


@given(st.integers(1, 12), st.integers(0, 99), st.floats(0, 1))
@settings(max_examples=50, deadline=None)
def test_kept_shots_differ_and_dropped_ones_are_like_a_kept_one(count: int, seed: int, threshold: float) -> None:
    similarity = similarities(embeddings(count, seed))
    groups = keep_earliest(similarity, threshold)
    assert sorted([*groups, *(other for group in groups.values() for other in group)]) == list(range(count))
    assert all(similarity[a, b] < threshold for a in groups for b in groups if a < b)
    assert all(other > first and similarity[first, other] >= threshold for first, g in groups.items() for other in g)


def test_likeness_is_not_chained() -> None:
    similarity = np.array([[1, 0.9, 0.5], [0.9, 1, 0.9], [0.5, 0.9, 1]], np.float32)
    assert keep_earliest(similarity, 0.84) == {0: [1], 2: []}
