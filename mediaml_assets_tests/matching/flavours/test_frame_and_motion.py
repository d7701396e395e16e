import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.features.motion import DIMENSIONS, MOTION
from mediaml_assets.features.silhouette import SILHOUETTE
from mediaml_assets.matching.flavours.flavour import Ends, Flavour
from mediaml_assets.matching.flavours.frame import FRAME, frame_ends
from mediaml_assets.matching.flavours.motion import MOTION as MOTION_FLAVOUR
from mediaml_assets.matching.flavours.motion import motion_ends
from mediaml_assets.matching.pairs.top_k import top_k


def mask_table(masks: np.ndarray) -> pa.Table:
    packed = [np.packbits(mask).tobytes() for mask in masks]
    sure = [1.0] * len(masks)
    return pa.table([list(range(len(masks))), packed, packed[::-1], sure, sure], schema=SILHOUETTE)


def random_masks(count: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.random((count, 576)) < random.random((count, 1))


def motion_table(out: np.ndarray, in_: np.ndarray) -> pa.Table:
    return pa.table([list(range(len(out))), list(out), list(in_)], schema=MOTION)


def scores_of(flavour: Flavour, ends: Ends, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
    rerank = flavour.rerank(ends)
    assert rerank is not None
    return rerank(rows, cols)


def score(flavour: Flavour, ends: Ends, row: int, col: int) -> float:
    return float(scores_of(flavour, ends, np.array([row]), np.array([col]))[0])


@given(st.integers(1, 12), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_frame_scores_are_iou_and_never_over_the_bound(count: int, seed: int) -> None:
    masks = random_masks(count, seed)
    ends = frame_ends(mask_table(masks))
    rows, cols = (side.ravel() for side in np.indices((count, count)))
    heads = masks[::-1]
    union = (masks[rows] | heads[cols]).sum(axis=1)
    iou = (masks[rows] & heads[cols]).sum(axis=1) / np.maximum(union, 1)
    scores = scores_of(FRAME, ends, rows, cols)
    np.testing.assert_allclose(scores, iou)
    first = (ends.out @ ends.in_.T).ravel()
    assert all(final <= FRAME.bound(float(cosine)) for final, cosine in zip(scores, first, strict=True))


def test_tables_of_titles_follow_each_other() -> None:
    masks = random_masks(7, 3)
    together = frame_ends(mask_table(masks))
    apart = Ends.joined([frame_ends(mask_table(masks[:3])), frame_ends(mask_table(masks[3:]))])
    np.testing.assert_array_equal(together.out, apart.out)


def test_a_table_without_rows_has_no_ends() -> None:
    assert len(frame_ends(SILHOUETTE.empty_table())) == len(motion_ends(MOTION.empty_table())) == 0


def test_the_reranked_top_k_is_brute_force() -> None:
    ends = frame_ends(mask_table(random_masks(60, 1)))
    rows, cols = (side.ravel() for side in np.indices((60, 60)))
    best = np.sort(scores_of(FRAME, ends, rows, cols))[::-1][:20]
    found = top_k(ends.out, ends.in_, 20, rerank=FRAME.rerank(ends), bound=FRAME.bound)
    assert found.exact
    np.testing.assert_allclose(found.scores, best)


def test_an_empty_mask_matches_nothing() -> None:
    ends = frame_ends(mask_table(np.zeros((2, 576), bool)))
    assert score(FRAME, ends, 0, 1) == 0
    assert not (ends.out @ ends.in_.T).any()


@pytest.fixture(scope="module")
def pans() -> Ends:
    """Shots that move by 0.3 widths a second to the right, the left, half and twice as fast, and not at all."""
    right = np.zeros(DIMENSIONS, np.float32)
    right[: DIMENSIONS // 2 : 2] = 0.3 / np.sqrt(DIMENSIONS // 4)
    noise = np.random.default_rng(0).normal(0, 0.003 / np.sqrt(DIMENSIONS), DIMENSIONS)
    moves = np.array([right, -right, right / 2, right * 2, noise], np.float32)
    return motion_ends(motion_table(moves, moves))


def test_the_same_motion_matches_and_reversed_or_differently_fast_does_not(pans: Ends) -> None:
    assert score(MOTION_FLAVOUR, pans, 0, 0) > 0.95
    assert score(MOTION_FLAVOUR, pans, 0, 1) == 0
    assert score(MOTION_FLAVOUR, pans, 0, 2) == pytest.approx(0.5, abs=0.02)
    assert score(MOTION_FLAVOUR, pans, 0, 3) == pytest.approx(0.5, abs=0.02)


def test_still_shots_never_match(pans: Ends) -> None:
    assert score(MOTION_FLAVOUR, pans, 4, 4) < 0.01


@given(st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_motion_scores_are_in_range_and_never_over_the_bound(seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(0, 0.01, (2, 6, DIMENSIONS)).astype(np.float32)
    ends = motion_ends(motion_table(*vectors))
    rows, cols = (side.ravel() for side in np.indices((6, 6)))
    scores, first = scores_of(MOTION_FLAVOUR, ends, rows, cols), (ends.out @ ends.in_.T).ravel()
    assert scores.min() >= 0 and scores.max() <= 1
    assert all(final <= MOTION_FLAVOUR.bound(float(one)) for final, one in zip(scores, first, strict=True))
