"""A batch as it came, mappings or a table, as columns of values named as those of canonical rows."""

import difflib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pyarrow as pa

from mediaml_assets.errors import AnnotationRefused
from mediaml_assets.marken import times
from mediaml_assets.marken.columns import Values
from mediaml_assets.marken.refusal import At, shown
from mediaml_assets.marken.region_columns import SIDES
from mediaml_assets.marken.schema import FIXED_NAMES, AnnotationType, Kind

Columns = dict[str, Values]
Lists = dict[str, list[Any]]


def columns_in(kind: AnnotationType, batch: pa.Table | Sequence[Mapping[str, Any]]) -> tuple[Columns, int]:
    """The columns that a batch brings, and its number of rows."""
    columns = {column for one in kind.properties.values() for column in one.columns}
    if isinstance(batch, pa.Table):
        _check_names(kind, [batch.schema.names], {*FIXED_NAMES, *columns})
        repeated = [name for name, count in Counter(batch.column_names).items() if count > 1]
        if repeated:
            raise At(str(kind), repeated[0]).refused_whole("is there twice", "rename one")
        return {name: batch[name].combine_chunks() for name in batch.column_names}, batch.num_rows
    for row, one in enumerate(batch):
        if not isinstance(one, Mapping):
            raise AnnotationRefused(f"{kind}: row {row} (from 0) is {shown(one)}; give a JSON object", "")
    return dict(_of_mappings(kind, batch, {*columns, *kind.properties})), len(batch)


def _of_mappings(kind: AnnotationType, batch: Sequence[Mapping[str, Any]], own: Collection[str]) -> Lists:
    found = _by_name(kind, batch, {*FIXED_NAMES, "entity", "properties", *own})
    for inner, prefix, known in (("properties", "", own), ("entity", "entity_", ("kind", "id"))):
        held = found.pop(inner, [])
        for row, one in enumerate(held):
            if one is not None and not isinstance(one, Mapping):
                raise At(str(kind), inner).refused(row, f"is {shown(one)}", "give a JSON object")
        for name, values in _by_name(kind, [one or {} for one in held], known).items():
            at = At(str(kind), f"{prefix}{name}")
            found[at.property] = _merged(found.get(at.property), values, at)
    for name, one in kind.properties.items():
        at = At(str(kind), name)
        if one.kind is Kind.TIME_RANGE and name in found:
            found |= _joined(found, times.split(found.pop(name), at), at)
        if one.kind is Kind.REGION and any(isinstance(value, (list, tuple)) for value in found.get(name, ())):
            found |= _joined(found, _sides(found[name], at), at)
            found[name] = [None if isinstance(value, (list, tuple)) else value for value in found[name]]
    return found


def _by_name(kind: AnnotationType, batch: Sequence[Mapping[str, Any]], known: Collection[str]) -> Lists:
    """The values of each name that there is, None where a row has it not; refuses names that are not known."""
    _check_names(kind, batch, known)
    return {name: [one.get(name) for one in batch] for name in known if any(name in one for one in batch)}


def _check_names(kind: AnnotationType, batch: Sequence[Collection[Any]], known: Collection[str]) -> None:
    """Refuse the first name that is not known, before anything is made of what it names."""
    unknown = {name for one in batch for name in one}.difference(known)
    if unknown:
        row, name = next((row, name) for row, one in enumerate(batch) for name in one if name in unknown)
        near = difflib.get_close_matches(str(name)[:60], known, 1, 0.6)
        hint = f"did you mean {near[0]!r}?" if near else f"what can stand there is {', '.join(sorted(known))}"
        do = f"leave it out; {hint}"
        raise At(str(kind), shown(name).strip("'")).refused(row, "is no property of this type", do)


def _merged(outer: list[Any] | None, inner: list[Any], at: At) -> list[Any]:
    """One column of what stands beside `properties` and in it."""
    if outer is None:
        return inner
    twice = [one is not None and other is not None for one, other in zip(outer, inner, strict=True)]
    if any(twice):
        raise at.refused(twice, "is given twice", "give it once")
    return [one if other is None else other for one, other in zip(outer, inner, strict=True)]


def _joined(found: Lists, parts: Lists, at: At) -> Lists:
    """The parts of a property as columns, unless such a column is there already."""
    joined = {f"{at.property}_{part}": values for part, values in parts.items()}
    if joined.keys() & found.keys():
        raise at.refused_whole("is given whole and in parts", f"give {at.property}, or its parts")
    return joined


def _sides(values: list[Any], at: At) -> Lists:
    """Of the [x0, y0, x1, y1] among regions, by side."""
    boxes = [value if isinstance(value, (list, tuple)) else None for value in values]
    for row, box in enumerate(boxes):
        if box is not None and len(box) != len(SIDES):
            raise at.refused(row, f"is a list of {len(box)}", "give a box as [x0, y0, x1, y1], or WKT")
    return {side: [None if box is None else box[place] for box in boxes] for place, side in enumerate(SIDES)}
