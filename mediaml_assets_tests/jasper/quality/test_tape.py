"""Black, frozen and flashing stretches are found on the tape, however it is cut into pieces."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.jasper.quality import tape as tape_module
from mediaml_assets.jasper.quality.stretches import Stretch, runs
from mediaml_assets.jasper.quality.tape import tape_facts

from .tapes import flashing, moving, tape_of, texture


def test_black_and_frozen_stretches_are_found_with_their_frames() -> None:
    luma = moving(300)
    luma[20:60] = 17
    luma[100:160] = luma[100]
    luma[170:175] = luma[170]
    luma[200:205] = 16
    found = tape_facts(tape_of(luma), Fraction(25))
    assert found.black == [Stretch(20, 60)]
    assert found.black_share == 45 / 300
    assert found.frozen == [Stretch(100, 160)]
    assert found.frozen_share == 60 / 300


def test_pictures_that_are_each_held_for_a_moment_do_not_stand_still() -> None:
    twos = np.repeat(moving(100)[::2], 2, axis=0)
    slides = np.repeat(moving(8)[::2] // 2, 25, axis=0)
    assert tape_facts(tape_of(twos), Fraction(25)).frozen == []
    assert tape_facts(tape_of(slides), Fraction(25)).frozen == []


def test_night_is_not_black() -> None:
    night = np.random.default_rng(0).integers(16, 40, (60, 36, 64))
    assert tape_facts(tape_of(night), Fraction(25)).black_share == 0


@pytest.mark.parametrize("rate", [24, 25, 30, 60])
@pytest.mark.parametrize(("hertz", "too_many"), [(1, False), (2, False), (3, False), (4, True), (5, True), (10, True)])
def test_flashes_are_counted_within_any_second(rate: int, hertz: int, too_many: bool) -> None:
    luma = np.concatenate([moving(2 * rate), flashing(hertz, rate, 4), moving(2 * rate)])
    found = tape_facts(tape_of(luma), Fraction(rate))
    assert found.flashes == pytest.approx(hertz, abs=0.5)
    assert bool(found.flashing) == too_many
    if too_many:
        [where] = found.flashing
        # a second with too many may begin with a change of the pan before
        assert rate <= where.start <= 2 * rate + rate / hertz
        assert 6 * rate - rate / hertz <= where.end <= 6 * rate + rate / hertz


@pytest.mark.parametrize(
    "harmless",
    [
        flashing(5, 25, 4, area=0.19),
        flashing(5, 25, 4, low=225, high=235),
        flashing(5, 25, 4, low=100, high=112),
        moving(100),
        texture(100, 3),
        texture(100, 9),
        np.repeat(np.tile([40, 200], 2)[:, None, None], 25, axis=0) + np.zeros((1, 36, 64)),
    ],
    ids=[
        "a fifth of the picture",
        "bright on bright",
        "less than a tenth",
        "a pan",
        "texture that moves",
        "texture that moves fast",
        "cuts a second apart",
    ],
)
def test_what_does_not_flash(harmless: np.ndarray) -> None:  # type: ignore[type-arg]
    assert tape_facts(tape_of(harmless), Fraction(25)).flashing == []


def test_a_flash_that_fades_counts_like_a_hard_one() -> None:
    wave = 120 + 100 * np.sin(2 * np.pi * 5 * np.arange(100) / 25 + 0.3)
    found = tape_facts(tape_of(np.repeat(wave, 36 * 64).reshape(-1, 36, 64)), Fraction(25))
    assert found.flashes == pytest.approx(5, abs=0.5)


@given(st.integers(1, 40), st.lists(st.integers(0, 60), min_size=4, max_size=4))
def test_pieces_do_not_matter(chunk: int, lengths: list[int]) -> None:
    moved, still, black, flashed = lengths
    parts = [moving(moved), np.repeat(moving(1), still, axis=0), np.full((black, 36, 64), 16),
             flashing(5, 25, flashed / 25)]  # fmt: skip
    tape = tape_of(np.concatenate(parts))
    whole = tape_facts(tape, Fraction(25))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tape_module, "_CHUNK", chunk)
        assert tape_facts(tape, Fraction(25)) == whole
    assert whole.black_share == black / max(1, len(tape))


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 5))
def test_runs_are_those_that_one_sees(flags: list[bool], shortest: int) -> None:
    seen, start = [], None
    for at, flag in enumerate([*flags, False]):
        if flag and start is None:
            start = at
        elif not flag and start is not None:
            seen += [Stretch(start, at)] if at - start >= shortest else []
            start = None
    assert runs(np.array(flags, np.bool_), shortest) == seen
