"""The `match_cuts` feature: the best cuts of any titles, from the tail of one shot to the head of another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa

from mediaml_assets.amber.checks import in_range
from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import Scope, amber_feature
from mediaml_assets.errors import FeatureError
from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets.matching.flavours.flavour import Ends, Flavour
from mediaml_assets.matching.flavours.registry import FLAVOURS
from mediaml_assets.matching.pairs.scan import Excluded, Indices
from mediaml_assets.matching.pairs.top_k import Pairs, top_k

MATCH_CUTS = pa.schema(
    [
        column("flavour", pa.string(), "How the two shots match.", nullable=True),
        column("rank", pa.int32(), "Place in the flavour's list, from 1.", nullable=True),
        column("title1", pa.string(), "Title of the shot that is left.", nullable=True),
        column("shot1", pa.int32(), "Its index.", nullable=True),
        column("title2", pa.string(), "Title of the shot that follows.", nullable=True),
        column("shot2", pa.int32(), "Its index.", nullable=True),
        column("score", pa.float64(), "In [0, 1].", nullable=True),
        column("start1", pa.int32(), "First frame of shot 1, of its standard encode.", nullable=True),
        column("end1", pa.int32(), "The frame after its last.", nullable=True),
        column("start2", pa.int32(), "First frame of shot 2.", nullable=True),
        column("end2", pa.int32(), "The frame after its last.", nullable=True),
        column("out_frame", pa.int32(), "Last frame before the cut, of title 1.", nullable=True),
        column("in_frame", pa.int32(), "First frame after it, of title 2.", nullable=True),
        column("exact", pa.bool_(), "Whether no other pair belongs in the flavour's list.", nullable=True),
    ]
)
"""One row a cut, by flavour and rank from 1; scores are in [0, 1].

Frames are of each title's standard encode, shots half-open [start, end); `out_frame` is the last usable frame of shot 1
and `in_frame` the first of shot 2: the cut shows one after the other. `exact` says that no other pair belongs in the
flavour's list.
"""


@dataclass(frozen=True)
class MatchCutsConfig:
    """What is asked for.

    Attributes:
        k: cuts a flavour.
        flavours: names of flavours.
        titles: slugs; None for every title there is.
        cap: how often one shot may be used in a flavour's list.
        gap: shots of one title that are fewer than this many apart are no match cut: at 2, neighbours.
    """

    k: int = 50
    flavours: tuple[str, ...] = tuple(FLAVOURS)
    titles: tuple[str, ...] | None = None
    cap: int = 2
    gap: int = 2

    def key_parts(self) -> dict[str, str]:
        """What else decides the answer: the version of each flavour's scores."""
        return {f"flavour {name}": FLAVOURS[name].version for name in self.flavours if name in FLAVOURS}


@dataclass(frozen=True)
class ShotRows:
    """The rows of a flavour's feature, one row a shot."""

    table: pa.Table
    columns: ClassVar[Sequence[str]]

    @classmethod
    def from_value(cls, view: Any) -> Self:
        """Made from the stored value of a flavour's feature."""
        return cls(view.table(cls.columns))


class Silhouettes(ShotRows):
    """What the frame flavour reads."""

    columns = FLAVOURS["frame"].columns


class Motions(ShotRows):
    """What the motion flavour reads."""

    columns = FLAVOURS["motion"].columns


class Compositions(ShotRows):
    """What the composition flavour reads."""

    columns = FLAVOURS["composition"].columns


class Colours(ShotRows):
    """What the colour flavour reads."""

    columns = FLAVOURS["colour"].columns


class Sounds(ShotRows):
    """What the sound flavour reads."""

    columns = FLAVOURS["sound"].columns


class LearnedEnds(ShotRows):
    """What the learned flavour reads."""

    columns = FLAVOURS["learned"].columns


@amber_feature(
    version="1",
    schema=MATCH_CUTS,
    scope=Scope.CATALOGUE,
    kinds=["numpy"],
    checks=[in_range("score", 0, 1, blocking=False)],
)
def match_cuts(
    unique_shots: Mapping[str, Shots],
    silhouette: Mapping[str, Silhouettes],
    motion: Mapping[str, Motions],
    composition: Mapping[str, Compositions],
    colour: Mapping[str, Colours],
    sound: Mapping[str, Sounds],
    learned: Mapping[str, LearnedEnds],
    config: MatchCutsConfig,
) -> pa.Table:
    """The best match cuts within and across titles, for each flavour: every ordered pair of shots is scored.

    Shots of one title that stand next to each other are left out, and no shot fills the list.
    """
    of_feature: dict[str, Mapping[str, ShotRows]] = {
        "silhouette": silhouette,
        "motion": motion,
        "composition": composition,
        "colour": colour,
        "sound": sound,
        "learned": learned,
    }
    unknown = sorted(set(config.flavours) - set(FLAVOURS))
    if unknown:
        raise FeatureError(f"there is no flavour {', '.join(unknown)}; choose from {', '.join(FLAVOURS)}")
    tables = [
        flavour_cuts(FLAVOURS[name], unique_shots, of_feature[FLAVOURS[name].feature], config)
        for name in config.flavours
    ]
    return pa.concat_tables([MATCH_CUTS.empty_table(), *tables])


def flavour_cuts(
    flavour: Flavour, shots: Mapping[str, Shots], rows: Mapping[str, ShotRows], config: MatchCutsConfig
) -> pa.Table:
    """The rows of one flavour, over the titles that have both shots and the flavour's values."""
    titles = [title for title in sorted(shots) if title in rows]
    listed = [(title, shot) for title in titles for shot in shots[title]]
    if not listed:
        return MATCH_CUTS.empty_table()
    for title in titles:
        _check_same_shots(flavour, title, shots[title], rows[title].table)
    ends = Ends.joined([flavour.ends(rows[title].table.select(list(flavour.columns))) for title in titles])
    pairs = top_k(
        ends.out,
        ends.in_,
        config.k,
        excluded=_neighbours(titles, listed, config.gap),
        cap=config.cap,
        above=0.0,
        rerank=flavour.rerank(ends),
        bound=flavour.bound,
    )
    return _rows(flavour.name, listed, pairs)


def _check_same_shots(flavour: Flavour, title: str, shots: Shots, rows: pa.Table) -> None:
    of_rows, of_shots = rows.column("index").to_pylist(), [shot.index for shot in shots]
    if of_rows != of_shots:
        raise FeatureError(
            f"{flavour.feature} and unique_shots of {title} mean different shots ({len(of_rows)} rows, {len(of_shots)} "
            f"shots); make {flavour.feature} again"
        )


def _neighbours(titles: Sequence[str], listed: Sequence[tuple[str, Shot]], gap: int) -> Excluded:
    """Pairs of one title that are less than `gap` shots apart, a shot with itself among them."""
    place = {name: number for number, name in enumerate(titles)}
    title = np.array([place[name] for name, _ in listed], np.int64)
    index = np.array([shot.index for _, shot in listed], np.int64)

    def excluded(rows: Indices, cols: Indices) -> np.ndarray[Any, np.dtype[np.bool_]]:
        return np.asarray((title[rows] == title[cols]) & (np.abs(index[rows] - index[cols]) < gap))

    return excluded


def _rows(flavour: str, listed: Sequence[tuple[str, Shot]], pairs: Pairs) -> pa.Table:
    found = []
    for rank, (row, col, score) in enumerate(zip(pairs.rows, pairs.cols, pairs.scores, strict=True), start=1):
        if score <= 0:  # a re-ranked score that says that it is no match; so are all after it
            break
        (title1, a), (title2, b) = listed[int(row)], listed[int(col)]
        found.append(
            {
                "flavour": flavour,
                "rank": rank,
                "title1": title1,
                "shot1": a.index,
                "title2": title2,
                "shot2": b.index,
                "score": round(float(score), 6),
                "start1": a.start,
                "end1": a.end,
                "start2": b.start,
                "end2": b.end,
                "out_frame": a.usable_end - 1,
                "in_frame": b.usable_start,
                "exact": pairs.exact,
            }
        )
    return pa.Table.from_pylist(found, schema=MATCH_CUTS)
