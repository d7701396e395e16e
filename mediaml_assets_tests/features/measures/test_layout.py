import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.features.measures.layout import EDGES, HEIGHT, MASSES, WIDTH, damped, edges, lab_picture, masses
from mediaml_assets_tests.features.conftest import texture

Lab = np.ndarray


def plain(lightness: float = 50) -> Lab:
    lab = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    lab[..., 0] = lightness
    return lab


def figure(x: int, y: int, lightness: float = 50, mass: float = 30) -> Lab:
    """A light upright mass of 14 x 24 pixels at (x, y)."""
    lab = plain(lightness)
    lab[y : y + 24, x : x + 14, 0] += mass
    return lab


def scene(seed: int) -> Lab:
    gray = cv2.resize(texture(seed, grain=90), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return lab_picture(np.repeat(gray[..., None], 3, axis=2))


@pytest.mark.parametrize(("part", "width"), [(edges, EDGES), (masses, MASSES)])
def test_a_flat_picture_has_no_layout(part: object, width: int) -> None:
    assert callable(part)
    found = part(plain())
    assert found.shape == (width,)
    assert np.linalg.norm(found) < 1e-3


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_parts_are_no_longer_than_1_and_most_of_it_where_there_is_something(seed: int) -> None:
    picture = scene(seed)
    for part in (edges(picture), masses(picture)):
        assert 0.5 < np.linalg.norm(part) < 1


@given(st.floats(-20, 20), st.integers(0, 60), st.integers(0, 20))
@settings(max_examples=20, deadline=None)
def test_how_light_the_whole_is_does_not_matter(more: float, x: int, y: int) -> None:
    here, lighter = figure(x, y), figure(x, y, 50 + more)
    np.testing.assert_allclose(edges(here), edges(lighter), atol=2e-3)
    np.testing.assert_allclose(masses(here), masses(lighter), atol=2e-3)


def test_a_figure_matches_itself_where_it_stands_and_a_little_off_but_not_on_the_other_side() -> None:
    here, near, far = figure(16, 10), figure(19, 11), figure(50, 10)
    for part in (edges, masses):
        assert part(here) @ part(near) > 0.7
        assert part(here) @ part(far) < 0.2


def test_masses_know_light_from_dark_and_edges_do_not() -> None:
    light, dark = figure(16, 10), figure(16, 10, mass=-30)
    assert edges(light) @ edges(dark) > 0.9
    assert masses(light) @ masses(dark) < -0.9


def test_a_contour_counts_and_grass_does_not() -> None:
    random = np.random.default_rng(0)
    grass = plain()
    grass[25:, :, 0] += random.normal(0, 12, (HEIGHT - 25, WIDTH)).astype(np.float32)
    with_figure = figure(16, 4)
    with_figure[25:, :, 0] += random.normal(0, 12, (HEIGHT - 25, WIDTH)).astype(np.float32)
    assert edges(with_figure) @ edges(figure(16, 4)) > 0.6
    assert edges(grass) @ edges(figure(16, 4)) < 0.2


def test_an_edge_of_colour_alone_is_an_edge() -> None:
    tinted = plain()
    tinted[:, 40:, 1] = 40
    lit = plain()
    lit[:, 40:, 0] += 40
    assert edges(tinted) @ edges(lit) > 0.9


def test_the_damping() -> None:
    direction = np.array([0.6, 0.8], np.float32)
    assert np.linalg.norm(damped(3 * direction, 3)) == pytest.approx(0.5)
    assert np.linalg.norm(damped(300 * direction, 3)) == pytest.approx(1, abs=1e-3)
    assert not damped(0 * direction, 3).any()
