import cv2
import numpy as np
import pytest

from mediaml_assets.features.measures.saliency import COLUMNS, ROWS, regions_of, saliency
from mediaml_assets_tests.features.conftest import texture


def lab_of(gray: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.cvtColor(cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR), cv2.COLOR_BGR2Lab), np.uint8)


def test_regions_share_out_the_picture_and_keep_to_edges() -> None:
    picture = np.full((90, 160), 60, np.uint8)
    picture[20:70, 43:97] = 200
    regions = regions_of(lab_of(picture))
    n = len(regions.areas)
    assert COLUMNS * ROWS * 0.7 < n <= COLUMNS * ROWS
    assert regions.areas.sum() == pytest.approx(1)
    assert regions.labels.shape == (90, 160) and regions.labels.max() == n - 1
    assert (regions.adjacent == regions.adjacent.T).all() and not regions.adjacent.diagonal().any()
    mixed = [len(np.unique(picture[regions.labels == label])) > 1 for label in range(n)]
    assert np.mean(mixed) < 0.05


@pytest.mark.parametrize("figure", [(30, 60, 50, 100), (20, 90, 40, 90), (5, 40, 100, 150)])
def test_what_the_border_does_not_lead_to_is_in_front(figure: tuple[int, int, int, int]) -> None:
    top, bottom, left, right = figure
    picture = cv2.resize(texture(4, grain=60), (160, 90)) // 3
    picture[top:bottom, left:right] = 220
    regions = regions_of(lab_of(picture))
    seen = saliency(regions)[regions.labels]
    inside = np.zeros((90, 160), bool)
    inside[top:bottom, left:right] = True
    assert seen[inside].mean() > 3 * seen[~inside].mean()
    assert seen.min() >= 0 and seen.max() <= 1


def test_a_plain_picture_has_nothing_in_front() -> None:
    regions = regions_of(lab_of(np.full((90, 160), 128, np.uint8)))
    assert saliency(regions).max() < 0.1
