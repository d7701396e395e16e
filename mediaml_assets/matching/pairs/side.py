"""One side of a product: the rows that take part, the coarsest first, and what an int8 or half-precision copy misses.

Rows are ordered by their largest component, because a block of int8 products is compared with one integer that the
largest scale of its rows decides: with equal scales side by side it fits them all. Rows that are all zero come last.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mediaml_assets.matching.pairs.vectors import CHUNK, Indices, Scores, Vectors

LEVELS = 127
_TINY = 2.0**-100  # rows of smaller components are rounded to nothing: float32 could not hold their squares


@dataclass(frozen=True)
class Codes:
    """Rows in int8: row i is scales[i] codes[i] + r with |r| <= errors[i].

    codes: int8 [n, d], within +-127.
    scales, errors: float64 [n].
    """

    codes: NDArray[np.int8]
    scales: Scores
    errors: Scores


@dataclass(frozen=True)
class Side:
    """Rows of a matrix that take part in a product, ordered by their largest component, then by their number.

    vectors: float32 [n, d], finite; it may be a memory map, of which only blocks are read.
    ids: int64 [m], the rows that take part.
    tops: float32 [m], the largest magnitude of a component of each.
    norms: float64 [m], no less than the Euclidean norm of each.
    """

    vectors: Vectors
    ids: Indices
    tops: Vectors
    norms: Scores

    def __len__(self) -> int:
        """The number of rows that take part."""
        return int(self.ids.size)

    @classmethod
    def of(cls, vectors: Vectors, ids: Indices | None = None) -> Self:
        """The rows `ids` of `vectors`, all by default."""
        ids = np.arange(vectors.shape[0]) if ids is None else ids
        tops, norms = np.empty(ids.size, np.float32), np.empty(ids.size, np.float64)
        for start in range(0, ids.size, CHUNK):
            part = slice(start, start + CHUNK)
            rows = vectors[ids[part]]
            tops[part] = np.maximum(rows.max(axis=1, initial=0), -rows.min(axis=1, initial=0))
            norms[part] = _norms(rows / _divisor(tops[part])) * tops[part]
        tiny = tops < _TINY
        norms[tiny] = tops[tiny] * np.sqrt(vectors.shape[1])
        order = np.argsort(-tops, kind="stable")
        return cls(vectors, ids[order], tops[order], norms[order])

    def block(self, start: int, stop: int) -> Vectors:
        """The rows [start, stop) in this order, copied, float32 [k, d]."""
        return self.vectors[self.ids[start:stop]]

    @cached_property
    def codes(self) -> Codes:
        """All rows in int8, each with a scale of its own.

        The residual is measured, not estimated. What float32 rounding adds to it (the division, the code's value, the
        difference: a few 2^-24 of the row's norm) is in the last term.
        """
        width = self.vectors.shape[1]
        codes = np.empty((len(self), width), np.int8)
        errors = np.empty(len(self), np.float64)
        for start in range(0, len(self), CHUNK):
            part = slice(start, start + CHUNK)
            share = self.block(start, start + CHUNK) / _divisor(self.tops[part])
            share[self.tops[part] < _TINY] = 0
            rounded = np.rint(share * np.float32(LEVELS))
            codes[part] = rounded
            share -= rounded / np.float32(LEVELS)
            errors[part] = _norms(share) * self.tops[part] + 2.0**-20 * self.norms[part]
        tiny = self.tops < _TINY
        errors[tiny] = self.norms[tiny]
        return Codes(codes, self.tops.astype(np.float64) / LEVELS, errors)


def _divisor(tops: Vectors) -> Vectors:
    return np.where(tops < _TINY, np.float32(1), tops)[:, None]


def _norms(rows: Vectors) -> Scores:
    """No less than the Euclidean norms of float32 rows whose components are at most about 1."""
    squares = np.einsum("nd,nd->n", rows, rows).astype(np.float64)
    width = rows.shape[1]
    return np.asarray(np.sqrt(squares + width * 2.0**-126) * (1 + width * 2.0**-22))
