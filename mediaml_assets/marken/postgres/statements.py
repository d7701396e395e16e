"""The statements that searches of one table become: text of this package, names of columns, and bound values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from mediaml_assets.marken.engine import Order, Per
from mediaml_assets.marken.postgres.layout import Rows, quoted, raw, sql_type
from mediaml_assets.marken.postgres.time_index import implied
from mediaml_assets.marken.query.nodes import Node
from mediaml_assets.marken.query.sql import POSTGRES, Sql, render

Fields = Mapping[str, pa.Field]
"""Columns by name, of all types that a search asks."""
ID_AND_VERSION = (Order("id"), Order("version"))


@dataclass(frozen=True)
class Sight:
    """What is in sight of a table at a moment, under a filter."""

    rows: Rows
    fields: Fields
    condition: Sql

    def column(self, name: str) -> str:
        """A column as conditions and orders have it; null where the type has none of that name."""
        if name in self.rows.fields:
            return quoted(name)
        return f"CAST(NULL AS {_bare_type(self.fields.get(name))})"

    def given(self, names: Sequence[str]) -> str:
        """Columns as they are read."""
        return ", ".join(self._given(name) for name in names)

    def _given(self, name: str) -> str:
        field = self.fields.get(name)
        if field is None or not pa.types.is_fixed_size_list(field.type):
            return self.column(name)
        if name not in self.rows.fields:
            return "CAST(NULL AS bytea)"
        return f"coalesce({raw(name)}, vector_send({quoted(name)}))"


def sight(rows: Rows, fields: Fields, moment: int, where: Node | None, titles: Sequence[str] | None) -> Sight:
    """What is in sight of a table."""
    if rows.is_log:
        parts, values = ["_since <= %s AND _until > %s"], [moment, moment]
    else:
        stints = "SELECT op FROM marken.stints WHERE type_id = %s AND since <= %s AND until > %s"
        # as it stands, looked up for each row; "IN" by itself becomes a join, which a planner that does not know the
        # tables yet runs for each operation
        parts, values = [f"(_op IN ({stints})) IS TRUE"], [rows.type_id, moment, moment]
    parameters: list[Any] = list(values)
    if titles is not None:
        parts.append("(title = ANY(CAST(%s AS text[])) OR other_title = ANY(CAST(%s AS text[])))")
        parameters += [list(titles), list(titles)]
    if where is not None:
        without = Sight(rows, fields, Sql("", ()))
        rendered = render(where, POSTGRES, lambda column: without.column(column.name))
        for one in (rendered, *implied(where, rows)):
            parts.append(one.text)
            parameters += one.parameters
    return Sight(rows, fields, Sql(" AND ".join(parts), parameters))


def counted(sight: Sight) -> Sql:
    """How many rows there are."""
    return Sql(f"SELECT count(*) FROM {sight.rows.table} WHERE {sight.condition.text}", sight.condition.parameters)


def distinct(sight: Sight, property: str, box: tuple[float, float, float, float] | None) -> Sql:
    """Distinct values of a string or region property; with a box, regions whose bounding box meets it."""
    text = f"SELECT DISTINCT {quoted(property)} FROM {sight.rows.table} WHERE {sight.condition.text}"
    x0, y0, x1, y1 = (quoted(f"{property}_{part}") for part in ("x0", "y0", "x1", "y1"))
    parameters = list(sight.condition.parameters)
    text += f" AND {quoted(property)} IS NOT NULL"
    if box is not None:
        text += f" AND {x0} <= %s AND {x1} >= %s AND {y0} <= %s AND {y1} >= %s"
        parameters += [box[2], box[0], box[3], box[1]]
    return Sql(text, parameters)


def chosen(
    sight: Sight,
    names: Sequence[str],
    order: Sequence[Order],
    after: Sequence[Any] | None,
    per: Per | None,
    limit: int | None,
) -> Sql:
    """Rows by an order without score: of each group so many, after a place, up to a limit; they come in any order."""
    keys = [*order, *ID_AND_VERSION]
    sort = _sort(sight, keys)
    inner, parameters = f"{sight.rows.table} WHERE {sight.condition.text}", list(sight.condition.parameters)
    conditions = []
    if per is not None:
        rank = f"row_number() OVER (PARTITION BY {sight.column(per.column)} ORDER BY {sort}) AS _rank"
        inner = f"(SELECT *, {rank} FROM {inner}) AS found WHERE TRUE"
        conditions.append(Sql("_rank <= %s", [per.size]))
    if after is not None:
        conditions.append(_after(sight, keys, after))
    for one in conditions:
        inner += f" AND {one.text}"
        parameters += one.parameters
    return _given(sight, names, f"SELECT * FROM {inner} ORDER BY {sort}", parameters, limit)


@dataclass(frozen=True)
class Near:
    """How near is approximated: the higher the sooner a row comes."""

    name: str
    vector: str
    """At length 1, as pgvector reads it."""
    descending: bool
    """Whether the most like come first."""
    error: float
    """How far an approximate score can be from the exact one."""

    @property
    def sign(self) -> int:
        """What makes a score a nearness."""
        return 1 if self.descending else -1

    @property
    def nearness(self) -> str:
        """Never the expression that an index is made of, so that every survivor is scored."""
        return f"({self.sign} * (1 - ({self.distance})))"

    @property
    def distance(self) -> str:
        """What an index answers."""
        return f"{quoted(self.name)} <=> CAST(%s AS vector)"


def nearest(
    sight: Sight, names: Sequence[str], near: Near, limit: int | None, up_to: float | None, index: bool = False
) -> Sql:
    """The nearest rows, with their `_near` as the last column, in any order.

    Args:
        sight: where.
        names: columns.
        near: to what.
        limit: how many.
        up_to: leaves out what is nearer than this.
        index: whether an index over all rows may answer, and miss some.
    """
    inner = f"SELECT *, {near.nearness} AS _near FROM {sight.rows.table} WHERE {sight.condition.text}"
    parameters = [near.vector, *sight.condition.parameters]
    inner += f" AND {quoted(near.name)} IS NOT NULL"
    if up_to is not None:
        inner += f" AND {near.nearness} <= %s"
        parameters += [near.vector, up_to]
    if index:
        inner += f" ORDER BY {near.distance}"
        parameters.append(near.vector)
    else:
        inner += " ORDER BY _near DESC"
    return _given(sight, names, inner, parameters, limit, "_near")


def nearest_of_each(sight: Sight, names: Sequence[str], near: Near, per: Per) -> Sql:
    """Rows that can be among the nearest so many of their group, with `_near`, in any order."""
    inner = f"SELECT *, {near.nearness} AS _near FROM {sight.rows.table} WHERE {sight.condition.text}"
    inner += f" AND {quoted(near.name)} IS NOT NULL"
    group = f"PARTITION BY {sight.column(per.column)} ORDER BY _near DESC"
    whole = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"
    last = f"nth_value(_near, %s) OVER ({group} {whole}) AS _last"
    ranked = f"SELECT *, {last} FROM ({inner}) AS scored"
    text = f"SELECT * FROM ({ranked}) AS ranked WHERE _last IS NULL OR _near >= _last - %s"
    parameters = [per.size, near.vector, *sight.condition.parameters, 2 * near.error]
    return _given(sight, names, text, parameters, None, "_near")


def _given(sight: Sight, names: Sequence[str], inner: str, parameters: list[Any], limit: int | None, *more: str) -> Sql:
    """Columns are made ready for reading after the limit, not for every survivor."""
    if limit is not None:
        inner, parameters = f"{inner} LIMIT %s", [*parameters, limit]
    return Sql(f"SELECT {', '.join([sight.given(names), *more])} FROM ({inner}) AS found", parameters)


def _sort(sight: Sight, keys: Sequence[Order]) -> str:
    return ", ".join(f"{sight.column(one.column)} {'DESC' if one.descending else 'ASC'} NULLS LAST" for one in keys)


def _after(sight: Sight, keys: Sequence[Order], values: Sequence[Any]) -> Sql:
    """Whether a row comes after the one that has these values."""
    text = "FALSE"
    parameters: list[Any] = []
    for key, value in reversed(list(zip(keys, values, strict=True))):
        column = sight.column(key.column)
        if value is None:
            text = f"({column} IS NULL AND {text})"
            continue
        bound = f"CAST(%s AS {_bare_type(sight.fields.get(key.column))})"
        beyond = f"{column} {'<' if key.descending else '>'} {bound} OR {column} IS NULL"
        text = f"({beyond} OR ({column} = {bound} AND {text}))"
        parameters = [value, value, *parameters]
    return Sql(text, parameters)


def _bare_type(field: pa.Field | None) -> str:
    return "text" if field is None or field.type == pa.null() else sql_type(field.type).removesuffix(' COLLATE "C"')
