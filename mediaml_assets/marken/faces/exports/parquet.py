"""Parquet: one row an annotation, one column each part of a property; what a type has not is null.

Columns are those of the canonical rows that were stated: stems and bounding boxes, which are made from them, are left
out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from mediaml_assets.errors import QueryRefused
from mediaml_assets.marken.rows import FIXED, columns_of
from mediaml_assets.marken.schema import AnnotationType, Kind, Property

_GROUP = 10_000
"""Annotations of a row group, which is what is held in memory."""


def write_parquet(pages: Iterable[Sequence[Mapping[str, Any]]], out: BinaryIO, types: Sequence[AnnotationType]) -> int:
    """Write annotations of these types; returns how many.

    Raises:
        QueryRefused: two of the types mean different things by one name; before anything is written.
    """
    schema, count = export_schema(types), 0
    named = {name: one for kind in types for name, one in kind.properties.items()}
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for group in _groups(pages):
            writer.write_table(pa.Table.from_pylist([_row(one, named) for one in group], schema))
            count += len(group)
    return count


def export_schema(types: Sequence[AnnotationType]) -> pa.Schema:
    """The columns of an export of these types: fixed ones, then those of each property."""
    found: dict[str, tuple[AnnotationType, pa.Field]] = {}
    for kind in types:
        for one in kind.properties.values():
            for column in _stated(one):
                first, other = found.setdefault(column.name, (kind, column))
                if other.type != column.type:
                    raise QueryRefused(
                        f"{first.name}@{first.version} and {kind.name}@{kind.version} both have {column.name}, as "
                        f"{other.type} and as {column.type}; export them one after the other",
                        "types",
                    )
    return pa.schema([*FIXED, *(column for _, column in found.values())])


def _stated(one: Property) -> list[pa.Field]:
    columns = columns_of(one)
    return columns[:1] if one.kind in (Kind.TEXT, Kind.REGION) else columns


def _groups(pages: Iterable[Sequence[Mapping[str, Any]]]) -> Iterator[list[Mapping[str, Any]]]:
    group: list[Mapping[str, Any]] = []
    for page in pages:
        group.extend(page)
        if len(group) >= _GROUP:
            yield group
            group = []
    if group:
        yield group


def _row(form: Mapping[str, Any], named: Mapping[str, Property]) -> dict[str, Any]:
    """The columns of one annotation's JSON form."""
    row = {name: value for name, value in form.items() if name in FIXED.names}
    row["created"] = datetime.fromisoformat(form["created"])
    row["entity_kind"], row["entity_id"] = form["entity"]["kind"], form["entity"]["id"]
    for name, value in form["properties"].items():
        if named[name].kind is not Kind.TIME_RANGE:
            row[name] = value
            continue
        row |= {f"{name}_{part}": value.get(part) for part in ("start", "end", "start_frame", "end_frame")}
        if "rate" in value:
            rate = Fraction(value["rate"])
            row |= {f"{name}_rate_num": rate.numerator, f"{name}_rate_den": rate.denominator}
    return row
