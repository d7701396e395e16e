"""The first threshold: a guess from a random sub-block of all pairs, and a proof afterwards that it was low enough."""

from collections.abc import Callable
from math import ceil

import numpy as np

from mediaml_assets.matching.pairs.pool import Pool
from mediaml_assets.matching.pairs.products import Multiply
from mediaml_assets.matching.pairs.vectors import Indices, Ranked, longest, rounding

SAMPLE = 1024


def first_pairs(pool: Pool, rows: Indices, cols: Indices, multiply: Multiply, scan: Callable[[], None]) -> Ranked:
    """The first pairs of all those that `scan` offers to the pool when it looks at every pair of rows x cols once.

    Of p wanted pairs, a random share s of all pairs holds about s p. The guess is the sample's score of rank
    2 s p + 16: nearly always some 2 p pairs reach it, where the sample's p-th score would let p / s through. When fewer
    than p do, the scan is made once more from the latter, which is safe.
    """
    counts = [min(SAMPLE, ceil(side.size / 4)) for side in (rows, cols)]
    guess = 2 * ceil(pool.depth * counts[0] * counts[1] / (rows.size * cols.size)) + 16
    random = np.random.default_rng(0)
    sample = [side[random.permutation(side.size)[:count]] for side, count in zip((rows, cols), counts, strict=True)]
    block = np.empty(counts, np.float32)
    left, right = pool.out[sample[0]], pool.in_[sample[1]]
    multiply(left, right, block)
    error = rounding(left.shape[1], longest(left) * longest(right))
    for rank in (guess, pool.depth):
        first = pool.start(pool.rank_of(min(rank, pool.depth), block, sample[0], sample[1], error) - error)
        scan()
        ranked = pool.ranked()
        if rank >= pool.depth or pool.holds(first, ranked):
            break
    return ranked
