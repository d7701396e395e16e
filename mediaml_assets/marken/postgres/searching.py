"""The rows of one table that can be in an answer, as columns."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from mediaml_assets.marken.engine import Nearest, Selection
from mediaml_assets.marken.postgres import statements
from mediaml_assets.marken.postgres.layout import Tables
from mediaml_assets.marken.postgres.merging import later
from mediaml_assets.marken.postgres.reading import read
from mediaml_assets.marken.postgres.servers import Connection
from mediaml_assets.marken.postgres.statements import Fields, Near, Sight
from mediaml_assets.marken.query.sql import Sql
from mediaml_assets.marken.rows import row_schema
from mediaml_assets.marken.schema import AnnotationType
from mediaml_assets.marken.vectors import Fetched, cosine, error_bound, normalised, ordered, refined

SCORE = pa.field("score", pa.float64())
_NEAR = pa.field("_near", pa.float64())


def fields_of(types: Sequence[AnnotationType], names: Sequence[str] = ()) -> Fields:
    """The columns of types by name, and those of other names, which are null in every row."""
    nulls = {name: pa.field(name, pa.null()) for name in names}
    return nulls | {field.name: field for kind in types for field in row_schema(kind)} | {"score": SCORE}


def names_of(selection: Selection) -> list[str]:
    """Columns that are read: those wanted, and those that the order, groups and likeness need."""
    names = [*selection.columns, *(one.column for one in selection.order), "id", "version"]
    names += [selection.per.column] if selection.per else []
    names += [selection.nearest.property] if selection.nearest else []
    return [name for name in dict.fromkeys(names) if name != "score"]


def found(connection: Connection, sight: Sight, selection: Selection, alone: bool) -> pa.Table:
    """Every row of a table that can be in the answer, with the columns `names_of` and, with `nearest`, `score`.

    Args:
        connection: to the server of the table.
        sight: the table, at a moment and under the filter.
        selection: what is wanted.
        alone: whether no other table takes part, so that groups, place and limit can be had here.
    """
    names = names_of(selection)
    fields = [sight.fields[name] for name in names]
    near = selection.nearest
    if near is not None and near.property not in sight.rows.fields:
        return pa.schema([*fields, SCORE]).empty_table()
    if near is None or not _by_score(selection):
        rows = read(connection, by_columns(sight, selection, alone), fields)
        return rows if near is None else _scored(rows, near)
    return _by_likeness(connection, sight, selection, near)


def by_columns(sight: Sight, selection: Selection, alone: bool) -> Sql:
    """The statement of a selection whose order needs no score."""
    names, limit, after = names_of(selection), selection.limit, selection.after
    if selection.per is not None and not alone:
        # rows of other tables may be among the first of their group, and put these behind
        limit = after = None
    if selection.nearest is not None:
        there = f"{sight.condition.text} AND {sight.column(selection.nearest.property)} IS NOT NULL"
        sight = Sight(sight.rows, sight.fields, Sql(there, sight.condition.parameters))
    return statements.chosen(sight, names, selection.order, after, selection.per, limit)


def by_likeness(sight: Sight, selection: Selection, limit: int | None, index: bool) -> Sql:
    """The statement of the candidates of a selection whose order needs scores."""
    assert selection.nearest is not None
    names, near = names_of(selection), near_of(selection.nearest, selection)
    if selection.per is not None and _first_by_score(selection):
        return statements.nearest_of_each(sight, names, near, selection.per)
    if selection.per is not None or not _first_by_score(selection):
        return statements.nearest(sight, names, near, None, None)
    up_to = None if selection.after is None else near.sign * selection.after[0] + near.error
    return statements.nearest(sight, names, near, limit, up_to, index)


def near_of(nearest: Nearest, selection: Selection) -> Near:
    """How near is approximated."""
    vector = normalised(nearest.vector[None, :])[0]
    descending = next((one.descending for one in selection.order if one.column == "score"), True)
    return Near(nearest.property, str(vector.tolist()), descending, error_bound(len(vector)))


def by_index(selection: Selection) -> bool:
    """Whether an index may answer."""
    near = selection.nearest
    asked = near is not None and not near.exact and selection.per is None and selection.limit is not None
    return asked and _first_by_score(selection) and selection.order[0].descending


def _by_likeness(connection: Connection, sight: Sight, selection: Selection, near: Nearest) -> pa.Table:
    fields = [sight.fields[name] for name in names_of(selection)]
    sign = near_of(near, selection).sign

    def fetch(limit: int | None, index: bool = False) -> Fetched:
        rows = read(connection, by_likeness(sight, selection, limit, index), [*fields, _NEAR])
        if index and limit is not None and rows.num_rows < limit:
            # the index gave up before it had so many that the filter lets through
            return fetch(limit)
        last = None if limit is None or rows.num_rows < limit else sign * min(rows["_near"].to_pylist())
        rows = _scored(rows.drop_columns(["_near"]), near)
        if selection.after is not None and selection.per is None:
            rows = later(ordered(rows, selection.order), selection.order, selection.after)
        return Fetched(rows, last)

    if selection.limit is None or selection.per is not None:
        return fetch(None).rows
    if selection.limit == 0:
        return pa.schema([*fields, SCORE]).empty_table()
    error = error_bound(len(near.vector))
    index = by_index(selection)
    return refined(lambda limit: fetch(limit, index), selection.limit, error, selection.order)


def _by_score(selection: Selection) -> bool:
    return any(one.column == "score" for one in selection.order)


def _first_by_score(selection: Selection) -> bool:
    return bool(selection.order) and selection.order[0].column == "score"


def _scored(rows: pa.Table, near: Nearest) -> pa.Table:
    """With the exact score."""
    column = rows[near.property].combine_chunks()
    vectors = column.flatten().to_numpy().reshape(rows.num_rows, len(near.vector))
    scores = cosine(vectors, near.vector) if rows.num_rows else np.empty(0)
    return rows.append_column(SCORE, pa.array(scores))


def explained(connection: Connection, sight: Sight, selection: Selection) -> dict[str, Any]:
    """The statement that `found` would run first, its parameters, and the server's plan of it."""
    if selection.nearest is not None and selection.nearest.property not in sight.rows.fields:
        return {"statement": None, "parameters": [], "plan": []}
    if selection.nearest is not None and _by_score(selection):
        statement = by_likeness(sight, selection, selection.limit, by_index(selection))
    else:
        statement = by_columns(sight, selection, alone=True)
    plan = connection.execute(f"EXPLAIN {statement.text}", statement.parameters).fetchall()
    return {"statement": statement.text, "parameters": list(statement.parameters), "plan": [line for (line,) in plan]}


def versions(connection: Connection, tables: Tables, id: str) -> list[pa.Table]:
    """Of each table that has some, the rows of an id that readers ever saw, with all columns."""
    found = []
    for rows in tables.values():
        seen = Sql("id = %s", [id])
        if not rows.is_log:
            seen = Sql("id = %s AND _op IN (SELECT op FROM marken.stints WHERE type_id = %s)", [id, rows.type_id])
        names = list(rows.fields)
        statement = statements.chosen(Sight(rows, rows.fields, seen), names, (), None, None, None)
        found.append(read(connection, statement, list(rows.fields.values())))
    return [one for one in found if one.num_rows]
