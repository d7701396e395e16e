"""Likeness of vectors: one definition of `score`, how far float32 is from it, and cuts that are certain.

An engine finds candidates by a fast float32 product; where the k-th best lies among them is decided by `cosine` alone,
so that every engine gives the same rows and the same last digit. An approximate score is within `error_bound` of the
exact one (N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1), so a row whose
approximate score lies more than twice the bound below the k-th best approximate score is not among the best k.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.marken.engine import Order

Vectors = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

SPARE = 16
"""Candidates fetched beyond the k that are wanted: so many are rarely within the error of the k-th."""
_BLOCK = 1 << 16  # numbers in double precision at a time


def cosine(vectors: Vectors, vector: Vectors, lengths: Scores | None = None) -> Scores:
    """The score of each row of [n, d] against [d]: their cosine in [-1, 1], computed in double precision.

    Each row by the same elementwise operations in the same order, whatever rows stand around it and on every machine:
    its products are added one after the other. Neither may be all 0. `lengths` are `lengths_of` the rows, where they
    are known.
    """
    if lengths is None:
        lengths = lengths_of(vectors)
    wanted = vector.astype(np.float64)[:, None]
    found = np.empty(len(vectors))
    for part in _blocks(vectors):
        sums = _sums(_beside(vectors[part], vector), wanted)
        np.divide(sums[:-1], lengths[part] * math.sqrt(sums[-1]), out=found[part])
    return np.minimum(np.maximum(found, -1.0, out=found), 1.0, out=found)


def lengths_of(vectors: Vectors) -> Scores:
    """The lengths of the rows of [n, d] as `cosine` takes them: float64 [n]."""
    found = np.empty(len(vectors))
    for part in _blocks(vectors):
        block = _beside(vectors[part], vectors[0])
        np.sqrt(_sums(block, block)[:-1], out=found[part])
    return found


def _beside(vectors: Vectors, vector: Vectors) -> Scores:
    """Rows and one more as columns, in double precision."""
    block = np.empty((vectors.shape[1], len(vectors) + 1))
    block[:, :-1], block[:, -1] = vectors.T, vector
    return block


def _sums(block: Scores, others: Scores) -> Scores:
    """Of each column of [d, n] the products with another one, added from the first to the last.

    NumPy adds whole rows of what lies in rows. It would add a column alone in pairs, so there must be two at least.
    """
    return np.asarray(np.add.reduce(np.multiply(block, others, out=block), axis=0))


def _blocks(vectors: Vectors) -> Iterator[slice]:
    step = max(1, _BLOCK // vectors.shape[1])
    return (slice(start, start + step) for start in range(0, len(vectors), step))


def normalised(vectors: Vectors) -> Vectors:
    """The rows of [n, d] at length 1, each number rounded once: what `error_bound` holds for, whatever their lengths.

    No row may be all 0.
    """
    return np.divide(vectors, lengths_of(vectors)[:, None], dtype=np.float64).astype(np.float32)


def error_bound(dimensions: int) -> float:
    """How far a cosine in single precision can be from `cosine`, for `normalised` rows and vector.

    Holds for a plain product of them, and for one that is divided by lengths computed in single precision as well
    (pgvector's); in any order of summation, with or without fused additions. Not for vectors of any length: their
    products may overflow.
    """
    unit = 2.0**-24
    return (2 * dimensions + 8) * unit / (1 - dimensions * unit)


def contenders(approximate: npt.NDArray[np.floating], k: int, error: float, groups: Rows | None = None) -> Rows:
    """Which rows, ascending, can be among those of the k highest exact scores, all ties with the k-th included.

    With `groups` (int64 [n]): among the k highest of their group.
    """
    if groups is None:
        if k >= len(approximate):
            return np.arange(len(approximate))
        kth = float(np.partition(approximate, len(approximate) - k)[len(approximate) - k])
        return (approximate >= kth - 2 * error).nonzero()[0]
    order = np.lexsort((-approximate, groups))
    starts = np.flatnonzero(np.diff(groups[order], prepend=groups[order[:1]] - 1))
    sizes = np.diff(starts, append=len(order))
    lowest = approximate[order[starts + np.minimum(k, sizes) - 1]].astype(np.float64)
    floors = np.repeat(np.where(sizes > k, lowest - 2 * error, -np.inf), sizes)
    return np.sort(order[approximate[order] >= floors])


def ordered(rows: pa.Table, order: Sequence[Order]) -> pa.Table:
    """Rows in the order of a `Selection`: by its keys, nulls last, text by code points; then by id and version."""
    keys = [(one.column, "descending" if one.descending else "ascending") for one in order]
    keys += [("id", "ascending"), ("version", "ascending")]
    return rows.take(pc.sort_indices(rows, sort_keys=keys))


@dataclass(frozen=True)
class Fetched:
    """The best rows by an approximate score."""

    rows: pa.Table
    """Those that the selection wants, with the columns of its order, id, version and `score`, exact."""
    rest: float | None
    """The worst approximate score fetched, also of a row that is not in `rows`; None when there were no more rows."""


def refined(fetch: Callable[[int | None], Fetched], k: int, error: float, order: Sequence[Order]) -> pa.Table:
    """The first k rows of an order with `score`, for certain.

    Args:
        fetch: fetches the best so many by an approximate score, the highest or lowest first as `order` asks for the
            score; None for all. It may fetch more.
        k: at least 1.
        error: how far an approximate score can be from the exact one.
        order: where the score is not the first key, all rows are fetched.
    """
    if not order or order[0].column != "score":
        return ordered(fetch(None).rows, order).slice(0, k)
    sign = 1 if order[0].descending else -1
    wanted = k + SPARE
    while True:
        found = fetch(wanted)
        rows = ordered(found.rows, order)
        if found.rest is None:
            return rows.slice(0, k)
        if rows.num_rows >= k and sign * rows["score"][k - 1].as_py() > sign * found.rest + error:
            return rows.slice(0, k)
        wanted *= 4
