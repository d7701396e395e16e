from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from benchmarks.silhouettes import SENSIBLE, Outlined, figures, hard_ends, overlap, reduced, windows
from mediaml_assets.samples.plan import Join, ShotPlan, TitlePlan


def test_overlap_is_intersection_over_union() -> None:
    a, b = np.zeros((18, 32), bool), np.zeros((18, 32), bool)
    a[:, :8], b[:, 4:12] = True, True
    assert overlap(a, b) == pytest.approx(1 / 3)
    assert overlap(a, a) == 1 and overlap(a, ~a) == 0


def test_a_mask_is_reduced_by_what_covers_most_of_a_cell() -> None:
    covered = np.zeros((360, 640))
    covered[:, :331] = 1
    assert reduced(covered)[:, :17].all() and not reduced(covered)[:, 17:].any()


def test_hard_figures_are_of_a_sensible_size_and_a_quarter_stands_still() -> None:
    drawn = hard_ends(9)
    first = [next(drawn) for _ in range(4)]
    assert [end.still for end in first] == [True, False, False, False]
    for end in first:
        assert end.truth is not None and SENSIBLE[0] / 3 < end.truth.mean() < SENSIBLE[1]
        moves = float(np.abs(end.frames[0].y.astype(int) - end.frames[8].y).mean())
        assert (moves < 4) == end.still
    again = next(hard_ends(9))
    np.testing.assert_array_equal(again.frames[3].y, first[0].frames[3].y)


def test_windows_keep_clear_of_gradual_joins_and_begin_at_the_cut() -> None:
    joins = (Join("cut", 40, 41), Join("dissolve", 76, 84), Join("fade", 110, 130))
    title = cast(TitlePlan, SimpleNamespace(joins=joins))
    shots = [SimpleNamespace(index=1, start=40, end=80), SimpleNamespace(index=2, start=80, end=120)]
    first, second = (windows(title, cast(ShotPlan, shot)) for shot in shots)
    assert first == [list(range(40, 49)), list(range(75, 66, -1))]
    assert second == [list(range(84, 93)), list(range(109, 100, -1))]


def test_figures_count_what_is_kept_and_what_is_wrong() -> None:
    cases = [(0.9, True, True), (0.2, True, False), (0.1, False, False), (0.6, True, True)]
    hard = [Outlined(*case, cpu=0.02) for case in cases]
    nothing = Outlined(float("nan"), True, False, 0.01)
    found = figures([Outlined(0.8, True, False, 0.03)], [nothing], hard)
    assert found["iou"] == pytest.approx(0.45) and found["iou_still"] == pytest.approx(0.75)
    assert found["kept"] == 0.75 and found["wrong_kept"] == pytest.approx(1 / 3)
    assert found["nothing_kept"] == 1 and found["titles_iou"] == 0.8
    assert found["cpu_ms"] == pytest.approx(20)
