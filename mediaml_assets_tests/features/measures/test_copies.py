"""The same footage is found in another grade, crop, rate and part; other footage and a common beginning are not."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.amber.keys import column_digests
from mediaml_assets.features.joined_shots import JoinedShots
from mediaml_assets.features.measures.copies import ALONE, MEETS, SCREEN, Laid, Title, copies, laid, quartiles
from mediaml_assets.features.measures.gradient_print import (
    DIMENSIONS,
    SHORT,
    gradient_prints,
    packed,
    short_prints,
    unpacked,
)
from mediaml_assets.features.shot_groups import ShotGroupsConfig
from mediaml_assets.features.shot_prints import ShotPrints, shot_prints
from mediaml_assets.features.shots import Shot
from mediaml_assets_tests.features.conftest import ArrayMedia, Picture, panned, texture

SAME = ShotGroupsConfig().threshold


def shots(*lengths: int, kinds: Sequence[str] = ()) -> JoinedShots:
    starts = np.cumsum([0, *lengths]).tolist()
    rows = tuple(Shot(i, a, b, a, b) for i, (a, b) in enumerate(pairwise(starts)))
    return JoinedShots(rows, tuple(kinds or ["start", *["cut"] * (len(rows) - 1)]))


def film(*parts: list[Picture], rate: int = 24) -> ShotPrints:
    pictures = [picture for part in parts for picture in part]
    return ShotPrints.from_table(shot_prints(ArrayMedia(pictures, rate), shots(*map(len, parts))))


def graded(picture: Picture) -> Picture:
    """Darker, of another contrast, cropped by 4 %, and through JPEG."""
    inner = cv2.resize(picture[8:352, 12:628], (640, 360))
    light = np.clip(235 * (inner / 235.0) ** 1.4 * 0.8 + 10, 0, 255).astype(np.uint8)
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", light, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], 0), np.uint8)


def found(a: ShotPrints, b: ShotPrints) -> list[tuple[int, int]]:
    return [(one.a, one.b) for one in copies(Title(a), Title(b), SAME)]


def test_a_print_is_a_unit_vector_and_a_flat_picture_has_none() -> None:
    prints = gradient_prints(np.stack([texture(1), np.full((360, 640), 90, np.uint8)]))
    assert prints.shape == (2, DIMENSIONS)
    np.testing.assert_allclose(np.linalg.norm(prints, axis=1), [1, 0], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(short_prints(prints), axis=1), [1, 0], atol=1e-5)
    assert short_prints(prints).shape == (2, SHORT)
    np.testing.assert_allclose(unpacked(packed(prints)), prints, atol=0.01)


def test_light_does_not_change_a_print_but_turning_dark_into_light_does() -> None:
    picture = texture(3)
    prints = gradient_prints(np.stack([picture, picture // 2 + 60, 255 - picture]))
    assert prints[0] @ prints[1] > 0.95
    assert prints[0] @ prints[2] < 0.1


@given(st.integers(0, 200))
@settings(max_examples=2, deadline=None)
def test_a_graded_part_of_another_rate_is_found_and_nothing_else(seed: int) -> None:
    one, two, other = (panned(3 * seed + k, 60, 1.5) for k in range(3))
    recap = [graded(picture) for picture in two[10:54]]
    assert found(film(one, two), film(other, recap)) == [(1, 1)]
    fast = [picture for k, picture in enumerate(recap) for _ in range(2 if k % 4 == 0 else 1)]  # 24 to 30 a second
    assert found(film(one, two), film(fast, other, rate=30)) == [(1, 0)]


def test_a_picture_wider_than_16_to_9_is_found_in_a_version_without_bars() -> None:
    wide = panned(5, 60, 1.0)
    barred = [cv2.copyMakeBorder(p[44:316], 44, 44, 0, 0, cv2.BORDER_CONSTANT, value=16) for p in wide]
    filled = [cv2.resize(p[44:316, 78:562], (640, 360)) for p in wide]
    media = ArrayMedia([np.asarray(p, np.uint8) for p in barred])
    media.active = (0, 44, 640, 272)
    title = ShotPrints.from_table(shot_prints(media, shots(60)))
    assert found(title, film([np.asarray(p, np.uint8) for p in filled])) == [(0, 0)]


def test_shots_that_only_begin_alike_are_no_copies() -> None:
    beginning = [texture(1)] * 30
    one, two = (beginning + panned(seed, 90, 3) for seed in (7, 8))
    assert found(film(one), film(two)) == []
    # but the beginning alone is a copy of both
    assert found(film(beginning[:24]), film(one)) == [(0, 0)]


def test_black_and_white_are_copies_of_nothing() -> None:
    flat = [[np.full((360, 640), luma, np.uint8)] * 40 for luma in (16, 235)]
    assert found(film(*flat), film(*flat, panned(1, 40, 1))) == []


def made_up(rng: np.random.Generator, counts: list[int]) -> ShotPrints:
    """Shots whose prints are much alike; the whole ones hold the short ones and little else."""
    short = (rng.normal(size=(sum(counts), 4)) @ rng.normal(size=(4, SHORT))).astype(np.float32)
    whole = np.zeros((sum(counts), DIMENSIONS), np.float32)
    whole[:, :SHORT] = short + rng.normal(size=short.shape).astype(np.float32)
    parts = np.split(packed(whole), np.cumsum(counts)[:-1])
    table = pa.table({"prints": pa.array([one.tobytes() for one in parts], pa.binary())})
    middle = np.array([int(rng.integers(0, count)) for count in counts])
    return ShotPrints(np.arange(len(counts)), np.array(counts), middle, packed(short), {}, lambda: table)


def ways(m: int, n: int) -> list[list[tuple[int, int]]]:
    """Every way to lay m prints along n, four fifths of the shorter side at least: the places that meet."""
    every = ([(i, i + by) for i in range(m) if 0 <= i + by < n] for by in range(-m, n + 1))
    return [meeting for meeting in every if meeting and len(meeting) >= 0.8 * min(m, n)]


def quartile(a: np.ndarray, b: np.ndarray, meeting: list[tuple[int, int]]) -> float:
    return sorted(float(a[i] @ b[j]) for i, j in meeting)[(len(meeting) - 1) // 4]


def brute(a: ShotPrints, b: ShotPrints, threshold: float) -> dict[tuple[int, int], float]:
    ends = [np.split(unpacked(one.short), np.cumsum(one.count)[:-1]) for one in (a, b)]
    found = {}
    for i, mine in enumerate(ends[0]):
        for j, theirs in enumerate(ends[1]):
            middles = (int(a.middle[i]), int(b.middle[j]))
            fitting = [
                meeting
                for meeting in ways(len(mine), len(theirs))
                if any((x == middles[0] or y == middles[1]) and mine[x] @ theirs[y] >= MEETS for x, y in meeting)
                and quartile(mine, theirs, meeting) >= SCREEN
            ]
            if fitting:
                best = max(fitting, key=lambda meeting: quartile(mine, theirs, meeting))
                alike = quartile(unpacked(a.prints[i]), unpacked(b.prints[j]), best)
                if alike >= (threshold if len(best) > 1 else max(threshold, ALONE)):
                    found[i, j] = alike
    return found


counts = st.lists(st.integers(1, 5), min_size=1, max_size=5)


@given(counts, counts, st.integers(0, 999), st.floats(-0.2, 0.9))
@settings(max_examples=80, deadline=None)
def test_copies_are_those_that_loops_find(first: list[int], second: list[int], seed: int, threshold: float) -> None:
    rng = np.random.default_rng(seed)
    a, b = made_up(rng, first), made_up(rng, second)
    seen = {(one.a, one.b): one.likeness for one in copies(Title(a), Title(b), threshold)}
    expected = brute(a, b, threshold)
    assert list(seen) == sorted(expected)
    assert list(seen.values()) == pytest.approx(list(dict(sorted(expected.items())).values()), abs=1e-5)
    turned = [(one.b, one.a) for one in copies(Title(b), Title(a), threshold)]
    assert sorted(turned) == list(seen)


def test_one_print_alone_must_be_nearly_the_same() -> None:
    rows = np.eye(4, dtype=np.float32)
    same, near = packed(rows[:1].repeat(3, 0)), packed((rows[:1] * 0.7 + rows[1:2] * 0.7).repeat(3, 0))
    places = np.zeros(1, np.int64)
    assert quartiles(same, near, Laid(places, places, places, places, places + 3))[0] == pytest.approx(0.707, abs=0.01)
    one, other = film([texture(1)] * 6), film([(texture(1) * 0.6 + texture(2) * 0.4).astype(np.uint8)] * 6)
    longer, long_other = film([texture(1)] * 40), film([(texture(1) * 0.6 + texture(2) * 0.4).astype(np.uint8)] * 40)
    assert (found(one, one), found(one, other)) == ([(0, 0)], [])
    assert found(longer, long_other) == [(0, 0)]


def test_nothing_is_laid_along_nothing_like_it() -> None:
    black = [np.full((360, 640), 16, np.uint8)] * 40
    assert len(laid(Title(film(black)), Title(film(panned(1, 40, 1)))).a) == 0


def test_prints_reach_into_fades_and_not_into_dissolves() -> None:
    pictures = panned(1, 96, 1)
    half = JoinedShots((Shot(0, 0, 48, 0, 30), Shot(1, 48, 96, 66, 96)), ("start", "fade"))
    assert ShotPrints.from_table(shot_prints(ArrayMedia(pictures, 24), half)).count.tolist() == [4, 4]
    mixed = JoinedShots(half.rows, ("start", "dissolve"))
    assert ShotPrints.from_table(shot_prints(ArrayMedia(pictures, 24), mixed)).count.tolist() == [3, 3]
    # nothing of a fade's black is printed
    black = [np.full((360, 640), 16, np.uint8)] * 24
    title = ShotPrints.from_table(shot_prints(ArrayMedia([*pictures[:24], *black, *black, *pictures[:48]], 24), half))
    assert title.count.tolist() == [2, 2]
    assert all(one.any(axis=1).all() for one in title.prints)


def test_whole_prints_are_read_when_they_are_asked_for() -> None:
    table = shot_prints(ArrayMedia(panned(1, 30, 1), 24), shots(30))
    asked = []

    class Value:
        columns = column_digests(table)

    class View:
        value = Value()

        def table(self, columns: Sequence[str]) -> pa.Table:
            asked.append(tuple(columns))
            return table.select(list(columns))

    read = ShotPrints.from_value(View())
    assert asked == [("index", "middle", "short")]
    assert len(read.prints[0]) == read.count[0]
    assert asked[1:] == [("prints",)]


def test_a_rate_below_two_pictures_a_second_prints_every_picture() -> None:
    assert ArrayMedia([texture(1)], 1).rate == Fraction(1)
    assert ShotPrints.from_table(shot_prints(ArrayMedia(panned(1, 5, 1), 1), shots(5))).count.tolist() == [5]
