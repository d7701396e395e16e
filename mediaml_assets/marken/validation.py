"""Batches checked against their type and made canonical rows, column by column."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.marken import columns, list_columns, times, words
from mediaml_assets.marken.columns import Values, mask_of, valid
from mediaml_assets.marken.identity import digests
from mediaml_assets.marken.incoming import Columns, columns_in
from mediaml_assets.marken.refusal import At
from mediaml_assets.marken.region_columns import SIDES, region
from mediaml_assets.marken.rows import row_schema
from mediaml_assets.marken.schema import AnnotationType, Kind, Mode, Property

ENTITIES = ("title", "artwork", "shot", "pair")
LONGEST_NAME = 512
"""Bytes of an id, a scope, a title, a person."""
_READERS = {
    Kind.STRING: columns.strings,
    Kind.INTEGER: columns.integers,
    Kind.NUMBER: columns.numbers,
    Kind.BOOLEAN: columns.booleans,
    Kind.STRINGS: list_columns.string_lists,
}


def validated(
    kind: AnnotationType, batch: pa.Table | Sequence[Mapping[str, Any]], scope: str, by: str, created: datetime
) -> pa.Table:
    """Canonical rows (`row_schema(kind)`) of a batch, with version 0, which the engine replaces.

    Args:
        kind: the type at its version.
        batch: a table whose columns are named as those of canonical rows, or annotations in JSON form, with
            `properties` nested or beside the rest. A time is in seconds or in frames at a rate; a region is WKT or a
            box [x0, y0, x1, y1]. An answer of Marken is a batch as it is.
        scope: of the operation, and the title of rows that name none; in log mode each row's scope is its title.
        by: who says so.
        created: with a time zone, or UTC.

    Returns:
        Rows in the order of the batch. In run mode a row without id gets the digest of what it says, and the same said
        twice is kept once; in log mode the id always is the digest of the type and its key.

    Raises:
        AnnotationRefused: the first thing that is wrong, by property and row; nothing is kept.
    """
    found, rows = columns_in(kind, batch)
    fixed = _fixed(kind, found, rows, scope, by, created)
    own: dict[str, pa.Array] = {}
    for one in kind.properties.values():
        made = _property(kind, one, found, rows)
        if one.mandatory:
            _refuse_missing(next(iter(made.values())), At(str(kind), one.name))
        own |= made
    fixed["id"] = _ids(kind, found, fixed, own, rows)
    table = pa.table([(fixed | own)[field.name] for field in row_schema(kind)], schema=row_schema(kind))
    # without given ids the same may have been said twice
    first = np.unique(fixed["id"].dictionary_encode().indices.to_numpy(), return_index=True)[1]
    return table if len(first) == rows else table.take(np.sort(first))


def _fixed(
    kind: AnnotationType, found: Columns, rows: int, scope: str, by: str, created: datetime
) -> dict[str, pa.Array]:
    """The columns that every annotation has, but for its id."""
    for name, value in (("scope", scope), ("by", by)):
        if value or name == "by" or kind.mode is Mode.RUN:
            _name_column(kind, {name: [value]}, name, 1)
    said = {"type": pa.scalar(kind.name), "type_version": pa.scalar(kind.version, pa.int32()), "by": pa.scalar(by)}
    fixed = {name: pa.repeat(value, rows) for name, value in said.items()}
    title = _name_column(kind, found, "title", rows)
    title = pc.fill_null(title, scope) if scope else title
    _refuse_missing(title, At(str(kind), "title"))
    fixed["title"], fixed["other_title"] = title, _name_column(kind, found, "other_title", rows)
    fixed["scope"] = title if kind.mode is Mode.LOG else pa.repeat(pa.scalar(scope), rows)
    fixed |= _entity(kind, found, rows, title)
    for name in (*said, "scope"):
        _refuse_other(found, fixed[name], At(str(kind), name))
    utc = created.replace(tzinfo=UTC) if created.tzinfo is None else created
    fixed["created"] = pa.repeat(pa.scalar(utc, pa.timestamp("us", tz="UTC")), rows)
    fixed["version"] = pa.repeat(pa.scalar(0, pa.int32()), rows)
    return fixed


def _entity(kind: AnnotationType, found: Columns, rows: int, title: pa.Array) -> dict[str, pa.Array]:
    entity_kind = pc.fill_null(_name_column(kind, found, "entity_kind", rows), "title")
    unknown = ~mask_of(pc.is_in(entity_kind, pa.array(ENTITIES)))
    if unknown.any():
        raise At(str(kind), "entity_kind").refused(
            unknown, "is no kind of entity", f"give one of {', '.join(ENTITIES)}"
        )
    entity_id = _name_column(kind, found, "entity_id", rows)
    nameless = mask_of(pc.and_(pc.is_null(entity_id), pc.not_equal(entity_kind, "title")))
    if nameless.any():
        raise At(str(kind), "entity_id").refused(nameless, "is missing", "say which artwork, shot or pair it is about")
    return {"entity_kind": entity_kind, "entity_id": pc.coalesce(entity_id, title)}


def _property(kind: AnnotationType, one: Property, found: Columns, rows: int) -> dict[str, pa.Array]:
    """The canonical columns of a property, the one that says whether it is there first."""
    name, at = one.name, At(str(kind), one.name)
    values: Values = found.get(name, pa.nulls(rows))
    if one.kind is Kind.TIME_RANGE:
        return times.ranges({part: found.get(f"{name}_{part}") for part in times.PARTS}, rows, at)
    if one.kind is Kind.REGION:
        return region(values, {side: found.get(f"{name}_{side}") for side in SIDES}, rows, at)
    if one.kind is Kind.VECTOR:
        return {name: list_columns.vectors(values, one.dimensions, at)}
    if one.kind is Kind.TEXT:
        text = columns.strings(values, at, columns.LONGEST_TEXT)
        return {name: text, f"{name}_stems": _stems(text, _languages(kind, one, found, rows))}
    return {name: _READERS[one.kind](values, at)}


def _languages(kind: AnnotationType, one: Property, found: Columns, rows: int) -> pa.Array:
    """Of each row of a text: its own `language` where its type has that, else the property's."""
    own = kind.properties.get("language")
    if own is None or own.kind is not Kind.STRING or "language" not in found:
        return pa.repeat(pa.scalar(one.language), rows)
    return pc.fill_null(columns.strings(found["language"], At(str(kind), "language")), one.language)


def _stems(text: pa.Array, languages: pa.Array) -> pa.Array:
    """Of each distinct text in each language once."""
    texts, tongues = text.dictionary_encode(), languages.dictionary_encode()
    there = valid(text)
    # each pair of a text and a language as one number
    pairs = pc.fill_null(texts.indices, 0).to_numpy().astype(np.int64) * max(1, len(tongues.dictionary))
    distinct, of_row = np.unique(pairs + tongues.indices.to_numpy(), return_inverse=True)
    known, spoken = texts.dictionary.to_pylist(), tongues.dictionary.to_pylist()
    cut = [words.stems(known[pair // len(spoken)], spoken[pair % len(spoken)]) if known else [] for pair in distinct]
    return pa.array(cut, pa.list_(pa.string())).take(pa.array(of_row, mask=~there))


def _ids(
    kind: AnnotationType, found: Columns, fixed: dict[str, pa.Array], own: dict[str, pa.Array], rows: int
) -> pa.Array:
    """Ids as given, or digests."""
    at = At(str(kind), "id")
    given = _name_column(kind, found, "id", rows)
    if kind.mode is Mode.LOG:
        for name in kind.key:
            _refuse_missing((fixed | own)[name], At(str(kind), name))
        ids = digests(kind.name, [(fixed | own)[name] for name in kind.key])
        other = mask_of(pc.not_equal(given, ids))
        if other.any():
            raise at.refused(other, f"is not the one of its {', '.join(kind.key)}", "leave it out")
        _refuse_repeated(ids, at, f"is that of another row: both have the same {', '.join(kind.key)}")
        return ids
    if given.null_count == rows:
        # stems follow from the text, and change with the stemmer
        stems = {one.columns[1] for one in kind.properties.values() if one.kind is Kind.TEXT}
        said = [fixed[name] for name in ("scope", "title", "other_title", "entity_kind", "entity_id")]
        return digests(str(kind), [*said, *(own[name] for name in own if name not in stems)])
    if given.null_count:
        raise at.refused(
            ~valid(given), "is missing, and other rows have one", "give every row of a batch its id, or none"
        )
    _refuse_repeated(given, at, "is that of another row")
    return given


def _refuse_repeated(ids: pa.Array, at: At, what: str) -> None:
    index = ids.dictionary_encode().indices.to_numpy()
    repeated = np.ones(len(ids), bool)
    repeated[np.unique(index, return_index=True)[1]] = False
    if repeated.any():
        raise at.refused(repeated, what, "give each annotation once in a batch")


def _name_column(kind: AnnotationType, found: Columns, name: str, rows: int) -> pa.Array:
    at = At(str(kind), name)
    given = columns.strings(found.get(name, pa.nulls(rows)), at, LONGEST_NAME)
    empty = mask_of(pc.equal(given, ""))
    if empty.any():
        raise at.refused(empty, "is empty", "leave it out, or say which")
    return given


def _refuse_missing(column: pa.Array, at: At) -> None:
    missing = ~valid(column)
    if missing.any():
        raise at.refused(missing, "is missing", "give it: every annotation of this type needs it")


def _refuse_other(found: Columns, fixed: pa.Array, at: At) -> None:
    """Rows may say again what is the same for all of them, and nothing else."""
    values = found.get(at.property)
    if values is None:
        return
    read = columns.strings if pa.types.is_string(fixed.type) else columns.integers
    other = mask_of(pc.not_equal(read(values, at), fixed))
    if other.any():
        raise at.refused(
            other, f"is not {fixed[int(np.flatnonzero(other)[0])]}", "leave it out, or load it where it belongs"
        )
