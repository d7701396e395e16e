"""Scores that mean the same in every flavour and for any titles: how rarely unrelated shots score as high.

A flavour's own score says little by itself: an intersection over union of 0.8 is rare, a cosine of 0.8 between colour
histograms is not. Its curve maps it to what it is worth: `MEANING` says which share of ordered pairs of unrelated shots
(of different works) scores at least as high, so that 0.9 is one pair in a million in each flavour. Shares are counted
down to `COUNTED`; rarer ones come from a generalised Pareto distribution fitted to the pairs above `TAIL` (Pickands,
Annals of Statistics 1975) by probability-weighted moments (Hosking and Wallis, Technometrics 1987).

A curve is monotone, belongs to one version of a flavour, and is applied when stored scores are read.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from mediaml_assets.errors import FeatureError

Scores = NDArray[np.float64]

CURVES = "calibration.json"
MEANING: Mapping[float, float] = {0.2: 1e-1, 0.4: 1e-2, 0.6: 1e-3, 0.75: 1e-4, 0.85: 1e-5, 0.9: 1e-6}
"""Calibrated score -> share of unrelated pairs that score at least as high. 0 is no match, 1 the highest own score."""
TAIL = 1e-2
COUNTED = 1e-3
_LEAST_TAIL = 200  # scores above TAIL from which a distribution is fitted
_APART = 1e-6  # between two knots of a curve, which must rise


@dataclass(frozen=True)
class Curve:
    """A monotone function from a flavour's own scores to calibrated ones: straight lines between knots.

    version: of the flavour whose scores it maps.
    own, calibrated: its knots, rising from 0 to 1.
    pairs: how many unrelated pairs it was made from.
    """

    version: str
    own: tuple[float, ...]
    calibrated: tuple[float, ...]
    pairs: int

    def __call__(self, scores: Scores) -> Scores:
        """Calibrated scores, float64 in [0, 1], of own scores."""
        return np.asarray(np.interp(scores, self.own, self.calibrated), np.float64)


def calibrated(flavour: str, version: str, scores: Scores) -> Scores:
    """What own scores of a flavour, float64 [p] in [0, 1], are worth; never changes their order.

    Raises:
        FeatureError: there is no curve for this version of the flavour.
    """
    curve = curves().get(flavour)
    if curve is None or curve.version != version:
        raise FeatureError(
            f"the scores of version {version} of the flavour {flavour} have no calibration; make one with "
            "`make bench NAME=calibration WRITE=1`"
        )
    return curve(scores)


@cache
def curves() -> Mapping[str, Curve]:
    """The curve of each flavour."""
    stored = json.loads(files(__package__).joinpath(CURVES).read_text(encoding="utf-8"))
    return {
        name: Curve(one["version"], tuple(one["own"]), tuple(one["calibrated"]), one["pairs"])
        for name, one in stored.items()
    }


def fitted(version: str, unrelated: Scores) -> Curve:
    """The curve of a flavour whose scores of ordered pairs of unrelated shots are these, float64 [n] in [0, 1].

    Raises:
        FeatureError: there are too few pairs to know what is rare.
    """
    ranked = np.sort(unrelated)
    threshold = _quantile(ranked, TAIL)
    beyond = ranked[ranked > threshold] - threshold
    if len(beyond) < _LEAST_TAIL:
        raise FeatureError(
            f"{len(ranked)} pairs of unrelated shots are too few to calibrate by: {len(beyond)} of them score above "
            f"the rest, {_LEAST_TAIL} are wanted; take more titles"
        )
    share = len(beyond) / len(ranked)
    shape, scale = _pareto(beyond)
    own = [0.0]
    for wanted in MEANING.values():
        far = threshold + _beyond(wanted / share, shape, scale) if wanted < COUNTED else _quantile(ranked, wanted)
        own.append(float(max(far, own[-1] + _APART)))
    # the highest score is worth most, and knots rise also where rare scores crowd below it
    ceiling = 1 - _APART * np.arange(len(own), 0, -1)
    return Curve(
        version, (*np.round(np.minimum(own, ceiling).clip(0), 6).tolist(), 1.0), (0.0, *MEANING, 1.0), len(ranked)
    )


def _quantile(ranked: Scores, share: float) -> float:
    """The score that this share of the pairs reaches."""
    return float(ranked[max(len(ranked) - max(round(share * len(ranked)), 1), 0)])


def _pareto(beyond: Scores) -> tuple[float, float]:
    """Shape k and scale of a generalised Pareto distribution of sorted exceedances; k > 0 ends at scale / k."""
    count = len(beyond)
    a0 = float(beyond.mean())
    a1 = float((beyond * (count - np.arange(1, count + 1))).sum() / (count * (count - 1)))
    shape = a0 / (a0 - 2 * a1) - 2
    return shape, 2 * a0 * a1 / (a0 - 2 * a1)


def _beyond(share: float, shape: float, scale: float) -> float:
    """How far beyond the threshold this share of the exceedances reaches."""
    return scale / shape * (1 - share**shape) if abs(shape) > 1e-9 else -scale * float(np.log(share))
