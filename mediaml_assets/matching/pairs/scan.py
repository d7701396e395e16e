"""The best ordered pairs of two sets of vectors, by blocks of a product and one rising threshold: exact, whatever runs.

All n x m pairs are looked at block by block; those that reach the running threshold go to a pool, the rest is
forgotten, so that memory is bounded by the block. A block is looked at in the cheapest way that loses nothing:

1. Not at all, when the longest tail times the longest head is below the threshold (Cauchy-Schwarz).
2. In int8: x = s q + r with |r| <= e, row by row, so that |o . i - so si (qo . qi)| <= eo |i| + (|o| + eo) ei, and one
   integer decides what of a block may reach the threshold. What may is scored exactly.
3. In float32, lowered by the rounding error, while the threshold is lower than the slack of the codes or lets too much
   through, and where no int8 product is to be had.

The first threshold is a guess from a random sub-block of the pairs; when fewer pairs reach it than are wanted, the scan
is made again from a threshold that enough pairs of the sub-block reach. The pool's pairs are scored in float64 by one
fixed kernel and sorted by (score descending, row, column). The answer therefore depends neither on the library that
multiplies, nor on the number of threads, nor on their timing.
"""

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from math import ceil

import numpy as np
from numpy.typing import NDArray

from mediaml_assets.matching.pairs.pool import Pool
from mediaml_assets.matching.pairs.products import BY_NUMPY, Products, by_torch
from mediaml_assets.matching.pairs.side import Side
from mediaml_assets.matching.pairs.vectors import (
    AT_ONCE,
    Excluded,
    Indices,
    Place,
    Ranked,
    Scores,
    Vectors,
    exact_scores,
    longest,
    rounding,
)

__all__ = ["Excluded", "Indices", "Place", "Ranked", "Scores", "Vectors", "best_pairs", "exact_scores", "longest"]

BLOCK_ROWS, BLOCK_COLS = 1024, 2048
SAMPLE = 1024
# products below so many multiplications take less time in NumPy than importing torch takes, or than calling it
NUMPY_IS_ENOUGH, NUMPY_IS_AS_FAST = 2**33, 2**26
_TOO_MANY = 64  # one in so many pairs of a block through the int8 screen, and float32 would have been faster
_PATIENCE = 63  # blocks until the int8 screen is tried again, at most


def best_pairs(
    out: Vectors,
    in_: Vectors,
    rows: Indices,
    cols: Indices,
    depth: int,
    *,
    excluded: Excluded | None = None,
    above: float = -np.inf,
    after: Place | None = None,
    threads: int | None = None,
) -> Ranked:
    """The first `depth` pairs of some rows of `out` with some rows of `in_`, or all there are.

    Args:
        out: float32 [n, d], finite.
        in_: float32 [m, d], finite.
        rows: the rows of `out` that take part, int64.
        cols: the rows of `in_` that take part, int64.
        depth: how many pairs are wanted, at least 1.
        excluded: says which of the pairs (rows, cols) are left out; called from several threads.
        above: only pairs with a higher score than this.
        after: only pairs that come after this (score, row, column) in the order.
        threads: one-thread workers for large products; the default is one for each core of this process.
    """
    if not rows.size or not cols.size:
        return Ranked(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    size, width = rows.size * cols.size, out.shape[1]
    left, right = Side.of(out, rows), Side.of(in_, cols)
    error = rounding(width, float(left.norms.max() * right.norms.max()))
    pool = Pool(out, in_, min(depth, size), excluded, above, after, error)
    if size * width <= (NUMPY_IS_AS_FAST if "torch" in sys.modules else NUMPY_IS_ENOUGH):
        return _Scan(left, right, pool, BY_NUMPY, workers=1).ranked()
    with by_torch(width) as products:
        return _Scan(left, right, pool, products, threads or len(os.sched_getaffinity(0))).ranked()


@dataclass
class _Scan:
    """All blocks of a product, on this machine's cores."""

    out: Side
    in_: Side
    pool: Pool
    products: Products
    workers: int
    waiting: int = 0  # blocks until the int8 screen is tried again
    failed: int = 0  # how long that was after it failed last

    def ranked(self) -> Ranked:
        """The first pairs: from a guessed threshold, and if that was too high, from one that is low enough."""
        depth, size = self.pool.depth, len(self.out) * len(self.in_)
        rows, cols = (min(SAMPLE, ceil(len(side) / 4)) for side in (self.out, self.in_))
        guess = min(depth, 2 * ceil(depth * rows * cols / size) + 16)
        for rank in (guess, depth):
            first = self.pool.start(self._sampled(rows, cols, rank))
            self._all_blocks()
            ranked = self.pool.ranked()
            if rank == depth or self.pool.holds(first, ranked):
                break
        return ranked

    def _sampled(self, count_rows: int, count_cols: int, rank: int) -> float:
        """The score of this rank, from 1, of a random sub-block, as float32 gave it; -inf when it has fewer."""
        random = np.random.default_rng(0)
        ids = [
            side.ids[random.permutation(len(side))[:count]]
            for side, count in ((self.out, count_rows), (self.in_, count_cols))
        ]
        block = np.empty((count_rows, count_cols), np.float32)
        self.products.multiply(self.out.vectors[ids[0]], self.in_.vectors[ids[1]], block)
        return self.pool.rank_of(rank, block, ids[0], ids[1])

    def _all_blocks(self) -> None:
        """Every block once; `workers` threads take the next one in turn, each with a buffer of its own."""
        starts = (range(0, len(self.out), BLOCK_ROWS), range(0, len(self.in_), BLOCK_COLS))
        blocks = product(*starts)  # CPython hands each item to one thread only
        if self.workers == 1:
            self._take_blocks(blocks)
            return
        with ThreadPoolExecutor(self.workers) as threads:
            if self.products.multiply_codes is not None:
                list(threads.map(lambda side: side.codes, (self.out, self.in_)))
            for done in [threads.submit(self._take_blocks, blocks) for _ in range(self.workers)]:
                done.result()

    def _take_blocks(self, blocks: Iterator[tuple[int, int]]) -> None:
        self.products.begin()
        buffer = np.empty(BLOCK_ROWS * BLOCK_COLS, np.int32)
        last, left = -1, np.empty((0, 0), np.float32)
        for row, col in blocks:
            limit = self.pool.limit
            rows, cols = slice(row, row + BLOCK_ROWS), slice(col, col + BLOCK_COLS)
            if self.out.norms[rows].max() * self.in_.norms[cols].max() < limit:
                continue
            found = self._by_codes(rows, cols, limit, buffer)
            if found is not None:
                self.pool.offer(self.out.ids[found[0]], self.in_.ids[found[1]])
                continue
            if row != last:
                last, left = row, self.out.block(row, row + BLOCK_ROWS)
            self._by_float32(left, rows, cols, buffer)

    def _by_codes(
        self, rows: slice, cols: slice, limit: float, buffer: NDArray[np.int32]
    ) -> tuple[Indices, Indices] | None:
        """What of a block may reach the limit, as places in both sides; None when float32 tells faster."""
        if self.products.multiply_codes is None or limit <= 0:
            return None
        if self.waiting > 0:
            self.waiting -= 1
            return None
        o, i = self.out.codes, self.in_.codes
        o_norm, i_norm = self.out.norms[rows], self.in_.norms[cols]
        o_error, i_error = o.errors[rows], i.errors[cols]
        slack = o_error.max() * i_norm.max() + (o_norm.max() + o_error.max()) * i_error.max()
        if limit <= slack:
            return None
        # a pair that reaches the limit has so si (qo . qi) >= limit - slack > 0; the largest scales keep them all
        least = (limit - slack) / (o.scales[rows].max() * i.scales[cols].max()) * (1 - 1e-12)
        block = buffer[: o_error.size * i_error.size].reshape(o_error.size, i_error.size)
        self.products.multiply_codes(o.codes[rows], i.codes[cols], block)
        places = np.flatnonzero(block.ravel() >= min(ceil(least), 2**31 - 1))
        if places.size > block.size // _TOO_MANY:
            self.failed = self.waiting = min(2 * self.failed + 1, _PATIENCE)
            return None
        self.failed = 0
        r, c = places // i_error.size, places % i_error.size
        slacks = o_error[r] * i_norm[c] + (o_norm[r] + o_error[r]) * i_error[c]
        scores = block.ravel()[places] * (o.scales[rows][r] * i.scales[cols][c])
        keep = scores + slacks >= limit - 1e-12 * abs(limit)
        return r[keep] + rows.start, c[keep] + cols.start

    def _by_float32(self, left: Vectors, rows: slice, cols: slice, buffer: NDArray[np.int32]) -> None:
        right = self.in_.block(cols.start, cols.stop)
        block = buffer.view(np.float32)[: len(left) * len(right)].reshape(len(left), len(right))
        self.products.multiply(left, right, block)
        scores = block.ravel()
        found = np.flatnonzero(scores >= self.pool.limit32())
        for start in range(0, found.size, AT_ONCE):
            part = found[start : start + AT_ONCE]
            part = part[scores[part] >= self.pool.limit32()]
            r, c = part // len(right) + rows.start, part % len(right) + cols.start
            self.pool.offer(self.out.ids[r], self.in_.ids[c], scores[part])
