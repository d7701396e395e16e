"""Vectors in pairs: what their arrays are, the one kernel that scores a pair, and what rounding a product costs."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Indices = NDArray[np.int64]
Scores = NDArray[np.float64]
Mask = NDArray[np.bool_]
Excluded = Callable[[Indices, Indices], Mask]
Place = tuple[float, int, int]  # score, row, column

CHUNK = 1024  # rows that are looked at together
AT_ONCE = 2**20  # values that are gathered at a time, or pairs


@dataclass(frozen=True)
class Ranked:
    """Pairs sorted by (score descending, row, column): rows, cols int64 [p], scores float64 [p]."""

    rows: Indices
    cols: Indices
    scores: Scores


def exact_scores(out: Vectors, in_: Vectors, rows: Indices, cols: Indices) -> Scores:
    """Float64 dot products of the pairs (rows[p], cols[p]); a pair's score does not depend on its neighbours."""
    scores = np.empty(rows.size, np.float64)
    step = max(1, AT_ONCE // 8 // max(1, out.shape[1]))  # what fits a core's own cache
    for start in range(0, rows.size, step):
        part = slice(start, start + step)
        left, right = out[rows[part]].astype(np.float64), in_[cols[part]].astype(np.float64)
        np.einsum("pd,pd->p", left, right, out=scores[part])
    return scores


def longest(vectors: Vectors) -> float:
    """The largest Euclidean norm of the rows, 0 when there are none; NaN or infinite when a value is."""
    starts = range(0, vectors.shape[0], CHUNK)
    parts = (vectors[start : start + CHUNK].astype(np.float64) for start in starts)
    squares = np.array([np.einsum("nd,nd->n", part, part).max() for part in parts])
    return float(np.sqrt(squares.max(initial=0.0)))


def rounding(width: int, product_of_norms: float) -> float:
    """The most by which a float32 dot product of vectors of these norms differs from the true one.

    gamma_d |x| |y| with gamma_d = d u / (1 - d u), u = 2^-24, in whatever order it is summed (N. J. Higham, Accuracy
    and Stability of Numerical Algorithms, 2nd ed., section 3.1); the last term covers products that underflow.
    """
    return 1.01 * width * 2.0**-24 * product_of_norms + (width + 1) * 2.0**-120
