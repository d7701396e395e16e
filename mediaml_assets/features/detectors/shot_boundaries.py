"""Shot boundaries from a frame tape: cuts, fades, dissolves.

No weights and no decoding. The ingredients are classical: an adaptive frame difference (its ratio to the differences
around it, plain and after block matching, so that neither fast cameras nor fine textures count as cuts), a flash test
(what was there before comes back), runs of black and of plain colour, and the bend of the variance in a dissolve.
"""

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
    kept = fades(tape, found)
    for others in (cuts(tape, found), wipes(tape), dissolves(tape, found)):
        for one in sorted(others, key=lambda boundary: -boundary.confidence):
            if all(not _touches(one, other) for other in kept):
                kept.append(one)
    spaced: list[Boundary] = []
    for boundary in sorted(kept, key=lambda one: one.at):
        if boundary.at - (spaced[-1].at if spaced else 0) >= LEAST_SHOT:
            spaced.append(boundary)
    return spaced


def _touches(one: Boundary, other: Boundary) -> bool:
    """Whether two boundaries' transitions overlap or nearly do."""
    starts, ends = (min(b.start, b.at) for b in (one, other)), (max(b.end, b.at) for b in (one, other))
    return max(starts) <= min(ends) + APART
