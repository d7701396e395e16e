"""Annotations on PostgreSQL servers with pgvector."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import TypeVar

import pyarrow as pa

from mediaml_assets.errors import OperationRefused, SettingsError, TitlesUnreachable
from mediaml_assets.marken.operation import Operation
from mediaml_assets.marken.postgres import moments, operations, searching, upkeep
from mediaml_assets.marken.postgres.cluster import Cluster, some
from mediaml_assets.marken.postgres.layout import Rows
from mediaml_assets.marken.postgres.servers import Connection, Down
from mediaml_assets.marken.postgres.snapshot import PostgresSnapshot
from mediaml_assets.marken.schema import AnnotationType

T = TypeVar("T")


class PostgresEngine:
    """The `Engine` of one or several servers.

    Writing raises TitlesUnreachable when the server that is written to does not answer; nothing was changed then, or,
    where the answer to a commit was lost, all of it was: every step but `start` and `append` is safe to repeat.
    """

    def __init__(self, servers: Sequence[str], partitions: int = 4, read_servers: Sequence[str] = ()) -> None:
        """Nothing is connected yet.

        Args:
            servers: connection strings of libpq, always in the same order; each holds a part.
            partitions: of each new table of rows, by hash of the scope.
            read_servers: where searches read, one for each of `servers`: replicas, or a list of hosts of which one
                answers. They may lag behind; none: searches read where is written.

        Raises:
            SettingsError: a connection string is none, or there are too few; or no partitions.
        """
        if not servers or len(read_servers) not in (0, len(servers)):
            raise SettingsError("name at least one server of annotations, and as many to read from, or none of these")
        if partitions < 1:
            raise SettingsError(f"{partitions} partitions are none: a table of annotations has at least 1")
        self._cluster = Cluster(servers, partitions, read_servers)

    @property
    def where(self) -> str:
        """Hosts and databases, without passwords."""
        return self._cluster.where

    def start(self, kind: AnnotationType, scope: str, by: str, source: Mapping[str, str]) -> Operation:
        """Begin an operation."""
        place = self._cluster.home(scope)
        with self._writing(place, [scope]) as connection:
            rows = self._cluster.made(connection, place, kind)
            return operations.start(connection, rows, scope, by, source)

    def upsert(self, operation: Operation, rows: pa.Table) -> None:
        """Add canonical rows, in place of those of the same ids."""
        with self._going_on(operation) as (connection, table):
            operations.upsert(connection, table, operation, rows)

    def finish(self, operation: Operation) -> Operation:
        """Make it what readers see, in one transaction."""
        announce = partial(self._cluster.announce, self._cluster.home(operation.scope), operation.type)
        with self._going_on(operation) as (connection, rows):
            return operations.finish(connection, rows, operation, announce if len(self._cluster.places) > 1 else None)

    def cancel(self, operation: Operation) -> Operation:
        """Give it up."""
        with self._going_on(operation) as (connection, rows):
            return operations.cancel(connection, rows, operation)

    def roll_back(self, operation: Operation) -> Operation:
        """Withdraw it; of the finished ones the last to finish is in sight again."""
        with self._going_on(operation) as (connection, rows):
            return operations.roll_back(connection, rows, operation)

    def append(self, kind: AnnotationType, rows: pa.Table) -> pa.Table:
        """Add the next versions of ids, in one transaction: a log type lies whole on one server."""
        if not rows.num_rows:
            return rows
        titles = sorted({*rows["title"].to_pylist(), *rows["other_title"].drop_null().to_pylist()})
        place = self._cluster.home(kind.name)
        with self._writing(place, titles) as connection:
            if len(self._cluster.places) > 1:
                self._cluster.announce(place, kind.name, titles)
            table = self._cluster.made(connection, place, kind)
            every = [one for one in self._cluster.tables(connection, place).values() if one.name == kind.name]
            return operations.append(connection, table, every, rows)

    def operations(self, kind: str | None = None, scope: str | None = None) -> Sequence[Operation]:
        """Operations by type, type version, scope and number; raises TitlesUnreachable."""
        found = self._read(lambda connection, _: operations.listed(connection, kind, scope), unfinished=True)
        return sorted((one for several in found for one in several), key=_by_key)

    def active(self, kind: AnnotationType) -> Mapping[str, Operation]:
        """Scope -> what readers see now; raises TitlesUnreachable."""
        found = self._read(lambda connection, _: operations.active(connection, kind.name, kind.version), [kind.name])
        return {one.scope: one for one in sorted((one for several in found for one in several), key=_by_key)}

    def versions(self, id: str) -> pa.Table:
        """Every version of an annotation that readers ever saw; raises TitlesUnreachable."""
        found = self._read(
            lambda connection, place: searching.versions(connection, self._cluster.tables(connection, place), id)
        )
        rows = [one for several in found for one in several]
        if not rows:
            return pa.table({})
        return pa.concat_tables(rows, promote_options="default").sort_by(
            [("version", "ascending"), ("type_version", "ascending")]
        )

    def snapshot(self, as_of: str | datetime | None = None, partial: bool = False) -> PostgresSnapshot:
        """The state at a moment: the name that a snapshot has, a time, or now.

        With `partial` answers lack what lies on servers that do not answer; `missing` of the snapshot names it.

        Raises:
            QueryRefused: there is no such moment.
        """
        asked = moments.asked(as_of, len(self._cluster.places))
        parts = self._cluster.on_all(lambda place: moments.part(self._cluster, place, asked[place]))
        return PostgresSnapshot(self._cluster, parts, partial)

    def tidy(self) -> None:
        """Make indexes of vectors where there are many, clear away, and refresh what the planner knows of the rows."""
        for place in self._cluster.places:
            with self._writing(place, []) as connection:
                upkeep.tidy(connection, self._cluster.tables(connection, place))

    def close(self) -> None:
        """Let go of connections and threads; the engine is not used any more."""
        self._cluster.close()

    @contextmanager
    def _writing(self, place: int, titles: Sequence[str]) -> Iterator[Connection]:
        try:
            with self._cluster.writing(place) as connection:
                yield connection
        except Down as down:
            raise _unchanged(down, titles) from None

    @contextmanager
    def _going_on(self, operation: Operation) -> Iterator[tuple[Connection, Rows]]:
        place, key = self._cluster.home(operation.scope), (operation.type, operation.type_version)
        with self._writing(place, [operation.scope]) as connection:
            known = self._cluster.tables(connection, place, key)
            if key not in known:
                told = f"operation {operation.number} of {operation.type}@{operation.type_version} of {operation.scope}"
                raise OperationRefused(f"{told} is not known here: start one")
            yield connection, known[key]

    def _read(
        self, task: Callable[[Connection, int], T], types: Sequence[str] | None = None, unfinished: bool = False
    ) -> list[T]:
        """What a task gives for each server that holds anything.

        Args:
            task: asks one server.
            types: what it is about; None for all.
            unfinished: whether it is about what no reader sees, too, of which servers do not tell each other.

        Raises:
            TitlesUnreachable: a server does not answer that holds, or may hold, something of it.
        """

        def on_one(place: int) -> list[T]:
            with self._cluster.reading(place) as connection:
                return [task(connection, place)] if self._cluster.is_made(connection, place) else []

        found = self._cluster.on_all(on_one)
        if refused := self._cluster.unreachable(found, types, None):
            raise refused
        if unfinished and (down := [one for one in found if isinstance(one, Down)]):
            raise TitlesUnreachable(f"{down[0]}. It may hold operations that did not finish: try again later", ())
        return [one for several in found if not isinstance(several, Down) for one in several]


def _unchanged(down: Down, titles: Sequence[str]) -> TitlesUnreachable:
    about = f" about {some(titles)}" if titles else ""
    return TitlesUnreachable(f"{down}. Nothing was written{about}: try again when it answers", titles)


def _by_key(operation: Operation) -> tuple[str, int, str, int]:
    return *operation.key, operation.number
