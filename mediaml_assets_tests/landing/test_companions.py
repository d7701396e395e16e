"""Which title artwork and texts belong to, and what they are, by their names alone."""

import pytest

from mediaml_assets.errors import TitleRefused
from mediaml_assets.landing.companions import Companion, companion_of

FILMS = {
    "night_train": "night_train",
    "night_train.final": "night_train.final",
    "harbour/s01/e02": "harbour-s01e02",
    "any name": "rain",
}
BESIDE = {
    "night_train.srt": ("night_train", "subtitles", "", None),
    "night_train.en.srt": ("night_train", "subtitles", "", "en"),
    "night_train.pt-br.forced.vtt": ("night_train", "subtitles", "forced", "pt-BR"),
    "night_train.ENG.sdh.ass": ("night_train", "subtitles", "sdh", "en"),
    "night_train.en.hi.srt": ("night_train", "subtitles", "hi", "en"),
    "night_train.hi.srt": ("night_train", "subtitles", "", "hi"),
    "night_train.alt.ttml": ("night_train", "subtitles", "alt", None),
    "night_train.jpg": ("night_train", "artwork", "", None),
    "night_train.Poster.JPG": ("night_train", "poster", "", None),
    "night_train.poster.de.webp": ("night_train", "poster", "", "de"),
    "night_train.still-01.png": ("night_train", "still", "01", None),
    "night_train.still2.behind_the_scenes.tiff": ("night_train", "still", "2.behind_the_scenes", None),
    "night_train.script.txt": ("night_train", "script", "", None),
    "night_train.fountain": ("night_train", "script", "", None),
    "night_train.draft-3.script.pdf": ("night_train", "script", "draft-3", None),
    "night_train.final.poster.jpg": ("night_train.final", "poster", "", None),
    "night_train.finale.jpg": ("night_train", "artwork", "finale", None),
    "harbour/s01/e02.de.vtt": ("harbour-s01e02", "subtitles", "", "de"),
    "any name.en.srt": ("rain", "subtitles", "", "en"),
}
ALONE = {
    "salt_road.poster.jpg": ("salt_road", "poster", "", None),
    "salt_road.v2.still-7.fr.png": ("salt_road.v2", "still", "7", "fr"),
    "salt_road.en.srt": ("salt_road", "subtitles", "", "en"),
    "salt_road.srt": ("salt_road", "subtitles", "", None),
    "salt_road.directors_cut.en.cc.srt": ("salt_road.directors_cut", "subtitles", "cc", "en"),
    "salt_road.script.fountain": ("salt_road", "script", "", None),
    "harbour/s02/e01.poster.jpg": ("harbour-s02e01", "poster", "", None),
    "en.srt": ("en", "subtitles", "", None),
}


@pytest.mark.parametrize("path", BESIDE)
def test_a_file_beside_a_film(path: str) -> None:
    assert companion_of(path, FILMS) == Companion(*BESIDE[path])


@pytest.mark.parametrize("path", ALONE)
def test_a_file_without_a_film(path: str) -> None:
    assert companion_of(path, FILMS) == Companion(*ALONE[path])


def test_a_sidecar_says_the_title_and_the_name_the_rest() -> None:
    sidecar = b'{"title": "salt_road"}'
    assert companion_of("night_train.poster.jpg", FILMS, sidecar) == Companion("salt_road", "poster", "", None)
    assert companion_of("IMG 0001.jpg", FILMS, sidecar) == Companion("salt_road", "artwork", "", None)


@pytest.mark.parametrize("path", ["holiday.jpg", "folder.png", "harbour/s01/e03.jpg", "night_trian.en.jpg"])
def test_a_picture_of_no_film_that_does_not_say_what_it_is_becomes_no_title(path: str) -> None:
    with pytest.raises(TitleRefused, match=r"is a picture of no film that lies here; .*\.poster\..* or put the title"):
        companion_of(path, FILMS)


@pytest.mark.parametrize(
    ("path", "better", "title"),
    [
        ("a b.en.srt", "a_b.en.srt", "a_b"),
        ("é.poster.jpg", "e.poster.jpg", "e"),
        ("..poster.jpg", "title.poster.jpg", "title"),
        ("Été/s01/e02.de.forced.vtt", "Ete/s01/e02.de.forced.vtt", "Ete-s01e02"),
        ("my film.script.txt", "my_film.script.txt", "my_film"),
    ],
)
def test_a_name_that_gives_no_title_is_refused_with_one_that_gives_one(path: str, better: str, title: str) -> None:
    with pytest.raises(TitleRefused) as raised:
        companion_of(path, FILMS)
    assert f"Rename it, for example to {better!r}" in str(raised.value)
    assert str(raised.value).endswith(f'{{"title": "{title.replace("s01e02", "s01-e02")}"}}')
    assert companion_of(better, FILMS).title == title


def test_a_picture_without_a_kind_and_a_title_is_named_with_one_that_has_both() -> None:
    with pytest.raises(TitleRefused, match=r'as in "IMG_001\.poster\.jpg"'):
        companion_of("IMG 001.jpg", FILMS)
    assert companion_of("IMG_001.poster.jpg", FILMS).title == "IMG_001"
