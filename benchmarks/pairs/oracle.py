"""Brute force: every pair's score as a float64 matrix product, ranked; it shares no code with what it checks."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.pairs.data import Vectors

Indices = NDArray[np.int64]
Excluded = Callable[[Indices, Indices], NDArray[np.bool_]]
Pair = tuple[int, int]

ROWS = 500


def ranking(out: Vectors, in_: Vectors, count: int, excluded: Sequence[Excluded | None]) -> list[list[Pair]]:
    """For each rule of exclusion the best `count` pairs it leaves, by (score descending, a, b)."""
    left, right = out.astype(np.float64), in_.astype(np.float64).T
    tables = [np.empty((0, 3)) for _ in excluded]
    for start in range(0, len(left), ROWS):
        scores = (left[start : start + ROWS] @ right).ravel()
        for number, rule in enumerate(excluded):
            known = tables[number]
            least = known[-1, 2] if len(known) == count else -np.inf
            found = np.flatnonzero(scores >= least)
            a, b = found // len(in_) + start, found % len(in_)
            if rule is not None:
                keep = ~rule(a, b)
                a, b, found = a[keep], b[keep], found[keep]
            if found.size > 2 * count:
                keep = scores[found] >= np.partition(scores[found], -count)[-count]
                a, b, found = a[keep], b[keep], found[keep]
            table = np.concatenate([known, np.stack([a, b, scores[found]], axis=1)])
            tables[number] = table[np.lexsort((table[:, 1], table[:, 0], -table[:, 2]))[:count]]
    return [[(int(a), int(b)) for a, b in table[:, :2]] for table in tables]


def under_cap(pairs: Sequence[Pair], shots: int, k: int, cap: int) -> list[Pair]:
    """The first k pairs that use no shot more than `cap` times.

    Raises:
        ValueError: the ranking is too short to hold them.
    """
    uses = [0] * shots
    taken: list[Pair] = []
    for a, b in pairs:
        wanted = (a, b)  # a pair of a shot with itself uses it twice
        if all(uses[shot] + wanted.count(shot) <= cap for shot in wanted):
            taken.append(wanted)
            for shot in wanted:
                uses[shot] += 1
            if len(taken) == k:
                return taken
    raise ValueError(f"{len(pairs)} pairs hold {len(taken)} of {k} under the cap; rank more")
