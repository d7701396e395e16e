"""The vectors of one property of one type, searched: exact over what a filter left, or by an index over nearly all.

Rows are scored in single precision by FAISS' products of one vector with many, where they lie if they are close
together, else gathered in blocks; which ones can be among the best is certain by the error bound, and those get their
exact score. An index is asked only where the caller allows it, more than `EXACT` rows are left, and those are most
rows; it fetches more than is wanted, and when it finds too few, all rows are scored after all. Never an index over few
rows of many: it loses them.
"""

import math
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mediaml_assets.marken.vectors import Rows, Scores, Vectors, contenders, cosine, error_bound, lengths_of, normalised

if TYPE_CHECKING:
    from mediaml_assets.marken.embedded.near import Near

EXACT = 200_000
"""Up to so many rows are always scored one by one."""
SPARE = 64
"""Rows asked of an index beyond those wanted."""
_GAP = 48  # scoring so many unwanted rows that lie between costs as much as one more product
_BLOCK = 4096  # rows gathered at a time: they stay in the cache
_UNIT = 2.0**-24


class Ranges(NamedTuple):
    """Rows in half-open ranges, ascending, without overlap."""

    starts: Rows
    stops: Rows


class VectorIndex:
    """Rows [n, d] by their likeness to a vector; they never change.

    Args:
        matrix: none of its rows all 0.
        near: an index over the same rows; without it one is made in the background when it is first wanted.
    """

    def __init__(self, matrix: Vectors, near: "Near | None" = None) -> None:
        self.matrix = matrix
        self.lengths = lengths_of(matrix)
        at_one = np.abs(self.lengths - 1).max(initial=0) <= 4 * _UNIT  # the bound has room for that
        self._units = np.ascontiguousarray(matrix if at_one else normalised(matrix))
        self._error = error_bound(matrix.shape[1])
        self._made = near
        self._making: Thread | None = None
        self._lock = Lock()

    def nearest(
        self,
        rows: Rows | Ranges | None,
        vector: Vectors,
        k: int,
        exact: bool = True,
        *,
        groups: Rows | None = None,
        most: float | None = None,
    ) -> tuple[Rows, Scores]:
        """The k rows of the highest scores and all that tie with the last of them, by score, then row.

        The least alike are had by `-vector`: every score is then the negative, to the last digit.

        Args:
            rows: among which, ascending; None for all.
            vector: float32 [d], not all 0.
            k: at least 1. Fewer rows come only where fewer are wanted.
            exact: False allows an index to answer, which may miss some.
            groups: int64 for each of the rows: k are wanted of each group. Some more may come.
            most: only scores up to this; all rows of just this score come beside the k below it.

        Returns:
            Row numbers, and `cosine` of each.
        """
        near = None if exact or groups is not None or most is not None else self._near(rows)
        if near is not None:
            found = near.search(None if rows is None else rows_of(rows), vector, k + SPARE)
            numbers, scores = self._ordered(np.sort(found), vector)
            if len(numbers) >= min(k, self._count(rows)):
                return _cut(numbers, scores, k)
        approximate = self.approximate(rows, vector)
        inside = None
        wanted = k
        if most is not None:
            inside = np.flatnonzero(approximate <= most + self._error)
            approximate = approximate[inside]
            groups = None if groups is None else groups[inside]
            wanted += int(np.count_nonzero(approximate >= most - self._error))
        places = contenders(approximate, wanted, self._error, groups)
        numbers, scores = self._ordered(_numbers(rows, places if inside is None else inside[places]), vector)
        if most is not None:
            numbers, scores = numbers[scores <= most], scores[scores <= most]
        return (numbers, scores) if groups is not None else _cut(numbers, scores, k, most)

    def scores(self, rows: Rows | Ranges | None, vector: Vectors) -> Scores:
        """`cosine` of each of the rows, in their order."""
        if rows is None:
            return cosine(self.matrix, vector, self.lengths)
        numbers = rows_of(rows)
        found = np.empty(len(numbers))
        for start in range(0, len(numbers), _BLOCK):
            part = numbers[start : start + _BLOCK]
            found[start : start + _BLOCK] = cosine(self.matrix[part], vector, self.lengths[part])
        return found

    def approximate(self, rows: Rows | Ranges | None, vector: Vectors) -> Vectors:
        """Each row's score in single precision, within `error_bound`: float32, in the order of the rows."""
        doubled = vector.astype(np.float64)
        query = (doubled / math.sqrt(doubled @ doubled)).astype(np.float32)
        if rows is None:
            return self._over(Ranges(np.array([0]), np.array([len(self._units)])), query)
        if isinstance(rows, Ranges):
            return self._over(rows if len(rows.starts) == 1 else _joined(rows), query)
        if not len(rows):
            return np.empty(0, np.float32)
        cover, places = _cover(rows)
        if len(cover.starts) * _GAP + int((cover.stops - cover.starts).sum()) < 3 * len(rows):
            return self._over(cover, query)[places]
        found = np.empty(len(rows), np.float32)
        block = np.empty((min(_BLOCK, len(rows)), len(query)), np.float32)
        for start in range(0, len(rows), _BLOCK):
            part = rows[start : start + _BLOCK]
            np.take(self._units, part, axis=0, out=block[: len(part)], mode="clip")  # other modes copy once more
            _products(block[: len(part)], query, found[start : start + len(part)])
        return found

    def explain(self, rows: Rows | Ranges | None, exact: bool) -> str:
        """How `nearest` would answer, for people."""
        near = None if exact else self._near(rows)
        over = f"over {self._count(rows)} of {len(self.matrix)} rows"
        return f"exact {over}" if near is None else f"index {over}, recall {near.recall:.2f} when it was made"

    def _near(self, rows: Rows | Ranges | None) -> "Near | None":
        """The index, where it may answer; when there is none yet, it is made meanwhile."""
        count = self._count(rows)
        if count <= EXACT or 2 * count < len(self.matrix):
            return None
        with self._lock:
            if self._made is None and self._making is None:
                # no daemon: one that is in C++ when the interpreter ends aborts the process
                self._making = Thread(target=self._make)
                self._making.start()
        return self._made

    def _make(self) -> None:
        from mediaml_assets.marken.embedded.near import built  # not light

        self._made = built(self.matrix)

    def _count(self, rows: Rows | Ranges | None) -> int:
        if isinstance(rows, Ranges):
            return int((rows.stops - rows.starts).sum())
        return len(self.matrix if rows is None else rows)

    def _over(self, ranges: Ranges, query: Vectors) -> Vectors:
        starts, stops = ranges.starts.tolist(), ranges.stops.tolist()
        found = np.empty(sum(stops) - sum(starts), np.float32)
        place = 0
        for start, stop in zip(starts, stops, strict=True):
            end = place + stop - start
            _products(self._units[start:stop], query, found[place:end])
            place = end
        return found

    def _ordered(self, numbers: Rows, vector: Vectors) -> tuple[Rows, Scores]:
        """Ascending rows by score, then row."""
        scores = cosine(self.matrix.take(numbers, axis=0), vector, self.lengths.take(numbers))
        order = (-scores).argsort(kind="stable")
        return numbers[order], scores[order]


def _products(rows: Vectors, vector: Vectors, out: Vectors) -> None:
    """Inner products of contiguous rows [n, d] with [d], into [n].

    By one thread: BLAS takes more for so little work, which gains nothing and waits long where others compute too.
    """
    import faiss  # not light

    wrapped: Any = faiss  # its stubs lack this function
    at = wrapped.swig_ptr
    wrapped.fvec_inner_products_ny(at(out), at(vector), at(rows), rows.shape[1], min(len(rows), len(out)))


def rows_of(rows: Rows | Ranges) -> Rows:
    """Ranges as row numbers."""
    if not isinstance(rows, Ranges):
        return rows
    counts = rows.stops - rows.starts
    return np.asarray(np.arange(counts.sum()) + np.repeat(rows.starts - np.cumsum(counts) + counts, counts))


def _numbers(rows: Rows | Ranges | None, places: Rows) -> Rows:
    """The row numbers at some places of the rows."""
    if rows is None:
        return places
    if not isinstance(rows, Ranges):
        return rows[places]
    if len(rows.starts) == 1:
        return places + rows.starts
    ends = np.cumsum(rows.stops - rows.starts)
    ranges = np.searchsorted(ends, places, side="right")
    return np.asarray(rows.stops[ranges] - ends[ranges] + places)


def _cut(rows: Rows, scores: Scores, k: int, most: float | None = None) -> tuple[Rows, Scores]:
    """The first k below `most` with their ties, and those before them."""
    above = 0 if most is None else int(np.searchsorted(-scores, -most, side="right"))
    if len(scores) <= above + k:
        return rows, scores
    stop = np.searchsorted(-scores, -scores[above + k - 1], side="right")
    return rows[:stop], scores[:stop]


def _joined(ranges: Ranges) -> Ranges:
    """Ranges that touch as one."""
    apart = ranges.starts[1:] != ranges.stops[:-1]
    if apart.all():
        return ranges
    return Ranges(ranges.starts[np.append(True, apart)], ranges.stops[np.append(apart, True)])


def _cover(rows: Rows) -> tuple[Ranges, Rows]:
    """Ranges that hold all rows and few others, and where in them the rows are."""
    breaks = np.flatnonzero(np.diff(rows) > _GAP)
    firsts, lasts = np.append(0, breaks + 1), np.append(breaks, len(rows) - 1)
    ranges = Ranges(rows[firsts], rows[lasts] + 1)
    counts = ranges.stops - ranges.starts
    return ranges, rows - np.repeat(ranges.starts - np.cumsum(counts) + counts, lasts - firsts + 1)
