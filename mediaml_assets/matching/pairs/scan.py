"""The best ordered pairs of two sets of vectors, by blocks of a product and one rising threshold: exact, whatever runs.

All n x m pairs are looked at block by block; those that reach the running threshold go to a pool, the rest is
forgotten, so that memory is bounded by the block. A block is looked at in the cheapest way that loses nothing:

1. Not at all, when the longest tail times the longest head is below the threshold (Cauchy-Schwarz).
2. In int8: x = s q + r with s of the block and |r| <= e measured, so that |o . i - so si (qo . qi)| <= eo |i| +
   (|o| + eo) ei, and one integer decides what of a block may reach the threshold. What may is scored exactly.
3. In float32, lowered by the rounding error, while the threshold is lower than the slack of the codes or lets too much
   through, and where no int8 product is to be had.

The pool's pairs are scored in float64 by one fixed kernel and sorted by (score descending, row, column). The answer
therefore depends neither on the library or device that multiplies, nor on the number of threads, nor on their timing.
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

from mediaml_assets.matching.pairs.device import best_pairs_on, cuda
from mediaml_assets.matching.pairs.guess import first_pairs
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
DEVICE_PAYS = 2**35  # multiplications: tenths of a second on a CPU, so much as a CUDA device takes to begin
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

    Large products run on a CUDA device where torch has one (see `device.py`); CUDA_VISIBLE_DEVICES= hides it.
    """
    if not rows.size or not cols.size:
        return Ranked(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    work = rows.size * cols.size * out.shape[1]
    if work >= DEVICE_PAYS and (device := cuda()) is not None:
        return best_pairs_on(device, out, in_, rows, cols, depth, excluded=excluded, above=above, after=after)
    left, right = Side.of(out, rows, BLOCK_ROWS), Side.of(in_, cols, BLOCK_COLS)
    error = rounding(out.shape[1], float(left.norms.max() * right.norms.max()))
    pool = Pool(out, in_, min(depth, rows.size * cols.size), excluded, above, after, error)
    if work <= (NUMPY_IS_AS_FAST if "torch" in sys.modules else NUMPY_IS_ENOUGH):
        return _scanned(_Scan(left, right, pool, BY_NUMPY, workers=1))
    with by_torch(out.shape[1]) as products:
        return _scanned(_Scan(left, right, pool, products, threads or len(os.sched_getaffinity(0))))


def _scanned(scan: "_Scan") -> Ranked:
    return first_pairs(scan.pool, scan.out.ids, scan.in_.ids, scan.products.multiply, scan.all_blocks)


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

    def all_blocks(self) -> None:
        """Every block once; `workers` threads take the next one in turn, each with a buffer of its own."""
        blocks = product(range(len(self.out.norms)), range(len(self.in_.norms)))
        # CPython hands each item of an iterator of C to one thread only
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
        buffer = np.empty(self.out.size * self.in_.size, np.int32)
        last, left = -1, np.empty((0, 0), np.float32)
        for row, col in blocks:
            limit = self.pool.limit
            if self.out.norms[row] * self.in_.norms[col] < limit:
                continue
            if self._by_codes(row, col, limit, buffer):
                continue
            if row != last:
                last, left = row, self.out.block(row)
            self._by_float32(left, row, col, buffer)

    def _by_codes(self, row: int, col: int, limit: float, buffer: NDArray[np.int32]) -> bool:
        """Offer what of a block may reach the limit; False, and nothing offered, when float32 tells faster."""
        if self.products.multiply_codes is None or limit <= 0:
            return False
        if self.waiting > 0:
            self.waiting -= 1
            return False
        o, i = self.out.codes, self.in_.codes
        o_norm, i_norm, o_error, i_error = self.out.norms[row], self.in_.norms[col], o.errors[row], i.errors[col]
        slack = o_error * i_norm + (o_norm + o_error) * i_error
        if limit <= slack:
            return False
        least = ceil((limit - slack) / (o.scales[row] * i.scales[col]) * (1 - 1e-12))
        left, right = (
            side.codes.codes[place * side.size : (place + 1) * side.size]
            for side, place in ((self.out, row), (self.in_, col))
        )
        block = buffer[: len(left) * len(right)].reshape(len(left), len(right))
        self.products.multiply_codes(left, right, block)
        found = np.flatnonzero(block.ravel() >= min(least, 2**31 - 1))
        if found.size > block.size // _TOO_MANY:
            self.failed = self.waiting = min(2 * self.failed + 1, _PATIENCE)
            return False
        self.failed = 0
        self.pool.offer(self.out.part(row)[found // len(right)], self.in_.part(col)[found % len(right)])
        return True

    def _by_float32(self, left: Vectors, row: int, col: int, buffer: NDArray[np.int32]) -> None:
        """Offer what of a block reaches the limit."""
        right = self.in_.block(col)
        block = buffer.view(np.float32)[: len(left) * len(right)].reshape(len(left), len(right))
        self.products.multiply(left, right, block)
        scores = block.ravel()
        found = np.flatnonzero(scores >= self.pool.limit32())
        rows, cols = self.out.part(row), self.in_.part(col)
        for start in range(0, found.size, AT_ONCE):
            part = found[start : start + AT_ONCE]
            part = part[scores[part] >= self.pool.limit32()]
            self.pool.offer(rows[part // len(right)], cols[part % len(right)], scores[part])
