"""Shot boundaries from a frame tape: cuts, fades, dissolves.

No weights and no decoding. The ingredients are classical: an adaptive frame difference (its ratio to the differences
around it, plain and after block matching, so that neither fast cameras nor fine textures count as cuts), a flash test
(what was there before comes back), runs of black and of plain colour, and the bend of the variance in a dissolve.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from mediaml_assets.features.detectors.boundary import Boundary
from mediaml_assets.features.detectors.cuts import cuts
from mediaml_assets.features.detectors.dissolves import dissolves
from mediaml_assets.features.detectors.fades import fades
from mediaml_assets.features.detectors.tape_signals import ActiveTape, Signals
from mediaml_assets.features.detectors.wipes import wipes

LEAST_SHOT = 5  # frames between two boundaries
APART = 2  # frames that a cut keeps from a fade, and a dissolve from either


def boundaries(tape: ActiveTape, found: Signals) -> list[Boundary]:
    """Every boundary inside the film, in order, at least `LEAST_SHOT` frames apart.

    Fades come before cuts, which are the edges of their black too, and both before wipes and dissolves; of two that
    overlap the surer one stays.
    """
    kept = apart(fades(tape, found), [cuts(tape, found), wipes(tape), dissolves(tape, found)])
    spaced: list[Boundary] = []
    for boundary in sorted(kept, key=lambda one: one.at):
        if boundary.at - (spaced[-1].at if spaced else 0) >= LEAST_SHOT:
            spaced.append(boundary)
    return spaced


def apart(first: Sequence[Boundary], others: Iterable[Sequence[Boundary]]) -> list[Boundary]:
    """All of `first`, and of each of the others in turn, the surer ones before, those that touch none kept before."""
    kept, taken = [], np.zeros(0, np.bool_)
    for group in (first, *others):
        ordered = group if group is first else sorted(group, key=lambda boundary: -boundary.confidence)
        taken = np.pad(taken, (0, max([0, *(_reach(one).stop - len(taken) for one in ordered)])))
        for one in ordered:
            if group is first or not taken[_reach(one)].any():
                kept.append(one)
                taken[_reach(one)] = True
    return kept


def _reach(one: Boundary) -> slice:
    """Two transitions overlap, or nearly do, when these frames of theirs do."""
    return slice(min(one.start, one.at), max(one.end, one.at) + APART + 1)
