import cv2
import numpy as np
import pytest

from mediaml_assets.samples.plan import Place, Shape
from mediaml_assets.samples.shapes import KINDS, mask, standing

VALUES = (0.2, 0.7, 0.4, 0.9, 0.1, 0.6, 0.3, 0.8)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("values", [VALUES, (0.0,) * 8, (0.999,) * 8])
def test_every_outline_fills_a_fair_part_of_its_sheet(kind: str, values: tuple[float, ...]) -> None:
    outline = mask(Shape(kind, values), 128)
    assert outline.shape == (128, 128)
    assert 0.05 < np.mean(outline > 127) < 0.8
    assert np.any(outline[:48] > 127) and np.any(outline[-32:] > 127)


@pytest.mark.parametrize("kind", KINDS)
def test_an_outline_is_the_same_at_any_size(kind: str) -> None:
    small, large = (mask(Shape(kind, VALUES), size) for size in (96, 192))
    reduced = cv2.resize(large, (96, 96), interpolation=cv2.INTER_AREA)
    a, b = small > 127, reduced > 127
    assert np.count_nonzero(a & b) / np.count_nonzero(a | b) > 0.9


def test_other_values_give_another_outline() -> None:
    for kind in KINDS:
        a, b = (mask(Shape(kind, v), 64) > 127 for v in (VALUES, tuple(1 - x for x in VALUES)))
        assert np.count_nonzero(a & b) / np.count_nonzero(a | b) < 0.95


def test_a_standing_outline_has_its_middle_and_height_in_place() -> None:
    picture = standing(Shape("tower", VALUES), Place(0.1, 0.0, 0.5), 320, 180, 9 / 16)
    rows = np.flatnonzero((picture > 127).any(axis=1))
    assert 0.4 * 180 < rows[-1] - rows[0] <= 0.5 * 180 + 1
    assert abs((rows[0] + rows[-1]) / 2 - 90) < 5
    columns = np.flatnonzero((picture > 127).any(axis=0))
    assert columns[0] < 192 < columns[-1]
