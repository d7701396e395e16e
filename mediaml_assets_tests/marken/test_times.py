"""Seconds of frames are exact to the nearest double, in batches as one by one."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.errors import AnnotationRefused
from mediaml_assets.marken.refusal import At
from mediaml_assets.marken.times import PARTS, ranges, seconds

AT = At("SHOT@1", "time")
BROADCAST = [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(60000, 1001), Fraction(48)]
rates = st.sampled_from(BROADCAST) | st.builds(Fraction, st.integers(2**20, 2**31 - 1), st.integers(1, 2**20))


def nearest(exact: Fraction) -> float:
    """By decimal digits, in another way than the code's: enough of them name the nearest double."""
    with localcontext() as digits:
        digits.prec = 60
        return float(Decimal(exact.numerator) / Decimal(exact.denominator))


@given(st.integers(0, 2**40), rates)
def test_a_frame_starts_at_the_nearest_double(frame: int, rate: Fraction) -> None:
    assert seconds(frame, rate) == nearest(frame / rate)


@given(st.lists(st.tuples(st.integers(0, 10**8), rates), min_size=1, max_size=20))
def test_frames_of_a_batch_are_those_frames_one_by_one(some: list[tuple[int, Fraction]]) -> None:
    parts = {
        "start_frame": [frame for frame, _ in some],
        "end_frame": [frame + max(1, int(rate)) for frame, rate in some],
        "rate_num": [rate.numerator for _, rate in some],
        "rate_den": [rate.denominator for _, rate in some],
        "start": None,
        "end": None,
    }
    found = ranges(parts, len(some), AT)
    assert found["time_start"].to_pylist() == [seconds(frame, rate) for frame, rate in some]
    assert found["time_end"].to_pylist() == [seconds(frame + max(1, int(rate)), rate) for frame, rate in some]


def framed(frame: int, end_frame: int, rate: Fraction) -> dict[str, list[int] | None]:
    return dict.fromkeys(PARTS) | {
        "start_frame": [frame],
        "end_frame": [end_frame],
        "rate_num": [rate.numerator],
        "rate_den": [rate.denominator],
    }


@given(st.integers(2**42, 2**50), st.integers(2**30, 2**31 - 1), st.integers(900, 1100))
def test_large_frame_numbers_lose_nothing(frame: int, num: int, den: int) -> None:
    # the product of frame and denominator is beyond 2^53, so that no double holds it
    rate = Fraction(num, den)
    found = ranges(framed(frame, frame + 100_000_000, rate), 1, AT)
    assert found["time_start"][0].as_py() == nearest(frame / rate)


def test_a_frame_beyond_all_time_is_refused_and_not_wrapped_around() -> None:
    with pytest.raises(AnnotationRefused, match=r"ends after 1e\+09 seconds"):
        ranges(framed(0, 2**62 + 1, Fraction(2**31 - 1, 1001)), 1, AT)


def test_two_frames_that_no_double_tells_apart_are_no_range() -> None:
    with pytest.raises(AnnotationRefused, match="does not start before it ends"):
        ranges(framed(2**57, 2**57 + 1, Fraction(2**31 - 1)), 1, AT)


def test_rates_are_kept_in_their_lowest_terms() -> None:
    unreduced = framed(0, 50, Fraction(25)) | {"rate_num": [50], "rate_den": [2]}
    found = ranges(unreduced, 1, AT)
    assert [found[f"time_{part}"][0].as_py() for part in PARTS] == [0.0, 2.0, 0, 50, 25, 1]


def test_rows_in_seconds_in_frames_and_of_neither_stand_side_by_side() -> None:
    parts = {
        "start": pa.array([1.5, None, None]),
        "end": pa.array([2.5, None, None]),
        "start_frame": pa.array([None, 24, None]),
        "end_frame": pa.array([None, 48, None]),
        "rate_num": pa.array([None, 24000, None]),
        "rate_den": pa.array([None, 1001, None]),
    }
    found = ranges(parts, 3, AT)
    assert found["time_start"].to_pylist() == [1.5, 1.001, None]
    assert found["time_end_frame"].to_pylist() == [None, 48, None]
    assert [str(one.type) for one in found.values()] == ["double"] * 2 + ["int64"] * 2 + ["int32"] * 2
