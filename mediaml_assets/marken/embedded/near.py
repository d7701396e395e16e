"""An index over many vectors that answers fast and may miss some: FAISS' inverted lists over k-means cells.

How many cells a search looks into is found when the index is made: as few as find `RECALL` of the ten nearest, of rows
that are drawn from among the vectors, and of points halfway between two drawn rows, which lie between the cells as a
text's vector does between those of pictures.
"""

from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np

from mediaml_assets.marken.vectors import Rows, Vectors, normalised

RECALL = 0.98
"""Least share of the ten nearest that is found, when it is made."""
_DRAWN = 100
_TEN = 10
_SEED = 7


@dataclass(frozen=True)
class Near:
    """An index over the rows of a matrix."""

    index: Any
    recall: float
    """Of the drawn rows or of the points between, whichever was lower."""

    def search(self, rows: Rows | None, vector: Vectors, k: int) -> Rows:
        """Up to k row numbers that are near a vector, of the given rows or of all; in no order."""
        wrapped: Any = faiss  # its stubs do not know what its Python wrappers take
        chosen = None
        if rows is not None:
            bits = np.zeros(self.index.ntotal, bool)
            bits[rows] = True
            chosen = wrapped.IDSelectorBitmap(np.packbits(bits, bitorder="little"))
        asked = wrapped.SearchParametersIVF(sel=chosen, nprobe=self.index.nprobe)
        _, found = self.index.search(normalised(vector[None]), min(k, self.index.ntotal), params=asked)
        return np.asarray(found[0][found[0] >= 0])


def built(matrix: Vectors) -> Near:
    """An index over the rows of [n, d], none all 0: some seconds for 200,000 of them."""
    units = normalised(matrix)
    count, width = units.shape
    cells = max(1, int(2 * np.sqrt(count)))
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(width), width, cells, faiss.METRIC_INNER_PRODUCT)
    index.cp.seed, index.cp.niter, index.cp.spherical = _SEED, 10, True
    index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, 64
    index.train(units)
    index.add(units)

    random = np.random.default_rng(_SEED)
    drawn = units[random.integers(0, count, (2, _DRAWN))]
    asked = [drawn[0], normalised(drawn[0] + drawn[1] * np.float32(0.99))]  # never 0, also of opposites
    flat = faiss.IndexFlatIP(width)
    flat.add(units)
    right = [flat.search(queries, _TEN)[1] for queries in asked]
    index.nprobe = 1
    while True:
        recall = min(_recall(index.search(queries, _TEN)[1], best) for queries, best in zip(asked, right, strict=True))
        if recall >= RECALL or index.nprobe >= cells:
            return Near(index, recall)
        index.nprobe *= 2


def _recall(found: Rows, right: Rows) -> float:
    shared = [len(np.intersect1d(one, other)) for one, other in zip(found, right, strict=True)]
    return float(np.mean(shared) / right.shape[1])
