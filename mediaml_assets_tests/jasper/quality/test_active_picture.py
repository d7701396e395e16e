"""Bars are found, also where they come and go."""

from fractions import Fraction

import numpy as np
import pytest

from mediaml_assets.jasper.placement import Placement
from mediaml_assets.jasper.quality.active_picture import ActivePicture, ActiveRange, Box

WHOLE = (0, 0, 640, 360)
SCOPE = (0, 44, 640, 272)
OLD = (80, 0, 480, 360)


def watch(*parts: tuple[int, Box, int]) -> ActivePicture:
    """Parts of (looks, box, luma in the box), 12 frames between looks."""
    active, frame = ActivePicture(Placement(*WHOLE)), 0
    random = np.random.default_rng(0)
    for looks, (x, y, width, height), level in parts:
        for _ in range(looks):
            luma = np.full((360, 640), 17, np.uint8)
            luma[y : y + height, x : x + width] = random.integers(level - 10, level + 10, (height, width))
            active.look(luma, frame)
            frame += 12
    return active


@pytest.mark.parametrize("box", [WHOLE, SCOPE, OLD])
def test_one_picture_is_one_range(box: Box) -> None:
    active = watch((20, box, 120))
    assert active.box() == box
    assert active.ranges(240, Fraction(24)) == [ActiveRange(0, 240, box)]


def test_bars_that_come_and_go_make_ranges() -> None:
    active = watch((20, WHOLE, 120), (15, OLD, 120), (10, WHOLE, 120), (15, SCOPE, 120))
    assert active.box() == WHOLE
    assert active.ranges(720, Fraction(24)) == [
        ActiveRange(0, 240, WHOLE), ActiveRange(240, 420, OLD), ActiveRange(420, 540, WHOLE),
        ActiveRange(540, 720, SCOPE),
    ]  # fmt: skip


def test_a_film_in_scope_with_taller_scenes() -> None:
    active = watch((30, SCOPE, 120), (12, WHOLE, 120))
    assert [one.box for one in active.ranges(504, Fraction(24))] == [SCOPE, WHOLE]


@pytest.mark.parametrize(
    "between",
    [(3, OLD, 120), (15, OLD, 22), (15, (0, 0, 400, 360), 120), (15, (300, 150, 60, 60), 220)],
    ids=["shorter than 3 s", "night", "lit on one side", "a lamp"],
)
def test_what_is_no_bar(between: tuple[int, Box, int]) -> None:
    active = watch((20, WHOLE, 120), between, (20, WHOLE, 120))
    frames = 12 * (40 + between[0])
    assert active.ranges(frames, Fraction(24)) == [ActiveRange(0, frames, WHOLE)]


def test_ranges_cover_the_title_also_when_nothing_was_bright() -> None:
    assert watch((20, WHOLE, 20)).ranges(240, Fraction(24)) == [ActiveRange(0, 240, WHOLE)]


def canvas(level: int, top: int, bottom: int, noise: int = 0) -> np.ndarray:  # type: ignore[type-arg]
    luma = np.full((360, 640), 16, np.uint8)
    luma[top : 360 - bottom] = level
    return luma + np.random.default_rng(level).integers(0, noise + 1, luma.shape).astype(np.uint8)


def test_bars_are_found_under_noise_and_ringing() -> None:
    active = ActivePicture(Placement(0, 0, 640, 360))
    for level in range(60, 200, 5):
        active.look(canvas(level, 44, 46, noise=8), level)
    assert active.box() == (0, 44, 640, 270)


def test_dark_scenes_do_not_make_bars() -> None:
    active = ActivePicture(Placement(0, 0, 640, 360))
    for n in range(100):
        luma = canvas(120, 0, 0)
        if n % 20:
            luma[:90] = 18
        active.look(luma, n)
    assert active.box() == (0, 0, 640, 360)


def test_a_title_that_is_dark_throughout_keeps_its_picture() -> None:
    active = ActivePicture(Placement(80, 0, 480, 360))
    for n in range(50):
        active.look(canvas(22, 60, 60), n)
    assert active.box() == (80, 0, 480, 360)


def test_one_bright_flash_across_the_bars_is_no_picture() -> None:
    active = ActivePicture(Placement(0, 0, 640, 360))
    for n in range(150):
        active.look(canvas(100, 40, 40) if n else canvas(100, 0, 0), n)
    assert active.box() == (0, 40, 640, 280)


def test_pillars_are_found_inside_the_placed_picture() -> None:
    active = ActivePicture(Placement(20, 10, 600, 340))
    for level in range(60, 160, 5):
        luma = np.full((360, 640), 16, np.uint8)
        luma[10:350, 100:540] = level
        active.look(luma, level)
    assert active.box() == (100, 10, 440, 340)
