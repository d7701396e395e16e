import cv2
import numpy as np
import pytest

from mediaml_assets.features.motion import DIMENSIONS, MOTION, PART, motion, motion_vector
from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets_tests.features.conftest import ArrayFrame, ArrayMedia, Picture, panned, texture

CHROMA = np.full((180, 320), 128, np.uint8)
WHOLE = (0, 0, 640, 360)


def vector(pictures: list[Picture], rate: float = 25) -> np.ndarray:
    frames = [ArrayFrame(i, picture, CHROMA, CHROMA) for i, picture in enumerate(pictures)]
    return motion_vector(frames, WHOLE, rate, at_end=False)


def test_a_pan_is_camera_motion_in_picture_widths_a_second() -> None:
    found = vector(panned(1, 9, 8))
    camera = found[:PART].reshape(-1, 2).mean(axis=0) * np.sqrt(288)
    assert camera == pytest.approx([8 * 25 / 640, 0], abs=0.02)
    assert np.linalg.norm(found) == pytest.approx(8 * 25 / 640, rel=0.15)


def test_the_frame_rate_does_not_matter() -> None:
    slow, fast = vector(panned(1, 9, 8, grain=40), 25), vector(panned(1, 9, 4, grain=40), 50)
    assert np.linalg.norm(slow - fast) < 0.15 * np.linalg.norm(slow)


def test_a_subject_moving_before_a_still_camera_is_residual_motion() -> None:
    def picture(i: int) -> Picture:
        scene = texture(1)
        scene[100:260, 200 + 6 * i : 360 + 6 * i] = texture(2)[100:260, 200:360]
        return scene

    found = vector([picture(i) for i in range(9)])
    cameras, subjects = np.linalg.norm(found[: 2 * PART]), np.linalg.norm(found[2 * PART :])
    assert subjects > 3 * cameras


def test_one_row_a_shot_and_few_frames_are_read() -> None:
    film = ArrayMedia([cv2.GaussianBlur(p, (0, 0), 2) for p in panned(1, 40, 5)])
    kept = Shots((Shot(0, 0, 40, 0, 40), Shot(4, 40, 41, 39, 40)))
    table = motion(film, kept)
    assert table.schema.equals(MOTION)
    assert table.column("index").to_pylist() == [0, 4]
    assert len(film.asked) <= 19
    assert np.array(table.column("out_vector").to_pylist()).shape == (2, DIMENSIONS)
    assert not np.array(table.column("out_vector").to_pylist()[1]).any()
