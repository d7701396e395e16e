"""All rows of one moment, queried: a connection whose transaction sees that moment until it is closed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.marken.embedded import statements
from mediaml_assets.marken.embedded.blocks import taken
from mediaml_assets.marken.embedded.lists import Lists
from mediaml_assets.marken.embedded.scoring import scored
from mediaml_assets.marken.embedded.state import Key
from mediaml_assets.marken.embedded.statements import SCORE, TABLE, Source
from mediaml_assets.marken.embedded.tables import Seen
from mediaml_assets.marken.engine import Order, Selection
from mediaml_assets.marken.query.nodes import Column, HasAny, HasOnly, HasRun, Node
from mediaml_assets.marken.query.sql import Sql
from mediaml_assets.marken.schema import AnnotationType, Kind

_ANY = Column("", Kind.STRINGS, "")


class EmbeddedSnapshot:
    """A `Snapshot`; threads may share it.

    Args:
        moment: its name.
        connection: in a transaction that has begun to read.
        seen: the tables.
        lists: of their rows.
    """

    def __init__(
        self, moment: str, connection: duckdb.DuckDBPyConnection, seen: Mapping[Key, Seen], lists: Lists
    ) -> None:
        self.moment = moment
        self.missing: Sequence[str] = ()
        self._connection, self._seen, self._lists = connection, seen, lists
        self._left: tuple[Any, dict[Key, pa.Table]] = None, {}
        """What was last asked for with `nearest`, and the rows that its filter leaves, by type."""
        self._lock = Lock()

    def select(self, selection: Selection) -> pa.Table:
        """The rows, in order."""
        selection = _with_order(selection)
        with self._asking(selection.types) as (source, register):
            candidates = ""
            if selection.nearest is not None:
                candidates = self._kept(register(scored(source, selection, self._survivors(source, selection)).rows))
            rows = self._ask(statements.select(source, selection, list(selection.columns), candidates))
        return self._canonical(source, rows, selection.columns)

    def count(self, types: Sequence[AnnotationType], where: Node | None, titles: Sequence[str] | None = None) -> int:
        """How many rows there are."""
        with self._asking(types) as (source, _):
            found: int = self._ask(statements.count(source, where, titles))[0][0].as_py()
        return found

    def words(self, types: Sequence[AnnotationType], property: str) -> Sequence[str]:
        """Every stem of a text property of these types that was ever in sight while this process ran."""
        known = (self._seen.get((kind.name, kind.version)) for kind in types)
        return sorted(frozenset().union(*(one.words.get(f"{property}_stems", ()) for one in known if one)))

    def distinct(
        self, types: Sequence[AnnotationType], property: str, box: tuple[float, float, float, float] | None = None
    ) -> Sequence[str]:
        """Distinct values of a string or region property; with a box, regions whose bounding box meets it."""
        with self._asking(types) as (source, _):
            found = self._ask(statements.distinct(source, property, box))
        texts: list[str] = found[0].to_pylist()
        return sorted(texts)

    def explain(self, selection: Selection) -> Mapping[str, Any]:
        """How `select` would answer."""
        selection = _with_order(selection)
        near = selection.nearest
        told: dict[str, Any] = {"engine": "DuckDB in memory", "moment": self.moment, "exact": True}
        with self._asking(selection.types) as (source, register):
            counting = statements.count(source, selection.condition, selection.titles, near.property if near else "")
            told["survivors"] = self._ask(counting)[0][0].as_py()
            candidates = ""
            if near is not None:
                found = scored(source, selection, self._survivors(source, selection))
                candidates = self._kept(register(found.rows))
                exact = not any(": index" in one for one in found.told)
                told |= {"scoring": found.told, "candidates": found.rows.num_rows, "exact": exact}
            statement = statements.select(source, selection, list(selection.columns), candidates)
        return told | {"statements": [{"sql": statement.text, "parameters": list(statement.parameters)}]}

    def _survivors(self, source: Source, selection: Selection) -> Callable[[AnnotationType], pa.Table]:
        """What `scored` asks. It is kept for the next: the hits of groups, and further pages, have the same filter."""
        near, per = selection.nearest, selection.per
        assert near is not None
        what = selection.where, selection.titles, near.property, per.column if per else None
        if self._left[0] != what:
            self._left = what, {}
        known = self._left[1]

        def of(kind: AnnotationType) -> pa.Table:
            key = kind.name, kind.version
            if key not in known:
                known[key] = self._ask(statements.survivors(replace(source, types=[kind]), *what))
            return known[key]

        return of

    def _kept(self, given: str) -> str:
        """As a table: of what is registered DuckDB does not know the size, and may join it the wrong way round."""
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE candidates AS SELECT * FROM {given}")
        return "candidates"

    def close(self) -> None:
        """Let go of the moment."""
        self._connection.close()

    @contextmanager
    def _asking(self, types: Sequence[AnnotationType]) -> Iterator[tuple[Source, Callable[[pa.Table], str]]]:
        """The connection for oneself: the rows of some types, and what makes a relation of a table, by its name."""
        names: list[str] = []
        known: dict[HasAny | HasOnly | HasRun, str] = {}

        def register(table: pa.Table) -> str:
            names.append(f"given_{len(names)}")
            self._connection.register(names[-1], table)
            return names[-1]

        def numbers_of(node: HasAny | HasOnly | HasRun) -> str:
            # the column does not matter: numbers are of all lists
            node = replace(node, column=_ANY)
            if node not in known:
                # with a number of no list: a row without one is in no empty relation, which is not unknown but false
                known[node] = register(pa.table({"number": np.append(self._lists.numbers(node), -1)}))
            return known[node]

        with self._lock:
            try:
                yield Source(self._seen, types, numbers_of), register
            finally:
                for name in names:
                    self._connection.unregister(name)

    def _ask(self, statement: Sql) -> pa.Table:
        return self._connection.sql(statement.text, params=list(statement.parameters)).to_arrow_table()

    def _canonical(self, source: Source, rows: pa.Table, columns: Sequence[str]) -> pa.Table:
        """Rows with their canonical types: vectors and lists in the place of their numbers."""
        fields = source.fields | {SCORE.name: SCORE}
        made = {}
        for name in columns:
            field = fields.get(name, pa.field(name, pa.null()))
            if pa.types.is_list(field.type):
                made[field.with_nullable(True)] = self._lists.take(rows[name])
            elif pa.types.is_fixed_size_list(field.type):
                made[field.with_nullable(True)] = self._vectors(source, rows, name, field.type)
            else:
                made[field.with_nullable(True)] = rows[name].cast(field.type)
        return pa.table(list(made.values()), schema=pa.schema(list(made)))

    def _vectors(self, source: Source, rows: pa.Table, name: str, kind: pa.DataType) -> pa.Array:
        found = np.zeros((rows.num_rows, kind.list_size), np.float32)
        there = rows[name].is_valid().to_numpy()
        numbers, tables = pc.fill_null(rows[name], 0).to_numpy(), rows[TABLE].to_numpy()
        for at, one in enumerate(source.types):
            chosen = there & (tables == at)
            if chosen.any():
                found[chosen] = taken(self._seen[one.name, one.version].vectors[name], numbers[chosen])
        flat = pa.array(found.ravel())
        return pa.FixedSizeListArray.from_arrays(flat, kind.list_size, mask=pa.array(~there)).cast(kind)


def _with_order(selection: Selection) -> Selection:
    """Nearest without an order of its own: the most alike come first."""
    if selection.nearest is None or selection.order:
        return selection
    return replace(selection, order=(Order(SCORE.name, descending=True),))
