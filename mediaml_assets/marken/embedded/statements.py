"""Selections as SQL over the tables of one moment; nothing of a selection becomes text but names of known columns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from mediaml_assets.marken.embedded.state import Key
from mediaml_assets.marken.embedded.tables import Seen, quoted
from mediaml_assets.marken.engine import Order, Selection
from mediaml_assets.marken.query.nodes import Column, HasAny, HasOnly, HasRun, Node
from mediaml_assets.marken.query.sql import DUCKDB, Sql, render
from mediaml_assets.marken.rows import row_schema
from mediaml_assets.marken.schema import AnnotationType

TABLE = "_table"
"""Column of every statement's rows: which of the selection's types they are of."""
SCORE = pa.field("score", pa.float64())
FEW = 24
"""So many titles are compared one by one, so that whole blocks of rows are skipped."""


@dataclass(frozen=True)
class Source:
    """The rows of some types as one relation, with the columns of all of them: what a type has not is null."""

    seen: Mapping[Key, Seen]
    types: Sequence[AnnotationType]
    numbers_of: Callable[[HasAny | HasOnly | HasRun], str]
    """A relation with a column `number`: the lists that a condition holds for."""

    @property
    def fields(self) -> dict[str, pa.Field]:
        """The canonical columns of the types."""
        return {column.name: column for kind in reversed(self.types) for column in row_schema(kind)}

    def sql(self, columns: Sequence[str]) -> str:
        """The relation with some columns and `TABLE`."""
        fields = self.fields
        arms = []
        for number, kind in enumerate(self.types):
            table = self.seen.get((kind.name, kind.version))
            known = {"type": f"'{kind.name}'", "type_version": str(kind.version), TABLE: str(number)}
            known |= {name: quoted(name) for name in (table.columns if table else ())}
            nothing = {name: f"CAST(NULL AS {_sql_type(fields[name].type)})" for name in columns if name in fields}
            parts = [f"{known.get(name, nothing.get(name, 'NULL'))} AS {quoted(name)}" for name in (*columns, TABLE)]
            arms.append(f"SELECT {', '.join(parts)} {f'FROM {table.name}' if table else 'WHERE FALSE'}")
        return "(" + " UNION ALL ".join(arms or ["SELECT NULL WHERE FALSE"]) + ")"

    @property
    def two_titles(self) -> bool:
        """Whether any row may have another title."""
        found = (self.seen.get((kind.name, kind.version)) for kind in self.types)
        return any(one.two_titles for one in found if one)


@dataclass(frozen=True)
class Condition:
    """What rows must fulfil, and the columns that this needs."""

    text: str
    parameters: tuple[Any, ...]
    columns: tuple[str, ...]


def condition(source: Source, where: Node | None, titles: Sequence[str] | None, lacks: str = "") -> Condition:
    """Of a filter and a scope of titles; `lacks` names a column that must not be null."""
    needed: dict[str, None] = {}

    def named(column: Column) -> str:
        needed[column.name] = None
        return quoted(column.name)

    def listed(node: HasAny | HasOnly | HasRun) -> str:
        return f"({named(node.column)} IN (SELECT number FROM {source.numbers_of(node)}))"

    found = [] if where is None else [render(where, DUCKDB, named, listed)]
    if titles is not None:
        needed |= {"title": None, "other_title": None}
        found.insert(0, _in_titles(titles, source.two_titles))
    if lacks:
        needed[lacks] = None
        found.append(Sql(f"{quoted(lacks)} IS NOT NULL", ()))
    text = " AND ".join(one.text for one in found) or "TRUE"
    return Condition(text, tuple(value for one in found for value in one.parameters), tuple(needed))


def total(order: Sequence[Order]) -> list[Order]:
    """An order with id and version as its last keys."""
    named = {one.column for one in order}
    return [*order, *(Order(name) for name in ("id", "version") if name not in named)]


def select(source: Source, selection: Selection, columns: Sequence[str], scored: str = "") -> Sql:
    """The statement of a selection.

    Args:
        source: its rows.
        selection: what is wanted; `nearest` is done by the caller.
        columns: of the answer.
        scored: a relation (`TABLE`, row, score) that rows are joined with; the vector property in `nearest`.
    """
    near = selection.nearest
    order = total(selection.order)
    # what is scored was found by the filter
    where = Condition("TRUE", (), ()) if near else condition(source, selection.condition, selection.titles)
    per = selection.per
    keys = [one.column for one in order] + ([per.column] if per else []) + ([near.property] if near else [])
    inner = [name for name in dict.fromkeys([*columns, *keys, *where.columns]) if name != SCORE.name]
    rows = source.sql(inner)
    if near:
        rows += f" JOIN {scored} ON {quoted(near.property)} = {scored}.row"
        if len(source.types) > 1:
            rows += f" AND {TABLE} = {scored}.at"
    text = f"SELECT * FROM {rows} WHERE {where.text}"
    if per:
        window = f"PARTITION BY {quoted(per.column)} ORDER BY {_order_by(order)}"
        text += f" QUALIFY row_number() OVER ({window}) <= {int(per.size)}"
    parameters = list(where.parameters)
    if selection.after is not None:
        after = _after(selection.order, selection.after)
        text = f"SELECT * FROM ({text}) WHERE {after.text}"
        parameters += after.parameters
    wanted = ", ".join(map(quoted, (*columns, TABLE)))
    text = f"SELECT {wanted} FROM ({text}) ORDER BY {_order_by(order)}"
    if selection.limit is not None:
        text += f" LIMIT {int(selection.limit)}"
    return Sql(text, tuple(parameters))


def survivors(
    source: Source, where: Node | None, titles: Sequence[str] | None, property: str, column: str | None
) -> Sql:
    """The vectors' row numbers of the rows that a filter leaves, ascending, with one more column."""
    kept = condition(source, where, titles, lacks=property)
    columns = [property, *([column] if column else [])]
    rows = source.sql(list(dict.fromkeys([*columns, *kept.columns])))
    found = ", ".join(map(quoted, columns))
    return Sql(f"SELECT {found} FROM {rows} WHERE {kept.text} ORDER BY {quoted(property)}", kept.parameters)


def count(source: Source, where: Node | None, titles: Sequence[str] | None, lacks: str = "") -> Sql:
    """How many rows a filter leaves."""
    found = condition(source, where, titles, lacks)
    return Sql(f"SELECT count(*) FROM {source.sql(found.columns)} WHERE {found.text}", found.parameters)


def distinct(source: Source, property: str, box: tuple[float, float, float, float] | None) -> Sql:
    """Distinct values of a string or region property; with a box, regions whose bounding box meets it."""
    sides = [f"{property}_{side}" for side in ("x0", "y0", "x1", "y1")]
    x0, y0, x1, y1 = map(quoted, sides)
    name = quoted(property)
    text = f"SELECT DISTINCT {name} FROM {source.sql([property, *sides])} WHERE {name} IS NOT NULL"
    if box is None:
        return Sql(text, ())
    return Sql(f"{text} AND {x0} <= ? AND {y0} <= ? AND {x1} >= ? AND {y1} >= ?", (box[2], box[3], box[0], box[1]))


def _in_titles(titles: Sequence[str], two: bool) -> Sql:
    several = list(dict.fromkeys(titles))
    few = len(several) <= FEW
    one = f"IN ({', '.join('?' * len(several)) or 'NULL'})" if few else "IN (SELECT unnest(CAST(? AS TEXT[])))"
    values = tuple(several) if few else (several,)
    if not two:
        return Sql(f"title {one}", values)
    return Sql(f"(title {one} OR other_title {one})", values + values)


def _order_by(order: Sequence[Order]) -> str:
    return ", ".join(f"{quoted(one.column)} {'DESC' if one.descending else 'ASC'} NULLS LAST" for one in order)


def _after(order: Sequence[Order], values: Sequence[Any]) -> Sql:
    """Behind a place in the order: later by one key and the same by all keys before it."""
    keys = [*order, Order("id"), Order("version")]
    found: list[str] = []
    parameters: list[Any] = []
    for number, (key, value) in enumerate(zip(keys, values, strict=True)):
        if value is None:
            # nulls are the last of all
            continue
        name = quoted(key.column)
        later = f"({name} {'<' if key.descending else '>'} ? OR {name} IS NULL)"
        same = [f"{quoted(one.column)} IS NOT DISTINCT FROM ?" for one in keys[:number]]
        found.append("(" + " AND ".join([*same, later]) + ")")
        parameters += [*values[:number], value]
    return Sql("(" + " OR ".join(found) + ")", tuple(parameters))


def _sql_type(kind: pa.DataType) -> str:
    if pa.types.is_nested(kind):
        # in the place of a vector or list stands a number
        return "BIGINT"
    names = {pa.string(): "TEXT", pa.int32(): "INTEGER", pa.int64(): "BIGINT", pa.float64(): "DOUBLE"}
    names |= {pa.bool_(): "BOOLEAN", pa.timestamp("us", "UTC"): "TIMESTAMPTZ"}
    return names[kind]
