"""Operations and appends on the server that holds them: each step is one transaction."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
from psycopg.types.json import Jsonb

from mediaml_assets.errors import OperationRefused
from mediaml_assets.marken.operation import Operation, State
from mediaml_assets.marken.postgres import loading
from mediaml_assets.marken.postgres.layout import FOREVER, Rows
from mediaml_assets.marken.postgres.servers import Connection
from mediaml_assets.marken.rows import last_of_each_id, with_versions

_MOMENTS = 0x6D6F6D656E74  # the lock of changing what readers see
_FIELDS = """t.name, t.version, o.scope, o.number, o.state, o.by, o.started, o.ended, o.rows, o.source
FROM marken.operations o JOIN marken.types t USING (type_id)"""


def start(connection: Connection, rows: Rows, scope: str, by: str, source: Mapping[str, str]) -> Operation:
    """Begin one, under the next number of its type and scope."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [rows.type_id, scope])
        [(op,)] = connection.execute(
            """
            INSERT INTO marken.operations (type_id, scope, number, state, by, started, source)
            SELECT %(type_id)s, %(scope)s, coalesce(max(number), 0) + 1, %(state)s, %(by)s, clock_timestamp(),
                   %(source)s
            FROM marken.operations WHERE type_id = %(type_id)s AND scope = %(scope)s RETURNING op
            """,
            {
                "type_id": rows.type_id,
                "scope": scope,
                "state": State.STARTED.value,
                "by": by,
                "source": Jsonb(dict(source)),
            },
        ).fetchall()
        return _of(connection, op)


def upsert(connection: Connection, rows: Rows, operation: Operation, table: pa.Table) -> None:
    """Add rows, in place of those of the same ids."""
    table = last_of_each_id(table)
    table = with_versions(table, [operation.number] * table.num_rows)
    _add_words(connection, rows, table)
    with connection.transaction():
        op = _locked(connection, rows, operation, "start another one", State.STARTED)
        there = connection.execute(f"SELECT EXISTS (SELECT FROM {rows.table} WHERE _op = %s)", [op])
        if there.fetchone() == (True,):
            connection.execute(
                f"DELETE FROM {rows.table} WHERE scope = %s AND _op = %s AND id = ANY(%s)",
                [operation.scope, op, table["id"].to_pylist()],
            )
        loading.copy(connection, rows, table, {"_op": pa.repeat(op, table.num_rows)})


def finish(
    connection: Connection, rows: Rows, operation: Operation, announce: Callable[[Sequence[str]], None] | None
) -> Operation:
    """Make it what readers see; `announce` is told its titles before, while nobody can add to it."""
    with connection.transaction():
        op = _locked(connection, rows, operation, "start another one", State.STARTED, State.FINISHED)
        found = _of(connection, op)
        if found.state is State.FINISHED:
            return found
        if announce is not None:
            announce(_titles_of(connection, rows, op))
        [(count,)] = connection.execute(f"SELECT count(*) FROM {rows.table} WHERE _op = %s", [op]).fetchall()
        moment = _next_moment(connection)
        _replace(connection, rows, operation.scope, op, moment)
        connection.execute(
            """
            UPDATE marken.operations SET state = %s, ended = clock_timestamp(), rows = %s, finished = %s WHERE op = %s
            """,
            [State.FINISHED.value, count, moment, op],
        )
        return _of(connection, op)


def cancel(connection: Connection, rows: Rows, operation: Operation) -> Operation:
    """Give up a started one; its rows go, which nobody saw."""
    with connection.transaction():
        op = _locked(connection, rows, operation, "roll it back", State.STARTED, State.CANCELED)
        if _of(connection, op).state is State.STARTED:
            connection.execute(f"DELETE FROM {rows.table} WHERE _op = %s", [op])
            _end(connection, op, State.CANCELED)
        return _of(connection, op)


def roll_back(connection: Connection, rows: Rows, operation: Operation) -> Operation:
    """Withdraw a finished one."""
    with connection.transaction():
        op = _locked(connection, rows, operation, "cancel it", State.FINISHED, State.ROLLED_BACK)
        if _of(connection, op).state is State.FINISHED:
            moment = _next_moment(connection)
            _end(connection, op, State.ROLLED_BACK)
            [(active,)] = connection.execute(
                "SELECT op FROM marken.stints WHERE type_id = %s AND scope = %s AND until = %s",
                [rows.type_id, operation.scope, FOREVER],
            ).fetchall()
            if active == op:
                before = connection.execute(
                    """
                    SELECT op FROM marken.operations WHERE type_id = %s AND scope = %s AND state = %s
                    ORDER BY finished DESC LIMIT 1
                    """,
                    [rows.type_id, operation.scope, State.FINISHED.value],
                ).fetchone()
                _replace(connection, rows, operation.scope, before[0] if before else None, moment)
        return _of(connection, op)


def listed(connection: Connection, kind: str | None, scope: str | None) -> list[Operation]:
    """Operations of a type and scope; None for any."""
    found = connection.execute(
        f"""
        SELECT {_FIELDS} WHERE (CAST(%(kind)s AS text) IS NULL OR t.name = %(kind)s)
        AND (CAST(%(scope)s AS text) IS NULL OR o.scope = %(scope)s)
        """,
        {"kind": kind, "scope": scope},
    ).fetchall()
    return [_operation(one) for one in found]


def active(connection: Connection, kind: str, version: int) -> list[Operation]:
    """What readers see of a type now."""
    found = connection.execute(
        f"SELECT {_FIELDS} JOIN marken.stints s USING (op) WHERE t.name = %s AND t.version = %s AND s.until = %s",
        [kind, version, FOREVER],
    ).fetchall()
    return [_operation(one) for one in found]


def append(connection: Connection, rows: Rows, every: Sequence[Rows], table: pa.Table) -> pa.Table:
    """Add rows of a log type as the next versions of their ids; `every` are the tables of all its versions."""
    _add_words(connection, rows, table)
    ids = table["id"].to_pylist()
    with connection.transaction():
        moment = _next_moment(connection)
        newest: Counter[str] = Counter()
        for one in every:
            found = connection.execute(
                f"SELECT id, max(version) FROM {one.table} WHERE id = ANY(%s) GROUP BY id", [ids]
            ).fetchall()
            newest |= Counter(dict(found))
            connection.execute(
                f"UPDATE {one.table} SET _until = %s WHERE id = ANY(%s) AND _until = %s",
                [moment, ids, FOREVER],
            )
        versions = []
        for id in ids:
            newest[id] += 1
            versions.append(newest[id])
        table = with_versions(table, versions)
        # of an id that comes twice, the earlier row was never the newest
        until = [FOREVER if version == newest[id] else moment for id, version in zip(ids, versions, strict=True)]
        loading.copy(connection, rows, table, {"_since": pa.repeat(moment, len(ids)), "_until": pa.array(until)})
    return table


def _titles_of(connection: Connection, rows: Rows, op: int) -> list[str]:
    found = connection.execute(
        f"SELECT title FROM {rows.table} WHERE _op = %(op)s UNION "
        f"SELECT other_title FROM {rows.table} WHERE _op = %(op)s AND other_title IS NOT NULL",
        {"op": op},
    ).fetchall()
    return [title for (title,) in found]


def _add_words(connection: Connection, rows: Rows, table: pa.Table) -> None:
    """Before the rows, and for itself: writers of the same words wait for each other no longer than this takes."""
    words = loading.stems_of(rows, table)
    connection.execute(
        """
        INSERT INTO marken.stems SELECT %s, * FROM unnest(CAST(%s AS text[]), CAST(%s AS text[])) ON CONFLICT DO NOTHING
        """,
        [rows.type_id, [one for one, _ in words], [stem for _, stem in words]],
    )


def _next_moment(connection: Connection) -> int:
    """The moment that this transaction makes; the next to make one waits for its end, so that moments pass in order."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [_MOMENTS])
    [(moment,)] = connection.execute(
        """
        INSERT INTO marken.moments
        SELECT coalesce(max(moment), 0) + 1, greatest(clock_timestamp(), max(at)) FROM marken.moments RETURNING moment
        """
    ).fetchall()
    return int(moment)


def _replace(connection: Connection, rows: Rows, scope: str, op: int | None, moment: int) -> None:
    """From a moment on an operation is in sight, in place of the one before; None for no operation."""
    connection.execute(
        "UPDATE marken.stints SET until = %s WHERE type_id = %s AND scope = %s AND until = %s",
        [moment, rows.type_id, scope, FOREVER],
    )
    if op is not None:
        connection.execute(
            "INSERT INTO marken.stints (type_id, scope, op, since) VALUES (%s, %s, %s, %s)",
            [rows.type_id, scope, op, moment],
        )


def _end(connection: Connection, op: int, state: State) -> None:
    connection.execute(
        "UPDATE marken.operations SET state = %s, ended = clock_timestamp() WHERE op = %s", [state.value, op]
    )


def _locked(connection: Connection, rows: Rows, operation: Operation, advice: str, *states: State) -> int:
    """The row of an operation, which nobody else changes until this transaction ends.

    Raises:
        OperationRefused: it is in none of these states, or not known.
    """
    op = _found(connection, rows, operation)
    [(state,)] = connection.execute("SELECT state FROM marken.operations WHERE op = %s FOR UPDATE", [op]).fetchall()
    if state not in states:
        raise OperationRefused(f"{_told(operation)} is {state.replace('_', ' ')}: {advice}")
    return op


def _found(connection: Connection, rows: Rows, operation: Operation) -> int:
    found = connection.execute(
        "SELECT op FROM marken.operations WHERE type_id = %s AND scope = %s AND number = %s",
        [rows.type_id, operation.scope, operation.number],
    ).fetchone()
    if found is None:
        raise OperationRefused(f"{_told(operation)} is not known here: start one")
    return int(found[0])


def _told(operation: Operation) -> str:
    return f"operation {operation.number} of {operation.type}@{operation.type_version} of {operation.scope}"


def _of(connection: Connection, op: int) -> Operation:
    return _operation(connection.execute(f"SELECT {_FIELDS} WHERE o.op = %s", [op]).fetchall()[0])


def _operation(found: tuple[Any, ...]) -> Operation:
    type, version, scope, number, state, by, started, ended, rows, source = found
    return Operation(type, version, scope, number, State(state), by, started, ended, rows, source)
