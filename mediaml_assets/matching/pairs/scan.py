"""The best ordered pairs of two sets of vectors, by blocks of a matrix product and one rising threshold.

All n x m scores are computed, block by block, in float32; a block's scores at or above the running threshold go to a
pool, the rest is forgotten, so that memory is bounded by the block. The first threshold comes from a random sub-block.
The pool's pairs are scored again in float64 by one fixed kernel and sorted by (score descending, row, column).

Nothing is lost to rounding: a float32 dot product of d terms differs from the true one by at most
gamma_d |x| |y|, gamma_d = d u / (1 - d u), u = 2^-24, in whatever order it is summed (N. J. Higham, Accuracy and
Stability of Numerical Algorithms, 2nd ed., section 3.1), and thresholds are lowered by that much. The answer therefore
depends neither on the library that multiplies, nor on the number of threads, nor on their timing.
"""

import os
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Indices = NDArray[np.int64]
Scores = NDArray[np.float64]
Excluded = Callable[[Indices, Indices], NDArray[np.bool_]]
Place = tuple[float, int, int]
Multiply = Callable[[Vectors, Vectors, NDArray[np.float32]], None]

BLOCK_ROWS, BLOCK_COLS = 1024, 2048
SAMPLE = 2000
# products below this many multiplications take less time in NumPy than importing torch takes
NUMPY_IS_ENOUGH = 2**33
_AT_ONCE = 2**20
_POOL = 2**16


@dataclass(frozen=True)
class Ranked:
    """Pairs sorted by (score descending, row, column): rows, cols int64 [p], scores float64 [p]."""

    rows: Indices
    cols: Indices
    scores: Scores


def exact_scores(out: Vectors, in_: Vectors, rows: Indices, cols: Indices) -> Scores:
    """Float64 dot products of the pairs (rows[p], cols[p]); a pair's score does not depend on its neighbours."""
    scores = np.empty(rows.size, np.float64)
    step = max(1, _AT_ONCE // max(1, out.shape[1]))
    for start in range(0, rows.size, step):
        part = slice(start, start + step)
        left, right = out[rows[part]].astype(np.float64), in_[cols[part]].astype(np.float64)
        np.einsum("pd,pd->p", left, right, out=scores[part])
    return scores


def longest(vectors: Vectors) -> float:
    """The largest Euclidean norm of the rows, 0 when there are none; NaN or infinite when a value is."""
    starts = range(0, vectors.shape[0], BLOCK_ROWS)
    parts = (vectors[start : start + BLOCK_ROWS].astype(np.float64) for start in starts)
    squares = np.array([np.einsum("nd,nd->n", part, part).max() for part in parts])
    return float(np.sqrt(squares.max(initial=0.0)))


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
        rows: the rows of `out` that take part, ascending, int64.
        cols: the rows of `in_` that take part, ascending, int64.
        depth: how many pairs are wanted, at least 1.
        excluded: says which of the pairs (rows, cols) are left out; called from several threads.
        above: only pairs with a higher score than this.
        after: only pairs that come after this (score, row, column) in the order.
        threads: one-thread workers for large products; the default is one for each core of this process.
    """
    if not rows.size or not cols.size:
        return Ranked(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    depth = min(depth, rows.size * cols.size)
    scan = _Scan(_taken(out, rows), _taken(in_, cols), rows, cols, depth, excluded, above, after)
    if rows.size * cols.size * out.shape[1] <= NUMPY_IS_ENOUGH:
        scan.run(_multiply_numpy, workers=1)
    else:
        with _torch_multiply() as multiply:
            scan.run(multiply, workers=threads or len(os.sched_getaffinity(0)))
    return scan.ranked()


@dataclass
class _Scan:
    """One pass over all blocks: the threshold, and the pool of pairs that may still be among the first `depth`."""

    out: Vectors
    in_: Vectors
    row_ids: Indices
    col_ids: Indices
    depth: int
    excluded: Excluded | None
    above: float
    after: Place | None
    limit: float = -np.inf  # a float32 score below it is not among the first `depth`
    error: float = 0.0  # of any pair's float32 score
    room: int = 0  # pairs in the pool before it is shrunk
    pool: list[tuple[Indices, Indices, NDArray[np.float32]]] = field(default_factory=list)
    pooled: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Bound the float32 error of any pair's score; products that underflow are covered by the last term."""
        self.room = max(_POOL, 8 * self.depth)
        d = self.out.shape[1]
        self.error = 1.01 * d * 2.0**-24 * longest(self.out) * longest(self.in_) + (d + 1) * 2.0**-120

    def run(self, multiply: Multiply, workers: int) -> None:
        """Scan every block; `workers` threads take row blocks in turn, each with its own buffer."""
        self.limit = max(self._seed(multiply), self.above - self.error)
        starts = iter(range(0, self.out.shape[0], BLOCK_ROWS))  # CPython hands each item to one thread only
        if workers == 1:
            self._scan_rows(multiply, starts)
            return
        with ThreadPoolExecutor(workers) as pool:
            for done in [pool.submit(self._scan_rows, multiply, starts) for _ in range(workers)]:
                done.result()

    def ranked(self) -> Ranked:
        """The first `depth` pairs of the pool, scored in float64."""
        rows, cols, _ = self._pooled()
        scores = exact_scores(self.out, self.in_, rows, cols)
        first = np.lexsort((cols, rows, -scores))[: self.depth]
        first = first[scores[first] > self.above]
        return Ranked(self.row_ids[rows[first]], self.col_ids[cols[first]], scores[first])

    def _seed(self, multiply: Multiply) -> float:
        """A first threshold: the `depth`-th score of a random sub-block, lowered by the error of both products."""
        random = np.random.default_rng(0)
        rows = np.sort(random.permutation(self.out.shape[0])[:SAMPLE])
        cols = np.sort(random.permutation(self.in_.shape[0])[:SAMPLE])
        if rows.size * cols.size < self.depth:
            return -np.inf
        block = np.empty((rows.size, cols.size), np.float32)
        multiply(self.out[rows], self.in_[cols], block)
        scores = block.ravel()
        if self.after is not None:
            scores = np.where(scores < self.after[0] - self.error, scores, -np.inf)
        wanted = self.depth
        while True:
            top = np.argpartition(scores, -wanted)[-wanted:]
            top = top[scores[top] > -np.inf]
            top = top[self._allowed(rows[top // cols.size], cols[top % cols.size])]
            if top.size >= self.depth:
                return float(np.sort(scores[top])[-self.depth]) - 2 * self.error
            if wanted == scores.size:
                return -np.inf
            wanted = min(4 * wanted, scores.size)

    def _scan_rows(self, multiply: Multiply, starts: Iterator[int]) -> None:
        buffer = np.empty(BLOCK_ROWS * BLOCK_COLS, np.float32)
        for row in starts:
            left = self.out[row : row + BLOCK_ROWS]
            for col in range(0, self.in_.shape[0], BLOCK_COLS):
                right = self.in_[col : col + BLOCK_COLS]
                block = buffer[: left.shape[0] * right.shape[0]].reshape(left.shape[0], right.shape[0])
                multiply(left, right, block)
                self._collect(block, row, col)

    def _collect(self, block: NDArray[np.float32], row: int, col: int) -> None:
        """Put the block's pairs that reach the threshold into the pool."""
        scores = block.ravel()
        found = np.flatnonzero(scores >= self.limit)
        for start in range(0, found.size, _AT_ONCE):
            part = found[start : start + _AT_ONCE]
            part = part[scores[part] >= self.limit]
            rows, cols = part // block.shape[1] + row, part % block.shape[1] + col
            keep = self._allowed(rows, cols)
            keep[keep] = self._comes_after(rows[keep], cols[keep], scores[part[keep]])
            self._add(rows[keep], cols[keep], scores[part[keep]])

    def _allowed(self, rows: Indices, cols: Indices) -> NDArray[np.bool_]:
        if self.excluded is None or not rows.size:
            return np.ones(rows.size, np.bool_)
        left_out: NDArray[np.bool_] = self.excluded(self.row_ids[rows], self.col_ids[cols])
        return np.logical_not(left_out)

    def _comes_after(self, rows: Indices, cols: Indices, scores: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Whether each pair comes after `after`; float64 decides where float32 cannot."""
        if self.after is None:
            return np.ones(rows.size, np.bool_)
        score, row, col = self.after
        result = scores < score - self.error
        unsure = np.flatnonzero(~result & (scores <= score + self.error))
        true = exact_scores(self.out, self.in_, rows[unsure], cols[unsure])
        rows, cols = self.row_ids[rows[unsure]], self.col_ids[cols[unsure]]
        later = (rows > row) | ((rows == row) & (cols > col))
        result[unsure] = (true < score) | ((true == score) & later)
        return result

    def _add(self, rows: Indices, cols: Indices, scores: NDArray[np.float32]) -> None:
        with self.lock:
            self.pool.append((rows, cols, scores))
            self.pooled += rows.size
            if self.pooled > self.room:
                self._shrink()

    def _shrink(self) -> None:
        """Drop what cannot be among the first `depth` any more, and raise the threshold."""
        rows, cols, scores = self._pooled()
        limit = float(np.partition(scores, -self.depth)[-self.depth]) - 2 * self.error
        keep = np.flatnonzero(scores >= limit)
        if keep.size > self.room // 2:  # many near-ties: only float64 tells them apart
            true = exact_scores(self.out, self.in_, rows, cols)
            keep = np.lexsort((cols, rows, -true))[: self.depth]
            limit = max(limit, float(true[keep[-1]]) - self.error)
        self.limit = max(self.limit, limit)
        self.pool = [(rows[keep], cols[keep], scores[keep])]
        self.pooled = keep.size

    def _pooled(self) -> tuple[Indices, Indices, NDArray[np.float32]]:
        if not self.pool:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)
        return (
            np.concatenate([rows for rows, _, _ in self.pool]),
            np.concatenate([cols for _, cols, _ in self.pool]),
            np.concatenate([scores for _, _, scores in self.pool]),
        )


def _taken(vectors: Vectors, indices: Indices) -> Vectors:
    """The rows that take part, contiguous; a copy only when some do not."""
    return np.ascontiguousarray(vectors if indices.size == vectors.shape[0] else vectors[indices])


def _multiply_numpy(left: Vectors, right: Vectors, block: NDArray[np.float32]) -> None:
    np.matmul(left, right.T, out=block)


@contextmanager
def _torch_multiply() -> Iterator[Multiply]:
    """A product on the calling thread alone, in full float32; the caller's torch settings come back at the end."""
    import torch

    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()

    def multiply(left: Vectors, right: Vectors, block: NDArray[np.float32]) -> None:
        torch.set_num_threads(1)
        torch.mm(torch.from_numpy(left), torch.from_numpy(right).T, out=torch.from_numpy(block))

    with warnings.catch_warnings():  # stored vectors are read-only, and are only read here
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        torch.set_float32_matmul_precision("highest")
        try:
            yield multiply
        finally:
            torch.set_num_threads(threads)
            torch.set_float32_matmul_precision(precision)
