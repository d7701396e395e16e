"""An engine of lists, slow and obviously right: everything is done row by row in plain Python.

It stands in for the real engines, and is a third one in the conformance suite. Its history is a list of commits; a
moment is how many of them there were, and a snapshot replays that many.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cmp_to_key
from typing import Any

import numpy as np
import pyarrow as pa

from mediaml_assets.errors import OperationRefused, QueryRefused
from mediaml_assets.marken.engine import Selection
from mediaml_assets.marken.operation import Operation, State
from mediaml_assets.marken.query.nodes import Node
from mediaml_assets.marken.rows import row_schema
from mediaml_assets.marken.schema import AnnotationType
from mediaml_assets.marken.vectors import cosine

from .plain_filter import box_of, holds

Row = dict[str, Any]


@dataclass(frozen=True)
class Commit:
    """What made a new moment: rows that came, or an operation that became active or ceased to be."""

    at: datetime
    kind: AnnotationType
    rows: tuple[Row, ...] = ()
    finished: Operation | None = None
    withdrawn: Operation | None = None


@dataclass
class PlainEngine:
    """Everything in lists of one process."""

    where: str = "memory"
    commits: list[Commit] = field(default_factory=list)
    begun: dict[tuple[str, int, str, int], Operation] = field(default_factory=dict)
    batches: dict[tuple[str, int, str, int], dict[str, Row]] = field(default_factory=dict)
    kinds: dict[tuple[str, int], AnnotationType] = field(default_factory=dict)

    def start(self, kind: AnnotationType, scope: str, by: str, source: Mapping[str, str]) -> Operation:
        number = 1 + sum(key[:3] == (kind.name, kind.version, scope) for key in self.begun)
        one = Operation(kind.name, kind.version, scope, number, State.STARTED, by, datetime.now(UTC), source=source)
        self.kinds[kind.name, kind.version] = kind
        self.batches[*one.key, number] = {}
        return self._set(one)

    def upsert(self, operation: Operation, rows: pa.Table) -> None:
        one = self._known(operation)
        if one.state is not State.STARTED:
            raise OperationRefused(f"operation {one.number} of {one.type} of {one.scope} is {one.state}: start another")
        for row in rows.to_pylist():
            self.batches[*one.key, one.number][row["id"]] = row | {"version": one.number}

    def finish(self, operation: Operation) -> Operation:
        one = self._known(operation)
        if one.state is State.FINISHED:
            return one
        if one.state is not State.STARTED:
            raise OperationRefused(f"operation {one.number} of {one.type} of {one.scope} is {one.state}: start another")
        rows = tuple(self.batches[*one.key, one.number].values())
        done = self._set(replace(one, state=State.FINISHED, ended=datetime.now(UTC), rows=len(rows)))
        self._commit(self.kinds[one.type, one.type_version], rows=rows, finished=done)
        return done

    def cancel(self, operation: Operation) -> Operation:
        one = self._known(operation)
        if one.state is State.CANCELED:
            return one
        if one.state is not State.STARTED:
            raise OperationRefused(f"operation {one.number} of {one.type} of {one.scope} is {one.state}: roll it back")
        return self._set(replace(one, state=State.CANCELED, ended=datetime.now(UTC)))

    def roll_back(self, operation: Operation) -> Operation:
        one = self._known(operation)
        if one.state is State.ROLLED_BACK:
            return one
        if one.state is not State.FINISHED:
            raise OperationRefused(f"operation {one.number} of {one.type} of {one.scope} is {one.state}: cancel it")
        done = self._set(replace(one, state=State.ROLLED_BACK, ended=datetime.now(UTC)))
        self._commit(self.kinds[one.type, one.type_version], withdrawn=done)
        return done

    def append(self, kind: AnnotationType, rows: pa.Table) -> pa.Table:
        self.kinds[kind.name, kind.version] = kind
        newest: dict[str, int] = {}
        for commit in self.commits:
            newest |= {row["id"]: row["version"] for row in commit.rows if commit.finished is None}
        numbered = []
        for row in rows.to_pylist():
            newest[row["id"]] = newest.get(row["id"], 0) + 1
            numbered.append(row | {"version": newest[row["id"]]})
        if numbered:
            self._commit(kind, rows=tuple(numbered))
        return pa.Table.from_pylist(numbered, schema=row_schema(kind))

    def operations(self, kind: str | None = None, scope: str | None = None) -> Sequence[Operation]:
        return [
            self.begun[key]
            for key in sorted(self.begun)
            if (kind is None or key[0] == kind) and (scope is None or key[2] == scope)
        ]

    def active(self, kind: AnnotationType) -> Mapping[str, Operation]:
        found = {}
        for commit in self.commits:
            done = commit.finished and self._known(commit.finished)
            if done and done.state is State.FINISHED and done.key[:2] == (kind.name, kind.version):
                found[done.scope] = done
        return found

    def versions(self, id: str) -> pa.Table:
        found = [(commit.kind, row) for commit in self.commits for row in commit.rows if row["id"] == id]
        schemas = {(kind.name, kind.version): row_schema(kind) for kind, _ in found}
        if not schemas:
            return pa.table({})
        rows = sorted((row for _, row in found), key=lambda row: row["version"])
        return pa.Table.from_pylist(rows, schema=pa.unify_schemas(list(schemas.values())))

    def snapshot(self, as_of: str | datetime | None = None, partial: bool = False) -> "PlainSnapshot":
        if isinstance(as_of, datetime):
            if as_of > datetime.now(UTC):
                raise QueryRefused(f"as_of: {as_of} is yet to come", "as_of")
            return PlainSnapshot(str(sum(commit.at <= as_of for commit in self.commits)), self)
        if as_of is None:
            return PlainSnapshot(str(len(self.commits)), self)
        if not as_of.isdecimal() or int(as_of) > len(self.commits):
            raise QueryRefused(f"as_of: there was no moment {as_of!r}: give that of an answer, or a time", "as_of")
        return PlainSnapshot(str(int(as_of)), self)

    def tidy(self) -> None:
        """Nothing ever becomes small."""

    def _known(self, operation: Operation) -> Operation:
        if (*operation.key, operation.number) not in self.begun:
            raise OperationRefused(
                f"operation {operation.number} of {operation.type} of {operation.scope} is not known"
            )
        return self.begun[*operation.key, operation.number]

    def _set(self, operation: Operation) -> Operation:
        self.begun[*operation.key, operation.number] = operation
        return operation

    def _commit(self, kind: AnnotationType, **what: Any) -> None:
        self.commits.append(Commit(datetime.now(UTC), kind, **what))


@dataclass(frozen=True)
class PlainSnapshot:
    """The first commits of an engine."""

    moment: str
    engine: PlainEngine
    missing: Sequence[str] = ()

    def current(self, types: Sequence[AnnotationType]) -> list[Row]:
        """Rows in sight of these types."""
        active: dict[tuple[str, int, str], dict[int, tuple[Row, ...]]] = {}
        logged: dict[tuple[str, str], Row] = {}
        for commit in self.engine.commits[: int(self.moment)]:
            if commit.finished:
                active.setdefault(commit.finished.key, {})[commit.finished.number] = commit.rows
            elif commit.withdrawn:
                del active[commit.withdrawn.key][commit.withdrawn.number]
            else:
                logged |= {(commit.kind.name, row["id"]): row for row in commit.rows}
        # of what was not withdrawn the last to finish is active
        rows = [row for loads in active.values() if loads for row in list(loads.values())[-1]] + list(logged.values())
        wanted = {(kind.name, kind.version) for kind in types}
        return [row for row in rows if (row["type"], row["type_version"]) in wanted]

    def found(
        self, types: Sequence[AnnotationType], where: Node | None, titles: Sequence[str] | None = None
    ) -> list[Row]:
        """Rows in sight that a filter holds for."""
        return [
            row
            for row in self.current(types)
            if (where is None or holds(where, row) is True)
            and (titles is None or row["title"] in titles or row["other_title"] in titles)
        ]

    def select(self, selection: Selection) -> pa.Table:
        rows = self.found(selection.types, selection.condition, selection.titles)
        if near := selection.nearest:
            rows = [row for row in rows if row.get(near.property)]
            vectors = [np.array([row[near.property]], np.float32) for row in rows]
            rows = [row | {"score": float(cosine(one, near.vector)[0])} for row, one in zip(rows, vectors, strict=True)]
        orders = [(one.column, one.descending) for one in selection.order] + [("id", False), ("version", False)]

        def compare(one: Sequence[Any], other: Sequence[Any]) -> int:
            for a, b, (_, descending) in zip(one, other, orders, strict=True):
                if a is None or b is None:
                    difference = (a is None) - (b is None)
                else:
                    difference = ((a > b) - (a < b)) * (-1 if descending else 1)
                if difference:
                    return difference
            return 0

        def place(row: Row) -> list[Any]:
            return [row.get(column) for column, _ in orders]

        rows.sort(key=cmp_to_key(lambda one, other: compare(place(one), place(other))))
        if per := selection.per:
            seen: dict[Any, int] = {}
            kept = []
            for row in rows:
                group = row.get(per.column)
                seen[group] = seen.get(group, 0) + 1
                if seen[group] <= per.size:
                    kept.append(row)
            rows = kept
        if selection.after is not None:
            after = list(selection.after)
            rows = [row for row in rows if compare(place(row), after) > 0]
        return self._table(rows[: selection.limit], selection)

    def _table(self, rows: list[Row], selection: Selection) -> pa.Table:
        known = {column.name: column for kind in selection.types for column in row_schema(kind)}
        known["score"] = pa.field("score", pa.float64())
        schema = pa.schema([known.get(name, pa.field(name, pa.null())) for name in selection.columns])
        return pa.Table.from_pylist([{name: row.get(name) for name in selection.columns} for row in rows], schema)

    def count(self, types: Sequence[AnnotationType], where: Node | None, titles: Sequence[str] | None = None) -> int:
        return len(self.found(types, where, titles))

    def words(self, types: Sequence[AnnotationType], property: str) -> Sequence[str]:
        return sorted({stem for row in self.current(types) for stem in row.get(f"{property}_stems") or ()})

    def distinct(
        self, types: Sequence[AnnotationType], property: str, box: tuple[float, float, float, float] | None = None
    ) -> Sequence[str]:
        found = set()
        for row in self.current(types):
            if row.get(property) is None:
                continue
            if box is not None:
                x0, y0, x1, y1 = box_of(row, property)
                if x0 > box[2] or box[0] > x1 or y0 > box[3] or box[1] > y1:
                    continue
            found.add(row[property])
        return sorted(found)

    def explain(self, selection: Selection) -> Mapping[str, Any]:
        survivors = self.count(selection.types, selection.condition, selection.titles)
        return {"engine": "plain", "statements": [], "survivors": survivors, "exact": True}
