"""Average precision of a ranking, equal scores taken together, and its spread when nothing is known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mediaml_assets.evaluation.intervals import Interval, bootstrap

Labels = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]


def average_precision(labels: Labels, scores: Scores) -> float:
    """Sum over the distinct scores, from the highest, of the recall gained there times the precision reached there.

    Pairs of one score are one step: the order of rows never matters. Equals scikit-learn's `average_precision_score`.

    Args:
        labels: bool [n].
        scores: float64 [n], higher ranks first; none may be NaN.

    Returns:
        In [0, 1]; NaN without a positive.
    """
    positives = int(labels.sum())
    if not positives:
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
    right = np.cumsum(labels[order])[last]
    return float(np.sum(np.diff(right, prepend=0) / positives * right / (last + 1)))


@dataclass(frozen=True)
class TitleScores:
    """What stands for one title in a bootstrap: its labels, bool [n], and one or several scorers' scores [n]."""

    labels: Labels
    scores: tuple[Scores, ...]


def by_title(titles: npt.NDArray[np.str_], labels: Labels, *scores: Scores) -> list[TitleScores]:
    """Rows of pairs grouped by their title, titles in order of name."""
    groups = [np.flatnonzero(titles == name) for name in np.unique(titles)]
    return [TitleScores(labels[rows], tuple(one[rows] for one in scores)) for rows in groups]


def ap_interval(units: Sequence[TitleScores], seed: int, rounds: int = 1000) -> Interval:
    """AP of all pairs of all titles together, with its interval over titles."""
    return bootstrap(units, lambda drawn: _pooled(drawn, 0), seed, rounds)


def ap_gain(units: Sequence[TitleScores], seed: int, rounds: int = 1000) -> Interval:
    """AP of the first scorer minus that of the second, on the same drawn titles: the paired bootstrap by title."""
    return bootstrap(units, lambda drawn: _pooled(drawn, 0) - _pooled(drawn, 1), seed, rounds)


def random_ap(labels: Labels, seed: int, draws: int = 200) -> tuple[float, float]:
    """Mean and standard deviation of the AP of scores that are drawn, over draws: what knowing nothing gives.

    One draw says little: it is a few hundredths above the share of positives, and as much apart from the next.
    """
    rng = np.random.default_rng(seed)
    found = [average_precision(labels, rng.random(len(labels))) for _ in range(draws)]
    return float(np.mean(found)), float(np.std(found))


def precision_at(labels: Labels, scores: Scores, k: int) -> float:
    """Share of positives among the k highest scores (ties in the order of rows)."""
    return float(labels[np.argsort(-scores, kind="stable")[:k]].mean())


def _pooled(units: Sequence[TitleScores], scorer: int) -> float:
    labels = np.concatenate([unit.labels for unit in units])
    return average_precision(labels, np.concatenate([unit.scores[scorer] for unit in units]))
