"""AP against hand-made answers and against its slow definition."""

from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.evaluation.labels.average_precision import (
    ap_gain,
    ap_interval,
    average_precision,
    by_title,
    precision_at,
    random_ap,
)


def slow(labels: list[bool], scores: list[float]) -> float:
    """For every threshold: precision among what scores at least that, times the recall gained there."""
    total, before = 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        shown = [label for label, score in zip(labels, scores, strict=True) if score >= threshold]
        recall = sum(shown) / sum(labels)
        total += sum(shown) / len(shown) * (recall - before)
        before = recall
    return total


@pytest.mark.parametrize(
    ("labels", "scores", "answer"),
    [
        ([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1], (1 + 2 / 3) / 2),
        ([0, 0, 1], [3, 2, 1], 1 / 3),
        ([1, 1, 0, 0], [4, 3, 2, 1], 1.0),
        ([1, 0, 0, 0], [0.5, 0.5, 0.5, 0.5], 0.25),
        ([1, 0, 1, 0], [0.9, 0.9, 0.9, 0.1], 2 / 3),
        ([1, 0, 1], [0.1, 0.2, 0.2], (1 / 2 * 1 / 2) + 1 / 2 * 2 / 3),
    ],
)
def test_known_answers(labels: list[int], scores: list[float], answer: float) -> None:
    assert average_precision(np.array(labels, bool), np.array(scores, float)) == pytest.approx(answer)


@given(st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=1, max_size=30))
def test_it_is_the_sum_over_thresholds_whatever_the_order_of_rows(rows: list[tuple[bool, int]]) -> None:
    labels, scores = np.array([label for label, _ in rows]), np.array([score for _, score in rows], float)
    found = average_precision(labels, scores)
    if not labels.any():
        assert isnan(found)
        return
    assert found == pytest.approx(slow(labels.tolist(), scores.tolist()))
    assert found == pytest.approx(average_precision(labels[::-1], scores[::-1]))
    assert found == pytest.approx(average_precision(labels, scores * 3 - 7))


def test_knowing_nothing_gives_about_the_share_of_positives() -> None:
    labels = np.arange(2000) % 10 == 0
    mean, deviation = random_ap(labels, seed=4)
    assert mean == pytest.approx(0.1, abs=0.01) and 0 < deviation < 0.02
    assert random_ap(labels, seed=4) == (mean, deviation)


def test_intervals_are_over_titles_and_a_gain_is_paired() -> None:
    rng = np.random.default_rng(0)
    titles = np.repeat([f"t{n:02d}" for n in range(20)], 50)
    labels = rng.random(1000) < 0.2
    weak = labels + rng.normal(size=1000) * 1.5
    strong = labels + rng.normal(size=1000) * 0.7
    units = by_title(titles, labels, strong, weak)
    assert len(units) == 20 and sum(len(unit.labels) for unit in units) == 1000
    gain = ap_gain(units, seed=1, rounds=200)
    assert 0 < gain.low < gain.value < gain.high
    assert gain == ap_gain(units, seed=1, rounds=200)
    alone = ap_interval(units, seed=1, rounds=200)
    assert alone.value == average_precision(labels, strong) and alone.low < alone.value < alone.high
    none = ap_gain(by_title(titles, labels, strong, strong), seed=1, rounds=50)
    assert (none.low, none.value, none.high) == (0, 0, 0)


def test_precision_among_the_best() -> None:
    assert precision_at(np.array([True, False, True, True]), np.array([4.0, 3.0, 2.0, 1.0]), 3) == pytest.approx(2 / 3)
