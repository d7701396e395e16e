"""A block: the best pairs of shots of two titles in one flavour, both ways, and the floor below which it knows nothing.

Shots of the two are numbered jointly: those of the title in whose file the block lies first, then its partner's. A
title's block with itself has each pair once.

Pairs stand in the order (final score descending, first score descending, row, column), and a place in that order is the
two scores of a pair. The floor is such a place: a pair that the block does not hold stands no higher. A block whose
floor is `NOTHING` holds every pair whose first score is above 0: others are no pairs at all.
"""

from dataclasses import dataclass

import numpy as np

from mediaml_assets.matching.pairs.scan import Indices, Scores

Place = tuple[float, float]
"""Final and first score."""

NOTHING: Place = (-np.inf, -np.inf)


@dataclass(frozen=True)
class Block:
    """The pairs above the floor, in order.

    rows, cols: int64 [p], shot whose tail and shot whose head is used, in the joint numbering of the two titles.
    final: float64 [p], the flavour's own score.
    first: float64 [p], the first score; `final` itself when the flavour does not re-rank.
    floor: see above.
    depth: no fewer pairs of each direction than were looked at; what a deeper block must exceed. They may be more than
        the block holds: what is re-ranked to below the floor is not kept.
    """

    rows: Indices
    cols: Indices
    final: Scores
    first: Scores
    floor: Place
    depth: int

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.rows)


def block_above(rows: Indices, cols: Indices, final: Scores, first: Scores, floor: Place, depth: int) -> Block:
    """The block of what was looked at: what stands no higher than the floor may have unknown pairs before it."""
    above = (final > floor[0]) | ((final == floor[0]) & (first > floor[1]))
    rows, cols, final, first = (part[above] for part in (rows, cols, final, first))
    order = np.lexsort((cols, rows, -first, -final))
    return Block(rows[order], cols[order], final[order], first[order], floor, depth)
