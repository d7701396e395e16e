"""The top K of all ordered pairs of shots: the tail of A joined to the head of B.

Each shot has an out vector (its tail) and an in vector (its head), numbered alike: row i of `out` and row i of `in_`
are one shot. The first score of a pair is their dot product. A flavour may re-rank with a dearer score of its own; if
it also knows how high that score can be for a given first score, the re-ranked answer is proved to be the exact one.

Pairs are taken from a prefix of the sorted first scores. The prefix is deepened until K pairs are accepted that no pair
further down can overtake; shots that have reached the cap take no part in deeper passes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mediaml_assets.errors import FeatureError
from mediaml_assets.matching.pairs.scan import Excluded, Indices, Place, Ranked, Scores, Vectors, best_pairs, longest
from mediaml_assets.matching.pairs.uses import Uses

Rerank = Callable[[Indices, Indices], Scores]
Bound = Callable[[float], float]

_LONGEST = 1e15  # products of longer vectors may leave the float32 range
RERANKED = 5  # prefix of a re-ranked answer, in K: soft masks need that many for the top K of exact ones
_CAPPED = 48  # prefix of a capped answer, in K/cap: on clustered embeddings cap 2 took 27-34, cap 3 22-26, cap 5 20-25
_DEEPER = 4  # a deeper pass costs another matrix product, a deeper prefix next to nothing
_AT_ONCE = 2**15  # pairs given to a re-ranking score at a time
_MOST_WAITING = 2**20  # pairs held back for want of proof before the answer is given without it


@dataclass(frozen=True)
class Pairs:
    """The best pairs, sorted by (score descending, first score descending, row, column).

    rows:   int64 [k], shot A, whose tail is used.
    cols:   int64 [k], shot B, whose head is used.
    scores: float64 [k], the final score: the dot product, or the re-ranked score.
    floor:  no pair that was not looked at scores above it; -inf when every pair was, inf when nothing is known.
    exact:  whether no other pair belongs in this answer.
    scored: how many pairs of the sorted prefix were looked at.
    """

    rows: Indices
    cols: Indices
    scores: Scores
    floor: float
    exact: bool
    scored: int

    def __len__(self) -> int:
        """The number of pairs."""
        return int(self.rows.size)


def top_k(
    out: Vectors,
    in_: Vectors,
    k: int,
    *,
    excluded: Excluded | None = None,
    above: float = -np.inf,
    cap: int | None = None,
    groups: Indices | None = None,
    rerank: Rerank | None = None,
    bound: Bound | None = None,
    threads: int | None = None,
) -> Pairs:
    """The K best ordered pairs of shots, or all there are.

    Args:
        out: float32 [n, d], the tails.
        in_: float32 [m, d], the heads.
        k: how many pairs, at least 1.
        excluded: for int64 arrays (rows, cols) of the same length, a bool array: which pairs are left out. Called from
            several threads.
        above: only pairs whose first score is higher are pairs at all. Where 0 means "no match", say 0: shots with a
            zero vector then cost nothing.
        cap: how often one shot may be used, as A or as B together; a pair of a shot with itself uses it twice.
        groups: int64, one for each shot: shots of one number share the cap, as if they were one, and a cut between two
            of them is taken once; by default none do.
        rerank: for int64 arrays (rows, cols), the final scores, float64.
        bound: the highest final score that a pair of this first score can have; never decreasing.
        threads: workers for large products; the default is one for each core of this process. The answer is the same.

    Raises:
        FeatureError: the vectors are not finite float32 of one width, or k or cap is below 1.
    """
    _check(out, in_, k, cap)
    matching = [_not_zero(vectors) if above >= 0 else np.arange(vectors.shape[0]) for vectors in (out, in_)]
    shots = max(out.shape[0], in_.shape[0])
    uses = None if cap is None else Uses(np.arange(shots) if groups is None else groups, cap)
    walk = _Walk(k, uses, proves=rerank is None or bound is not None)
    depth = prefix(k, cap, rerank is not None)
    after: Place | None = None
    while True:
        rows, cols = (shots[walk.is_open(shots)] for shots in matching)
        found = best_pairs(out, in_, rows, cols, depth, excluded=excluded, above=above, after=after, threads=threads)
        complete = found.rows.size < depth
        if not complete:
            after = (float(found.scores[-1]), int(found.rows[-1]), int(found.cols[-1]))
        walk.add(found, found.scores if rerank is None else final_scores(rerank, found))
        walk.go(_ceiling(None if complete else after, rerank, bound))
        if complete or walk.full:
            return walk.pairs()
        depth *= _DEEPER


def _check(out: Vectors, in_: Vectors, k: int, cap: int | None) -> None:
    if k < 1 or (cap is not None and cap < 1):
        raise FeatureError(f"top_k wants at least one pair and at least one use of a shot, got k={k}, cap={cap}")
    if out.ndim != 2 or in_.ndim != 2 or out.shape[1] != in_.shape[1]:
        raise FeatureError(f"top_k wants out [n, d] and in [m, d] of one width d, got {out.shape} and {in_.shape}")
    for name, vectors in (("out", out), ("in", in_)):
        if vectors.dtype != np.float32:
            raise FeatureError(f"top_k wants float32 vectors, the {name} vectors are {vectors.dtype}")
        if not longest(vectors) <= _LONGEST:
            norms = np.linalg.norm(vectors.astype(np.float64), axis=1)
            row = int(np.flatnonzero(~(norms <= _LONGEST))[0])
            raise FeatureError(f"the {name} vector of shot {row} holds NaN or has a norm over {_LONGEST:g}; scale it")


def prefix(k: int, cap: int | None, reranked: bool) -> int:
    """How much of the sorted pairs an answer takes, as a rule: where to begin."""
    return max(k * RERANKED if reranked else k, -(-k * _CAPPED // cap) if cap is not None else 0)


def _not_zero(vectors: Vectors) -> Indices:
    return np.flatnonzero(vectors.any(axis=1))


def final_scores(rerank: Rerank, found: Ranked) -> Scores:
    """The final scores of the candidates, asked for in parts so that the flavour's memory stays bounded."""
    final = np.empty(found.rows.size, np.float64)
    for start in range(0, final.size, _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        final[part] = rerank(found.rows[part], found.cols[part])
    if np.isnan(final).any():
        pair = int(np.flatnonzero(np.isnan(final))[0])
        raise FeatureError(f"the re-ranking score of shots ({found.rows[pair]}, {found.cols[pair]}) is NaN")
    return final


def _ceiling(last: Place | None, rerank: Rerank | None, bound: Bound | None) -> float:
    """The highest final score of a pair after `last` in the order of the first score; None: there is none."""
    if last is None:
        return -np.inf
    if rerank is None:
        return last[0]
    return np.inf if bound is None else float(bound(last[0]))


@dataclass
class _Walk:
    """The greedy walk down the candidates: accepts a pair when its shots are free and nothing can overtake it.

    A table of candidates is float64 [p, 4]: row, column, first score, final score.
    """

    k: int
    uses: Uses | None
    proves: bool
    exact: bool = True
    floor: float = -np.inf
    scored: int = 0
    accepted: list[NDArray[np.float64]] = field(default_factory=list)
    waiting: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 4)))

    @property
    def full(self) -> bool:
        """Whether K pairs are accepted."""
        return len(self.accepted) == self.k

    def is_open(self, shots: Indices) -> NDArray[np.bool_]:
        """Which of these shots, int64 of any shape, have not reached the cap."""
        return np.ones(shots.shape, np.bool_) if self.uses is None else self.uses.are_open(shots)

    def add(self, found: Ranked, final: Scores) -> None:
        """More candidates, the next ones in the order of the first score."""
        self.scored += found.rows.size
        self.waiting = np.concatenate([self.waiting, np.stack([found.rows, found.cols, found.scores, final], axis=1)])

    def go(self, ceiling: float) -> None:
        """Accept what no pair further down can overtake; those score at most `ceiling`.

        Among equal final scores the higher first score wins, so a pair further down loses a tie.
        """
        self.floor = ceiling
        table = self.waiting = _in_order(self.waiting)
        ready = int(np.count_nonzero(table[:, 3] >= ceiling)) if self.proves else len(table)
        self.exact &= self.proves or ceiling == -np.inf
        if len(table) - ready > _MOST_WAITING:
            self.proves = self.exact = False
            ready = len(table)
        self._accept(table[:ready])
        self.waiting = table[ready:][self.is_open(table[ready:, :2].astype(np.int64)).all(axis=1)]

    def _accept(self, table: NDArray[np.float64]) -> None:
        if self.uses is None:
            self.accepted.extend(table[: self.k - len(self.accepted)])
            return
        for pair in table:
            if self.full:
                return
            groups = self.uses.groups
            if self.uses.take(int(groups[int(pair[0])]), int(groups[int(pair[1])])):
                self.accepted.append(pair)

    def pairs(self) -> Pairs:
        """The answer."""
        table = _in_order(np.array(self.accepted).reshape(-1, 4))
        rows, cols = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
        return Pairs(rows, cols, table[:, 3].copy(), self.floor, self.exact, self.scored)


def _in_order(table: NDArray[np.float64]) -> NDArray[np.float64]:
    rows, cols, first, final = table.T
    return table[np.lexsort((cols, rows, -first, -final))]
