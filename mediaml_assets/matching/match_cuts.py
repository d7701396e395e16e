"""The `match_cuts` feature: the best cuts of any titles, from the tail of one shot to the head of another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from mediaml_assets.amber.cache import Cache
from mediaml_assets.amber.checks import in_range
from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import Scope, amber_feature
from mediaml_assets.amber.keys import column_digests
from mediaml_assets.errors import FeatureError
from mediaml_assets.features.scenes import Scenes
from mediaml_assets.features.shot_groups import ShotGroups
from mediaml_assets.features.shot_kinds import ShotKinds
from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets.features.unique_shots import UniqueShots
from mediaml_assets.matching.blocks.merging import best
from mediaml_assets.matching.blocks.title import title
from mediaml_assets.matching.calibration import calibrated, curves
from mediaml_assets.matching.exclusions import Exclusions, exclusions, title_shots
from mediaml_assets.matching.flavours.flavour import Flavour
from mediaml_assets.matching.flavours.registry import FLAVOURS
from mediaml_assets.matching.pairs.scan import Excluded
from mediaml_assets.matching.pairs.top_k import Pairs
from mediaml_assets.matching.rejections import rejections
from mediaml_assets.matching.shot_rows import (
    Colours,
    Compositions,
    LearnedEnds,
    Motions,
    ShotRows,
    Silhouettes,
    Sounds,
)

MATCH_CUTS = pa.schema(
    [
        column("flavour", pa.string(), "How the two shots match.", nullable=True),
        column("rank", pa.int32(), "Place in the flavour's list, from 1.", nullable=True),
        column("title1", pa.string(), "Title of the shot that is left.", nullable=True),
        column("shot1", pa.int32(), "Its index.", nullable=True),
        column("title2", pa.string(), "Title of the shot that follows.", nullable=True),
        column("shot2", pa.int32(), "Its index.", nullable=True),
        column("score", pa.float64(), "Calibrated: one of a million unrelated pairs reaches 0.9.", nullable=True),
        column("own_score", pa.float64(), "The flavour's own, which the list is sorted by.", nullable=True),
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
        cap: how often one shot, or near-duplicates of it, may be used in a flavour's list.
        gap: shots of one title that are fewer than this many apart are no match cut: at 2, neighbours.
        rejected: cuts that nobody wants to see again, each as "title:shot title:shot".
    """

    k: int = 50
    flavours: tuple[str, ...] = tuple(FLAVOURS)
    titles: tuple[str, ...] | None = None
    cap: int = 2
    gap: int = 2
    rejected: tuple[str, ...] = ()

    def key_parts(self) -> dict[str, str]:
        """What else decides the answer: the version of each flavour's scores, and what they are worth."""
        known = [name for name in self.flavours if name in FLAVOURS]
        return {f"flavour {name}": FLAVOURS[name].version for name in known} | {
            f"worth {name}": str(curves().get(name)) for name in known
        }


@amber_feature(
    version="2",
    schema=MATCH_CUTS,
    scope=Scope.CATALOGUE,
    kinds=["numpy"],
    replicas=["marken"],
    checks=[in_range("score", 0, 1, blocking=False)],
)
def match_cuts(
    unique_shots: Mapping[str, UniqueShots],
    scenes: Mapping[str, Scenes],
    shot_kinds: Mapping[str, ShotKinds],
    shot_groups: ShotGroups,
    silhouette: Mapping[str, Silhouettes],
    motion: Mapping[str, Motions],
    composition: Mapping[str, Compositions],
    colour: Mapping[str, Colours],
    sound: Mapping[str, Sounds],
    learned: Mapping[str, LearnedEnds],
    config: MatchCutsConfig,
    cache: Cache,
) -> pa.Table:
    """The best match cuts within and across titles, for each flavour: the best of every ordered pair of shots.

    Pairs are scored once for each two titles and kept in the cache, so that a new title costs its own pairs alone. Left
    out on reading: cuts between neighbours and within a scene (also of copies in other titles), near-duplicates, ends
    that are black, flat or cards, and what people rejected. No shot fills the list.
    """
    rows: dict[str, Mapping[str, ShotRows]] = {
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
    tables = []
    for flavour in (FLAVOURS[name] for name in dict.fromkeys(config.flavours)):
        names = [name for name in sorted(unique_shots) if name in rows[flavour.feature]]
        known = {
            name: title_shots(name, unique_shots[name], scenes.get(name), shot_kinds.get(name), shot_groups)
            for name in names
        }
        left_out = exclusions(known, config.gap, shot_groups.links)
        tables.append(flavour_cuts(flavour, unique_shots, rows[flavour.feature], left_out, config, cache))
    return pa.concat_tables([MATCH_CUTS.empty_table(), *tables])


def flavour_cuts(
    flavour: Flavour,
    shots: Mapping[str, Shots],
    rows: Mapping[str, ShotRows],
    left_out: Exclusions,
    config: MatchCutsConfig,
    cache: Cache,
) -> pa.Table:
    """The rows of one flavour, over the titles that have both shots and the flavour's values; `left_out` is theirs."""
    names = [name for name in sorted(shots) if name in rows]
    for name in names:
        _check_same_shots(flavour, name, shots[name], rows[name])
    titles = [
        title(cache, flavour, name, rows[name].columns_of(flavour), len(shots[name]), rows[name].read) for name in names
    ]
    listed = [(name, shot) for name in names for shot in shots[name]]
    pairs = best(
        cache,
        flavour,
        titles,
        config.k,
        excluded=_excluded(left_out, listed, config.rejected),
        cap=config.cap,
        groups=left_out.cap_groups,
    )
    return _rows(flavour, listed, pairs)


def _check_same_shots(flavour: Flavour, name: str, shots: Shots, rows: ShotRows) -> None:
    index = pa.table({"index": pa.array([shot.index for shot in shots], pa.int32())})
    if rows.digests["index"] == column_digests(index)["index"]:
        return
    raise FeatureError(
        f"{flavour.feature} and unique_shots of {name} mean different shots ({rows.read().num_rows} rows, {len(shots)} "
        f"shots); make {flavour.feature} again"
    )


def _excluded(left_out: Exclusions, listed: Sequence[tuple[str, Shot]], rejected: Sequence[str]) -> Excluded:
    """What is excluded by what the shots are, and what people rejected."""
    if not rejected:
        return left_out.excluded
    unwanted = rejections([(name, shot.index) for name, shot in listed], rejected)
    return lambda rows, cols: left_out.excluded(rows, cols) | unwanted(rows, cols)


def _rows(flavour: Flavour, listed: Sequence[tuple[str, Shot]], pairs: Pairs) -> pa.Table:
    found = []
    worth = calibrated(flavour.name, flavour.version, pairs.scores)
    for rank, (row, col, score) in enumerate(zip(pairs.rows, pairs.cols, pairs.scores, strict=True), start=1):
        if score <= 0:  # a re-ranked score that says that it is no match; so are all after it
            break
        (title1, a), (title2, b) = listed[int(row)], listed[int(col)]
        found.append(
            {
                "flavour": flavour.name,
                "rank": rank,
                "title1": title1,
                "shot1": a.index,
                "title2": title2,
                "shot2": b.index,
                "score": round(float(worth[rank - 1]), 6),
                "own_score": round(float(score), 6),
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
