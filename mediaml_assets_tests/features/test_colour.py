import cv2
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.features.colour import COLOUR, colour
from mediaml_assets.features.measures.palette import DIMENSIONS, histogram, palette, reached
from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets_tests.features.conftest import ArrayMedia

KEPT = Shots((Shot(0, 0, 30, 0, 30), Shot(1, 30, 60, 30, 60)))


def picture(*stripes: tuple[float, float, float]) -> np.ndarray:
    """A Lab picture of level stripes of equal height, from the top."""
    return np.repeat(np.array(stripes, np.float32), 40 // len(stripes), axis=0)[:, None].repeat(60, axis=1)


RED, DARK_RED, BLUE, GREY, PALE = (50, 70, 50), (20, 40, 30), (40, 20, -70), (50, 0, 0), (70, 6, 4)


def test_a_vivid_picture_matches_itself_and_neither_other_colours_nor_other_light() -> None:
    red = palette(picture(RED))
    assert red @ red > 0.85
    assert red @ palette(picture(BLUE)) == 0
    assert red @ palette(picture(DARK_RED)) < 0.2
    assert red @ palette(picture((52, 74, 47))) > 0.7


@given(st.floats(0, 100), st.floats(0, 100))
@settings(max_examples=30, deadline=None)
def test_grey_pictures_match_nothing(one: float, other: float) -> None:
    assert palette(picture((one, 0, 0))) @ palette(picture((other, 0, 0))) < 0.03
    assert palette(picture((one, 0, 0))) @ palette(picture(RED)) < 0.03


def test_the_plainer_the_palette_the_less_it_can_match() -> None:
    own = [float(vector @ vector) for vector in map(palette, map(picture, (GREY, PALE, DARK_RED, RED)))]
    assert own == sorted(own)
    assert own[1] < 0.3


def test_where_a_colour_stands_counts_from_top_to_bottom_only() -> None:
    up, down = palette(picture(RED, BLUE)), palette(picture(BLUE, RED))
    assert up @ up > up @ down + 0.1
    sideways = np.rot90(picture(RED, BLUE)).copy()
    np.testing.assert_allclose(palette(sideways), palette(sideways[:, ::-1].copy()), atol=1e-5)


def test_shares_at_the_lattice_are_interpolated() -> None:
    found = histogram(picture((30, 10, 0)), np.ones((40, 60), np.float32)).reshape(2, 6, 9, 9)
    assert found.sum() == pytest.approx(1)
    assert found[0].sum() == pytest.approx(0.5)
    expected = np.zeros((6, 9, 9))
    expected[1:3, 4:6, 4] = 0.25
    np.testing.assert_allclose(found.sum(axis=0), expected, atol=1e-6)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_products_of_any_pictures_are_in_range(seed: int) -> None:
    random = np.random.default_rng(seed)
    bgr = random.random((2, 6, 8, 3)).astype(np.float32) ** random.uniform(0.2, 4)
    one, other = (palette(cv2.cvtColor(part, cv2.COLOR_BGR2Lab)) for part in bgr)
    assert one.shape == (DIMENSIONS,)
    assert 0 <= one @ other <= 1 and one @ one < 1


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_no_colour_of_a_screen_reaches_other_points(seed: int) -> None:
    random = np.random.default_rng(seed)
    vivid = random.choice(np.array([0, 255], np.float32), (40, 60, 3)) * (random.random((40, 60, 3)) > 0.1)
    lab = cv2.cvtColor(vivid.astype(np.float32) / 255, cv2.COLOR_BGR2Lab)
    assert set(np.flatnonzero(palette(lab))) <= set(reached())
    assert len(reached()) == 694


def test_one_row_a_shot_of_its_last_and_first_frame(cut_film: ArrayMedia) -> None:
    table = colour(cut_film, KEPT)
    assert table.schema.equals(COLOUR)
    assert cut_film.asked == [0, 29, 30, 59]
    assert isinstance(table, pa.Table) and table.column("index").to_pylist() == [0, 1]
