"""Scores of the rows that a selection may give: of all that its filter leaves, or only of those that can be first."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.marken.embedded.statements import SCORE, Source
from mediaml_assets.marken.embedded.vectors import VectorIndex
from mediaml_assets.marken.engine import Nearest, Selection
from mediaml_assets.marken.schema import AnnotationType
from mediaml_assets.marken.vectors import Rows, Scores

_COLUMNS = pa.schema([("at", pa.int32()), ("row", pa.int64()), SCORE, ("group", pa.string())])


@dataclass(frozen=True)
class Scored:
    """Rows with their exact scores."""

    rows: pa.Table
    """`at`: which of the selection's types; `row`: the vector's number; `score`. The first of the selection are among
    them, with all that tie with the last."""
    told: list[str]
    """How they were found, for people."""


def scored(source: Source, selection: Selection, survivors: Callable[[AnnotationType], pa.Table]) -> Scored:
    """The rows that the selection, which has `nearest` and an order, may give.

    Args:
        source: the rows.
        selection: what is wanted.
        survivors: of a type the rows that the filter leaves, as `statements.survivors` has them.
    """
    near = selection.nearest
    assert near is not None
    found = [_COLUMNS.empty_table()]
    told: list[str] = []
    for at, kind in enumerate(source.types):
        table = source.seen.get((kind.name, kind.version))
        blocks = table.vectors.get(near.property, ()) if table else ()
        if not blocks:
            continue
        left = survivors(kind)
        if selection.per and selection.per.among is not None:
            left = left.filter(pc.is_in(left[1], pa.array(selection.per.among, left[1].type)))
        numbers = left[0].to_numpy()
        values = left[1].cast(pa.string()) if selection.per else pa.nulls(len(numbers), pa.string())
        groups = _codes(values) if selection.per else None
        for block in blocks:
            low, high = np.searchsorted(numbers, (block.first, block.stop))
            some, index = numbers[low:high] - block.first, block.index
            rows, scores = _best(index, some, near, selection, None if groups is None else groups[low:high])
            told.append(f"{kind}: {index.explain(some, near.exact)}")
            columns = [np.full(len(rows), at, np.int32), rows + block.first, scores]
            of = values.take(pa.array(low + np.searchsorted(some, rows)))
            found.append(pa.table([*columns, of], schema=_COLUMNS))
    rows = pa.concat_tables(found)
    if selection.per and selection.limit is not None and selection.order[0].column == SCORE.name:
        rows = _first(rows, selection, selection.per.size, selection.limit)
    return Scored(rows.drop("group"), told)


def _codes(values: pa.Array | pa.ChunkedArray) -> Rows:
    """A number for each value; null is one of them."""
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return np.asarray(whole.dictionary_encode("encode").indices.to_numpy().astype(np.int64))


def _first(rows: pa.Table, selection: Selection, size: int, limit: int) -> pa.Table:
    """What holds the first `limit` of those that count: behind the selection's place, and `size` of a group at most.

    Which of equal scores count is not known here, only how many: all that tie with the last are among them.
    """
    sign = 1 if selection.order[0].descending else -1
    scores, groups = sign * rows["score"].to_numpy(), _codes(rows["group"])
    order = np.lexsort((-scores, groups))
    first = np.flatnonzero(np.diff(groups[order], prepend=-1))
    counted = np.arange(len(order)) - np.repeat(first, np.diff(first, append=len(order))) < size
    last = scores[order[counted]]
    if selection.after is not None:
        last = last[last < sign * selection.after[0]]
    if len(last) <= limit:
        return rows
    return rows.filter(pa.array(scores >= np.partition(last, -limit)[-limit]))


def _best(
    index: VectorIndex, numbers: Rows, near: Nearest, selection: Selection, groups: Rows | None
) -> tuple[Rows, Scores]:
    """Which of the rows that are left can be among the first of the selection, and their scores."""
    first, per = selection.order[0], selection.per
    wanted = per.size if per else selection.limit
    if first.column != SCORE.name or wanted is None or not len(numbers):
        return numbers, index.scores(numbers, near.vector)
    sign = 1 if first.descending else -1
    # per counts before after does, so then the first of every group are wanted
    most = None if per or selection.after is None else sign * selection.after[0]
    vector = near.vector if first.descending else -near.vector
    rows, scores = index.nearest(numbers, vector, max(wanted, 1), near.exact, groups=groups, most=most)
    return rows, sign * scores
