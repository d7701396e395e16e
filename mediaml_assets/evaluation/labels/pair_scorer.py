"""A pair scorer fitted on the labels from what is known without a picture: times, durations, and the published overlap.

A logistic regression over z-scored features of a pair, with an L2 penalty: linear, or with all squares and products (a
response surface of second degree), or bent at knots (an additive model of hinge functions, as in MARS: Friedman 1991,
with the knots at fixed quantiles). Candidates are fitted on train, the best on validation is chosen, and test is asked
once for that one. Of a pair it sees `LabelledPairs` alone, which do not hold how the pair was sampled; nor is a feature
made from the pool of labelled pairs (ranks among a title's pairs, how often a shot occurs), which tells the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Literal

import numpy as np

from mediaml_assets.evaluation.labels.average_precision import Scores, average_precision
from mediaml_assets.evaluation.labels.pairs import LabelledPairs, Numbers, Task

STEPS = 50  # of Newton's method, which needs about eight
CONVERGED = 1e-8
KNOTS = (0.1, 0.3, 0.5, 0.7, 0.9)  # quantiles of a feature at which it may bend
TENTH = 0.1  # seconds added to a duration before its logarithm

FEATURES: Mapping[str, Callable[[LabelledPairs], Numbers]] = {
    "log_gap": lambda p: np.log1p(np.maximum(p.start2 - p.end1, 0)),
    "log_shots_between": lambda p: np.log(p.shot2 - p.shot1),
    "log_length_between": lambda p: np.log((p.end2 - p.start1) / (p.shot2 - p.shot1 + 1)),
    "log_durations": lambda p: np.log(p.end1 - p.start1 + TENTH) + np.log(p.end2 - p.start2 + TENTH),
    "log_ratio": lambda p: np.abs(np.log((p.end1 - p.start1 + TENTH) / (p.end2 - p.start2 + TENTH))),
    "shorter": lambda p: np.minimum(p.end1 - p.start1, p.end2 - p.start2),
    "log_shorter": lambda p: np.log(np.minimum(p.end1 - p.start1, p.end2 - p.start2) + TENTH),
    "log_longer": lambda p: np.log(np.maximum(p.end1 - p.start1, p.end2 - p.start2) + TENTH),
    "silhouette": lambda p: p.silhouette,
    "silhouette_squared": lambda p: p.silhouette**2,
}
"""Name -> the feature of n pairs, float64 [n]. Times are in seconds."""

TIMES: Mapping[str, tuple[str, ...]] = {
    "gap and durations": ("log_gap", "log_durations", "log_ratio", "shorter"),
    "and shots between": ("log_gap", "log_shots_between", "log_durations", "log_ratio", "shorter"),
    "shorter and longer": ("log_gap", "log_shots_between", "log_shorter", "log_longer"),
    "and shot length": ("log_gap", "log_shots_between", "log_shorter", "log_longer", "log_length_between"),
}
Shape = Literal["linear", "quadratic", "hinges"]
SHAPES: tuple[Shape, ...] = ("linear", "quadratic", "hinges")
PENALTIES = (1.0, 10.0)


@dataclass(frozen=True)
class Candidate:
    """One way to score: features, what is made of them, and the weight of the L2 penalty."""

    name: str
    features: tuple[str, ...]
    shape: Shape
    penalty: float


@dataclass(frozen=True)
class PairScorer:
    """A fitted candidate.

    features: mean and deviation of the d features, [2, d]; terms: those of the e terms made of them, [2, e].
    knots: where the z-scored features may bend, [5, d].
    """

    candidate: Candidate
    features: Numbers
    knots: Numbers
    terms: Numbers
    weights: Numbers
    intercept: float

    def score(self, pairs: LabelledPairs) -> Scores:
        """How likely each pair is a match, as log odds: float64 [n]; higher is better."""
        scaled = _scaled(_values(pairs, self.candidate.features), self.features)
        values = _terms(scaled, self.candidate.shape, self.knots)
        return np.asarray(_scaled(values, self.terms) @ self.weights + self.intercept, np.float64)


@dataclass(frozen=True)
class Choice:
    """The scorer that was chosen, and every candidate's AP on validation, in the order of `candidates`."""

    scorer: PairScorer
    validation: tuple[tuple[Candidate, float], ...]


def candidates(task: Task) -> list[Candidate]:
    """What is tried, the simplest first; frame pairs have the overlap of silhouettes as well."""
    overlap = ("silhouette", "silhouette_squared") if task == "frame" else ()
    tried = []
    for name, times in TIMES.items():
        for shape in SHAPES:
            # other shapes have the square, or what does for it
            features = (*times, *(overlap if shape == "linear" else overlap[:1]))
            tried += [Candidate(name, features, shape, penalty) for penalty in PENALTIES]
    return tried


def choose(train: LabelledPairs, validation: LabelledPairs, tried: Sequence[Candidate]) -> Choice:
    """Fit each candidate on train and take the one with the best AP on validation, of equal ones the first."""
    fitted = [fit(train, one) for one in tried]
    aps = [average_precision(validation.label, one.score(validation)) for one in fitted]
    return Choice(fitted[int(np.argmax(aps))], tuple(zip(tried, aps, strict=True)))


def fit(pairs: LabelledPairs, candidate: Candidate) -> PairScorer:
    """The weights of largest penalised likelihood: sum of log losses + penalty / 2 x |weights|^2, by Newton's method.

    The loss is convex and the penalty above 0, so there is one answer, the same at every run.
    """
    raw = _values(pairs, candidate.features)
    features = _scale(raw)
    scaled = _scaled(raw, features)
    knots = np.quantile(scaled, KNOTS, axis=0)
    values = _terms(scaled, candidate.shape, knots)
    terms = _scale(values)
    design = np.column_stack([_scaled(values, terms), np.ones(len(values))])
    penalty = np.full(design.shape[1], candidate.penalty)
    penalty[-1] = 0.0
    weights = np.zeros(design.shape[1])
    for _ in range(STEPS):
        likely = 1 / (1 + np.exp(-design @ weights))
        slope = design.T @ (likely - pairs.label) + penalty * weights
        curvature = (design * (likely * (1 - likely))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, slope)
        weights -= step
        if np.abs(step).max() < CONVERGED:
            break
    return PairScorer(candidate, features, knots, terms, weights[:-1], float(weights[-1]))


def _values(pairs: LabelledPairs, names: Sequence[str]) -> Numbers:
    return np.column_stack([FEATURES[name](pairs) for name in names])


def _terms(values: Numbers, shape: Shape, knots: Numbers) -> Numbers:
    """The features, and after them their squares and products, or how far they are beyond each knot."""
    if shape == "linear":
        return values
    if shape == "quadratic":
        places = combinations_with_replacement(range(values.shape[1]), 2)
        return np.column_stack([values, *(values[:, a] * values[:, b] for a, b in places)])
    return np.column_stack([values, *(np.maximum(values - knot, 0) for knot in knots)])


def _scale(values: Numbers) -> Numbers:
    return np.stack([values.mean(axis=0), np.maximum(values.std(axis=0), 1e-9)])


def _scaled(values: Numbers, scale: Numbers) -> Numbers:
    return np.asarray((values - scale[0]) / scale[1], np.float64)
