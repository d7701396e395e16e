"""Annotations as canonical rows in a table of DuckDB or PostgreSQL, and what of a snapshot compiling a filter needs."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import duckdb
import psycopg
import pyarrow as pa

from mediaml_assets.marken.engine import Selection
from mediaml_assets.marken.query.check import compiled
from mediaml_assets.marken.query.nodes import Column, Node
from mediaml_assets.marken.query.sql import DUCKDB, POSTGRES, render
from mediaml_assets.marken.schema import AnnotationType, Mode
from mediaml_assets.marken.validation import validated


def canonical(kind: AnnotationType, annotations: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows of annotations in JSON form, with the ids, versions, people and times that they say."""
    loaded = dataclasses.replace(kind, mode=Mode.RUN, key=())
    told = ("id", "title", "other_title", "entity", "properties")
    batch = [{name: one[name] for name in told if name in one} for one in annotations]
    rows = validated(loaded, batch, "scope", "by", datetime.now(UTC))
    for name in ("version", "scope", "by", "created"):
        values = [one[name] for one in annotations]
        if name == "created":
            values = [datetime.fromisoformat(value) for value in values]
        field = rows.schema.field(name)
        rows = rows.set_column(rows.schema.get_field_index(name), field, pa.array(values, field.type))
    return rows


def quoted(column: Column) -> str:
    """A column as SQL has it."""
    return f'"{column.name}"'


class TableSnapshot:
    """A snapshot of one table, `annotations`, with every column of its types."""

    moment = "now"

    def __init__(self, annotations: Mapping[AnnotationType, Sequence[Mapping[str, Any]]]) -> None:
        self.types = list(annotations)
        self.annotations = [one for some in annotations.values() for one in some]
        rows = [canonical(kind, some) for kind, some in annotations.items() if some]
        self.rows = pa.concat_tables(rows, promote_options="default")
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        self.connection.register("annotations", self.rows)

    def __enter__(self) -> "TableSnapshot":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def node(self, filter: Any) -> Node:
        """A filter, compiled."""
        node = compiled(filter, self.types, self)  # type: ignore[arg-type]
        assert node is not None
        return node

    def matching(self, filter: Any) -> list[str]:
        """Ids, sorted, of the annotations that a filter finds."""
        return self.ids(self.node(filter))

    def ids(self, node: Node) -> list[str]:
        """Ids, sorted, of the rows that a condition is true of."""
        where = render(node, DUCKDB, quoted)
        found = self.connection.execute(f"SELECT id FROM annotations WHERE {where.text}", list(where.parameters))
        return sorted(id for (id,) in found.fetchall())

    def select(self, selection: Selection) -> pa.Table:
        assert selection.where is not None
        where = render(selection.where, DUCKDB, quoted)
        sql = f"SELECT {', '.join(selection.columns)} FROM annotations WHERE {where.text}"
        return self.connection.sql(sql, params=list(where.parameters)).to_arrow_table()

    def words(self, types: Sequence[AnnotationType], property: str) -> Sequence[str]:
        found = self.connection.execute(f"SELECT DISTINCT unnest({property}_stems) FROM annotations").fetchall()
        return [word for (word,) in found]

    def distinct(
        self, types: Sequence[AnnotationType], property: str, box: tuple[float, float, float, float] | None = None
    ) -> Sequence[str]:
        near = f"{property} IS NOT NULL"
        if box is not None:
            x0, y0, x1, y1 = box
            near += f" AND {property}_x0 <= {x1} AND {property}_x1 >= {x0}"
            near += f" AND {property}_y0 <= {y1} AND {property}_y1 >= {y0}"
        found = self.connection.execute(f"SELECT DISTINCT {property} FROM annotations WHERE {near}").fetchall()
        return sorted(value for (value,) in found)


class PostgresTable:
    """The same rows in a table of a real server."""

    def __init__(self, dsn: str, rows: pa.Table) -> None:
        fields = list(rows.schema)
        columns = ", ".join(f'"{field.name}" {_sql_type(field.type)}' for field in fields)
        self.connection = psycopg.connect(dsn, autocommit=True)
        self.connection.execute(f"CREATE TEMP TABLE annotations ({columns})")
        values = [[row[field.name] for field in fields] for row in rows.to_pylist()]
        with self.connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO annotations VALUES ({', '.join(['%s'] * len(fields))})", values)

    def __enter__(self) -> "PostgresTable":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def ids(self, node: Node) -> list[str]:
        """Ids, sorted, of the rows that a condition is true of."""
        where = render(node, POSTGRES, quoted)
        found = self.connection.execute(f"SELECT id FROM annotations WHERE {where.text}", list(where.parameters))
        return sorted(id for (id,) in found.fetchall())


def _sql_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        return f"{_sql_type(kind.value_type)}[]"
    return {
        "string": "text",
        "int32": "integer",
        "int64": "bigint",
        "float": "real",
        "double": "double precision",
        "bool": "boolean",
        "timestamp[us, tz=UTC]": "timestamptz",
    }[str(kind)]
