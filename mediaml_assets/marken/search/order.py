"""Columns that a search names, and the order of its hits."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from mediaml_assets.errors import QueryRefused
from mediaml_assets.marken.engine import Order
from mediaml_assets.marken.query.names import NoSuchName, column_of
from mediaml_assets.marken.query.nodes import Column
from mediaml_assets.marken.rows import FIXED
from mediaml_assets.marken.schema import AnnotationType, Kind

SCORE = "score"
LAST = tuple(Order(name) for name in ("id", "version", "type", "type_version", "scope"))
"""The last keys of every order: writers may have given one id to annotations of several types or scopes."""
_TYPES = {
    Kind.STRING: pa.string(),
    Kind.TEXT: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
}


def scalar(types: Sequence[AnnotationType], name: str, place: str) -> Column:
    """The column of a name, which hits can be sorted and grouped by.

    Raises:
        QueryRefused: no type has it, two types mean different things by it, or it holds no single values.
    """
    try:
        column = column_of(name, types)
    except NoSuchName as unknown:
        raise QueryRefused(f"{place}: {unknown}", place) from None
    if column.kind not in _TYPES:
        other = f"name {name}_start or {name}_end" if column.kind is Kind.TIME_RANGE else "name another"
        raise QueryRefused(f"{place}: {name!r} is a {column.kind}, which has no order: {other}", place)
    return column


def type_of(column: Column) -> pa.DataType:
    """Of the values of a scalar column."""
    return FIXED.field(column.name).type if column.name in FIXED.names else _TYPES[column.kind]


def order_of(
    sort: Sequence[Mapping[str, str]], types: Sequence[AnnotationType], nearest: bool
) -> list[tuple[Order, pa.DataType]]:
    """The keys of a search with the types of their values, `LAST` included.

    Raises:
        QueryRefused: a column is unknown or no scalar, or there is no score without `nearest`.
    """
    keys: list[tuple[Order, pa.DataType]] = []
    for at, key in enumerate(sort or ([{SCORE: "desc"}] if nearest else [])):
        [(name, direction)] = key.items()
        place = f"sort[{at}].{name}"
        if name == SCORE and not nearest:
            raise QueryRefused(f"{place}: there is a score with `nearest` alone", place)
        column = Column(SCORE, Kind.NUMBER, SCORE) if name == SCORE else scalar(types, name, place)
        keys.append((Order(column.name, direction == "desc"), type_of(column)))
    return keys + [(one, type_of(scalar(types, one.column, "sort"))) for one in LAST]


def after(keys: Sequence[Any]) -> list[Any]:
    """`Selection.after` of the values of an order's keys: engines want id and version once more."""
    id, version = keys[-len(LAST) : -len(LAST) + 2]
    return [*keys, id, version]
