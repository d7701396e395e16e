"""Intervals: the same for the same seed, known answers, and coverage."""

from collections.abc import Sequence
from math import isnan

import numpy as np
import pytest

from mediaml_assets.evaluation.intervals import bootstrap, wilson


def mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def test_a_seed_gives_the_same_interval_and_another_seed_another() -> None:
    values = [0.1, 0.4, 0.5, 0.9, 0.3]
    assert bootstrap(values, mean, seed=1) == bootstrap(values, mean, seed=1)
    assert bootstrap(values, mean, seed=1) != bootstrap(values, mean, seed=2)


def test_the_interval_of_a_mean_is_about_two_standard_errors_to_each_side() -> None:
    values = list(np.random.default_rng(5).normal(size=200))
    found = bootstrap(values, mean, seed=1)
    error = float(np.std(values) / np.sqrt(len(values)))
    assert found.value == pytest.approx(mean(values))
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_one_title_says_nothing_of_others_and_draws_without_a_figure_are_left_out() -> None:
    alone = bootstrap([0.5], mean, seed=1)
    assert alone.value == 0.5 and isnan(alone.low) and isnan(alone.high)
    some = bootstrap([float("nan"), 1.0], lambda drawn: float(np.mean(drawn)), seed=1)
    assert (some.low, some.high) == (1.0, 1.0)
    none = bootstrap([], mean, seed=1)
    assert isnan(none.value)


def test_wilson_known_answers() -> None:
    # Newcombe 1998, Statistics in Medicine 17, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29
    for right, of, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)):
        found = wilson(right, of)
        assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
    assert wilson(1, 29).high == pytest.approx(0.1718, abs=1e-4)
    assert isnan(wilson(0, 0).value)
