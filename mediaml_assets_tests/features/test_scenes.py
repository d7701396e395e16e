"""Scenes of made-up shots, and the law of overlapping links against loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.features.joined_shots import JoinedShots
from mediaml_assets.features.scenes import SCENES, Scenes, ScenesConfig, scene_starts, scenes
from mediaml_assets.features.shot_embedding import Embeddings
from mediaml_assets.features.shots import Shot
from mediaml_assets_tests.features.conftest import ArrayMedia, texture


def looks(letters: str, count: int = 26) -> np.ndarray:
    """A colour, or a picture, of its own for each letter: float32 [n, 1, count]."""
    return np.eye(count, dtype=np.float32)[[ord(letter) - ord("a") for letter in letters]][:, None]


def starts(colours: str, pictures: str, window: int = 6) -> str:
    found = scene_starts(looks(colours), looks(pictures), ScenesConfig(window=window))
    return "".join("|" * bool(one) + letter for one, letter in zip(found, colours, strict=True))


def test_what_lies_between_two_shots_that_look_alike_is_in_their_scene() -> None:
    assert starts("abacdcde", "abcdefgh") == "|aba|cdcd|e"
    assert starts("abcdefgh", "abacdcde") == "|abc|defg|h"


def test_links_reach_no_further_than_the_window() -> None:
    assert starts("abcda", "abcde", window=4) == "|abcda"
    assert starts("abcda", "abcde", window=3) == "|a|b|c|d|a"


def test_links_overlap() -> None:
    assert starts("abacbc", "abcdef") == "|abacbc"


@given(st.text("abcde", min_size=1, max_size=12), st.text("abcdefgh", min_size=12, max_size=12), st.integers(1, 6))
@settings(max_examples=80, deadline=None)
def test_a_scene_begins_where_no_link_crosses(colours: str, pictures: str, window: int) -> None:
    pictures = pictures[: len(colours)]
    found = scene_starts(looks(colours), looks(pictures), ScenesConfig(window=window))
    for shot in range(len(colours)):
        crossing = [
            (i, j)
            for i in range(shot)
            for j in range(shot, len(colours))
            if j - i <= window and (colours[i] == colours[j] or pictures[i] == pictures[j])
        ]
        assert bool(found[shot]) == (not crossing)


def film(order: str, kinds: dict[int, str]) -> tuple[ArrayMedia, JoinedShots, Embeddings]:
    """Shots of ten frames, a picture for each letter; vectors that say nothing."""
    pictures = [texture(ord(letter)) // 4 + 40 * (ord(letter) - ord("a")) for letter in order for _ in range(10)]
    rows = tuple(Shot(i, 10 * i, 10 * i + 10, 10 * i, 10 * i + 10) for i in range(len(order)))
    vectors = np.eye(3 * len(order), dtype=np.float32).reshape(len(order), 3, -1)
    transitions = tuple(kinds.get(i, "cut") for i in range(len(order)))
    return ArrayMedia(pictures), JoinedShots(rows, transitions), Embeddings(np.arange(len(order)), vectors)


@pytest.mark.parametrize(
    ("kinds", "expected"), [({0: "start"}, [0, 0, 0, 1, 1, 1]), ({0: "start", 2: "fade"}, [0, 0, 1, 2, 2, 2])]
)
def test_shots_of_the_same_light_are_a_scene_and_a_fade_ends_it(kinds: dict[int, str], expected: list[int]) -> None:
    rows = scenes(*film("acaece", kinds), ScenesConfig(window=2))
    assert rows.schema.equals(SCENES)
    found = Scenes.from_table(rows)
    assert found.index.tolist() == list(range(6))
    assert found.scene.tolist() == expected


def test_a_title_of_one_shot_is_one_scene() -> None:
    assert Scenes.from_table(scenes(*film("a", {0: "start"}), ScenesConfig())).scene.tolist() == [0]
