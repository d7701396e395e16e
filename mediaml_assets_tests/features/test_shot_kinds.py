"""Pictures, black, flat colours, cards and bars, drawn for the purpose."""

import cv2
import numpy as np
import pytest

from mediaml_assets.features.measures.picture_kind import Kind, picture_kind
from mediaml_assets.features.shot_kinds import SHOT_KINDS, ShotKinds, shot_kinds
from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets_tests.features.conftest import ArrayFrame, ArrayMedia, Picture, panned, texture

WHOLE = (0, 0, 640, 360)
GREY = np.full((180, 320), 128, np.uint8)


def kind(luma: Picture, active: tuple[int, int, int, int] = WHOLE, chroma: Picture = GREY) -> Kind:
    return picture_kind(ArrayFrame(0, luma, chroma, GREY), active)


def plain(luma: int) -> Picture:
    return np.full((360, 640), luma, np.uint8)


def written(ground: Picture, ink: int, lines: tuple[str, ...] = ("A FILM BY NOBODY", "with everybody")) -> Picture:
    picture = ground.copy()
    for row, line in enumerate(lines):
        cv2.putText(picture, line, (120, 140 + 50 * row), cv2.FONT_HERSHEY_DUPLEX, 1.1, ink, 2, cv2.LINE_AA)
    return picture


def noisy(picture: Picture, seed: int) -> Picture:
    grain = np.random.default_rng(seed).normal(0, 2, picture.shape)
    return np.clip(picture + grain, 16, 235).astype(np.uint8)


def test_black_and_flat_colours_and_what_a_fade_leaves_are_no_pictures() -> None:
    assert kind(noisy(plain(17), 0)) == "black"
    assert kind(plain(16)) == "black"
    assert kind(plain(235)) == "flat"
    assert kind(noisy(plain(120), 1)) == "flat"
    residue = (120 + (texture(2).astype(np.float32) - 130) * 0.05).astype(np.uint8)
    assert kind(residue) == "flat"
    # a picture of colours of one light is one
    assert kind(plain(120), chroma=cv2.resize(texture(3), (320, 180))) == "picture"


@pytest.mark.parametrize("seed", range(4))
def test_pictures_are_pictures(seed: int) -> None:
    for grain in (4, 12, 60, 300):
        assert kind(texture(seed, grain=grain)) == "picture"
    # dark ones as well, and text over a picture
    assert kind((16 + texture(seed).astype(np.float32) * 0.25).astype(np.uint8)) == "picture"
    assert kind(written(texture(seed, grain=30), 235)) == "picture"


@pytest.mark.parametrize(("ground", "ink"), [(16, 235), (235, 16), (90, 220), (160, 30)])
def test_text_on_a_plain_ground_is_a_card(ground: int, ink: int) -> None:
    assert kind(written(plain(ground), ink)) == "card"
    assert kind(noisy(written(plain(ground), ink), 3)) == "card"
    assert kind(written(plain(ground), ink, ("fin",))) == "card"


def test_text_on_a_ground_that_changes_slowly_is_a_card() -> None:
    slope = np.linspace(40, 150, 640)[None].repeat(360, 0).astype(np.uint8)
    assert kind(written(slope, 235)) == "card"
    credits = written(plain(16), 235, ())
    for row in range(12):
        cv2.putText(credits, "Somebody Important", (60 + 20 * (row % 3), 30 + 28 * row), 0, 0.6, 230, 1, cv2.LINE_AA)
    assert kind(credits) == "card"


def test_one_thing_before_a_plain_ground_is_a_picture() -> None:
    sky = plain(190)
    cv2.ellipse(sky, (300, 150), (60, 25), 20, 0, 360, 40, -1)
    cv2.line(sky, (290, 140), (330, 160), 40, 4)
    assert kind(sky) == "picture"


def test_bars_are_bars_and_a_slope_of_light_is_none() -> None:
    bars = np.repeat(np.array([180, 162, 131, 112, 84, 65, 35], np.uint8), 92)[None, :640].repeat(360, 0)
    bars[250:] = 16
    assert kind(np.asarray(bars, np.uint8)) == "bars"
    assert kind(noisy(np.asarray(bars, np.uint8), 5)) != "flat"


def test_only_the_active_picture_counts() -> None:
    barred = texture(1)
    barred[:44] = barred[316:] = 16
    barred[44:316] = 120
    assert kind(barred, (0, 44, 640, 272)) == "flat"


def test_both_ends_of_each_shot_are_looked_at() -> None:
    pictures = [plain(16)] * 3 + panned(1, 20, 2) + [written(plain(16), 230)] * 10
    shots = Shots((Shot(0, 0, 23, 0, 23), Shot(1, 23, 33, 23, 33)))
    rows = shot_kinds(ArrayMedia(pictures), shots)
    assert rows.schema.equals(SHOT_KINDS)
    assert rows.to_pylist() == [
        {"index": 0, "head": "black", "tail": "picture"},
        {"index": 1, "head": "card", "tail": "card"},
    ]
    read = ShotKinds.from_table(rows)
    assert (read.index.tolist(), read.head.tolist(), read.tail.tolist()) == ([0, 1], [False, False], [True, False])
