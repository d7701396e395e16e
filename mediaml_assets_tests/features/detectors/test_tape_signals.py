import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.features.detectors.tape_signals import active_tape, signals
from mediaml_assets_tests.features.conftest import Tape, panned, texture

PICTURES = panned(1, 20, 6) + [texture(2)] * 20
MIX = [np.uint8((1 - k / 24) * texture(2) + k / 24 * texture(3)) for k in range(25)]
TAPE = Tape(PICTURES + MIX + [texture(3)] * 30)


def test_step_is_the_difference_to_the_frame_before() -> None:
    found = signals(active_tape(TAPE, (0, 0, 640, 360)))
    by_hand = np.abs(TAPE.y[1:].astype(float) - TAPE.y[:-1]).mean(axis=(1, 2))
    np.testing.assert_allclose(found.step[1:], by_hand, rtol=1e-5)
    assert found.step[0] == 0


def test_the_middle_of_a_dissolve_scores_and_a_pan_does_not() -> None:
    found = signals(active_tape(TAPE, (0, 0, 640, 360)))
    assert abs(int(found.dissolve.argmax()) - 52) <= 1
    assert not found.dissolve[:25].any()


@given(st.integers(1, 120))
@settings(max_examples=15, deadline=None)
def test_signals_do_not_depend_on_the_block(block: int) -> None:
    tape = active_tape(TAPE, (0, 0, 640, 360))
    whole, pieces = signals(tape), signals(tape, block)
    for name in ("step", "mean", "spread", "dissolve", "half"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(pieces, name))


def test_bars_are_cut_away() -> None:
    tape = active_tape(TAPE, (0, 44, 640, 272))
    assert tape.y.shape[1:] == (24, 64)
    assert tape.u.shape[1:] == (12, 32)


def test_a_picture_too_small_to_crop_is_taken_whole() -> None:
    assert active_tape(TAPE, (300, 170, 40, 20)).y.shape[1:] == (36, 64)
