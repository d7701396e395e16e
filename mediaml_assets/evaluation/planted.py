"""Planted match cuts in a list of the best: where each stands, and how many stand near enough to the top."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from mediaml_assets.evaluation.intervals import Interval, wilson
from mediaml_assets.evaluation.truth import PlantedCut, found_shot
from mediaml_assets.features.shots import Shots

NEAR = 2  # a planted cut is found when it stands among the first so many times the number planted
DEEP = 10  # and is looked for among the first so many times that number

Pair = tuple[str, int, str, int]
"""Title and index of the shot that is left, title and index of the one that follows."""


@dataclass(frozen=True)
class PlantedRanks:
    """Of one flavour and one system.

    Attributes:
        ranks: of each planted cut, from 1; 0 where it is not near the top.
        inside: whether both its shots are of one title.
    """

    flavour: str
    system: str
    ranks: tuple[int, ...]
    inside: tuple[bool, ...]

    @property
    def within(self) -> int:
        """How many are found."""
        return sum(self.found)

    @property
    def within_inside(self) -> int:
        """How many of those inside one title are found."""
        return sum(found and inside for found, inside in zip(self.found, self.inside, strict=True))

    @property
    def found(self) -> tuple[bool, ...]:
        """Whether each is found."""
        return tuple(0 < rank <= NEAR * len(self.ranks) for rank in self.ranks)

    @property
    def share(self) -> Interval:
        """The share that is found, with Wilson's interval."""
        return wilson(self.within, len(self.ranks))


def wanted_pairs(plants: Sequence[PlantedCut], shots: Mapping[str, Shots]) -> list[Pair]:
    """The planted cuts as pairs of the shots that were found, in their order."""
    return [
        (one.title1, found_shot(shots[one.title1], one.frames1), one.title2, found_shot(shots[one.title2], one.frames2))
        for one in plants
    ]


def listed_pairs(match_cuts: pa.Table, flavour: str) -> list[Pair]:
    """The pairs of a flavour in the rows of `match_cuts`, by rank."""
    names = ("title1", "shot1", "title2", "shot2")
    rows = [row for row in match_cuts.to_pylist() if row["flavour"] == flavour]
    return [tuple(row[name] for name in names) for row in sorted(rows, key=lambda row: row["rank"])]


def planted_ranks_of(flavour: str, system: str, wanted: Sequence[Pair], listed: Sequence[Pair]) -> PlantedRanks:
    """The ranks of a flavour's planted cuts in the list of a system."""
    inside = tuple(title1 == title2 for title1, _, title2, _ in wanted)
    return PlantedRanks(flavour, system, ranks(wanted, listed), inside)


def ranks(wanted: Sequence[Pair], listed: Sequence[Pair]) -> tuple[int, ...]:
    """The rank of each wanted pair, from 1; 0 where it is not listed."""
    place = {pair: rank for rank, pair in reversed(list(enumerate(listed, start=1)))}
    return tuple(place.get(pair, 0) for pair in wanted)
