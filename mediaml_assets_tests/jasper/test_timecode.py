"""SMPTE timecode: known labels, every label of a day once, and the arithmetic that holds for all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.errors import TimecodeRefused
from mediaml_assets.jasper.timecode import Timecode

KINDS = [(24, False), (25, False), (30, False), (30, True), (48, False), (50, False), (60, False), (60, True),
         (120, False)]  # fmt: skip


@st.composite
def timecodes(draw: st.DrawFn) -> Timecode:
    rate, drop = draw(st.sampled_from(KINDS))
    return Timecode(draw(st.integers(0, Timecode(0, rate, drop).day - 1)), rate, drop)


@pytest.mark.parametrize(
    ("label", "rate", "frames"),
    [
        ("00:00:00:00", 25, 0),
        ("01:00:00:12", 25, 90_012),
        ("00:00:59;29", 30, 1799),
        ("00:01:00;02", 30, 1800),
        ("00:02:00;02", 30, 3598),
        ("00:09:59;29", 30, 17_981),
        ("00:10:00;00", 30, 17_982),
        ("01:00:00;00", 30, 107_892),
        ("01:00:00:00", 30, 108_000),
        ("23:59:59;29", 30, 2_589_407),
        ("00:01:00;04", 60, 3600),
        ("01:00:00;00", 60, 215_784),
        ("00:00:01:005", 120, 125),
    ],
)
def test_known_labels(label: str, rate: int, frames: int) -> None:
    code = Timecode.parse(label, rate)
    assert (code.frames, code.drop, str(code)) == (frames, ";" in label, label)


@pytest.mark.parametrize(("rate", "drop"), [(30, True), (60, True), (24, False)])
def test_counting_by_hand_gives_the_same_labels(rate: int, drop: bool) -> None:
    """The first and the last hour of a day, label by label, as a clock would count them."""
    mark = ";" if drop else ":"
    for first in (0, 23 * 60):
        at = Timecode.parse(f"{first // 60:02}:00:00{mark}00", rate)
        for minute in range(first, first + 60):
            for frame in range(rate // 15 if drop and minute % 10 else 0, 60 * rate):
                label = f"{minute // 60:02}:{minute % 60:02}:{frame // rate:02}{mark}{frame % rate:02}"
                assert str(at) == label
                at += 1
        assert at.frames == (Timecode.parse("01:00:00" + mark + "00", rate).frames if first == 0 else 0)


@given(timecodes(), st.integers(-(10**8), 10**8))
def test_adding_and_writing_come_back(code: Timecode, frames: int) -> None:
    assert Timecode.parse(str(code), code.rate) == code
    later = code + frames
    assert later + -frames == code
    assert (later.frames - code.frames - frames) % code.day == 0


@given(timecodes())
def test_a_day_later_is_the_same_label(code: Timecode) -> None:
    assert code + code.day == code
    assert str(code + (code.day - code.frames)).startswith("00:00:00")


@pytest.mark.parametrize(("rate", "drop"), KINDS)
def test_drop_frame_keeps_to_the_clock(rate: int, drop: bool) -> None:
    hour = Timecode.parse(f"01:00:00{';' if drop else ':'}{0:0{len(str(max(10, rate - 1)))}}", rate)
    assert abs(hour.frames / hour.exact_rate - 3600) < 0.01


@pytest.mark.parametrize(
    ("label", "rate", "reason"),
    [
        ("00:01:00;00", 30, "the next is 00:01:00;02"),
        ("00:01:00;01", 30, "leaves it out"),
        ("00:59:00;03", 60, "the next is 00:59:00;04"),
        ("24:00:00:00", 25, "does not exist at 25"),
        ("00:60:00:00", 25, "does not exist"),
        ("00:00:60:00", 25, "does not exist"),
        ("00:00:00:25", 25, "check the rate"),
        ("00:00:00;00", 25, "write `:`"),
        ("noon", 25, "HH:MM:SS:FF"),
        ("1:00:00:00", 25, "HH:MM:SS:FF"),
        ("٠٠:00:00:00", 25, "HH:MM:SS:FF"),
        ("00:00:00:00", 0, "at 0 frames"),
        ("00:01:00;00", 25, "write `:`"),
    ],
)
def test_what_does_not_exist_is_refused(label: str, rate: int, reason: str) -> None:
    with pytest.raises(TimecodeRefused, match=reason):
        Timecode.parse(label, rate)


def test_a_count_outside_the_day_is_refused() -> None:
    with pytest.raises(TimecodeRefused, match="2589408"):
        Timecode(2_589_408, 30, drop=True)
