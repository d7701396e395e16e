"""Pictures are placed on the canvas centred, even and in shape; bars are told from darkness."""

from fractions import Fraction

import av
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.delivered.orientation import orientation_of
from mediaml_assets.jasper.placement import Placement, place

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


def test_a_picture_without_a_matrix_is_upright() -> None:
    found = orientation_of(av.VideoFrame(16, 16, "yuv420p"))
    assert found is not None
    assert (found.rotation, found.mirrored, found.filters) == (0, False, ())
