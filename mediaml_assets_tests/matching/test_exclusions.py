"""Exclusions of made-up titles, against the same said in loops over every take and copy."""

from collections.abc import Mapping
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.errors import FeatureError
from mediaml_assets.features.scenes import Scenes
from mediaml_assets.features.shot_groups import ShotGroups
from mediaml_assets.features.shot_kinds import ShotKinds
from mediaml_assets.features.shots import Shot
from mediaml_assets.features.unique_shots import UniqueShots
from mediaml_assets.matching.exclusions import NO_SCENE, Exclusions, TitleShots, exclusions, title_shots


def numbers(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def plain(*indices: int, scenes: tuple[int, ...] = (), groups: tuple[int, ...] = ()) -> TitleShots:
    n = len(indices)
    fit = np.ones(n, np.bool_)
    scene = numbers(*scenes) if scenes else np.full(n, NO_SCENE)
    group = numbers(*groups) if groups else -1 - np.arange(n)
    return TitleShots(numbers(*indices), scene, fit, fit, group, numbers(), numbers(), numbers())


def square(found: Exclusions) -> list[list[bool]]:
    places = np.arange(len(found))
    rows, cols = np.repeat(places, len(found)), np.tile(places, len(found))
    return found.excluded(rows, cols).reshape(len(found), len(found)).tolist()


def test_a_title_without_shots_has_no_exclusions() -> None:
    nothing = np.empty(0, np.int64)
    scenes, kinds = Scenes(nothing, nothing), ShotKinds(nothing, nothing.astype(bool), nothing.astype(bool))
    empty = title_shots("a", UniqueShots((), ()), scenes, kinds, ShotGroups({}))
    assert square(exclusions({"a": empty, "b": plain(0, 5)}, gap=2)) == square(exclusions({"b": plain(0, 5)}, gap=2))
    assert square(exclusions({"a": empty}, gap=2)) == square(exclusions({}, gap=2)) == []


@st.composite
def titles(draw: st.DrawFn) -> dict[str, TitleShots]:
    made = {}
    for name in "abc"[: draw(st.integers(0, 3))]:
        every = draw(st.lists(st.integers(0, 14), unique=True, max_size=7))
        kept = draw(st.integers(min(1, len(every)), len(every)))
        index, takes = sorted(every[:kept]), every[kept:]
        n, t = len(index), len(takes)
        made[name] = TitleShots(
            numbers(*index),
            numbers(*draw(st.lists(st.integers(-1, 2), min_size=n, max_size=n))),
            np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)), np.bool_),
            np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)), np.bool_),
            numbers(*draw(st.lists(st.integers(-n, 4), min_size=n, max_size=n))),
            numbers(*takes),
            numbers(*draw(st.lists(st.integers(0, max(n - 1, 0)), min_size=t, max_size=t))),
            numbers(*draw(st.lists(st.integers(-1, 2), min_size=t, max_size=t))),
        )
    return made


def brute(parts: Mapping[str, TitleShots], gap: int) -> list[list[bool]]:
    shots = [(name, place) for name in sorted(parts) for place in range(len(parts[name]))]

    def group(name: str, place: int) -> object:
        number = int(parts[name].group[place])
        return number if number >= 0 else (name, number)

    def seen(of: object) -> list[tuple[str, int, int]]:
        """Title, number and scene of every take and copy."""
        found = []
        for name, part in parts.items():
            mine = [place for place in range(len(part)) if group(name, place) == of]
            found += [(name, int(part.index[place]), int(part.scene[place])) for place in mine]
            takes = [take for take, place in enumerate(part.take_of.tolist()) if place in mine]
            found += [(name, int(part.takes[take]), int(part.take_scene[take])) for take in takes]
        return found

    def left_out(a: tuple[str, int], b: tuple[str, int]) -> bool:
        if group(*a) == group(*b) or not parts[a[0]].fit_tail[a[1]] or not parts[b[0]].fit_head[b[1]]:
            return True
        return any(
            one == two and (abs(i - j) < gap or (s == t != NO_SCENE))
            for (one, i, s), (two, j, t) in product(seen(group(*a)), seen(group(*b)))
        )

    return [[left_out(a, b) for b in shots] for a in shots]


@given(titles(), st.integers(1, 4))
@settings(max_examples=150, deadline=None)
def test_they_are_what_loops_over_every_take_and_copy_find(parts: dict[str, TitleShots], gap: int) -> None:
    assert square(exclusions(parts, gap)) == brute(parts, gap)


@given(titles(), st.integers(1, 4))
@settings(max_examples=50, deadline=None)
def test_only_unfit_ends_tell_a_cut_from_its_reverse(parts: dict[str, TitleShots], gap: int) -> None:
    def fit(part: TitleShots) -> TitleShots:
        every = np.ones(len(part), np.bool_)
        return TitleShots(part.index, part.scene, every, every, part.group, part.takes, part.take_of, part.take_scene)

    found = np.array(square(exclusions({name: fit(part) for name, part in parts.items()}, gap)), np.bool_)
    assert (found == found.T).all()
    assert all(found[place, place] for place in range(len(found)))


@given(titles(), st.integers(1, 4))
@settings(max_examples=50, deadline=None)
def test_a_cap_group_is_named_after_its_first_shot(parts: dict[str, TitleShots], gap: int) -> None:
    groups = exclusions(parts, gap).cap_groups
    assert (groups <= np.arange(len(groups))).all()
    assert (groups[groups] == groups).all()


def test_a_cut_that_a_dropped_take_makes_is_there_already() -> None:
    # a b a' c: a' was dropped for a, and a' -> c, b -> a' are cuts of the film
    fit = np.ones(3, np.bool_)
    film = TitleShots(
        numbers(0, 1, 3), numbers(-1, -1, -1), fit, fit, numbers(-1, -2, -3), numbers(2), numbers(0), numbers(-1)
    )
    assert square(exclusions({"film": film}, 2)) == [[True] * 3, [True, True, False], [True, False, True]]


def test_what_stands_beside_a_copy_in_another_title_is_left_out_and_the_rest_is_not() -> None:
    found = exclusions({"one": plain(0, 5, groups=(7, -2)), "recap": plain(0, 1, 9, groups=(-1, 7, -3))}, 2)
    assert found.cap_groups.tolist() == [0, 1, 2, 0, 4]
    assert [place for place in range(5) if found.excluded(numbers(0), numbers(place))[0]] == [0, 2, 3]


def test_shots_that_are_alike_without_being_in_one_group_are_left_out_both_ways() -> None:
    links = ((("b", 4), ("a", 0)), (("b", 0), ("gone", 0)), (("b", 7), ("a", 0)))
    found = exclusions({"a": plain(0, 9), "b": plain(0, 4)}, 1, links)
    assert [(a, b) for a in range(4) for b in range(4) if a != b and square(found)[a][b]] == [(0, 3), (3, 0)]
    assert found.cap_groups.tolist() == [0, 1, 2, 3]


def test_scenes_are_those_of_their_title() -> None:
    found = square(exclusions({"a": plain(0, 9, scenes=(0, 0)), "b": plain(0, 9, scenes=(0, 1))}, 1))
    assert found == [[True, True, False, False]] * 2 + [[False, False, True, False], [False, False, False, True]]


def test_nothing_is_known_of_no_titles() -> None:
    assert exclusions({}, 2).excluded(numbers(), numbers()).tolist() == []


KEPT = UniqueShots((Shot(0, 0, 9, 0, 9), Shot(2, 20, 29, 20, 29)), ((3,), ()))


def test_what_features_say_of_a_title_is_put_side_by_side() -> None:
    scenes = Scenes(numbers(0, 1, 2, 3), numbers(0, 0, 1, 2))
    kinds = ShotKinds(numbers(0, 1, 2, 3), np.array([1, 1, 0, 1], np.bool_), np.array([0, 1, 1, 1], np.bool_))
    found = title_shots("film", KEPT, scenes, kinds, ShotGroups({("film", 2): 4, ("other", 0): 4}))
    assert (found.index.tolist(), found.scene.tolist(), found.group.tolist()) == ([0, 2], [0, 1], [-1, 4])
    assert (found.fit_tail.tolist(), found.fit_head.tolist()) == ([False, True], [True, False])
    assert (found.takes.tolist(), found.take_of.tolist(), found.take_scene.tolist()) == ([3], [0], [2])
    alone = title_shots("film", KEPT, None, None, ShotGroups({}))
    assert alone.fit_tail.all() and alone.fit_head.all() and (alone.scene == NO_SCENE).all()


def test_scenes_of_other_shots_are_refused() -> None:
    scenes = Scenes(numbers(0, 1), numbers(0, 0))
    with pytest.raises(FeatureError, match="scenes and unique_shots of film mean different shots; make scenes again"):
        title_shots("film", KEPT, scenes, None, ShotGroups({}))
