"""The `shot_groups` feature: which shots of the catalogue show the same footage as one of an earlier title."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pyarrow as pa

from mediaml_assets.amber.cache import Cache
from mediaml_assets.amber.checks import in_range, unique
from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import Scope, amber_feature
from mediaml_assets.errors import FeatureError
from mediaml_assets.features.known_copies import known_copies
from mediaml_assets.features.shot_prints import ShotPrints
from mediaml_assets.features.unique_shots import UniqueShots

Node = tuple[str, int]
"""A unique shot: its title's slug and its index."""

DECIMALS = 4


def _list(kind: pa.DataType) -> pa.DataType:
    return pa.list_(pa.field("item", kind, nullable=False))


SHOT_GROUPS = pa.schema(
    [
        column("title", pa.string(), "Title of the shot."),
        column("index", pa.int32(), "Its index, among those of `unique_shots`."),
        column("group", pa.int32(), "Number of its group, from 0."),
        column("of_title", pa.string(), "Title of the earliest shot of the group."),
        column("of_index", pa.int32(), "That shot's index."),
        column("likeness", pa.float32(), "How alike the two are, up to 1."),
        column("also_title", _list(pa.string()), "Titles of earlier shots of other groups that it is like as well."),
        column("also_index", _list(pa.int32()), "Those shots' indices."),
    ]
)
"""One row a shot that is like one of another title, by title and index; the earliest of each group has a row as well.

Most shots are like others of their group only. A short shot may be like parts of several that are not like each other.
"""


@dataclass(frozen=True)
class ShotGroupsConfig:
    """`threshold`: likeness in [0, 1] from which two shots of different titles count as the same footage."""

    threshold: float = 0.32


@dataclass(frozen=True)
class ShotGroups:
    """The groups of the catalogue.

    groups: each shot that has one, and its number.
    links: shots of different groups that are alike all the same.
    """

    columns: ClassVar[tuple[str, ...]] = ("title", "index", "group", "also_title", "also_index")

    groups: Mapping[Node, int]
    links: tuple[tuple[Node, Node], ...] = ()

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """Read a table of `SHOT_GROUPS`."""
        title, index, group, *also = (table.column(name).to_pylist() for name in cls.columns)
        nodes = list(zip(title, index, strict=True))
        others = [list(zip(*one, strict=True)) for one in zip(*also, strict=True)]
        links = ((node, other) for node, those in zip(nodes, others, strict=True) for other in those)
        return cls(dict(zip(nodes, group, strict=True)), tuple(links))

    @classmethod
    def from_value(cls, view: Any) -> Self:
        """Read a stored value of `shot_groups`."""
        return cls.from_table(view.table(columns=list(cls.columns)))


@amber_feature(
    version="2",
    schema=SHOT_GROUPS,
    scope=Scope.CATALOGUE,
    kinds=("numpy",),
    checks=[unique("title", "index"), in_range("likeness", 0, 1.001, blocking=False)],
)
def shot_groups(
    shot_prints: Mapping[str, ShotPrints],
    unique_shots: Mapping[str, UniqueShots],
    config: ShotGroupsConfig,
    cache: Cache,
) -> pa.Table:
    """Group the unique shots that show the same footage in several titles: recaps, title sequences, other versions.

    Titles are taken in the order of their slugs. A shot joins the earlier one that it is most like of those that joined
    none themselves; a take that was dropped in its title speaks for the shot that was kept. Titles that were compared
    before are not compared again.
    """
    titles = sorted(set(shot_prints) & set(unique_shots))
    links: dict[Node, dict[Node, float]] = defaultdict(dict)
    kept = {title: _kept(title, shot_prints[title], unique_shots[title]) for title in titles}
    for a, b, found in known_copies({title: shot_prints[title] for title in titles}, config.threshold, cache):
        for copy in found:
            earlier, later = (a, kept[a][copy.a]), (b, kept[b][copy.b])
            links[later][earlier] = max(copy.likeness, links[later].get(earlier, 0.0))
    return _table(earliest(links), links)


def earliest(links: Mapping[Node, Mapping[Node, float]]) -> dict[Node, tuple[Node, float]]:
    """For each shot that is like earlier ones, the earliest of its group and how alike they are.

    Args:
        links: later shot to the earlier ones that it is like, and how much. Likeness is not chained: a shot that is
            itself in the group of another takes no further shots.
    """
    joined: dict[Node, tuple[Node, float]] = {}
    for node in sorted(links):
        free = {other: alike for other, alike in links[node].items() if other not in joined}
        if free:
            best = min(free, key=lambda other: (-free[other], other))
            joined[node] = best, free[best]
    return joined


def _kept(title: str, prints: ShotPrints, unique_shots: UniqueShots) -> list[int]:
    """For each shot that has prints the index of the one that was kept of its takes."""
    stands_for = {shot.index: shot.index for shot in unique_shots}
    for shot, dropped in zip(unique_shots, unique_shots.duplicates, strict=True):
        stands_for |= dict.fromkeys(dropped, shot.index)
    try:
        return [stands_for[index] for index in prints.index.tolist()]
    except KeyError as error:
        raise FeatureError(
            f"shot_prints and unique_shots of {title} mean different shots (shot {error} is in one of them only); make "
            "them again"
        ) from None


def _table(joined: Mapping[Node, tuple[Node, float]], links: Mapping[Node, Mapping[Node, float]]) -> pa.Table:
    """The rows, by title and index: every shot that is like another."""
    head = {node: joined[node][0] if node in joined else node for later in links for node in (later, *links[later])}
    number = {one: place for place, one in enumerate(sorted(set(head.values())))}
    columns: list[list[Any]] = [[] for _ in SHOT_GROUPS.names]
    for node in sorted(head):
        alike = joined[node][1] if node in joined else 1.0
        also = sorted(other for other in links.get(node, {}) if head[other] != head[node])
        row = (*node, number[head[node]], *head[node], round(min(alike, 1.0), DECIMALS))
        for values, value in zip(columns, (*row, [title for title, _ in also], [i for _, i in also]), strict=True):
            values.append(value)
    return pa.table(columns, schema=SHOT_GROUPS)
