import numpy as np
import pytest

from mediaml_assets.features.motion import MOTION, MotionConfig, camera_and_subject, motion
from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets_tests.features.conftest import ArrayMedia, panned


def test_one_row_a_shot_and_few_frames_are_read() -> None:
    film = ArrayMedia(panned(1, 40, 5))
    kept = Shots((Shot(0, 0, 40, 0, 40), Shot(4, 40, 41, 39, 40)))
    table = motion(film, kept, MotionConfig())
    assert table.schema.equals(MOTION)
    assert table.column("index").to_pylist() == [0, 4]
    assert len(film.asked) <= 19
    for end in ("out", "in"):
        assert not np.array(table.column(f"{end}_vector").to_pylist()[1]).any()
        assert table.column(f"{end}_certainty").to_pylist() == pytest.approx([1, 0])


def test_the_fields_of_a_row_are_in_picture_widths_a_second() -> None:
    table = motion(ArrayMedia(panned(1, 20, 8, -4), rate=25), Shots((Shot(0, 0, 20, 0, 20),)), MotionConfig())
    camera, subject = camera_and_subject(np.array(table.column("out_vector").to_pylist()[0]))
    assert camera.shape == subject.shape == (9, 16, 2)
    assert camera.mean(axis=(0, 1)) == pytest.approx([8 * 25 / 640, -4 * 25 / 640], abs=0.01)
    assert np.abs(subject).max() < 0.05
