import numpy as np
import pytest

from mediaml_assets.features.detectors.tape_signals import active_tape, signals
from mediaml_assets_tests.features.conftest import Tape, panned, texture

TAPE = Tape(panned(1, 20, 6) + [texture(2)] * 5)
WHOLE = (0, 0, 640, 360)


def test_step_is_the_difference_to_the_frame_before() -> None:
    found = signals(active_tape(TAPE, WHOLE))
    by_hand = np.abs(TAPE.y[1:].astype(float) - TAPE.y[:-1]).mean(axis=(1, 2))
    np.testing.assert_allclose(found.step[1:], by_hand, rtol=1e-5)
    assert found.step[0] == 0


def test_means_and_spreads_are_those_of_each_plane() -> None:
    draw = np.random.default_rng(3)
    tape = Tape([texture(4)] * 3)
    tape.u = draw.integers(16, 240, tape.u.shape).astype(np.uint8)
    tape.v = draw.integers(16, 240, tape.v.shape).astype(np.uint8)
    found = signals(active_tape(tape, WHOLE))
    for place, plane in enumerate((tape.y, tape.u, tape.v)):
        np.testing.assert_allclose(found.means[:, place], plane.mean(axis=(1, 2)), rtol=1e-5)
        np.testing.assert_allclose(found.spreads[:, place], plane.std(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(found.variance, (found.spreads**2).sum(axis=1))


@pytest.mark.parametrize("at_once", [1, 2, 7])
def test_signals_do_not_depend_on_the_block(at_once: int) -> None:
    whole, pieces = (signals(active_tape(TAPE, WHOLE), many) for many in (len(TAPE.y), at_once))
    for name in ("step", "means", "spreads"):
        np.testing.assert_array_equal(getattr(pieces, name), getattr(whole, name))


def test_bars_are_cut_away() -> None:
    tape = active_tape(TAPE, (0, 44, 640, 272))
    assert tape.y.shape[1:] == (24, 64)
    assert tape.u.shape[1:] == (12, 32)


def test_a_picture_too_small_to_crop_is_taken_whole() -> None:
    assert active_tape(TAPE, (300, 170, 40, 20)).y.shape[1:] == (36, 64)
