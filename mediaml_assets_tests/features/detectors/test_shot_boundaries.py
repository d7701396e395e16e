import numpy as np

from mediaml_assets.features.detectors.shot_boundaries import Boundary, boundaries, closing, opening
from mediaml_assets.features.detectors.tape_signals import active_tape, signals
from mediaml_assets_tests.features.conftest import Picture, Tape, panned, texture

BLACK = np.full((360, 640), 16, np.uint8)
WHITE = np.full((360, 640), 235, np.uint8)


def mix(a: Picture, b: Picture, share: float) -> Picture:
    return np.asarray((1 - share) * a.astype(float) + share * b, np.uint8)


def ramp(a: Picture, b: Picture, count: int) -> list[Picture]:
    return [mix(a, b, (i + 1) / (count + 1)) for i in range(count)]


def found(pictures: list[Picture]) -> list[Boundary]:
    tape = active_tape(Tape(pictures), (0, 0, 640, 360))
    return boundaries(tape, signals(tape))


def test_a_cut_is_the_first_frame_of_the_new_shot() -> None:
    (cut,) = found([texture(1)] * 20 + [texture(2)] * 20)
    assert (cut.kind, cut.at, cut.start, cut.end) == ("cut", 20, 20, 20)


def test_a_cut_between_two_pans_is_found_and_the_pans_are_not() -> None:
    assert [b.at for b in found(panned(1, 30, 9) + panned(2, 30, -9))] == [30]


def test_a_flash_is_no_cut() -> None:
    still = [texture(1)] * 20
    assert found(still + [mix(texture(1), WHITE, 0.8)] * 2 + still) == []


def test_a_light_ramp_is_no_dissolve() -> None:
    bright, dark = texture(1), np.asarray(texture(1) * 0.5, np.uint8)
    assert found([bright] * 20 + ramp(bright, dark, 12) + [dark] * 20) == []


def test_a_dissolve_is_found_in_its_middle_with_its_extent() -> None:
    a, b = texture(1), texture(2)
    (dissolve,) = found([a] * 30 + ramp(a, b, 11) + [b] * 30)
    assert dissolve.kind == "dissolve"
    assert abs(dissolve.at - 35) <= 2
    assert abs(dissolve.start - 29) <= 3
    assert abs(dissolve.end - 42) <= 3


def test_a_fade_through_black_is_one_boundary_that_covers_its_ramps() -> None:
    a, b = texture(1), texture(2)
    (fade,) = found([a] * 30 + ramp(a, BLACK, 10) + [BLACK] * 4 + ramp(BLACK, b, 10) + [b] * 30)
    assert fade.kind == "fade"
    assert abs(fade.at - 42) <= 1
    assert abs(fade.start - 30) <= 2
    assert abs(fade.end - 54) <= 2


def test_black_at_the_ends_of_the_film_is_no_boundary_but_not_usable() -> None:
    a = texture(1)
    pictures = [BLACK] * 5 + ramp(BLACK, a, 10) + [a] * 30 + ramp(a, BLACK, 10) + [BLACK] * 5
    tape = active_tape(Tape(pictures), (0, 0, 640, 360))
    measured = signals(tape)
    assert boundaries(tape, measured) == []
    assert abs(opening(measured) - 15) <= 2
    assert abs(closing(measured) - 45) <= 2


def test_held_frames_of_a_converted_rate_make_no_cut_and_hide_none() -> None:
    pan, other = panned(1, 24, 12, grain=60), panned(2, 24, 12, grain=60)
    held = [pan[i - i % 3 if i % 3 < 2 else i] for i in range(24)]
    assert found(held) == []
    assert [b.at for b in found(held + other)] == [24]


def test_an_all_black_film_has_no_boundary() -> None:
    tape = active_tape(Tape([BLACK] * 40), (0, 0, 640, 360))
    assert boundaries(tape, signals(tape)) == []
    assert (opening(signals(tape)), closing(signals(tape))) == (0, 40)
