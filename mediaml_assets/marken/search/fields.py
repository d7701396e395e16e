"""What hits bring: properties that were asked for, in the JSON form of annotations."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from mediaml_assets.errors import QueryRefused
from mediaml_assets.marken.annotation import annotation_of
from mediaml_assets.marken.rows import FIXED, columns_of
from mediaml_assets.marken.schema import AnnotationType, Kind, Property
from mediaml_assets.marken.search.order import SCORE


def properties_of(fields: Sequence[str] | None, types: Sequence[AnnotationType]) -> list[Property]:
    """The properties that hits bring; without `fields` all but vectors.

    Raises:
        QueryRefused: no type has one of them, or two types have it of different kinds.
    """
    found: dict[str, Property] = {}
    for kind in types:
        for name, one in kind.properties.items():
            if one.kind is Kind.VECTOR if fields is None else name not in fields:
                continue
            other = found.setdefault(name, one)
            if other.holds != one.holds:
                told = f"{name!r} is {one.holds} in {kind} and {other.holds} in another type"
                raise QueryRefused(f"fields: {told}: search them one by one, or name fields without it", "fields")
    for at, name in enumerate(fields or ()):
        if name not in found:
            known = ", ".join(sorted({name for kind in types for name in kind.properties}))
            raise QueryRefused(f"fields[{at}]: there is no property {name!r}: there are {known}", f"fields[{at}]")
    return list(found.values())


def columns(properties: Sequence[Property], others: Sequence[str]) -> list[str]:
    """The columns to read for hits: stems and parts of regions are not shown."""
    own = [
        column.name
        for one in properties
        for column in (columns_of(one) if one.kind is Kind.TIME_RANGE else columns_of(one)[:1])
    ]
    return list(dict.fromkeys([*FIXED.names, *own, *others]))


def hits_of(rows: pa.Table, types: Sequence[AnnotationType], properties: Sequence[Property]) -> list[dict[str, Any]]:
    """Rows as annotations in their JSON form, with `score` where they have one."""
    names = {one.name for one in properties}
    kinds = {(kind.name, kind.version): kind for kind in types}
    hits = []
    for row in rows.to_pylist():
        hit = annotation_of(kinds[row["type"], row["type_version"]], row).to_json()
        # a column that was read to sort by may be a property that was not asked for
        hit["properties"] = {name: value for name, value in hit["properties"].items() if name in names}
        hits.append(hit | ({SCORE: row[SCORE]} if SCORE in row else {}))
    return hits
