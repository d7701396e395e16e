import numpy as np

from mediaml_assets.features.detectors.fades import closing, opening
from mediaml_assets.features.detectors.tape_signals import active_tape, signals
from mediaml_assets_tests.features.conftest import Picture, Tape, panned, texture
from mediaml_assets_tests.features.detectors.films import BLACK, WHITE, found, ramp

A, B = texture(1), texture(2)


def facts(pictures: list[Picture]) -> list[tuple[str, int]]:
    return [(one.kind, one.at) for one in found(pictures)]


def test_a_fade_through_short_black_is_one_boundary_that_covers_its_ramps() -> None:
    (fade,) = found([A] * 30 + ramp(A, BLACK, 10) + [BLACK] * 4 + ramp(BLACK, B, 10) + [B] * 30)
    assert fade.kind == "fade"
    assert abs(fade.at - 42) <= 1
    assert abs(fade.start - 30) <= 2
    assert abs(fade.end - 54) <= 2


def test_black_that_stands_is_a_stretch_of_its_own_between_two_fades() -> None:
    out, back = found([A] * 30 + ramp(A, BLACK, 10) + [BLACK] * 12 + ramp(BLACK, B, 10) + [B] * 30)
    assert (out.kind, back.kind) == ("fade", "fade")
    assert abs(out.at - 40) <= 1 and abs(out.start - 30) <= 2 and out.end == out.at
    assert abs(back.at - 52) <= 1 and back.start == back.at and abs(back.end - 62) <= 2


def test_cuts_to_black_that_stands_and_from_it_are_cuts() -> None:
    assert facts([A] * 20 + [BLACK] * 10 + [B] * 20) == [("cut", 20), ("cut", 30)]
    out, back = facts([A] * 20 + ramp(A, BLACK, 8) + [BLACK] * 10 + [B] * 20)
    assert out[0] == "fade" and back == ("cut", 38)


def test_a_fade_through_white_is_one_boundary() -> None:
    ((kind, at),) = facts([A] * 30 + ramp(A, WHITE, 9) + [WHITE] * 2 + ramp(WHITE, B, 9) + [B] * 30)
    assert kind == "fade" and abs(at - 40) <= 2


def test_white_that_the_same_picture_comes_back_from_is_none() -> None:
    assert facts([A] * 30 + ramp(A, WHITE, 5) + [WHITE] * 2 + ramp(WHITE, A, 5) + [A] * 30) == []


def test_dark_pictures_are_no_black() -> None:
    dark = [np.asarray(16 + (one.astype(float) - 16) * 0.12, np.uint8) for one in panned(1, 40, 3)]
    assert [at for _, at in facts([A] * 20 + dark + [B] * 20)] == [20, 60]


def test_black_at_the_ends_of_the_film_is_not_usable() -> None:
    pictures = [BLACK] * 3 + ramp(BLACK, A, 10) + [A] * 30 + ramp(A, BLACK, 10) + [BLACK] * 3
    tape = active_tape(Tape(pictures), (0, 0, 640, 360))
    measured = signals(tape)
    assert found(pictures) == []
    assert abs(opening(measured) - 13) <= 2
    assert abs(closing(measured) - 43) <= 2


def test_an_all_black_film_has_no_boundary() -> None:
    tape = active_tape(Tape([BLACK] * 40), (0, 0, 640, 360))
    assert found([BLACK] * 40) == []
    assert (opening(signals(tape)), closing(signals(tape))) == (0, 40)
