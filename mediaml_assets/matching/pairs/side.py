"""One side of a product: the rows that take part, the coarsest first, in blocks whose int8 codes share a scale.

Rows are ordered by their largest component, so that those of a block have about the same, and one scale fits them all:
then one integer decides what of a block of int8 products reaches a threshold. Rows that are all zero come last.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mediaml_assets.matching.pairs.vectors import Indices, Scores, Vectors

LEVELS = 127
_TINY = np.float32(2.0**-100)  # rows of smaller components count as nothing: float32 could not hold their squares


@dataclass(frozen=True)
class Codes:
    """Rows in int8: a row of block b is scales[b] codes + r with |r| <= errors[b].

    codes: int8 [n, d], within +-127.
    scales, errors: float64, one for each block.
    """

    codes: NDArray[np.int8]
    scales: Scores
    errors: Scores


@dataclass(frozen=True)
class Side:
    """Rows of a matrix that take part in a product, ordered by their largest component, then by their place in `ids`.

    vectors: float32 [n, d], finite; it may be a memory map, of which only blocks are read.
    ids: int64 [m], the rows that take part.
    size: rows of a block.
    tops: float32, the largest magnitude of a component in each block.
    norms: float64, no less than the Euclidean norm of any row of each block.
    """

    vectors: Vectors
    ids: Indices
    size: int
    tops: Vectors
    norms: Scores

    @classmethod
    def of(cls, vectors: Vectors, ids: Indices, size: int) -> Self:
        """The rows `ids` of `vectors`."""
        tops = np.empty(ids.size, np.float32)
        norms = np.empty(ids.size, np.float64)
        for start in range(0, ids.size, size):
            part = slice(start, start + size)
            rows = vectors[ids[part]]
            tops[part] = np.maximum(rows.max(axis=1, initial=0), -rows.min(axis=1, initial=0))
            scales: Vectors = np.maximum(tops[part], _TINY)
            norms[part] = _norms(rows / scales[:, None]) * scales
        order = np.argsort(-tops, kind="stable")
        firsts = np.arange(0, ids.size, size)
        return cls(vectors, ids[order], size, tops[order][firsts], np.maximum.reduceat(norms[order], firsts))

    def block(self, number: int) -> Vectors:
        """The rows of a block, copied, float32 [k, d]."""
        return self.vectors[self.part(number)]

    def part(self, number: int) -> Indices:
        """Which rows a block has, int64 [k]."""
        return self.ids[number * self.size : (number + 1) * self.size]

    @cached_property
    def codes(self) -> Codes:
        """All rows in int8.

        The residual is measured, not estimated. What float32 rounding adds to it (the division, the code's value, the
        difference: a few 2^-24 of the row's norm) is in the last term.
        """
        codes = np.empty((self.ids.size, self.vectors.shape[1]), np.int8)
        errors = np.empty(len(self.tops), np.float64)
        scales = np.maximum(self.tops, _TINY)
        for number, scale in enumerate(scales):
            share = self.block(number) / scale
            rounded = np.rint(share * np.float32(LEVELS))
            codes[number * self.size : (number + 1) * self.size] = rounded
            share -= rounded / np.float32(LEVELS)
            errors[number] = _norms(share).max() * scale + 2.0**-20 * self.norms[number]
        return Codes(codes, scales.astype(np.float64) / LEVELS, errors)


def _norms(rows: Vectors) -> Scores:
    """No less than the Euclidean norms of float32 rows whose components are at most about 1."""
    squares = np.einsum("nd,nd->n", rows, rows).astype(np.float64)
    width = rows.shape[1]
    return np.asarray(np.sqrt(squares + width * 2.0**-100) * (1 + width * 2.0**-22))
