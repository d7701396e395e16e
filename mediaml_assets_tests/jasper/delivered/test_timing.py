"""A stream's rate is found from its time stamps, whatever the container rounds them to."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.jasper.delivered.timing import STANDARD_RATES, StreamTimes, choose_rate, grid, nearest_rate


def times(seconds: list[float] | np.ndarray, ticks: int = 90_000) -> StreamTimes:  # type: ignore[type-arg]
    pts = np.rint(np.asarray(seconds) * ticks).astype(np.int64)
    return StreamTimes(Fraction(1, ticks), pts, True, len(pts), 0)


@given(
    st.sampled_from(STANDARD_RATES),
    st.integers(3, 30),
    st.sampled_from([1000, 90_000, 12_800]),
    st.floats(0, 100),
)
def test_every_standard_rate_is_found(rate: Fraction, seconds: int, ticks: int, start: float) -> None:
    found = choose_rate(times(np.arange(round(seconds * rate)) / float(rate) + start, ticks), ())
    assert (found.value, found.constant) == (rate, True)


@given(st.sampled_from(STANDARD_RATES), st.integers(1, 30), st.sampled_from([1000, 90_000]))
def test_a_short_stream_follows_what_it_says(rate: Fraction, count: int, ticks: int) -> None:
    assert choose_rate(times(np.arange(count) / float(rate), ticks), (rate,)).value == rate


@given(st.sampled_from(STANDARD_RATES), st.sets(st.integers(0, 99), min_size=70))
def test_left_out_pictures_leave_the_grid(rate: Fraction, kept: set[int]) -> None:
    slots = np.array(sorted(kept))
    seconds = (slots - slots[0]) / float(rate)
    found = grid(np.rint(seconds * 90_000) / 90_000, rate)
    assert found is not None
    assert found.tolist() == (slots - slots[0]).tolist()
    assert choose_rate(times(seconds), (rate,)).value == rate


def test_a_rate_that_is_not_usual_is_kept_when_said() -> None:
    seconds = np.arange(100) / 17
    assert choose_rate(times(seconds), (Fraction(17),)).value == 17
    assert not choose_rate(times(seconds), ()).constant


@pytest.mark.parametrize(("typical", "rate"), [(0.040, 25), (0.0333, 30), (0.5, Fraction(24000, 1001)), (0.005, 60)])
def test_a_variable_rate_goes_to_the_nearest_usual_one(typical: float, rate: Fraction) -> None:
    gaps = np.tile([0.71, 1.0, 1.33, 1.0, 0.87], 40) * typical
    found = choose_rate(times(np.cumsum(gaps)), (Fraction(27, 2),))
    assert (found.value, found.constant) == (rate, False)


def test_sparse_pictures_on_a_fast_clock_are_not_that_fast() -> None:
    steps = np.random.default_rng(0).integers(3, 6, 200)
    assert choose_rate(times(np.cumsum(steps) / 120), ()).value <= 60


def test_nothing_to_tell_by() -> None:
    assert choose_rate(times([0.0]), ()).value == 25
    assert choose_rate(times([0.0]), (None, Fraction(1000, 1), Fraction(30))).value == 30


def test_off_the_grid_by_more_than_a_millisecond_is_off() -> None:
    seconds = np.arange(50) / 25
    seconds[20] += 0.0018
    assert grid(seconds, Fraction(25)) is not None
    seconds[20] += 0.0004
    assert grid(seconds, Fraction(25)) is None
    assert nearest_rate(Fraction(2997, 100)) == Fraction(30000, 1001)
