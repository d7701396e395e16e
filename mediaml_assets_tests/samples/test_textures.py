import cv2
import numpy as np
import pytest

from mediaml_assets.samples.plan import Look, Picture
from mediaml_assets.samples.textures import FAMILIES, paint, pattern

PALETTE = ((20, 10, 30), (60, 40, 90), (140, 90, 60), (180, 190, 120), (240, 230, 220))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_picture_is_the_same_at_any_size(family: str) -> None:
    picture = Picture(family, 5, PALETTE)
    small, large = paint(picture, 144, 82), paint(picture, 576, 328)
    reduced = cv2.resize(large, (18, 10), interpolation=cv2.INTER_AREA).astype(float)
    same = cv2.resize(small, (18, 10), interpolation=cv2.INTER_AREA).astype(float)
    assert np.corrcoef(reduced.ravel(), same.ravel())[0, 1] > 0.8


@pytest.mark.parametrize("family", FAMILIES)
def test_a_picture_has_texture_nearly_everywhere(family: str) -> None:
    luma = cv2.cvtColor(paint(Picture(family, 6, PALETTE), 576, 328), cv2.COLOR_BGR2GRAY).astype(np.float32)
    cells = luma[:320].reshape(10, 32, 18, 32).std(axis=(1, 3))
    assert np.mean(cells > 1.5) > 0.9


def test_seeds_and_families_paint_different_pictures() -> None:
    thumbs = []
    for family in FAMILIES:
        for seed in (1, 2):
            thumb = cv2.resize(paint(Picture(family, seed, PALETTE), 144, 82), (16, 9), interpolation=cv2.INTER_AREA)
            row = thumb.astype(float) - thumb.mean(axis=(0, 1))
            thumbs.append(row.ravel() / np.linalg.norm(row))
    likeness = np.array(thumbs) @ np.array(thumbs).T - np.eye(len(thumbs))
    assert np.quantile(likeness, 0.95) < 0.7


@pytest.mark.parametrize("name", ["stripes", "checks", "spots"])
def test_a_pattern_shows_both_colours(name: str) -> None:
    surface = pattern(Look(((0, 0, 200), (200, 200, 0)), name, 3), 96)
    assert surface.shape == (96, 96, 3)
    assert np.mean(surface[..., 2] > surface[..., 0]) > 0.1
    assert np.mean(surface[..., 0] > surface[..., 2]) > 0.1
