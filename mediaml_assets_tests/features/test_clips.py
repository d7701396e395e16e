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


def test_a_shot_after_the_end_of_the_sound_has_none() -> None:
    sound = np.zeros(16_000, np.float32)
    film = ArrayMedia([texture(1)])
    assert shot_sound(sound, Shot(0, 50, 75, 50, 75), film) is None
    assert shot_sound(None, Shot(0, 0, 75, 0, 75), film) is None
    heard = shot_sound(sound, Shot(0, 0, 5, 0, 5), film)
    assert heard is not None and len(heard) == 3200
