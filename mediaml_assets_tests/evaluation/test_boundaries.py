"""Matching against every possible assignment, and counts of hand-made films."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.evaluation.boundaries import (
    Counts,
    Found,
    TrueBoundaries,
    cut_counts,
    cut_range,
    f1_interval,
    gradual_range,
    matched,
    transition_counts,
)

RANGES = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 6)).map(lambda r: (r[0], r[0] + r[1])), max_size=5)


@given(frames=st.lists(st.integers(0, 18), max_size=5), ranges=RANGES)
def test_as_many_as_possible_are_matched_each_once_and_within_its_range(
    frames: list[int], ranges: list[tuple[int, int]]
) -> None:
    pairs = matched(frames, ranges)
    ordered = sorted(frames)
    assert all(ranges[one][0] <= ordered[place] < ranges[one][1] for place, one in pairs.items())
    assert len(set(pairs.values())) == len(pairs)
    padded = [*ranges, *[(0, 0)] * len(ordered)]
    most = max(
        sum(start <= frame < end for frame, (start, end) in zip(ordered, order, strict=True))
        for order in permutations(padded, len(ordered))
    )
    assert len(pairs) == most


def test_the_range_that_closes_first_is_taken_so_that_a_later_frame_finds_the_other() -> None:
    assert matched([5, 8], [(3, 9), (4, 6)]) == {0: 1, 1: 0}


FILM = TrueBoundaries(
    cuts=[cut_range(30)],
    transitions=[cut_range(30), gradual_range(54, 66)],
    gradual=[gradual_range(54, 66)],
    ignored=[(80, 90)],
)


@pytest.mark.parametrize(
    ("found", "cuts", "every"),
    [
        ([(31, "cut"), (58, "dissolve")], Counts(1, 0, 0), Counts(2, 0, 0)),
        ([(28, "cut"), (61, "dissolve"), (75, "cut")], Counts(0, 2, 1), Counts(1, 2, 1)),
        ([(30, "fade"), (60, "cut")], Counts(0, 0, 1), Counts(2, 0, 0)),
        ([(29, ""), (30, ""), (52, ""), (67, "")], Counts(1, 1, 0), Counts(2, 2, 0)),
        ([(80, "cut"), (89, "cut"), (90, "cut")], Counts(0, 1, 1), Counts(0, 1, 2)),
        ([], Counts(0, 0, 1), Counts(0, 0, 2)),
    ],
)
def test_counts_of_both_readings(found: list[tuple[int, str]], cuts: Counts, every: Counts) -> None:
    boundaries = [Found(at, kind) for at, kind in found]
    assert (cut_counts(boundaries, FILM), transition_counts(boundaries, FILM)) == (cuts, every)


def test_scores_of_counts() -> None:
    some = Counts(1, 2, 1)
    assert (some.f1, some.precision, some.recall) == (pytest.approx(0.4), pytest.approx(1 / 3), pytest.approx(0.5))
    assert Counts(0, 0, 3).f1 == 0 and Counts().f1 != Counts().f1


def test_the_interval_of_f1_is_over_films() -> None:
    films = [Counts(9, 1, 1), Counts(5, 1, 1), Counts(20, 2, 4)]
    found = f1_interval(films, seed=3)
    assert found.value == sum(films, Counts()).f1
    assert min(one.f1 for one in films) <= found.low < found.value < found.high <= max(one.f1 for one in films)
    assert found == f1_interval(films, seed=3)
