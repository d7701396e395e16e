"""Rows of several tables and servers put in order, as one table would give them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.marken.engine import Order, Per, Selection
from mediaml_assets.marken.vectors import ordered


def arranged(rows: pa.Table, selection: Selection) -> pa.Table:
    """Rows as a selection has them: in order, of each group so many, after its place, up to its limit.

    Args:
        rows: all that can be among them, with the columns of its order, of `per`, id and version.
        selection: what is wanted.
    """
    rows = ordered(rows, selection.order)
    if selection.per is not None:
        rows = first_of_each(rows, selection.per)
    if selection.after is not None:
        rows = later(rows, selection.order, selection.after)
    return rows.slice(0, selection.limit)


def first_of_each(rows: pa.Table, per: Per) -> pa.Table:
    """The first rows of each distinct value of a column; null is a value."""
    values = rows[per.column].combine_chunks()
    if pa.types.is_floating(values.type):
        values = pc.add(values, 0.0)  # of the two zeros one
    groups = values.dictionary_encode(null_encoding="encode").indices.to_numpy()
    together = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[together], groups[together])
    rank = np.empty(len(groups), np.int64)
    rank[together] = np.arange(len(groups)) - starts
    return rows.filter(pa.array(rank < per.size))


def later(rows: pa.Table, order: Sequence[Order], after: Sequence[Any]) -> pa.Table:
    """Rows in order that come after the one that has these values, itself left out."""
    names = list(dict.fromkeys([*(one.column for one in order), "id", "version"]))
    values = dict(reversed(list(zip([*(one.column for one in order), "id", "version"], after, strict=True))))
    keys = rows.select(names)
    place = pa.Table.from_pylist([values], schema=keys.schema)
    both = pa.concat_tables([keys, place]).append_column("_at", pa.array(range(rows.num_rows + 1)))
    # an equal row keeps its place before this one: the sort is stable
    at = pc.index(ordered(both, order)["_at"], rows.num_rows).as_py()
    return rows.slice(at)
