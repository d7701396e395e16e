"""The published heuristics and results on the labels, and whether our evaluator gives the same numbers.

The one place that reads how pairs were sampled: a heuristic's own scores are its published baseline, each scored on the
pairs that it proposed itself (heuristic 3 on all). Nothing that is trained may import it.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mediaml_assets.errors import TruthRefused
from mediaml_assets.evaluation.labels.average_precision import average_precision
from mediaml_assets.evaluation.labels.pairs import (
    SPLITS,
    TASKS,
    Split,
    Task,
    published_text,
    read_pairs,
    read_records,
    split_titles,
)

DECIMALS = 3
RANDOM = "baseline"
SILHOUETTE = "heuristic 3"


@dataclass(frozen=True)
class PublishedRow:
    """One row of the result files: AP by split, and the `±` beside it where there is one (else NaN)."""

    task: Task
    encoder: str
    model: str
    aggregation: str
    ap: dict[Split, float]
    spread: dict[Split, float]

    @property
    def trained(self) -> bool:
        """Whether the row is of something that was trained on embeddings."""
        return self.encoder != RANDOM and not self.encoder.startswith("heuristic")


def classifiers(folder: Path) -> list[PublishedRow]:
    """Experiment 1: random scores, heuristics, and classifiers over embeddings."""
    return _rows(folder / "experiment1.csv")


def metric_learning(folder: Path) -> list[PublishedRow]:
    """Experiment 2: metric learning over embeddings."""
    return _rows(folder / "experiment2.csv")


@dataclass(frozen=True)
class Reproduced:
    """A published number that needs no embeddings, and ours."""

    task: Task
    name: str
    split: Split
    published: float
    ours: float

    @property
    def same(self) -> bool:
        """Whether ours, rounded as theirs is, is theirs."""
        return round(self.ours, DECIMALS) == self.published


def reproduced(folder: Path) -> list[Reproduced]:
    """Every published number of random scores and heuristics, beside what our evaluator gives for it."""
    rows = [row for row in classifiers(folder) if not row.trained]
    draws = {task: _random_scores(folder, task) for task in TASKS}
    found = []
    for row in rows:
        for split in SPLITS:
            if row.encoder == RANDOM:
                pairs = read_pairs(folder, row.task, split)
                ours = average_precision(pairs.label, draws[row.task][split])
            else:
                ours = average_precision(*heuristic_scores(folder, row.task, row.encoder, split))
            found.append(Reproduced(row.task, row.encoder, split, row.ap[split], ours))
    return found


def heuristic_scores(
    folder: Path, task: Task, name: str, split: Split
) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Labels and a heuristic's scores of the pairs that it proposed; of heuristic 3, of all pairs."""
    if name == SILHOUETTE:
        pairs = read_pairs(folder, task, split)
        return pairs.label, pairs.silhouette
    titles = split_titles(folder, split)
    own = [
        (record["majority_label"], source["score"])
        for record in read_records(folder, task)
        if record["imdb_id"] in titles
        for source in record["source_info"]
        if source["source_name"] == name
    ]
    return np.array([label for label, _ in own], np.bool_), np.array([score for _, score in own], np.float64)


def _random_scores(folder: Path, task: Task) -> dict[Split, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """The published random scores: one seeded draw a task, for train, validation and test in that order."""
    draw = np.random.RandomState(0)
    return {split: draw.rand(len(read_pairs(folder, task, split))) for split in SPLITS}


def _rows(file: Path) -> list[PublishedRow]:
    try:
        return [_row(row) for row in csv.DictReader(published_text(file).splitlines())]
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise TruthRefused(f"{file} is not as published ({problem!r}); fetch it again") from problem


def _row(row: dict[str, str]) -> PublishedRow:
    cells = {split: row[f"{split}-AP"].split("±") for split in SPLITS}
    task: Task = "frame" if row["task"] == "frame" else "motion"
    return PublishedRow(
        task,
        row["encoder"],
        row["model"],
        row["agg"],
        {split: float(cell[0]) for split, cell in cells.items()},
        {split: float(cell[1]) if len(cell) > 1 else float("nan") for split, cell in cells.items()},
    )
