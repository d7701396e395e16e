import cv2
import numpy as np
import pytest

from mediaml_assets.features.measures.optical_flow import active_luma, camera_flow, flow, lost, warped
from mediaml_assets.features.measures.optical_flow import texture as told
from mediaml_assets_tests.features.conftest import ArrayFrame, panned, texture

CHROMA = np.full((180, 320), 128, np.uint8)


def test_flow_of_a_pan_is_its_shift() -> None:
    a, b = (cv2.resize(p, (160, 90), interpolation=cv2.INTER_AREA) for p in panned(1, 2, 12, -4, grain=40))
    middle = flow(a, b)[20:70, 20:140].mean(axis=(0, 1))
    assert middle == pytest.approx([3, -1], abs=0.1)


def test_camera_flow_is_the_affine_field_that_most_pixels_follow() -> None:
    y, x = np.mgrid[:90, :160].astype(np.float32)
    camera = np.stack([1 + 0.02 * x, -2 + 0.01 * y], axis=2)
    seen = camera.copy()
    seen[30:60, 60:90] += 5
    assert np.abs(camera_flow(seen) - camera).max() < 0.1


def test_no_motion_is_no_flow() -> None:
    still = cv2.resize(texture(1), (160, 90), interpolation=cv2.INTER_AREA)
    assert np.abs(flow(still, still)).max() < 0.05
    assert np.abs(camera_flow(np.zeros((90, 160, 2), np.float32))).max() == 0


def test_the_active_picture_is_what_is_looked_at() -> None:
    barred = np.full((360, 640), 16, np.uint8)
    barred[44:316] = 200
    assert (active_luma(ArrayFrame(0, barred, CHROMA, CHROMA), (0, 44, 640, 272), (160, 90)) == 200).all()


def test_camera_flow_follows_what_is_trusted() -> None:
    seen = np.zeros((90, 160, 2), np.float32)
    seen[60:] = (3, 0)
    trust = np.zeros((90, 160), np.float32)
    trust[60:] = 1
    doubtful, trusted = (camera_flow(seen, trust=part)[75].mean(axis=0) for part in (1 - trust, trust))
    assert doubtful == pytest.approx([0, 0], abs=0.2)
    assert trusted == pytest.approx([3, 0], abs=0.2)


def test_a_right_flow_warps_the_later_picture_onto_the_earlier_and_leads_back() -> None:
    a, b = (cv2.resize(p, (160, 90), interpolation=cv2.INTER_AREA) for p in panned(1, 2, 12, -4, grain=40))
    there, back = flow(a, b), flow(b, a)
    before, after = (float(cv2.absdiff(a, picture)[10:80, 10:150].mean()) for picture in (b, warped(b, there)))
    assert after < 0.3 * before
    assert lost(there, back, told(a)) < 0.05
    assert lost(there, there, told(a)) > 0.9


def test_texture_is_where_light_changes() -> None:
    step = np.full((90, 160), 50, np.uint8)
    step[:, 80:] = 150
    found = told(step)
    assert found[45, 79] > 0.9 and found[45, 20] == 0 and found.max() < 1
