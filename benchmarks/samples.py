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
from mediaml_assets.features.motion import MotionConfig, motion
from mediaml_assets.features.shot_embedding import Embeddings, ShotEmbeddingConfig, shot_embedding
from mediaml_assets.features.shot_groups import ShotGroups
from mediaml_assets.features.shots import Shots, shots
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
from mediaml_assets.samples.truth import TrueTransition, Truth, load_truth
from mediaml_assets.settings import home

TARGETS: dict[str, Target] = {
    "hard_cut_f1": (">=", 0.97),
    "transition_f1": (">=", 0.90),
    "takes_missed": ("==", 0),
    "distinct_dropped": ("==", 0),
    "planted_missed": ("==", 0),
}
DEEP = 10  # cuts listed for each planted one


@dataclass(frozen=True)
class Title:
    """What is true of a title and what the features found in it."""

    truth: Truth
    shots: pa.Table
    unique: pa.Table
    flavours: Mapping[str, pa.Table]

    def found(self, true_shot: int) -> int:
        """Index of the found shot that shares most frames with a true one."""
        true = self.truth.shots[true_shot]
        spans = Shots.from_table(self.shots)
        return max(spans, key=lambda shot: min(shot.end, true.end) - max(shot.start, true.start)).index


@dataclass(frozen=True)
class Counts:
    """Boundaries that are true and found, found but not true, and true but not found."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.right / max(2 * self.right + self.wrong + self.missed, 1)


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
    cuts = sum((boundary_counts(title, ("cut",)) for title in titles), Counts())
    every = sum((boundary_counts(title, ("cut", "dissolve", "fade")) for title in titles), Counts())
    planted = {plant.flavour for title in titles for plant in title.truth.plants}
    ranks = {name: planted_ranks(titles, flavour) for name, flavour in FLAVOURS.items() if name in planted}
    return {
        "hard_cut_f1": cuts.f1,
        "transition_f1": every.f1,
        "takes_missed": sum(len(takes_missed(title)) for title in titles),
        "distinct_dropped": sum(len(distinct_dropped(title)) for title in titles),
        "planted_missed": sum(not 0 < rank <= 2 * len(found) for found in ranks.values() for rank in found),
        **{f"{name}_worst_rank": 0 if 0 in found else max(found, default=0) for name, found in ranks.items()},
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
    split = shots(media)
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


def boundary_counts(title: Title, kinds: Sequence[str]) -> Counts:
    """Found boundaries against true ones of some kinds, each used once; what is found of other kinds is left out."""
    rows = zip(title.shots.column("start").to_pylist(), title.shots.column("transition").to_pylist(), strict=True)
    found = [start for start, kind in rows if kind in kinds]
    wanted = [true for true in title.truth.transitions if true.kind in kinds]
    right = 0
    for true in wanted:
        near = [start for start in found if abs(start - true.boundary) <= tolerance(true)]
        if near:
            found.remove(min(near, key=lambda start: abs(start - true.boundary)))
            right += 1
    return Counts(right, len(found), len(wanted) - right)


def tolerance(transition: TrueTransition) -> int:
    """Frames by which a boundary may be off."""
    return 1 if transition.kind == "cut" else 2


def takes_missed(title: Title) -> list[int]:
    """True shots that repeat an earlier one and were kept."""
    kept = set(title.unique.column("index").to_pylist())
    return [take.shot for take in title.truth.takes if title.found(take.shot) in kept]


def distinct_dropped(title: Title) -> list[int]:
    """True shots that repeat none and were dropped."""
    kept = set(title.unique.column("index").to_pylist())
    takes = {take.shot for take in title.truth.takes}
    return [true.index for true in title.truth.shots if true.index not in takes and title.found(true.index) not in kept]


def planted_ranks(titles: Sequence[Title], flavour: Flavour) -> list[int]:
    """The rank, from 1, of each planted match cut of a flavour among all pairs of all titles; 0: not near the top."""
    plants = [plant for title in titles for plant in title.truth.plants if plant.flavour == flavour.name]
    by_name = {title.truth.title: title for title in titles}
    unique = {name: UniqueShots.from_table(title.unique) for name, title in by_name.items()}
    rows = {name: ShotRows.from_table(title.flavours[flavour.feature]) for name, title in by_name.items()}
    with TemporaryDirectory() as folder:
        cache = Cache(FolderObjects(Path(folder)), "match_cuts")
        config = MatchCutsConfig(k=DEEP * max(len(plants), 1))
        known = {name: title_shots(name, shots, None, None, ShotGroups({})) for name, shots in unique.items()}
        listed = flavour_cuts(flavour, unique, rows, exclusions(known, config.gap), config, cache)
    names = ("title1", "shot1", "title2", "shot2")
    order = list(zip(*(listed.column(name).to_pylist() for name in names), strict=True))
    wanted = [(p.title1, by_name[p.title1].found(p.shot1), p.title2, by_name[p.title2].found(p.shot2)) for p in plants]
    return [order.index(pair) + 1 if pair in order else 0 for pair in wanted]
