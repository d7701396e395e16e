import cv2
import numpy as np
import pytest

from mediaml_assets.features.measures.descriptor import DIMENSIONS, descriptor, reduced_bgr
from mediaml_assets_tests.features.conftest import ArrayFrame, Picture, texture

WHOLE = (0, 0, 640, 360)
CHROMA = np.full((180, 320), 128, np.uint8)


def described(picture: Picture) -> np.ndarray:
    return descriptor(ArrayFrame(0, picture, CHROMA, CHROMA), WHOLE)


def test_a_unit_vector_of_2096_numbers() -> None:
    vector = described(texture(1))
    assert vector.shape == (DIMENSIONS,) == (2096,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_a_small_crop_and_a_grade_stay_alike_and_another_picture_does_not() -> None:
    picture = texture(1, grain=60)
    cropped = np.asarray(cv2.resize(picture[5:-5, 9:-9], (640, 360), interpolation=cv2.INTER_AREA), np.uint8)
    graded = np.clip(picture.astype(float) * 1.05 + 4, 0, 255).astype(np.uint8)
    assert described(picture) @ described(cropped) > 0.84
    assert described(picture) @ described(graded) > 0.84
    assert described(picture) @ described(texture(2, grain=60)) < 0.6


def test_a_flat_picture_has_a_finite_vector() -> None:
    assert np.isfinite(described(np.full((360, 640), 16, np.uint8))).all()


def test_limited_range_becomes_full_range_and_bars_are_left_out() -> None:
    barred = np.full((360, 640), 16, np.uint8)
    barred[44:316] = 235
    bgr = reduced_bgr(ArrayFrame(0, barred, CHROMA, CHROMA), (0, 44, 640, 272))
    assert bgr.shape == (90, 160, 3)
    assert (bgr == 255).all()
