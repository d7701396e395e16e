"""Which pairs of shots are no match cut whatever they look like, and which shots share one cap.

Everything here is applied on reading: nothing of it enters what is stored of a pair. Shots are numbered jointly: the
unique shots of the chosen titles, titles in the order of their slugs, shots in the order of time.

Two shots may be the same one seen again: another take in its title (`unique_shots` dropped it) or a copy in another
title (`shot_groups`). What holds of one of them holds of all. So a cut is left out when it stands anywhere among the
chosen titles between a take or copy of the one and a take or copy of the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from mediaml_assets.errors import FeatureError
from mediaml_assets.features.scenes import Scenes
from mediaml_assets.features.shot_groups import Node, ShotGroups
from mediaml_assets.features.shot_kinds import ShotKinds
from mediaml_assets.features.unique_shots import UniqueShots
from mediaml_assets.matching.pairs.scan import Indices

Flags = npt.NDArray[np.bool_]

NO_SCENE = -1


@dataclass(frozen=True)
class TitleShots:
    """What is known of one title's n unique shots, in the order of time.

    index: int64 [n], the numbers of the shots in their title, ascending.
    scene: int64 [n], the number of the scene each belongs to, or NO_SCENE.
    fit_tail, fit_head: bool [n], whether the last and the first usable frame show a picture to cut on.
    group: int64 [n], shots of one number are near-duplicates, in this title and in others; a negative number is the
        title's own, and means nothing in another.
    takes: int64 [t], the numbers of the shots that were dropped for one of these.
    take_of: int64 [t], the place in [0, n) of the shot that each was dropped for.
    take_scene: int64 [t], the scene that each belongs to, or NO_SCENE.
    """

    index: Indices
    scene: Indices
    fit_tail: Flags
    fit_head: Flags
    group: Indices
    takes: Indices
    take_of: Indices
    take_scene: Indices

    def __len__(self) -> int:
        """Number of unique shots."""
        return len(self.index)


@dataclass(frozen=True)
class Exclusions:
    """The exclusions of n shots in joint numbering; made by `exclusions`.

    cap_groups: int64 [n], the number of the first shot that is a near-duplicate of each, itself if there is none:
        shots of one number share one cap.
    """

    cap_groups: Indices
    _title: Indices
    _index: Indices
    _scene: Indices
    _fit_tail: Flags
    _fit_head: Flags
    _gap: int
    _together: Indices
    """Keys of pairs of cap groups that take or copies bring together, sorted."""

    def __len__(self) -> int:
        """Number of shots."""
        return len(self.cap_groups)

    def excluded(self, rows: Indices, cols: Indices) -> Flags:
        """Which of the cuts from the tail of shot rows[p] to the head of shot cols[p] are left out: bool [p].

        A cut is left out when the two shots are the same or near-duplicates, when they (or takes or copies of them)
        stand fewer than `gap` shots apart in one title or in one scene, when the tail is unfit to be cut from, or when
        the head is unfit to be cut to. Only the last two tell the cut from its reverse. Safe to call from several
        threads.
        """
        left, right = self.cap_groups[rows], self.cap_groups[cols]
        found = (left == right) | ~self._fit_tail[rows] | ~self._fit_head[cols]
        found |= (self._title[rows] == self._title[cols]) & (np.abs(self._index[rows] - self._index[cols]) < self._gap)
        found |= (self._scene[rows] == self._scene[cols]) & (self._scene[rows] != NO_SCENE)
        if len(self._together):
            keys = left * len(self) + right
            places = np.minimum(np.searchsorted(self._together, keys), len(self._together) - 1)
            found |= self._together[places] == keys
        return np.asarray(found, np.bool_)


def title_shots(
    title: str, shots: UniqueShots, scenes: Scenes | None, kinds: ShotKinds | None, groups: ShotGroups
) -> TitleShots:
    """What the features say of a title's unique shots; without scenes there are none, without kinds every end is fit.

    Raises:
        FeatureError: scenes or kinds do not have all the shots.
    """
    index = np.array([shot.index for shot in shots], np.int64)
    takes = np.array([take for dropped in shots.duplicates for take in dropped], np.int64)
    everywhere = np.ones(len(index), np.bool_)
    return TitleShots(
        index,
        _scene(title, scenes, index),
        everywhere if kinds is None else kinds.tail[_places(title, "shot_kinds", kinds.index, index)],
        everywhere if kinds is None else kinds.head[_places(title, "shot_kinds", kinds.index, index)],
        np.array([groups.groups.get((title, shot.index), -1 - place) for place, shot in enumerate(shots)], np.int64),
        takes,
        np.repeat(np.arange(len(index)), [len(dropped) for dropped in shots.duplicates]),
        _scene(title, scenes, takes),
    )


def exclusions(titles: Mapping[str, TitleShots], gap: int, links: Sequence[tuple[Node, Node]] = ()) -> Exclusions:
    """The exclusions among the unique shots of some titles.

    Args:
        titles: slug to what is known of its shots.
        gap: shots of one title that are fewer than this many apart are no match cut; at 2, neighbours, and with that
            the cuts that the title already makes; at least 1.
        links: pairs of shots (slug, index) of different groups that are alike all the same: `ShotGroups.links`.
    """
    parts = [titles[slug] for slug in sorted(titles)]
    each = list(zip(parts, accumulate((len(part) for part in parts[:-1]), initial=0), strict=True)) if parts else []
    title = np.repeat(np.arange(len(parts), dtype=np.int64), [len(part) for part in parts])
    scene, take_scene = _joint_scenes(parts)
    groups = _first_of_each(_joined([np.where(p.group < 0, p.group - start, p.group) for p, start in each]))
    index, takes = _joined([part.index for part in parts]), _joined([part.takes for part in parts])
    # every shot there is, the dropped ones as well, in the order of title and time, as the group that stands for it
    every_title = np.concatenate([title, np.repeat(np.arange(len(parts)), [len(part.takes) for part in parts])])
    every_index = np.concatenate([index, takes])
    order = np.lexsort((every_index, every_title))
    of_title, of_index = every_title[order], every_index[order]
    of_group = np.concatenate([groups, groups[_joined([part.take_of + start for part, start in each])]])[order]
    of_scene = np.concatenate([scene, take_scene])[order]
    several = np.bincount(of_group, minlength=len(index)) > 1
    together = [_near(of_title, of_index, of_group, several, gap), _in_scenes(of_scene, of_group, several)]
    left, right = np.concatenate([*together, groups[_linked(sorted(titles), title, index, links)]], axis=1)
    keys = np.concatenate([left * len(index) + right, right * len(index) + left])
    return Exclusions(
        groups,
        title,
        index,
        scene,
        _joined([part.fit_tail for part in parts]).astype(np.bool_),
        _joined([part.fit_head for part in parts]).astype(np.bool_),
        gap,
        np.unique(keys),
    )


def _scene(title: str, scenes: Scenes | None, index: Indices) -> Indices:
    """The scenes of some shots."""
    if scenes is None:
        return np.full(len(index), NO_SCENE)
    return scenes.scene[_places(title, "scenes", scenes.index, index)]


def _places(title: str, feature: str, have: Indices, wanted: Indices) -> Indices:
    """Where the wanted numbers stand among those there are, which are ascending."""
    places = np.searchsorted(have, wanted)
    if len(wanted) and (len(have) == 0 or (have[np.minimum(places, len(have) - 1)] != wanted).any()):
        raise FeatureError(f"{feature} and unique_shots of {title} mean different shots; make {feature} again")
    return places


def _joined(parts: Sequence[npt.NDArray[np.generic]]) -> Indices:
    """One part after the other, as int64."""
    return np.concatenate([np.empty(0, np.int64), *parts]).astype(np.int64)


def _joint_scenes(parts: Sequence[TitleShots]) -> tuple[Indices, Indices]:
    """Scene numbers that no two titles share, of shots and of takes; NO_SCENE stays."""
    numbers: tuple[list[Indices], list[Indices]] = ([], [])
    taken = 0
    for part in parts:
        for of_part, joint in zip((part.scene, part.take_scene), numbers, strict=True):
            joint.append(np.where(of_part == NO_SCENE, NO_SCENE, of_part + taken))
        taken += int(max(part.scene.max(initial=NO_SCENE), part.take_scene.max(initial=NO_SCENE))) + 1
    return _joined(numbers[0]), _joined(numbers[1])


def _linked(slugs: Sequence[str], title: Indices, index: Indices, links: Sequence[tuple[Node, Node]]) -> Indices:
    """The places [2, p] of the linked shots of which both are there."""
    number = {slug: place for place, slug in enumerate(slugs)}
    chosen = [pair for pair in links if all(slug in number for slug, _ in pair)]
    if not chosen:
        return np.empty((2, 0), np.int64)
    place = {node: at for at, node in enumerate(zip(title.tolist(), index.tolist(), strict=True))}
    both = [[place.get((number[slug], shot)) for slug, shot in pair] for pair in chosen]
    return np.array([pair for pair in both if None not in pair], np.int64).reshape(-1, 2).T


def _first_of_each(groups: Indices) -> Indices:
    """For each place the first place with the same number."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    return np.asarray(first[inverse], np.int64)


def _near(title: Indices, index: Indices, group: Indices, several: Flags, gap: int) -> Indices:
    """Pairs of groups [2, p] with members fewer than `gap` shots apart in one title; rows are sorted by title, index.

    Only pairs in which a group has several members: the numbers of the shots themselves tell the others.
    """
    found = [np.empty((2, 0), np.int64)]
    for apart in range(1, gap):
        a, b = group[:-apart], group[apart:]
        near = (title[:-apart] == title[apart:]) & (index[apart:] - index[:-apart] < gap)
        near &= several[a] | several[b]
        found.append(np.stack([a[near], b[near]]))
    return np.concatenate(found, axis=1)


def _in_scenes(scene: Indices, group: Indices, several: Flags) -> Indices:
    """Pairs of groups [2, p] with members in one scene, likewise."""
    placed = scene != NO_SCENE
    scenes, groups = np.divmod(np.unique(scene[placed] * len(several) + group[placed]), len(several))
    chosen = np.flatnonzero(several[groups])
    start, end = (np.searchsorted(scenes, scenes[chosen], side) for side in ("left", "right"))
    count = end - start
    partner = np.repeat(start - np.concatenate([[0], np.cumsum(count)[:-1]]), count) + np.arange(count.sum())
    return np.stack([np.repeat(groups[chosen], count), groups[partner]])
