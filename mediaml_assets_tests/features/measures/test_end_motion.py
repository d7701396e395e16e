from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from mediaml_assets.features.measures.end_motion import (
    CAMERA,
    SUBJECT,
    EndMotion,
    camera_field,
    end_motion,
    subject_field,
)
from mediaml_assets_tests.features.conftest import Picture, panned, texture


def measured(pictures: Sequence[Picture], rate: float = 25, at_end: bool = False) -> EndMotion:
    grays = [np.asarray(cv2.resize(p, (160, 90), interpolation=cv2.INTER_AREA), np.uint8) for p in pictures]
    return end_motion(grays, rate, at_end, 9 / 16)


def seen(found: EndMotion) -> np.ndarray:
    """The whole motion nearest to the cut, [9, 16, 2] in picture widths a second."""
    return camera_field(found.vector[:CAMERA]) + subject_field(found.vector[2 * CAMERA : 2 * CAMERA + SUBJECT])


def grained(pictures: Sequence[Picture], seed: int, strength: float) -> list[Picture]:
    random = np.random.default_rng(seed)
    return [np.clip(p + random.normal(0, strength, p.shape), 0, 255).astype(np.uint8) for p in pictures]


@pytest.mark.parametrize(("dx", "dy"), [(8, 0), (-8, 4), (0, -6), (24, 0)])
def test_a_pan_is_camera_motion_in_picture_widths_a_second(dx: float, dy: float) -> None:
    found = measured(panned(1, 9, dx, dy, grain=40))
    assert found.vector[[0, 3]] == pytest.approx([dx * 25 / 640, dy * 25 / 640], abs=0.02)
    assert found.vector[:CAMERA] == pytest.approx(found.vector[CAMERA : 2 * CAMERA], abs=0.02)
    assert np.linalg.norm(found.vector[2 * CAMERA :]) < 0.15 * np.linalg.norm(found.vector[: 2 * CAMERA])
    assert found.certainty > 0.9


def test_a_zoom_is_camera_motion_away_from_the_middle() -> None:
    wide = texture(1, 1600, 900, grain=40)
    sizes = [cv2.getRotationMatrix2D((800, 450), 0, 1.01**i) for i in range(9)]
    found = measured([cv2.warpAffine(wide, size, (1600, 900))[270:630, 480:1120] for size in sizes])
    field = camera_field(found.vector[:CAMERA])
    assert field[4, 15] == pytest.approx([0.01 * 25 * 15 / 32, 0], abs=0.02)
    assert field[4, 0] == pytest.approx(-field[4, 15], abs=0.02)


def test_the_frame_rate_does_not_matter() -> None:
    slow, fast = (measured(panned(1, 9, dx, grain=40), rate).vector for dx, rate in ((8, 25), (4, 50)))
    assert np.linalg.norm(slow - fast) < 0.1 * np.linalg.norm(slow)


@pytest.mark.parametrize("at_end", [False, True])
@pytest.mark.parametrize("first", [0, 1, 2, 3, 4])
def test_repeated_frames_do_not_change_the_speed(at_end: bool, first: int) -> None:
    """24 frames a second told as 30: every fifth frame stands twice, wherever the window begins."""
    told = [i - (i + first) // 5 for i in range(9)]
    film = panned(1, 9, 8, grain=40)
    found = measured(grained([film[i - min(told)] for i in told], first, 1), 30, at_end)
    assert found.vector[0] == pytest.approx(8 * 24 / 640, rel=0.2)
    assert found.vector[CAMERA] == pytest.approx(8 * 24 / 640, rel=0.12)
    assert found.certainty > 0.8


def test_the_motion_at_the_cut_is_told_from_that_before_it() -> None:
    film = panned(1, 40, 2, grain=40)
    places = [0, 1, 2, 3, 4, 5, 10, 15, 20]  # slow, then five times as fast
    found = measured([film[i] for i in places], at_end=True)
    assert found.vector[0] == pytest.approx(10 * 25 / 640, rel=0.05)
    assert found.vector[CAMERA] == pytest.approx(5 * 25 / 640, rel=0.05)
    head = measured([film[i] for i in places])
    assert head.vector[0] == pytest.approx(2 * 25 / 640, rel=0.05)


def test_a_cut_within_the_window_ends_the_measurement() -> None:
    kept, other = panned(1, 6, 8, grain=40), panned(2, 3, -8, grain=40)
    for at_end, pictures in ((False, kept + other), (True, other + kept)):
        found = measured(pictures, at_end=at_end)
        assert found.vector[[0, CAMERA]] == pytest.approx([8 * 25 / 640] * 2, abs=0.02)


def test_a_dissolve_of_still_pictures_is_no_sure_motion() -> None:
    for seed in range(4):
        a, b = texture(2 * seed).astype(float), texture(2 * seed + 1).astype(float)
        pan = measured(panned(seed, 9, 8))
        dissolve = measured([np.asarray(a + (b - a) * i / 8, np.uint8) for i in range(9)])
        assert dissolve.certainty < 0.1 and pan.certainty > 0.9


def test_a_trembling_camera_is_no_sure_motion() -> None:
    wide = panned(3, 9, 8, grain=40)
    assert measured([wide[i] for i in (0, 2, 0, 2, 1, 2, 0, 1, 0)]).certainty < 0.1


def test_a_still_picture_and_a_single_frame_have_no_motion() -> None:
    assert np.linalg.norm(measured(grained([texture(1)] * 9, 1, 2)).vector) < 0.01
    alone = measured([texture(1)])
    assert alone.certainty == 0 and not alone.vector.any()


def test_few_frames_are_less_sure_than_many() -> None:
    film = panned(1, 9, 8)
    assert measured(film[:2]).certainty == pytest.approx(0.25)
    assert measured(film[:3]).certainty == pytest.approx(0.5)


def test_a_subject_moving_before_a_still_camera_is_residual_motion_where_it_is() -> None:
    def picture(i: int) -> Picture:
        scene = texture(1)
        scene[100:260, 200 + 6 * i : 360 + 6 * i] = texture(2)[100:260, 200:360]
        return scene

    found = measured([picture(i) for i in range(9)])
    cameras, subjects = (np.linalg.norm(found.vector[part]) for part in (slice(0, 12), slice(12, None)))
    assert subjects > 3 * cameras
    field = seen(found)
    assert field[4, 7, 0] > 0.6 * 6 * 25 / 640 > 8 * abs(field[0, 0, 0])


def test_a_plain_sky_does_not_hide_that_the_camera_moves() -> None:
    """Only the lowest quarter of the picture has any texture."""
    film = panned(1, 9, 8)
    for picture in film:
        picture[:270] = 200
    assert measured(film).vector[0] == pytest.approx(8 * 25 / 640, rel=0.25)
