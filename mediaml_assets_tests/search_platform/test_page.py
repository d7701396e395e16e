"""The page is one file that needs no network, links the previews beside it and escapes what it is given."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from mediaml_assets.matching.flavours.registry import FLAVOURS
from mediaml_assets.search_platform.page import page, preview_path
from mediaml_assets.search_platform.why import SAYS

from .conftest import NumberedMedia, make_cut

VOID = {"img", "meta", "link", "br"}


class Reader(HTMLParser):
    """Collects the tags with their attributes and checks that they nest."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def read(path: Path) -> Reader:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    assert not reader.open
    return reader


@pytest.fixture
def media(first: NumberedMedia, second: NumberedMedia) -> dict[str, NumberedMedia]:
    return {first.title: first, second.title: second}


def test_shows_stills_scores_timecodes_and_existing_previews(media: dict[str, NumberedMedia], tmp_path: Path) -> None:
    cuts = [make_cut("frame", 2), make_cut("frame", 1), make_cut("motion", 1)]
    preview_path(cuts[1], tmp_path).parent.mkdir()
    preview_path(cuts[1], tmp_path).touch()
    made = page(cuts, media, tmp_path, {})
    text, reader = made.read_text(encoding="utf-8"), read(made)
    assert len(reader.all("img")) == 6
    assert [video["src"] for video in reader.all("video")] == ["previews/frame-001.mp4"]
    assert text.count("No preview was made") == 2
    assert text.index("Cut 1") < text.index("Cut 2")
    for words in ("score 0.914", "film-one, shot 12", "show-s01e02, shot 4", "out 00:00:16:13", "in 00:00:20:03"):
        assert words in text


def test_needs_neither_network_nor_script(media: dict[str, NumberedMedia], tmp_path: Path) -> None:
    made = page([make_cut()], media, tmp_path, {})
    assert not re.search(r"https?:|<script|@import|url\(", made.read_text(encoding="utf-8"))
    assert [path.name for path in tmp_path.iterdir()] == ["match_cuts.html"]


def test_is_labelled_for_those_who_do_not_see_it(media: dict[str, NumberedMedia], tmp_path: Path) -> None:
    cut = make_cut()
    preview_path(cut, tmp_path).parent.mkdir()
    preview_path(cut, tmp_path).touch()
    reader = read(page([cut], media, tmp_path, {}))
    assert [image["alt"] for image in reader.all("img")] == [
        "Last frame of shot 12 of film-one",
        "First frame of shot 4 of show-s01e02",
    ]
    (video,) = reader.all("video")
    assert "controls" in video and video["aria-label"] and "autoplay" not in video
    assert reader.all("html") == [{"lang": "en"}]
    anchors = {attributes["id"] for _, attributes in reader.tags if "id" in attributes}
    assert {link["href"] for link in reader.all("a")} == {f"#{anchor}" for anchor in anchors}


def test_names_are_escaped(media: dict[str, NumberedMedia], tmp_path: Path) -> None:
    name = '<b onmouseover="x">$rank&'
    made = page([replace(make_cut(), title1=name)], {**media, name: media["film-one"]}, tmp_path, {})
    assert not read(made).all("b")
    assert "&lt;b onmouseover=&quot;x&quot;&gt;$rank&amp;" in made.read_text(encoding="utf-8")


def test_a_page_without_cuts_says_so(tmp_path: Path) -> None:
    assert "There are no match cuts yet." in page([], {}, tmp_path, {}).read_text(encoding="utf-8")


def test_a_picture_says_why_where_there_is_one(media: dict[str, NumberedMedia], tmp_path: Path) -> None:
    cuts = [make_cut("frame", 1), make_cut("frame", 2)]
    reader = read(page(cuts, media, tmp_path, {"frame-001": Image.new("RGB", (320, 180))}))
    assert len(reader.all("details")) == 1 and len(reader.all("img")) == 5
    assert "What the frame flavour compared" in {one["alt"] for one in reader.all("img")}


@pytest.mark.parametrize("flavour", SAYS)
def test_a_flavour_says_what_it_means_and_its_picture_what_it_shows(
    flavour: str, media: dict[str, NumberedMedia], tmp_path: Path
) -> None:
    made = page([make_cut(flavour)], media, tmp_path, {f"{flavour}-001": Image.new("RGB", (320, 180))})
    text = made.read_text(encoding="utf-8")
    assert FLAVOURS[flavour].description in text and SAYS[flavour] in text
    assert ("orange" in text) == (flavour in ("frame", "motion", "composition"))
