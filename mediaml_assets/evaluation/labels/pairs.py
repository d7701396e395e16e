"""The labelled pairs of the published match-cutting data, and what is known of them beside how they were sampled.

Chen, Ziai, Tucker, Xie, "Match Cutting: Finding Cuts with Smooth Visual Transitions" (WACV 2023); the files are those
of the repository Netflix/matchcut. A pair was labelled because a heuristic ranked it among its best 50 of a title.
Which one, and how high, stands in the same records and says a good part of the label: a scorer that read it would be
scored on how the labels were drawn. So this module, from which scorers have everything, does not hold it: see
`published`.
"""

import csv
import json
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from mediaml_assets.errors import TruthRefused

Task = Literal["frame", "motion"]
Split = Literal["train", "validation", "test"]
TASKS: tuple[Task, ...] = ("frame", "motion")
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LabelledPairs:
    """n pairs of shots of one title each, in the order of the file; nothing of how they were sampled.

    Attributes:
        title: imdb id, str [n].
        shot1, shot2: numbers of the shots in their title, int64 [n]; shot1 < shot2.
        start1, end1, start2, end2: seconds, float64 [n].
        label: bool [n], what most of three editors said.
        votes: int64 [n], how many of them said yes.
        silhouette: float64 [n], the published overlap of instance masks; NaN for pairs that have none (motion).
    """

    title: npt.NDArray[np.str_]
    shot1: npt.NDArray[np.int64]
    shot2: npt.NDArray[np.int64]
    start1: Numbers
    end1: Numbers
    start2: Numbers
    end2: Numbers
    label: npt.NDArray[np.bool_]
    votes: npt.NDArray[np.int64]
    silhouette: Numbers

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.title)

    def of(self, titles: set[str]) -> Self:
        """The pairs of some titles."""
        kept = np.isin(self.title, sorted(titles))
        return type(self)(*(getattr(self, one.name)[kept] for one in fields(self)))


def read_pairs(folder: Path, task: Task, split: Split) -> LabelledPairs:
    """The labelled pairs of a task whose titles are in a split.

    Raises:
        TruthRefused: a file of the data is not there, or not as published.
    """
    return _every_pair(folder, task).of(split_titles(folder, split))


def split_titles(folder: Path, split: Split) -> set[str]:
    """The imdb ids of a split; raises TruthRefused as `read_pairs`."""
    return set(published_text(folder / f"{split}.txt").split())


def read_records(folder: Path, task: Task) -> list[dict[str, Any]]:
    """The records of a task as published; raises TruthRefused when they are not there."""
    file = folder / f"dataset-{task}.json"
    try:
        records: list[dict[str, Any]] = json.loads(published_text(file))
    except ValueError as problem:
        raise TruthRefused(f"{file} is no JSON ({problem}); fetch it from Netflix/matchcut again") from problem
    return records


@cache
def _every_pair(folder: Path, task: Task) -> LabelledPairs:
    try:
        return _pairs(read_records(folder, task), _silhouettes(folder) if task == "frame" else {})
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise TruthRefused(
            f"the labels of {task} in {folder} are not as published ({problem!r}); fetch them again"
        ) from problem


def _pairs(records: list[dict[str, Any]], overlaps: dict[tuple[str, int, int], float]) -> LabelledPairs:
    places = [(one["imdb_id"], one["clip1_index"], one["clip2_index"]) for one in records]

    def seconds(name: str) -> Numbers:
        return np.array([one[name] for one in records], np.float64)

    return LabelledPairs(
        title=np.array([title for title, _, _ in places]),
        shot1=np.array([shot for _, shot, _ in places], np.int64),
        shot2=np.array([shot for _, _, shot in places], np.int64),
        start1=seconds("clip1_start"),
        end1=seconds("clip1_end"),
        start2=seconds("clip2_start"),
        end2=seconds("clip2_end"),
        label=np.array([one["majority_label"] for one in records], np.bool_),
        votes=np.array([sum(one["annotator_labels"].values()) for one in records], np.int64),
        silhouette=np.array([overlaps.get(place, np.nan) for place in places], np.float64),
    )


def _silhouettes(folder: Path) -> dict[tuple[str, int, int], float]:
    rows = csv.DictReader(published_text(folder / "heuristic3-scores.csv").splitlines())
    return {(r["imdb_id"], int(r["shot1_idx"]), int(r["shot2_idx"])): float(r["iiou_score"]) for r in rows}


def published_text(file: Path) -> str:
    """What a file of the published labels holds; raises TruthRefused when it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except OSError as problem:
        raise TruthRefused(
            f"{file} cannot be read ({problem.strerror}); give the folder of the published labels"
        ) from None
