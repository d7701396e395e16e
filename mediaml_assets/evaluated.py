"""What is stored of this installation's titles, compared with the truth beside their files."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa

from mediaml_assets.amber.demand import Demand
from mediaml_assets.errors import BadInput, NotStored, TruthRefused
from mediaml_assets.evaluation.baseline import baseline_ranks, title_pairs
from mediaml_assets.evaluation.beside import LandedTitle, placing, rendered_truth, written_truth
from mediaml_assets.evaluation.copies import (
    NAME,
    FoundCopy,
    TrueCopy,
    found_copies,
    groups_of,
    kept_shot,
    read_copies,
)
from mediaml_assets.evaluation.hand_labels import SUFFIX as CUTS
from mediaml_assets.evaluation.planted import (
    DEEP,
    OURS,
    Pair,
    PlantedRanks,
    listed_pairs,
    ranks,
    wanted_pairs,
)
from mediaml_assets.evaluation.report import Report, TitleReport, found_boundaries, report, title_report
from mediaml_assets.evaluation.takes import SUFFIX as TAKES
from mediaml_assets.evaluation.truth import PlantedCut, TitleTruth, of_rendered, planted_cuts
from mediaml_assets.features.shots import Shots
from mediaml_assets.jasper.reading.media import Media
from mediaml_assets.landing.arrivals import SOURCE
from mediaml_assets.matching.flavours.registry import FLAVOURS
from mediaml_assets.on_demand import demand
from mediaml_assets.samples.truth import Truth

BASELINE = "one flow, one title"
BASELINE_FLAVOURS = ("frame", "motion")


def evaluated(folders: Sequence[Path], titles: Sequence[str] | None, baseline: bool, seed: int) -> Report:
    """Score every title that has a truth; what is not computed yet is. A film that cannot be used is left out.

    Args:
        folders: where truth files lie, under the paths that films have in the landing folder; the first that has one.
        titles: slugs; None for all.
        baseline: whether the single-flow, single-title pipeline is scored as well.
        seed: of the bootstraps.

    Raises:
        NotStored: there is no such title.
        TruthRefused: the copies that people wrote down are not of their format.
    """
    asked = demand()
    scored: list[TitleReport] = []
    left_out: dict[str, str] = {}
    rendered: dict[str, Truth] = {}
    places: dict[str, tuple[str, Callable[[int], int]]] = {}
    for landed in _landed(asked, titles):
        try:
            with Media.from_value(asked.value("standard_encode", landed.title)) as media:
                places[landed.path] = landed.title, placing(media.frame_map)
                sample = rendered_truth(folders, landed)
                truth = of_rendered(sample) if sample else written_truth(folders, landed, media.frame_map)
            if truth is None:
                beside = " or ".join(f"{landed.path}{suffix}" for suffix in (CUTS, TAKES))
                left_out[landed.title] = f"there is no truth of {landed.path}; write {beside}"
                continue
            scored.append(_title(asked, landed.title, truth))
        except (TruthRefused, BadInput, NotStored) as problem:
            left_out[landed.title] = str(problem)
            continue
        if sample is not None:
            rendered[landed.title] = sample
    copies = [copy for folder in folders if (folder / NAME).is_file() for copy in read_copies(folder / NAME, places)]
    planted = _planted(asked, sorted(rendered), planted_cuts(rendered), baseline)
    return report(scored, _copies(asked, copies), planted, left_out, seed)


def _landed(asked: Demand, titles: Sequence[str] | None) -> list[LandedTitle]:
    present = asked.everything("shots")
    for title in titles or ():
        if title not in present:
            raise NotStored(f"there is no title {title!r}; there are {', '.join(present) or 'none'}")
    rows = asked.store.views(SOURCE, sorted(titles or present))
    found = [(title, view.row(("path", "size"))) for title, view in rows.items() if not view.withdrawn]
    return [LandedTitle(title, row["path"], row["size"]) for title, row in found]


def _title(asked: Demand, title: str, truth: TitleTruth) -> TitleReport:
    rows = asked.value("shots", title).table()
    kept = Shots.from_value(asked.value("unique_shots", title))
    return title_report(title, truth, found_boundaries(rows), Shots.from_table(rows), kept)


def _copies(asked: Demand, copies: Sequence[TrueCopy]) -> Sequence[FoundCopy]:
    if not copies:
        return ()
    groups = groups_of(asked.value("shot_groups").table())

    def kept(title: str, frame: int) -> int:
        return kept_shot(asked.value("shots", title).table(), asked.value("unique_shots", title).table(), frame)

    return found_copies(copies, groups, kept)


def _planted(asked: Demand, titles: Sequence[str], plants: Sequence[PlantedCut], baseline: bool) -> list[PlantedRanks]:
    """The ranks of planted cuts, by flavour, of ours and of the baseline."""
    flavours = [name for name in FLAVOURS if any(one.flavour == name for one in plants)]
    if not flavours:
        return []
    deep = DEEP * max(sum(one.flavour == name for one in plants) for name in flavours)
    settings = {"k": deep, "flavours": tuple(flavours), "titles": tuple(titles)}
    cuts: pa.Table = asked.value("match_cuts", None, settings).table()
    shots = {title: Shots.from_value(asked.value("shots", title)) for title in titles}
    found: list[PlantedRanks] = []
    for name in flavours:
        wanted = wanted_pairs([one for one in plants if one.flavour == name], shots)
        found.append(PlantedRanks(name, OURS, tuple(wanted), ranks(wanted, listed_pairs(cuts, name))))
        if baseline and name in BASELINE_FLAVOURS:
            found.append(PlantedRanks(name, BASELINE, tuple(wanted), _baseline(asked, titles, wanted, name)))
    return found


def _baseline(asked: Demand, titles: Sequence[str], wanted: Sequence[Pair], flavour: str) -> tuple[int, ...]:
    lists = {}
    for title in titles:
        with Media.from_value(asked.value("standard_encode", title)) as media:
            kept = Shots.from_value(asked.value("unique_shots", title))
            lists[title] = title_pairs(media, kept, flavour, DEEP * len(wanted))
    return baseline_ranks(wanted, lists)
