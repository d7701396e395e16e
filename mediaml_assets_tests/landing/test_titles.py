"""Which title a landed file has, and what is said of a file that has none."""

import json
import re
from ast import literal_eval
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.errors import TitleRefused
from mediaml_assets.landing.titles import SLUG, Title, title_of

ACCEPTED = [
    ("night_train.mp4", Title("night_train")),
    ("Night.Train-2.mkv", Title("Night.Train-2")),
    ("7.mp4", Title("7")),
    ("shorts/rain.mp4", Title("shorts-rain")),
    ("a/b/c.mp4", Title("a-b-c")),
    ("archive.tar.mp4", Title("archive.tar")),
    ("NIGHT.MP4", Title("NIGHT")),
    ("night.mp4", Title("night")),
    ("x" * 100 + ".mp4", Title("x" * 100)),
    ("harbour/s01/e02.mkv", Title("harbour-s01e02", "harbour", 1, 2)),
    ("harbour/S1/E2.mkv", Title("harbour-s01e02", "harbour", 1, 2)),
    ("harbour/season 1/episode 2.mkv", Title("harbour-s01e02", "harbour", 1, 2)),
    ("harbour/season_01/episode-002.mkv", Title("harbour-s01e02", "harbour", 1, 2)),
    ("harbour/s100/e1000.mkv", Title("harbour-s100e1000", "harbour", 100, 1000)),
    ("harbour/s01/extra.mkv", Title("harbour-s01-extra")),
    ("harbour/s01/e02/cut.mkv", Title("harbour-s01-e02-cut")),
]
REFUSED = [
    ("night train.mp4", "night_train.mp4"),
    ("Füße.mkv", "Fue.mkv"),
    ("夜.mp4", "title.mp4"),
    ("a..b.mp4", "a_b.mp4"),
    ("../outside.mp4", "title/outside.mp4"),
    ("-rf.mp4", "rf.mp4"),
    ("_catalogue.mp4", "catalogue.mp4"),
    ("night@day.mp4", "night_day.mp4"),
    ("a;drop.mp4", "a_drop.mp4"),
    ("new\nline.mp4", "new_line.mp4"),
    ("x" * 101 + ".mp4", "x" * 100 + ".mp4"),
    ("My Show/s01/e02.mkv", "My_Show/s01/e02.mkv"),
    ("..mp4/x.mp4", "mp4/x.mp4"),
]


@pytest.mark.parametrize(("path", "title"), ACCEPTED)
def test_a_path_gives_a_title(path: str, title: Title) -> None:
    assert title_of(path) == title


@pytest.mark.parametrize(("path", "better"), REFUSED)
def test_a_path_that_gives_none_is_named_with_a_better_one(path: str, better: str) -> None:
    with pytest.raises(TitleRefused) as raised:
        title_of(path)
    assert repr(path) in str(raised.value)
    assert f"for example to {better!r}" in str(raised.value)
    assert title_of(better)


@given(st.lists(st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=120), min_size=1, max_size=4))
def test_every_path_has_a_valid_title_or_a_valid_suggestion(parts: list[str]) -> None:
    path = "/".join(parts) + ".mp4"
    try:
        slug = title_of(path).slug
    except TitleRefused as refusal:
        said = re.search(r"for example to ('.*?\.mp4'|\".*?\.mp4\"), or put", str(refusal), re.S)
        assert said is not None
        slug = title_of(literal_eval(said.group(1))).slug
        sidecar = re.search(r'\{"title": "([^"]*)"\}$', str(refusal))
        assert sidecar is not None and SLUG.fullmatch(sidecar.group(1))
    assert SLUG.fullmatch(slug) and ".." not in slug and len(slug) <= 100


def with_sidecar(facts: Any) -> Title:
    return title_of("any name.mp4", facts if isinstance(facts, bytes) else json.dumps(facts).encode())


def test_a_sidecar_says_the_title_whatever_the_file_is_called() -> None:
    assert with_sidecar({"title": "rain"}) == Title("rain")
    assert with_sidecar(b'\xef\xbb\xbf{"title": "rain"}') == Title("rain")
    facts = {"title": "rain-3", "show": "Régen & Co.", "season": 0, "episode": "3", "year": 1999}
    assert with_sidecar(facts) == Title("rain-3", "Régen & Co.", 0, 3)


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (b"", "JSONDecodeError"),
        (b"\xff\xfe", "UnicodeDecodeError"),
        (b"[" * 100_000, "RecursionError"),
        ([], "TypeError"),
        ({}, "KeyError: 'title'"),
        ({"title": "a b"}, "'a b' is no title"),
        ({"title": "../x"}, "is no title"),
        ({"title": "x" * 101}, "is no title"),
        ({"title": None}, "'None' is no title"),
        ({"title": "a", "season": "one"}, "ValueError"),
        ({"title": "a", "season": -1}, "-1 is no season or episode"),
        ({"title": "a", "episode": 10**12}, "is no season or episode"),
        (b'{"title": "a", "season": Infinity}', "OverflowError"),
        (b'{"title": "a", "show": "\\ud800"}', "is no name of a show"),
        ({"title": "a", "show": "x" * 101}, "is no name of a show"),
    ],
)
def test_a_sidecar_that_cannot_be_used_says_why_and_how(facts: Any, text: str) -> None:
    with pytest.raises(TitleRefused, match=re.escape(text)) as raised:
        with_sidecar(facts)
    assert "the sidecar of 'any name.mp4' cannot be used" in str(raised.value)
    assert '{"title": "my_film"' in str(raised.value)
