"""What the published labels say: of the evaluator, of chance, and of scorers trained on what is there.

Scorers are fitted on train and chosen on validation; test is asked once for what was chosen. Every figure has its 95 %
interval over titles, every gain that of the paired difference.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from mediaml_assets.evaluation.intervals import Interval, bootstrap
from mediaml_assets.evaluation.labels.average_precision import (
    Scores,
    TitleScores,
    ap_gain,
    ap_interval,
    average_precision,
    by_title,
    precision_at,
    random_ap,
)
from mediaml_assets.evaluation.labels.embeddings import (
    Embeddings,
    cosine_scores,
    pair_vectors,
    read_embeddings,
)
from mediaml_assets.evaluation.labels.metric_learning import PUBLISHED, train
from mediaml_assets.evaluation.labels.pair_scorer import Candidate, PairScorer, candidates, choose, fit
from mediaml_assets.evaluation.labels.pairs import TASKS, LabelledPairs, Task, read_pairs
from mediaml_assets.evaluation.labels.published import Reproduced, reproduced
from mediaml_assets.features.models.scorer_file import Scorer

Score = Callable[[LabelledPairs], Scores]

ROUNDS = 1000
TOP = 50


@dataclass(frozen=True)
class Scored:
    """One scorer on all test pairs of a task.

    `validation` is its AP there, `test` that on test; `over_random` and `over_silhouette` are paired gains on test
    (the latter of frame pairs only), `top` the share of matches among its best 50.
    """

    task: Task
    name: str
    validation: float
    test: Interval
    over_random: Interval
    over_silhouette: Interval | None
    top: float


@dataclass(frozen=True)
class Chosen:
    """The pair scorer of a task, and the AP on validation of everything that was tried."""

    task: Task
    scorer: PairScorer
    validation: tuple[tuple[Candidate, float], ...]


@dataclass(frozen=True)
class Study:
    """All of it.

    Attributes:
        reproduced: published numbers that need no embeddings, beside ours.
        expected_random: (task, mean AP on test of drawn scores, their deviation).
        chosen: the pair scorer of each task.
        over_linear: (task, what the chosen one gains on test over the plainest linear one, paired by title).
        scored: one a scorer and task.
    """

    reproduced: tuple[Reproduced, ...]
    expected_random: tuple[tuple[Task, float, float], ...]
    chosen: tuple[Chosen, ...]
    over_linear: tuple[tuple[Task, Interval], ...]
    scored: tuple[Scored, ...]

    @property
    def not_reproduced(self) -> int:
        """How many published numbers our evaluator gives otherwise."""
        return sum(not one.same for one in self.reproduced)

    def of(self, task: Task, name: str) -> Scored:
        """The row of a scorer; raises KeyError when there is none."""
        return {(one.task, one.name): one for one in self.scored}[task, name]


CHOSEN = "pair scorer, chosen on validation"


def study(folder: Path, seed: int) -> Study:
    """Everything that the labels alone allow.

    Args:
        folder: of the published labels.
        seed: of bootstraps and of random scores; nothing that is fitted depends on it.

    Raises:
        TruthRefused: the labels are not there or not as published.
    """
    rows: list[Scored] = []
    chosen: list[Chosen] = []
    expected: list[tuple[Task, float, float]] = []
    over_linear: list[tuple[Task, Interval]] = []
    for task in TASKS:
        fitted_on, validation, test = (read_pairs(folder, task, split) for split in ("train", "validation", "test"))
        tried = candidates(task)
        choice = choose(fitted_on, validation, tried)
        chosen.append(Chosen(task, choice.scorer, choice.validation))
        expected.append((task, *random_ap(test.label, seed)))
        linear = fit(fitted_on, tried[0])
        both = by_title(test.title, test.label, choice.scorer.score(test), linear.score(test))
        over_linear.append((task, ap_gain(both, seed, ROUNDS)))
        scorers = {
            **_unfitted(task),
            "linear: gap, durations" + ", overlap" * (task == "frame"): linear.score,
            **_without_silhouette(fitted_on, choice.scorer.candidate),
            CHOSEN: choice.scorer.score,
        }
        rows += [scored(task, name, validation, test, score, seed) for name, score in scorers.items()]
    return Study(tuple(reproduced(folder)), tuple(expected), tuple(chosen), tuple(over_linear), tuple(rows))


def study_embeddings(
    folder: Path, embeddings: Path, encoder: str, seed: int
) -> tuple[list[Scored], dict[Task, Scorer]]:
    """What an encoder's embeddings are worth: their plain cosine, and the projection learned from the labels.

    Args:
        folder: of the published labels.
        embeddings: a folder in the published format.
        encoder: the first part of its file names.
        seed: of bootstraps and of the training.

    Returns:
        Two rows a task, and the trained scorers as the learned flavour reads them.

    Raises:
        TruthRefused: labels or embeddings are not there, or not as published.
    """
    rows: list[Scored] = []
    scorers: dict[Task, Scorer] = {}
    for task in TASKS:
        fitted_on, validation, test = (read_pairs(folder, task, split) for split in ("train", "validation", "test"))
        titles = {str(title) for pairs in (fitted_on, validation, test) for title in np.unique(pairs.title)}
        known = read_embeddings(embeddings, encoder, titles)
        learned = train(fitted_on, validation, known, PUBLISHED[task], seed)
        scorers[task] = learned.scorer
        ways: dict[str, Score] = {
            f"{encoder}, cosine": partial(_cosine, known),
            f"{encoder}, metric learning": partial(learned.score, embeddings=known),
        }
        rows += [scored(task, name, validation, test, score, seed) for name, score in ways.items()]
    return rows, scorers


def scored(task: Task, name: str, validation: LabelledPairs, test: LabelledPairs, score: Score, seed: int) -> Scored:
    """A scorer's row."""
    scores = score(test)
    units = by_title(test.title, test.label, scores)
    against = by_title(test.title, test.label, scores, test.silhouette) if task == "frame" else None
    return Scored(
        task,
        name,
        average_precision(validation.label, score(validation)),
        ap_interval(units, seed, ROUNDS),
        over_random(units, seed),
        ap_gain(against, seed, ROUNDS) if against else None,
        precision_at(test.label, scores, TOP),
    )


def over_random(units: Sequence[TitleScores], seed: int) -> Interval:
    """AP minus the expected AP of drawn scores; in every draw of titles with newly drawn scores against it."""
    rng = np.random.default_rng(seed)

    def gain(drawn: Sequence[TitleScores]) -> float:
        labels = np.concatenate([unit.labels for unit in drawn])
        ours = average_precision(labels, np.concatenate([unit.scores[0] for unit in drawn]))
        return ours - average_precision(labels, rng.random(len(labels)))

    found = bootstrap(units, gain, seed, ROUNDS)
    labels, scores = (np.concatenate(parts) for parts in zip(*((u.labels, u.scores[0]) for u in units), strict=True))
    return Interval(average_precision(labels, scores) - random_ap(labels, seed)[0], found.low, found.high)


def _unfitted(task: Task) -> Mapping[str, Score]:
    """Single facts as scores, nothing fitted."""
    facts: dict[str, Score] = {
        "farther apart first": lambda pairs: np.asarray(pairs.start2 - pairs.end1),
        "similar durations first": lambda pairs: (
            -np.abs(np.log((pairs.end1 - pairs.start1) / (pairs.end2 - pairs.start2)))
        ),
    }
    if task == "frame":
        facts["published silhouette overlap"] = lambda pairs: pairs.silhouette
    return facts


def _without_silhouette(train: LabelledPairs, chosen: Candidate) -> Mapping[str, Score]:
    """The chosen candidate without the overlap, if it has it: what times and durations alone give."""
    times = tuple(one for one in chosen.features if not one.startswith("silhouette"))
    if times == chosen.features:
        return {}
    return {"the chosen one without silhouettes": fit(train, replace(chosen, features=times)).score}


def _cosine(known: Embeddings, pairs: LabelledPairs) -> Scores:
    return cosine_scores(*pair_vectors(pairs, known))
