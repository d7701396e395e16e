"""Marken as it is used: annotations written in operations or one by one, read by id, and searched."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

import pyarrow as pa

from mediaml_assets.errors import AnnotationRefused, OperationRefused, SchemaRefused
from mediaml_assets.marken.annotation import Annotation, annotation_of, annotations
from mediaml_assets.marken.engine import Engine, Order, Selection
from mediaml_assets.marken.operation import Operation
from mediaml_assets.marken.query.nodes import Column, Compare, Value
from mediaml_assets.marken.rows import row_schema
from mediaml_assets.marken.schema import Kind, Mode
from mediaml_assets.marken.search.answer import Answer
from mediaml_assets.marken.search.envelope import Query, read
from mediaml_assets.marken.search.nearest import Encoder
from mediaml_assets.marken.search.searching import Search
from mediaml_assets.marken.types import Types
from mediaml_assets.marken.validation import validated

Batch: TypeAlias = pa.Table | Sequence[Mapping[str, Any]]
"""Annotations as `validated` takes them: a table, or their JSON form."""


@dataclass(frozen=True)
class Marken:
    """Annotations of some types, kept by an engine.

    Safe to use from several threads where the engine is.
    """

    engine: Engine
    types: Types
    encoders: Mapping[str, Encoder] = field(default_factory=dict)
    """By the name that vector properties give: what turns texts and pictures into vectors like theirs."""

    def start(self, type: str, scope: str, by: str, source: Mapping[str, str] | None = None) -> Operation:
        """Begin an operation, which replaces all annotations of a type and scope when it is finished.

        Args:
            type: `SHOT`, its newest version, or `SHOT@1`.
            scope: mostly a title; for pairs over titles the name of a catalogue.
            by: who says so: a service or a person.
            source: where the annotations come from, in the writer's words.

        Raises:
            OperationRefused: there is no such type, or it is a log.
        """
        try:
            kind = self.types.one(type)
        except SchemaRefused as unknown:
            raise OperationRefused(f"{unknown}; nothing was changed") from None
        if kind.mode is not Mode.RUN:
            raise OperationRefused(f"{kind} is a log and has no operations: append to it")
        return self.engine.start(kind, scope, by, source or {})

    def upsert(self, operation: Operation, batch: Batch) -> None:
        """Add annotations to a started operation; safe to repeat, and a later one of an id replaces an earlier one.

        Raises:
            AnnotationRefused: one of them is not of its type; nothing of the batch was kept.
            OperationRefused: the operation is not started.
        """
        kind = self.types.one(f"{operation.type}@{operation.type_version}")
        self.engine.upsert(operation, validated(kind, batch, operation.scope, operation.by, datetime.now(UTC)))

    def finish(self, operation: Operation) -> Operation:
        """Show an operation's annotations, whole, in place of those before; see `Engine.finish`."""
        return self.engine.finish(operation)

    def cancel(self, operation: Operation) -> Operation:
        """Give up a started operation; see `Engine.cancel`."""
        return self.engine.cancel(operation)

    def roll_back(self, operation: Operation) -> Operation:
        """Withdraw a finished operation; see `Engine.roll_back`."""
        return self.engine.roll_back(operation)

    @contextmanager
    def operation(self, type: str, scope: str, by: str, source: Mapping[str, str] | None = None) -> Iterator["Writing"]:
        """An operation for the length of a `with`: finished at its end, canceled by an exception. Raises as `start`."""
        writing = Writing(self, self.start(type, scope, by, source))
        try:
            yield writing
        except BaseException:
            self.cancel(writing.operation)
            raise
        writing.operation = self.finish(writing.operation)

    def operations(self, type: str | None = None, scope: str | None = None) -> Sequence[Operation]:
        """Operations by type, type version, scope and number."""
        return self.engine.operations(type, scope)

    def active(self, type: str) -> Mapping[str, Operation]:
        """Scope -> the operation whose annotations are seen; raises SchemaRefused for no such type."""
        return self.engine.active(self.types.one(type))

    def append(self, type: str, batch: Batch, by: str) -> list[Annotation]:
        """Add to a log, each as the next version of its id; all or nothing. Returns them with their versions.

        Raises:
            AnnotationRefused: one is not of its type, there is no such type, or it is none of a log.
        """
        try:
            kind = self.types.one(type)
        except SchemaRefused as unknown:
            raise AnnotationRefused(f"{unknown}; nothing was kept", "type") from None
        if kind.mode is not Mode.LOG:
            raise AnnotationRefused(f"{kind} comes in operations: start one; nothing was kept", "type")
        # a row of a log is of the scope of its own title
        rows = validated(kind, batch, "", by, datetime.now(UTC))
        return list(annotations(kind, self.engine.append(kind, rows)))

    def get(self, id: str, version: int | None = None) -> Annotation | None:
        """An annotation, or None: the one that is seen now, or any version that ever was, seen still or not."""
        kinds = {(kind.name, kind.version): kind for kind in self.types}
        if version is not None:
            rows = [row for row in self.engine.versions(id).to_pylist() if row["version"] == version]
            found = [(kinds.get((row["type"], row["type_version"])), row) for row in rows]
            return next((annotation_of(kind, row) for kind, row in found if kind), None)
        snapshot = self.engine.snapshot()
        newest = (Order("type_version", descending=True), Order("version", descending=True))
        same = Compare("=", Column("id", Kind.STRING, "id"), Value(id))
        wanted = Selection(list(self.types), ["type", "type_version"], same, order=newest, limit=1)
        for row in snapshot.select(wanted).to_pylist():
            kind = kinds[row["type"], row["type_version"]]
            return next(
                annotations(kind, snapshot.select(replace(wanted, types=[kind], columns=row_schema(kind).names)))
            )
        return None

    def search(self, query: Query | Mapping[str, Any]) -> Answer:
        """Find annotations; a mapping is the JSON form of a query.

        Raises:
            QueryRefused: it cannot be understood; names the place in it.
            TitlesUnreachable: a server does not answer, and `partial` was not asked for.
        """
        asked = query if isinstance(query, Query) else read(query)
        return Search(asked, self.engine, self.types, self.encoders).answer()


@dataclass
class Writing:
    """An operation that a `with` of `Marken.operation` is filling; afterwards `operation` is the finished one."""

    marken: Marken
    operation: Operation

    def upsert(self, batch: Batch) -> None:
        """See `Marken.upsert`."""
        self.marken.upsert(self.operation, batch)
