"""95 % intervals: by resampling titles, or of a share of counted things.

Shots of one film are alike, so films are drawn and not shots: with few films the interval is wide, and that is right.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan, sqrt
from typing import TypeVar

import numpy as np

T = TypeVar("T")

ROUNDS = 2000
TAIL = 2.5  # per cent left out on each side
Z = 1.959964  # standard normal, two-sided 95 %


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval [low, high]; NaN bounds where nothing can be said."""

    value: float
    low: float
    high: float


def bootstrap(
    units: Sequence[T], statistic: Callable[[Sequence[T]], float], seed: int, rounds: int = ROUNDS
) -> Interval:
    """The percentile bootstrap of a statistic of units (titles), drawn with repetition (Efron and Tibshirani 1993, 13).

    For a paired difference a unit holds both answers of its title, and the statistic subtracts. Draws in which the
    statistic is NaN (no positive among the drawn titles) are left out.

    Args:
        units: what is drawn; below two units the bounds are NaN.
        statistic: of any number of units, at least one.
        seed: of the draws: the same seed, units and statistic give the same interval.
        rounds: draws.
    """
    value = statistic(units) if units else float("nan")
    if len(units) < 2:
        return Interval(value, float("nan"), float("nan"))
    draws = np.random.default_rng(seed).integers(0, len(units), (rounds, len(units)))
    found = [statistic([units[int(place)] for place in draw]) for draw in draws]
    known = [one for one in found if not isnan(one)]
    if not known:
        return Interval(value, float("nan"), float("nan"))
    low, high = np.percentile(known, [TAIL, 100 - TAIL])
    return Interval(value, float(low), float(high))


def wilson(right: int, of: int) -> Interval:
    """A share of independent counts with Wilson's score interval (1927); NaN when there is nothing to count."""
    if of == 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    share, square = right / of, Z * Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = Z / (1 + square / of) * sqrt(share * (1 - share) / of + square / (4 * of * of))
    return Interval(share, max(middle - half, 0.0), min(middle + half, 1.0))
