"""`jasper.open` of a title: what the installation stores of it."""

from pathlib import Path

import numpy as np
import pytest

from mediaml_assets import jasper
from mediaml_assets.errors import NotStored
from mediaml_assets.jasper.reading.media import Media
from mediaml_assets.on_demand import value
from mediaml_assets_tests.amber.platform import Platform
from mediaml_assets_tests.end_to_end.conftest import Call
from mediaml_assets_tests.end_to_end.films import film
from mediaml_assets_tests.end_to_end.test_companions import ENGLISH, GERMAN, poster, text


def test_a_title_opens_with_its_cues_and_its_artwork(platform: Platform, calls: list[Call]) -> None:
    film(platform.landing / "opened.mp4", seed=4, shots=2)
    poster(platform.landing / "opened.poster.png", "red")
    text(platform.landing / "opened.en.srt", ENGLISH)
    text(platform.landing / "opened.de.vtt", GERMAN)
    platform.land()
    with jasper.open("opened") as read:
        # nothing else is computed for who looks at pictures
        assert [name for name, _ in calls] == ["essence", "standard_encode"]
        stored = Media.from_value(value("standard_encode", "opened"))
        assert read.title == "opened" and len(read.video) == stored.frame_count
        assert np.array_equal(read.video.batch([7])[0], next(stored.video.frames([7])).rgb())
        assert [cue.text for cue in read.text.cues(1.5)] == ["Goodbye"]
        assert [cue.text for cue in read.text.cues(0, 1, language="de")] == ["Hallo"]
        assert list(read.text.languages) == ["de", "en"]
        [picture] = read.images
        assert picture.kind == "poster" and picture.rgb().shape == (90, 60, 3)
    for name in ("opened.mp4", "opened.poster.png", "opened.en.srt", "opened.de.vtt"):
        (platform.landing / name).unlink()


def test_a_title_without_companions_has_none(platform: Platform) -> None:
    with jasper.open("one") as read:
        assert len(read.text) == 0 and list(read.text.cues()) == [] and len(read.images) == 0


def test_a_title_without_a_film_opens_with_its_cues_and_its_artwork(platform: Platform, calls: list[Call]) -> None:
    poster(platform.landing / "filmless.poster.png", "red")
    text(platform.landing / "filmless.en.srt", ENGLISH)
    platform.land()
    with jasper.open("filmless") as read:
        assert calls == [] and (read.title, read.audio) == ("filmless", None)
        assert [picture.kind for picture in read.images] == ["poster"]
        assert [cue.text for cue in read.text.cues(1.5)] == ["Goodbye"]
        with pytest.raises(NotStored, match="filmless has no film, only artwork or texts; deliver it"):
            _ = read.video
    film(platform.landing / "filmless.mp4", seed=4, shots=2)
    platform.land()
    with jasper.open("filmless") as read:
        assert len(read.video) > 0 and len(read.images) == 1
    for path in platform.landing.glob("filmless.*"):
        path.unlink()
    platform.land()
    with pytest.raises(NotStored, match="withdrawn"):
        jasper.open("filmless")


def test_what_is_no_title_is_not_stored(platform: Platform) -> None:
    with pytest.raises(NotStored, match="no title 'nothing' has landed"):
        jasper.open("nothing")


def test_a_name_that_is_a_file_is_that_file(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film(tmp_path / "one.mp4", 1, shots=2).rename(tmp_path / "one")
    with jasper.open("one") as read:
        assert isinstance(read, Media)
    monkeypatch.chdir(tmp_path)
    with jasper.open("one") as read:
        assert not isinstance(read, Media) and read.title == "one"
