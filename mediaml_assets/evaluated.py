"""What is stored of this installation's titles, compared with the truth beside their files."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from mediaml_assets.amber.demand import Demand
from mediaml_assets.errors import NotStored, TruthRefused
from mediaml_assets.evaluation.baseline import baseline_ranks, title_pairs
from mediaml_assets.evaluation.beside import LandedTitle, rendered_truth, title_truth
from mediaml_assets.evaluation.boundaries import Found
from mediaml_assets.evaluation.planted import DEEP, Pair, PlantedRanks, listed_pairs, ranks, wanted_pairs
from mediaml_assets.evaluation.report import Report, TitleReport, report, title_report
from mediaml_assets.evaluation.truth import PlantedCut, planted_cuts
from mediaml_assets.features.shots import Shots
from mediaml_assets.jasper.reading.media import Media
from mediaml_assets.landing.arrivals import SOURCE
from mediaml_assets.matching.flavours.registry import FLAVOURS
from mediaml_assets.on_demand import demand

OURS, BASELINE = "mediaml", "one flow, one title"
BASELINE_FLAVOURS = ("frame", "motion")


def evaluated(folder: Path, titles: Sequence[str] | None, baseline: bool, seed: int) -> Report:
    """Score every title that has a truth; what is not computed yet is.

    Args:
        folder: where truth files lie, under the paths that films have in the landing folder.
        titles: slugs; None for all.
        baseline: whether the single-flow, single-title pipeline is scored as well.
        seed: of the bootstraps.

    Raises:
        NotStored: there is no such title.
    """
    asked = demand()
    scored: list[TitleReport] = []
    left_out: dict[str, str] = {}
    rendered = {}
    for landed in _landed(asked, titles):
        try:
            one = _title(asked, folder, landed)
            truth = rendered_truth(folder, landed) if one else None
        except TruthRefused as problem:
            left_out[landed.title] = str(problem)
            continue
        if one is None:
            left_out[landed.title] = f"there is no truth of {landed.path} in {folder}"
            continue
        scored.append(one)
        if truth is not None:
            rendered[landed.title] = truth
    planted = _planted(asked, sorted(rendered), planted_cuts(rendered), baseline)
    return report(scored, planted, left_out, seed)


def _landed(asked: Demand, titles: Sequence[str] | None) -> list[LandedTitle]:
    present = asked.everything("shots")
    for title in titles or ():
        if title not in present:
            raise NotStored(f"there is no title {title!r}; there are {', '.join(present) or 'none'}")
    rows = asked.store.views(SOURCE, sorted(titles or present))
    found = [(title, view.row(("path", "size"))) for title, view in rows.items() if not view.withdrawn]
    return [LandedTitle(title, row["path"], row["size"]) for title, row in found]


def _title(asked: Demand, folder: Path, landed: LandedTitle) -> TitleReport | None:
    """What became of one title; None without a truth."""
    with Media.from_value(asked.value("standard_encode", landed.title)) as media:
        truth = title_truth(folder, landed, media.frame_map)
    if truth is None:
        return None
    rows = asked.value("shots", landed.title).table()
    boundaries = zip(rows.column("start").to_pylist(), rows.column("transition").to_pylist(), strict=True)
    found = [Found(start, kind) for start, kind in boundaries if kind != "start"]
    kept = Shots.from_value(asked.value("unique_shots", landed.title))
    return title_report(landed.title, truth, found, Shots.from_table(rows), kept)


def _planted(asked: Demand, titles: Sequence[str], plants: Sequence[PlantedCut], baseline: bool) -> list[PlantedRanks]:
    """The ranks of planted cuts, by flavour, of ours and of the baseline."""
    flavours = [name for name in FLAVOURS if any(one.flavour == name for one in plants)]
    if not flavours:
        return []
    deep = DEEP * max(sum(one.flavour == name for one in plants) for name in flavours)
    settings = {"k": deep, "flavours": tuple(flavours), "titles": tuple(titles)}
    cuts: pa.Table = asked.value("match_cuts", None, settings).table()
    shots = {title: Shots.from_value(asked.value("shots", title)) for title in titles}
    found = []
    for name in flavours:
        wanted = wanted_pairs([one for one in plants if one.flavour == name], shots)
        inside = tuple(title1 == title2 for title1, _, title2, _ in wanted)
        found.append(PlantedRanks(name, OURS, ranks(wanted, listed_pairs(cuts, name)), inside))
        if baseline and name in BASELINE_FLAVOURS:
            found.append(PlantedRanks(name, BASELINE, _baseline(asked, titles, wanted, name), inside))
    return found


def _baseline(asked: Demand, titles: Sequence[str], wanted: Sequence[Pair], flavour: str) -> tuple[int, ...]:
    lists = {}
    for title in titles:
        with Media.from_value(asked.value("standard_encode", title)) as media:
            kept = Shots.from_value(asked.value("unique_shots", title))
            lists[title] = title_pairs(media, kept, flavour, DEEP * len(wanted))
    return baseline_ranks(wanted, lists)
