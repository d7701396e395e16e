from pathlib import Path

import av
import numpy as np

from mediaml_assets.features.clips import CLIPS, clips, shot_sound
from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets_tests.features.conftest import ArrayMedia, texture


def test_a_clip_holds_exactly_its_shots_frames(cut_film: ArrayMedia, tmp_path: Path) -> None:
    table = clips(cut_film, Shots((Shot(0, 0, 30, 0, 30), Shot(3, 30, 47, 30, 47))), tmp_path)
    assert table.schema.equals(CLIPS, check_metadata=True)
    for path, count, look in zip(table.column("clip").to_pylist(), (30, 17), (1, 2), strict=True):
        with av.open(path) as file:
            frames = [frame.to_ndarray(format="gray") for frame in file.decode(video=0)]
        assert len(frames) == count
        assert np.abs(frames[0].astype(int) - texture(look)).mean() < 25


def test_sound_is_cut_with_the_shot(tmp_path: Path) -> None:
    film = ArrayMedia([texture(1)] * 10)
    film.samples = np.sin(np.arange(6400) / 5).astype(np.float32)
    (path,) = clips(film, Shots((Shot(0, 5, 10, 5, 10),)), tmp_path).column("clip").to_pylist()
    with av.open(path) as file:
        assert sum(frame.samples for frame in file.decode(audio=0)) >= 3200


def test_a_shot_of_a_title_without_sound_has_none() -> None:
    film = ArrayMedia([texture(1)] * 10)
    assert shot_sound(film, Shot(0, 0, 5, 0, 5)) is None
    film.samples = np.zeros(6400, np.float32)
    heard = shot_sound(film, Shot(0, 0, 5, 0, 5))
    assert heard is not None and len(heard) == 3200
