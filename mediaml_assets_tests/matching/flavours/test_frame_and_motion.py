import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.features.measures.end_motion import CAMERA, DIMENSIONS, SUBJECT
from mediaml_assets.features.motion import MOTION
from mediaml_assets.features.silhouette import SILHOUETTE, packed
from mediaml_assets.matching.flavours.flavour import Ends, Flavour
from mediaml_assets.matching.flavours.frame import FRAME, frame_ends, trust
from mediaml_assets.matching.flavours.motion import MOTION as MOTION_FLAVOUR
from mediaml_assets.matching.flavours.motion import motion_ends
from mediaml_assets.matching.pairs.top_k import top_k


def mask_table(masks: np.ndarray, sure: np.ndarray | None = None) -> pa.Table:
    """Shots whose tails are these masks, and whose heads are the same in reverse order."""
    sure = np.ones(len(masks)) if sure is None else sure
    stored = [packed(mask.reshape(18, 32)) for mask in masks]
    return pa.table([list(range(len(masks))), stored, stored[::-1], sure, sure[::-1]], schema=SILHOUETTE)


def random_masks(count: int, seed: int) -> np.ndarray:
    """Masks, bool [count, 576], of grain, rectangles and rectangles in grain."""
    random = np.random.default_rng(seed)
    masks = random.random((count, 18, 32)) < random.choice([0, 0.1, 0.5], (count, 1, 1))
    for mask in masks:
        y, x = random.integers(0, 12), random.integers(0, 24)
        mask[y : y + random.integers(2, 12), x : x + random.integers(2, 16)] = True
    return masks.reshape(count, 576)


def figure(x: int, y: int, width: int, height: int) -> np.ndarray:
    """A mask of a rectangle, bool [576]."""
    mask = np.zeros((18, 32), bool)
    mask[y : y + height, x : x + width] = True
    return mask.ravel()


def motion_table(out: np.ndarray, in_: np.ndarray, sure: float = 1.0) -> pa.Table:
    certain = [sure] * len(out)
    return pa.table([list(range(len(out))), list(out), list(in_), certain, certain], schema=MOTION)


def scores_of(flavour: Flavour, ends: Ends, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
    rerank = flavour.rerank(ends)
    assert rerank is not None
    return rerank(rows, cols)


def score(flavour: Flavour, ends: Ends, row: int, col: int) -> float:
    return float(scores_of(flavour, ends, np.array([row]), np.array([col]))[0])


@given(st.integers(1, 12), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_frame_scores_are_iou_of_trusted_outlines_and_never_over_the_bound(count: int, seed: int) -> None:
    masks, sure = random_masks(count, seed), np.random.default_rng(seed).random(count)
    ends = frame_ends(mask_table(masks, sure))
    rows, cols = (side.ravel() for side in np.indices((count, count)))
    heads = masks[::-1]
    union = (masks[rows] | heads[cols]).sum(axis=1)
    iou = (masks[rows] & heads[cols]).sum(axis=1) / np.maximum(union, 1)
    trusted = trust(masks, sure)[rows] * trust(heads, sure[::-1])[cols]
    scores = scores_of(FRAME, ends, rows, cols)
    assert (scores <= trusted * iou + 0.01).all() and (scores >= 0.7 * trusted * iou - 0.01).all()
    first = (ends.out @ ends.in_.T).ravel()
    assert all(final <= FRAME.bound(float(cosine)) for final, cosine in zip(scores, first, strict=True))


def test_the_same_outline_in_the_same_place_scores_one_and_elsewhere_less() -> None:
    masks = np.array([figure(10, 4, 8, 12), figure(11, 4, 8, 12), figure(10, 6, 8, 12), figure(20, 4, 8, 12)])
    ends = frame_ends(mask_table(masks))
    same, aside, lower, elsewhere = (score(FRAME, ends, 0, 3 - place) for place in range(4))
    assert same == 1
    assert 0.7 < lower <= aside < 0.85
    assert elsewhere == 0


def test_of_outlines_that_cover_each_other_alike_the_one_of_the_same_shape_scores_more() -> None:
    whole = figure(8, 3, 12, 12)
    smaller = figure(8, 3, 12, 9)
    notched = whole & ~figure(11, 3, 6, 6)
    ends = frame_ends(mask_table(np.array([whole, smaller, notched])))
    assert smaller.sum() == notched.sum()
    assert score(FRAME, ends, 0, 1) > score(FRAME, ends, 0, 0) + 0.05


@pytest.mark.parametrize("mask", [figure(10, 6, 3, 3), figure(0, 0, 32, 17)])
def test_specks_and_what_fills_the_picture_match_nothing(mask: np.ndarray) -> None:
    assert score(FRAME, frame_ends(mask_table(mask[None])), 0, 0) == 0


def test_the_surer_of_two_equal_outlines_scores_more() -> None:
    ends = frame_ends(mask_table(np.array([figure(10, 4, 8, 10)] * 3), np.array([0.2, 0.45, 0.9])))
    assert score(FRAME, ends, 0, 0) == 0
    assert 0 < score(FRAME, ends, 1, 0) < score(FRAME, ends, 2, 0) == 1


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


def panning(speed: float) -> np.ndarray:
    """The vector of a camera that pans by `speed` picture widths a second to the right, near to the cut and before."""
    vector = np.zeros(DIMENSIONS, np.float32)
    vector[[0, CAMERA]] = speed
    return vector


@pytest.fixture(scope="module")
def pans() -> Ends:
    """Shots that move by 0.3 widths a second to the right, the left, half and twice as fast, and not at all."""
    noise = np.random.default_rng(0).normal(0, 0.003 / np.sqrt(DIMENSIONS), DIMENSIONS)
    moves = np.array([panning(0.3), panning(-0.3), panning(0.15), panning(0.6), noise], np.float32)
    return motion_ends(motion_table(moves, moves))


def test_the_same_motion_matches_and_reversed_or_differently_fast_does_not(pans: Ends) -> None:
    assert score(MOTION_FLAVOUR, pans, 0, 0) > 0.9
    assert score(MOTION_FLAVOUR, pans, 0, 1) == 0
    assert score(MOTION_FLAVOUR, pans, 0, 2) == pytest.approx(0.5, abs=0.1)
    assert score(MOTION_FLAVOUR, pans, 0, 3) == pytest.approx(0.5, abs=0.05)


def test_still_shots_never_match(pans: Ends) -> None:
    assert score(MOTION_FLAVOUR, pans, 4, 4) < 0.01


def test_a_motion_that_turns_round_before_the_cut_matches_less_than_one_that_goes_on() -> None:
    turned = panning(0.3)
    turned[CAMERA] = -0.3
    ends = motion_ends(motion_table(np.array([panning(0.3), turned]), np.array([panning(0.3)] * 2)))
    assert score(MOTION_FLAVOUR, ends, 1, 0) < 0.5 * score(MOTION_FLAVOUR, ends, 0, 0)


def test_a_subject_that_moves_is_no_camera_that_moves() -> None:
    subject = np.zeros(DIMENSIONS, np.float32)
    subject[2 * CAMERA :: 2] = 0.3 / np.sqrt(SUBJECT / 2)
    ends = motion_ends(motion_table(np.array([subject]), np.array([panning(0.3)])))
    assert score(MOTION_FLAVOUR, ends, 0, 0) == 0


def test_an_unsure_motion_scores_less() -> None:
    moves = np.array([panning(0.3)])
    sure, unsure = (motion_ends(motion_table(moves, moves, certainty)) for certainty in (1.0, 0.5))
    assert score(MOTION_FLAVOUR, unsure, 0, 0) == pytest.approx(0.25 * score(MOTION_FLAVOUR, sure, 0, 0))


@given(st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_motion_scores_are_in_range_and_never_over_the_bound(seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(0, 0.01, (2, 6, DIMENSIONS)).astype(np.float32)
    ends = motion_ends(motion_table(*vectors))
    rows, cols = (side.ravel() for side in np.indices((6, 6)))
    scores, first = scores_of(MOTION_FLAVOUR, ends, rows, cols), (ends.out @ ends.in_.T).ravel()
    assert scores.min() >= 0 and scores.max() <= 1
    assert all(final <= MOTION_FLAVOUR.bound(float(one)) for final, one in zip(scores, first, strict=True))
