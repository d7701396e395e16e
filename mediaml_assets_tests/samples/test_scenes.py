import itertools
from dataclasses import replace

import numpy as np
import pytest

from mediaml_assets.samples.plan import Catalogue, Flash, Join, TitlePlan
from mediaml_assets.samples.scenes import Planar, Projector, boundary_light, flash_strength, tone

WIDTH, HEIGHT = 160, 90
GREY: Planar = np.full((90, 60), 128, np.uint8)


def luma(picture: Planar) -> float:
    return float(picture[: len(picture) * 2 // 3].mean())


def with_join(catalogue: Catalogue, kind: str) -> tuple[TitlePlan, Join, int]:
    for title in catalogue.titles[:4]:
        for i, join in enumerate(title.joins):
            if join.kind == kind:
                return title, join, i
    raise AssertionError(f"no {kind} in the first titles")


def test_tone_keeps_black_and_neutral_where_they_are() -> None:
    black = np.concatenate([np.full((60, 60), 16, np.uint8), np.full((30, 60), 128, np.uint8)])
    assert np.array_equal(tone(black, 1.3, 0.0), black)
    assert luma(tone(GREY, 0.5, 0.0)) == 16 + 56
    assert luma(tone(GREY, 1.0, 0.5)) == pytest.approx((128 + 235) / 2, abs=1)


def test_frames_are_the_same_in_any_order(catalogue: Catalogue) -> None:
    title = catalogue.titles[2]
    ordered = Projector(title, WIDTH, HEIGHT)
    wanted = {n: ordered.frame(n) for n in (0, 10, 300)}
    backwards = Projector(title, WIDTH, HEIGHT)
    for number in (300, 10, 0):
        assert np.array_equal(backwards.frame(number), wanted[number])


def test_a_frame_has_planar_shape_and_grain(catalogue: Catalogue) -> None:
    title = catalogue.titles[0]
    clean, grainy = (Projector(title, WIDTH, HEIGHT, grain=grain).frame(5) for grain in (False, True))
    assert clean.shape == grainy.shape == (HEIGHT * 3 // 2, WIDTH)
    difference = np.abs(clean[:HEIGHT].astype(int) - grainy[:HEIGHT])
    assert 0.2 < difference.mean() < 4
    assert np.array_equal(clean[HEIGHT:], grainy[HEIGHT:])


def test_a_dissolve_goes_from_one_shot_to_the_other_in_even_steps(catalogue: Catalogue) -> None:
    title, join, i = with_join(catalogue, "dissolve")
    old, new = title.shots[i : i + 2]
    weights = [boundary_light(title, new, n) for n in range(join.start - 1, join.end + 1)]
    assert np.allclose(np.diff(weights[1:-1]), 1 / (join.end - join.start + 1))
    assert all(boundary_light(title, old, n) == 1 - boundary_light(title, new, n) for n in range(join.start, join.end))
    show = Projector(title, WIDTH, HEIGHT, grain=False)
    a, middle, b = (luma(show.frame(n)) for n in (join.start - 1, join.boundary, join.end))
    assert middle == pytest.approx((a + b) / 2, abs=6)


def test_a_fade_is_black_in_its_middle_and_nowhere_outside(catalogue: Catalogue) -> None:
    title, join, _ = with_join(catalogue, "fade")
    show = Projector(title, WIDTH, HEIGHT, grain=False)
    assert luma(show.frame(join.boundary)) == 16
    levels = [luma(show.frame(n)) for n in range(join.start - 1, join.boundary + 1)]
    assert all(a >= b for a, b in itertools.pairwise(levels))
    assert levels[0] > 60
    assert luma(show.frame(join.end)) > 60


def test_a_flash_brightens_its_frames_only(catalogue: Catalogue) -> None:
    title = next(t for t in catalogue.titles if t.flashes)
    dull = replace(title, flashes=())
    for flash in title.flashes[:2]:
        for number in range(flash.start - 1, flash.end + 1):
            lit, unlit = (Projector(t, WIDTH, HEIGHT, grain=False).frame(number) for t in (title, dull))
            assert (luma(lit) > luma(unlit) + 10) == (flash.start <= number < flash.end)


def test_a_flash_dies_away() -> None:
    flash = Flash(10, 13, 0.8)
    strengths = [flash_strength(flash, n) for n in range(10, 13)]
    assert strengths[0] == 0.8
    assert strengths == sorted(strengths, reverse=True)
