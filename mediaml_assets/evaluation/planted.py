"""Planted match cuts in a list of the best: where each stands, and how many stand near enough to the top."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from mediaml_assets.evaluation.intervals import Interval, wilson
from mediaml_assets.evaluation.truth import PlantedCut, found_shot
from mediaml_assets.features.shots import Shots

NEAR = 2  # a planted cut is found when it stands among the first so many times the number planted
DEEP = 10  # and is looked for among the first so many times that number

OURS = "mediaml"
"""The system that `match_cuts` is the list of."""

Pair = tuple[str, int, str, int]
"""Title and index of the shot that is left, title and index of the one that follows."""


@dataclass(frozen=True)
class PlantedRanks:
    """Of one flavour and one system.

    Attributes:
        pairs: the planted cuts, as shots that were found.
        ranks: of each, from 1; 0 where it is not near the top.
    """

    flavour: str
    system: str
    pairs: tuple[Pair, ...]
    ranks: tuple[int, ...]

    @property
    def within(self) -> int:
        """How many are found."""
        return sum(self.found)

    @property
    def inside(self) -> tuple[int, int]:
        """How many of those inside one title are found, and how many there are."""
        return self._found_of([title1 == title2 for title1, _, title2, _ in self.pairs])

    def leaving(self, title: str) -> tuple[int, int]:
        """How many of those whose first shot is of a title are found, and how many there are."""
        return self._found_of([title1 == title for title1, _, _, _ in self.pairs])

    @property
    def found(self) -> tuple[bool, ...]:
        """Whether each is found."""
        return tuple(0 < rank <= NEAR * len(self.ranks) for rank in self.ranks)

    def _found_of(self, chosen: Sequence[bool]) -> tuple[int, int]:
        return sum(found and one for found, one in zip(self.found, chosen, strict=True)), sum(chosen)

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


def ranks(wanted: Sequence[Pair], listed: Sequence[Pair]) -> tuple[int, ...]:
    """The rank of each wanted pair, from 1; 0 where it is not listed."""
    place = {pair: rank for rank, pair in reversed(list(enumerate(listed, start=1)))}
    return tuple(place.get(pair, 0) for pair in wanted)
