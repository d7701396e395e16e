"""Shots, repeated takes and planted match cuts of the rendered sample titles, compared with their truth.

hard_cut_f1       F1 of hard cuts within 1 frame, over all titles: a boundary found as a cut against the true cuts.
transition_f1     F1 of all boundaries, within 1 frame of a cut and of a gradual transition's middle +- 2.
takes_missed      repeated takes that are still among the unique shots.
distinct_dropped  shots that are no takes and are not among the unique shots.
planted_missed    planted match cuts that are not among their flavour's top 2 x (number planted), with the exclusions
                  that `match_cuts` has by default.
cpu_s             CPU seconds of the features of all titles, the standard encodes left out.
*_worst_rank      the rank of the worst planted match cut of a flavour in that list (0: not within 10 x the number).
"""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from benchmarks.harness import Target
from mediaml_assets.amber.cache import Cache
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.evaluation.boundaries import Counts
from mediaml_assets.evaluation.planted import DEEP, OURS, PlantedRanks, listed_pairs, ranks, wanted_pairs
from mediaml_assets.evaluation.report import TitleReport, found_boundaries, title_report
from mediaml_assets.evaluation.truth import PlantedCut, of_rendered, planted_cuts
from mediaml_assets.features.motion import MotionConfig, motion
from mediaml_assets.features.shot_embedding import Embeddings, ShotEmbeddingConfig, shot_embedding
from mediaml_assets.features.shot_groups import ShotGroups
from mediaml_assets.features.shots import Shots, ShotsConfig, shots
from mediaml_assets.features.silhouette import SilhouetteConfig, silhouette
from mediaml_assets.features.unique_shots import UniqueShots, UniqueShotsConfig, unique_shots
from mediaml_assets.jasper.reading.media import Media
from mediaml_assets.jasper.recipe import ML_360P
from mediaml_assets.jasper.standard.standardize import standardize
from mediaml_assets.matching.exclusions import exclusions, title_shots
from mediaml_assets.matching.flavours.flavour import Flavour
from mediaml_assets.matching.flavours.registry import FLAVOURS
from mediaml_assets.matching.match_cuts import MatchCutsConfig, flavour_cuts
from mediaml_assets.matching.shot_rows import ShotRows
from mediaml_assets.samples import script
from mediaml_assets.samples.render import render, truth_file
from mediaml_assets.samples.truth import Truth, load_truth
from mediaml_assets.settings import home

TARGETS: dict[str, Target] = {
    "hard_cut_f1": (">=", 0.97),
    "transition_f1": (">=", 0.90),
    "takes_missed": ("==", 0),
    "distinct_dropped": ("==", 0),
    "planted_missed": ("==", 0),
}


@dataclass(frozen=True)
class Title:
    """What is true of a title and what the features found in it."""

    truth: Truth
    shots: pa.Table
    unique: pa.Table
    flavours: Mapping[str, pa.Table]


def run(seed: int) -> dict[str, float]:
    """Render the titles of a seed (kept below the home folder), run the features on them, and count."""
    landing = home().root / "samples" / str(seed)
    files = render(seed, landing)
    titles, cpu = [], 0.0
    for card, file in zip(script.CARDS, files, strict=True):
        with tempfile.TemporaryDirectory() as folder:
            media = standard_media(card.title, file, Path(folder))
            start = time.process_time()
            titles.append(analysed(media, load_truth(truth_file(landing, card.title))))
            cpu += time.process_time() - start
    return {**figures(titles), "cpu_s": cpu}


def figures(titles: Sequence[Title]) -> dict[str, float]:
    """Every figure but the cost."""
    reports = [_reported(title) for title in titles]
    cuts = sum((one.cuts for one in reports if one.cuts), Counts())
    every = sum((one.transitions for one in reports if one.transitions), Counts())
    takes = [one.takes for one in reports if one.takes]
    plants = planted_cuts({title.truth.title: title.truth for title in titles})
    planted = [planted_ranks(titles, plants, FLAVOURS[name]) for name in sorted({one.flavour for one in plants})]
    return {
        "hard_cut_f1": cuts.f1,
        "transition_f1": every.f1,
        "takes_missed": sum(len(one.missed) for one in takes),
        "distinct_dropped": sum(len(one.dropped) for one in takes),
        "planted_missed": sum(len(one.ranks) - one.within for one in planted),
        **{f"{one.flavour}_worst_rank": 0 if 0 in one.ranks else max(one.ranks) for one in planted},
    }


class OneRow:
    """A standard encode as `Media` reads it, without a store."""

    def __init__(self, title: str, row: dict[str, Any]) -> None:
        self.title = title
        self._row = row

    def row(self) -> dict[str, Any]:
        """The columns of the one row."""
        return self._row

    def blob(self, name: str) -> Path:
        """The file that a column holds."""
        return Path(self._row[name])


def standard_media(title: str, file: Path, folder: Path) -> Media:
    """The standard encode of a file, made in `folder`."""
    return Media.from_value(OneRow(title, standardize(file, ML_360P, folder).row()))


def analysed(media: Media, truth: Truth) -> Title:
    """The features of one title, called as the plain functions they are."""
    split = shots(media, ShotsConfig())
    every = Shots.from_table(split)
    embedding = shot_embedding(media, every, ShotEmbeddingConfig())
    unique = unique_shots(every, Embeddings.from_table(embedding), UniqueShotsConfig())
    kept = Shots.from_table(unique)
    return Title(
        truth,
        split,
        unique,
        {"silhouette": silhouette(media, kept, SilhouetteConfig()), "motion": motion(media, kept, MotionConfig())},
    )


def _reported(title: Title) -> TitleReport:
    """What became of a title, as `mediaml evaluate` counts it."""
    every, kept = Shots.from_table(title.shots), Shots.from_table(title.unique)
    return title_report(title.truth.title, of_rendered(title.truth), found_boundaries(title.shots), every, kept)


def planted_ranks(titles: Sequence[Title], plants: Sequence[PlantedCut], flavour: Flavour) -> PlantedRanks:
    """The ranks of the planted match cuts of a flavour among all pairs of all titles."""
    planted = [one for one in plants if one.flavour == flavour.name]
    by_name = {title.truth.title: title for title in titles}
    unique = {name: UniqueShots.from_table(title.unique) for name, title in by_name.items()}
    rows = {name: ShotRows.from_table(title.flavours[flavour.feature]) for name, title in by_name.items()}
    with TemporaryDirectory() as folder:
        cache = Cache(FolderObjects(Path(folder)), "match_cuts")
        config = MatchCutsConfig(k=DEEP * len(planted))
        known = {name: title_shots(name, shots, None, None, ShotGroups({})) for name, shots in unique.items()}
        listed = flavour_cuts(flavour, unique, rows, exclusions(known, config.gap), config, cache)
    wanted = wanted_pairs(planted, {name: Shots.from_table(title.shots) for name, title in by_name.items()})
    return PlantedRanks(flavour.name, OURS, tuple(wanted), ranks(wanted, listed_pairs(listed, flavour.name)))
