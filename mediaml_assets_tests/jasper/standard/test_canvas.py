"""Pictures are placed on the canvas centred, even and in shape; bars are told from darkness."""

from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.delivered.orientation import orientation_of
from mediaml_assets.jasper.placement import Placement, place
from mediaml_assets.jasper.quality.active_picture import ActivePicture

CANVAS = (640, 360)


@given(st.integers(1, 8192), st.integers(1, 8192), st.fractions(Fraction(1, 3), 3, max_denominator=99))
def test_any_picture_fits_in_shape(width: int, height: int, aspect: Fraction) -> None:
    shape = Fraction(width, height) * aspect
    assume(Fraction(1, 20) <= shape <= 20)
    put = place(width, height, aspect, CANVAS)
    assert min(put.x, put.y) >= 0
    assert put.x + put.width <= 640
    assert put.y + put.height <= 360
    assert put.width == 640 or put.height == 360
    assert not any(side % 2 for side in (put.x, put.y, put.width, put.height))
    assert abs(put.x - (640 - put.width) / 2) < 2
    assert abs(put.y - (360 - put.height) / 2) < 2
    assert abs(put.width - put.height * shape) <= 1 + shape or abs(put.width / shape - put.height) <= 2


def test_known_places() -> None:
    assert place(1920, 1080, Fraction(1), CANVAS) == Placement(0, 0, 640, 360)
    assert place(720, 576, Fraction(16, 15), CANVAS) == Placement(80, 0, 480, 360)
    assert place(1920, 800, Fraction(1), CANVAS) == Placement(0, 46, 640, 266)


def test_a_shape_that_is_no_film_is_refused() -> None:
    with pytest.raises(MediaRefused, match="aspect"):
        place(4000, 100, Fraction(1), CANVAS)


def canvas(level: int, top: int, bottom: int, noise: int = 0) -> np.ndarray:  # type: ignore[type-arg]
    luma = np.full((360, 640), 16, np.uint8)
    luma[top : 360 - bottom] = level
    return luma + np.random.default_rng(level).integers(0, noise + 1, luma.shape).astype(np.uint8)


def test_bars_are_found_under_noise_and_ringing() -> None:
    active = ActivePicture(Placement(0, 0, 640, 360))
    for level in range(60, 200, 5):
        active.look(canvas(level, 44, 46, noise=8))
    assert active.box() == (0, 44, 640, 270)


def test_dark_scenes_do_not_make_bars() -> None:
    active = ActivePicture(Placement(0, 0, 640, 360))
    for n in range(100):
        luma = canvas(120, 0, 0)
        if n % 20:
            luma[:90] = 18
        active.look(luma)
    assert active.box() == (0, 0, 640, 360)


def test_a_title_that_is_dark_throughout_keeps_its_picture() -> None:
    active = ActivePicture(Placement(80, 0, 480, 360))
    for _ in range(50):
        active.look(canvas(22, 60, 60))
    assert active.box() == (80, 0, 480, 360)


def test_one_bright_flash_across_the_bars_is_no_picture() -> None:
    active = ActivePicture(Placement(0, 0, 640, 360))
    for n in range(150):
        active.look(canvas(100, 40, 40) if n else canvas(100, 0, 0))
    assert active.box() == (0, 40, 640, 280)


def test_pillars_are_found_inside_the_placed_picture() -> None:
    active = ActivePicture(Placement(20, 10, 600, 340))
    for level in range(60, 160, 5):
        luma = np.full((360, 640), 16, np.uint8)
        luma[10:350, 100:540] = level
        active.look(luma)
    assert active.box() == (100, 10, 440, 340)


def test_a_picture_without_a_matrix_is_upright() -> None:
    found = orientation_of(av.VideoFrame(16, 16, "yuv420p"))
    assert found is not None
    assert (found.rotation, found.mirrored, found.filters) == (0, False, ())
