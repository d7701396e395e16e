"""Found boundaries against labels: greedy one-to-one matching, and F1 of counts.

A boundary is right within 1 frame of a cut, or from 2 frames before a gradual transition to 2 after it. Cuts choose
first, each the nearest boundary that is left, then gradual transitions the one nearest to their middle. What lies where
nothing is scored is left out: labels there, and boundaries that matched none.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.boundaries.labels import Label, Labels

CUT_SLACK, GRADUAL_SLACK = 1, 2  # frames
RESAMPLES = 2_000


@dataclass(frozen=True)
class Counts:
    """Boundaries that are true and found, found but not true, and true but not found."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)

    @property
    def precision(self) -> float:
        """Share of what was found that is true."""
        return self.right / max(self.right + self.wrong, 1)

    @property
    def recall(self) -> float:
        """Share of what is true that was found."""
        return self.right / max(self.right + self.missed, 1)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.right / max(2 * self.right + self.wrong + self.missed, 1)


@dataclass(frozen=True)
class Score:
    """What became of a film's labels and of the boundaries found in it."""

    found: tuple[Label, ...]
    missed: tuple[Label, ...]
    wrong: tuple[int, ...]
    in_gradual: tuple[int, ...]
    """Those of `wrong` that lie inside a gradual transition."""

    @property
    def all(self) -> Counts:
        """Of all transitions."""
        return Counts(len(self.found), len(self.wrong), len(self.missed))

    @property
    def hard(self) -> Counts:
        """Of cuts alone; what lies inside a gradual transition is neither right nor wrong."""
        right, missed = (sum(one.is_hard for one in labels) for labels in (self.found, self.missed))
        return Counts(right, len(set(self.wrong) - set(self.in_gradual)), missed)

    def recalls(self) -> dict[str, tuple[int, int]]:
        """Kind of transition -> (found, true)."""
        found, missed = (Counter(one.kind for one in labels) for labels in (self.found, self.missed))
        return {kind: (found[kind], found[kind] + missed[kind]) for kind in sorted({*found, *missed})}


def score(found: Sequence[int], labels: Labels) -> Score:
    """Match found boundaries (first frames of new shots) with labels."""
    left = sorted(set(found))
    wanted = [one for one in labels.every if not _inside(one.start, labels.ignored)]
    right: list[Label] = []
    for label in sorted(wanted, key=lambda one: not one.is_hard):
        near = [at for at in left if fits(at, label)]
        if near:
            middle = label.start if label.is_hard else (label.start + label.end) / 2
            left.remove(min(near, key=lambda at: abs(at - middle)))
            right.append(label)
    left = [at for at in left if not _inside(at, labels.ignored)]
    gradual = [one for one in wanted if not one.is_hard]
    inside = tuple(at for at in left if any(fits(at, one) for one in gradual))
    return Score(tuple(right), tuple(one for one in wanted if one not in right), tuple(left), inside)


def fits(at: int, label: Label) -> bool:
    """Whether a boundary found at a frame is near enough to a true one."""
    if label.is_hard:
        return abs(at - label.start) <= CUT_SLACK
    return label.start - GRADUAL_SLACK <= at <= label.end - 1 + GRADUAL_SLACK


def difference_interval(ours: Sequence[Counts], theirs: Sequence[Counts], seed: int) -> tuple[float, float]:
    """The 95 % interval of the difference of F1 of all films together, by a paired bootstrap over films."""
    counts = np.array([[(c.right, c.wrong, c.missed) for c in one] for one in (ours, theirs)], np.int64)
    draws = np.random.default_rng(seed).integers(0, len(ours), (RESAMPLES, len(ours)))
    right, wrong, missed = np.moveaxis(counts[:, draws].sum(axis=2), -1, 0)
    f1 = 2 * right / np.maximum(2 * right + wrong + missed, 1)
    low, high = np.percentile(f1[0] - f1[1], (2.5, 97.5))
    return float(low), float(high)


def _inside(at: int, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(start <= at < end for start, end in ranges)
