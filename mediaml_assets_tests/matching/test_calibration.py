"""Calibrated scores: what a curve makes of scores whose distribution is known, and that it never changes an order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.errors import FeatureError
from mediaml_assets.matching.calibration import MEANING, calibrated, curves, fitted
from mediaml_assets.matching.flavours.registry import FLAVOURS


@pytest.mark.parametrize("power", [2, 6])
def test_rare_scores_are_known_beyond_what_was_counted(power: int) -> None:
    """Scores of this kind reach s in a share (1 - s)^power of the pairs."""
    scores = 1 - np.random.default_rng(3).random(300_000) ** (1 / power)
    curve = fitted("1", scores)
    known = [1 - share ** (1 / power) for share in MEANING.values()]
    np.testing.assert_allclose(curve.own[1:-1], known, atol=0.01)
    np.testing.assert_allclose(curve(np.array(known[:3])), list(MEANING)[:3], atol=0.01)


def test_scores_that_crowd_at_the_top_still_rise() -> None:
    scores = np.concatenate([np.random.default_rng(0).random(50_000), np.full(20_000, 1.0)])
    with pytest.raises(FeatureError, match="too few to calibrate by"):
        fitted("1", scores)
    mostly_nothing = np.concatenate([np.zeros(95_000), 0.999 + 0.001 * np.random.default_rng(0).random(5_000)])
    own = fitted("1", mostly_nothing).own
    assert list(own) == sorted(set(own)) and own[-1] == 1


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30), st.sampled_from(sorted(FLAVOURS)))
@settings(max_examples=60, deadline=None)
def test_the_order_of_scores_never_changes(scores: list[float], flavour: str) -> None:
    ranked = np.sort(np.array(scores))
    worth = calibrated(flavour, FLAVOURS[flavour].version, ranked)
    assert (np.diff(worth) >= 0).all() and worth.min() >= 0 and worth.max() <= 1
    apart = np.diff(ranked) > 1e-9
    assert (np.diff(worth)[apart] > 0).all()


def test_every_flavour_has_a_curve_of_its_version_from_nothing_to_everything() -> None:
    for name, flavour in FLAVOURS.items():
        curve = curves()[name]
        assert curve.version == flavour.version and curve.pairs > 100_000
        assert (curve.own[0], curve.own[-1], curve.calibrated[0], curve.calibrated[-1]) == (0, 1, 0, 1)


def test_a_version_without_a_curve_is_refused() -> None:
    with pytest.raises(FeatureError, match="version 0 of the flavour frame have no calibration"):
        calibrated("frame", "0", np.array([0.5]))
