"""The pool of pairs that may still be among the first ones, and the threshold that rises with it."""

import threading
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mediaml_assets.matching.pairs.vectors import (
    AT_ONCE,
    Excluded,
    Indices,
    Mask,
    Place,
    Ranked,
    Scores,
    Vectors,
    exact_scores,
)

ROOM = 2**16


@dataclass
class Pool:
    """Pairs that may be among the first `depth`; threads add to it, and read the threshold that rises meanwhile.

    out, in_: float32 [n, d] and [m, d], what rows and columns are numbers of.
    excluded, above, after: which pairs are left out, as `best_pairs` says.
    error: scores that are given may differ by so much from the true ones.
    limit: a pair whose given score is below it is not wanted. It may begin as a guess: `holds` tells.
    """

    out: Vectors
    in_: Vectors
    depth: int
    excluded: Excluded | None
    above: float
    after: Place | None
    error: float
    limit: float = -np.inf
    room: int = field(init=False)
    pool: list[tuple[Indices, Indices, Scores]] = field(default_factory=list)
    pooled: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.room = max(ROOM, 8 * self.depth)

    def start(self, score: float) -> float:
        """Empty, with the threshold where pairs of this true score reach it; returns the threshold."""
        self.pool, self.pooled = [], 0
        self.limit = max(score, self.above) - self.error
        return self.limit

    def holds(self, first: float, ranked: Ranked) -> bool:
        """Whether a threshold that was a guess at first left nothing out of the answer.

        A pair that was left out scores less than `first` + error. A threshold that rose did so because of `depth` pairs
        in the pool.
        """
        enough = ranked.scores.size == self.depth and ranked.scores[-1] >= first + self.error
        return bool(enough or first <= self.above - self.error or self.limit > first)

    def rank_of(self, rank: int, block: NDArray[np.float32], rows: Indices, cols: Indices, error: float) -> float:
        """The score of this rank, from 1, of the wanted pairs of a block [rows, cols]; -inf when there are fewer.

        Scores of the block may differ by `error` from the true ones; pairs that `after` may leave out do not count.
        """
        scores = block.ravel()
        if self.after is not None:
            scores = np.where(scores < self.after[0] - error, scores, np.float32(-np.inf))
        wanted = min(rank, scores.size)
        while rank <= scores.size:
            top = np.argpartition(scores, -wanted)[-wanted:]
            top = top[scores[top] > -np.inf]
            top = top[self.allowed(rows[top // cols.size], cols[top % cols.size])]
            if top.size >= rank:
                return float(np.sort(scores[top])[-rank])
            if wanted == scores.size:
                break
            wanted = min(4 * wanted, scores.size)
        return -np.inf

    def limit32(self) -> np.float32:
        """The threshold for float32 scores, rounded down."""
        return np.float32(np.nextafter(np.float32(self.limit), np.float32(-np.inf)))

    def allowed(self, rows: Indices, cols: Indices) -> Mask:
        """Which pairs are not excluded."""
        if self.excluded is None or not rows.size:
            return np.ones(rows.size, np.bool_)
        return np.logical_not(self.excluded(rows, cols))

    def offer(self, rows: Indices, cols: Indices, scores: NDArray[np.floating] | None = None) -> None:
        """Add what is wanted of these pairs, each of which is offered once; without scores, the exact ones are made."""
        for start in range(0, rows.size, AT_ONCE):
            part = slice(start, start + AT_ONCE)
            self._offer(rows[part], cols[part], None if scores is None else scores[part].astype(np.float64))

    def ranked(self) -> Ranked:
        """The first `depth` pairs of the pool, scored exactly."""
        rows, cols, _ = self._pooled()
        scores = exact_scores(self.out, self.in_, rows, cols)
        first = np.lexsort((cols, rows, -scores))[: self.depth]
        first = first[scores[first] > self.above]
        return Ranked(rows[first], cols[first], scores[first])

    def _offer(self, rows: Indices, cols: Indices, scores: Scores | None) -> None:
        keep = self.allowed(rows, cols)
        if scores is not None:
            keep &= scores >= self.limit
        rows, cols = rows[keep], cols[keep]
        scores = exact_scores(self.out, self.in_, rows, cols) if scores is None else scores[keep]
        keep = (scores >= self.limit) & self._comes_after(rows, cols, scores)
        with self.lock:
            self.pool.append((rows[keep], cols[keep], scores[keep]))
            self.pooled += int(np.count_nonzero(keep))
            if self.pooled > self.room:
                self._shrink()

    def _comes_after(self, rows: Indices, cols: Indices, scores: Scores) -> Mask:
        """Whether each pair comes after `after`; its exact score decides where the given one cannot."""
        if self.after is None:
            return np.ones(rows.size, np.bool_)
        score, row, col = self.after
        result: Mask = scores < score - self.error
        unsure = np.flatnonzero(~result & (scores <= score + self.error))
        rows, cols = rows[unsure], cols[unsure]
        true = exact_scores(self.out, self.in_, rows, cols)
        later = (rows > row) | ((rows == row) & (cols > col))
        result[unsure] = (true < score) | ((true == score) & later)
        return result

    def _shrink(self) -> None:
        """Drop what cannot be among the first `depth` any more, and raise the threshold."""
        rows, cols, scores = self._pooled()
        limit = float(np.partition(scores, -self.depth)[-self.depth]) - 2 * self.error
        keep = np.flatnonzero(scores >= limit)
        if keep.size > self.room // 2:  # many near-ties: only exact scores tell them apart
            true = exact_scores(self.out, self.in_, rows, cols)
            keep = np.lexsort((cols, rows, -true))[: self.depth]
            limit = max(limit, float(true[keep[-1]]) - self.error)
        self.limit = max(self.limit, limit)
        self.pool = [(rows[keep], cols[keep], scores[keep])]
        self.pooled = keep.size

    def _pooled(self) -> tuple[Indices, Indices, Scores]:
        if not self.pool:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64)
        rows, cols, scores = zip(*self.pool, strict=True)
        return np.concatenate(rows), np.concatenate(cols), np.concatenate(scores)
