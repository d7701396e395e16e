"""SQL over the store: views that any DuckDB client can have, over immutable Parquet files and the ledger.

    ledger                     every commit, whole
    history                    what was current after each commit, from `made_at` until `until`, and its file
    current                    what is current now of each feature and title
    metrics                    what was measured while values were made
    <feature>                  the rows that are current, with a `title` column for features of a title
    <feature>_history          the rows of every value that ever was current, with `title`, `seq` and `made_at`
    congruence                 pairs of features of a title whose rows mean different shots now
    joined('a', 'b')           rows of two features by title and index; an error where they mean different shots
    current_as_of(moment)      `current` as it was at a moment: a TIMESTAMPTZ, or a text that says one
    <feature>_as_of(moment)    <feature> as it was at a moment, in the columns of today's and all former versions

All of them show one state of the store, the one in which the statements were run; `ledger` and `metrics` are read from
it when they are asked, so after two later compactions the statements must be run again. A commit that compaction moved
into a fold is shown once, wherever it lies; a value that was lost or forgotten has no rows. No database file is shared:
each client reads the files, so readers never block writers.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import duckdb

from mediaml_assets.amber import congruence
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.sql_ledger import HISTORY, Place, comment, history, ledger, stands
from mediaml_assets.amber.store import Store

TRIES = 3
"""How often views are made when a compaction removes what has just been listed."""

VIEWS = """
FROM (
    SELECT view_name AS name, comment AS shows, view_oid AS place FROM duckdb_views() WHERE NOT internal
    UNION ALL
    SELECT function_name || '(' || array_to_string(parameters, ', ') || ')', comment, function_oid
    FROM duckdb_functions() WHERE NOT internal
) SELECT name, shows ORDER BY place
"""
"""The query that lists the views and macros, each with what it shows."""


def connect(store: Store, as_of: datetime | None = None) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with all the views; it reads a bucket through our own client.

    Args:
        store: what they show.
        as_of: the moment that `current` and the features' own views show; now by default.
    """
    for _ in range(TRIES - 1):
        with suppress(duckdb.Error):
            return _connected(store, as_of)
    return _connected(store, as_of)


def statements(store: Store, as_of: datetime | None = None) -> list[str]:
    """The SQL that makes the views; run it in any DuckDB 2, in this order. None for a store in which nothing is.

    The store is read when they are run, but which features have views is decided here. On a bucket the client needs a
    file system for s3://, in Python by `connection.register_filesystem(store.objects.filesystem())`.
    """
    with duckdb.connect() as connection:
        return list(_run(connection, store, as_of))


def _connected(store: Store, as_of: datetime | None) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    deque(_run(connection, store, as_of), maxlen=0)
    return connection


def _run(connection: duckdb.DuckDBPyConnection, store: Store, as_of: datetime | None) -> Iterator[str]:
    """Every statement, once it has been run: what the first ones find decides which others there are."""
    if (filesystem := store.objects.filesystem()) is not None:
        connection.register_filesystem(filesystem)
    for statement in _statements(connection, store, as_of):
        connection.execute(statement)
        yield statement


def _statements(connection: duckdb.DuckDBPyConnection, store: Store, as_of: datetime | None) -> Iterator[str]:
    if next(store.objects.walk("ledger"), None) is None:
        return
    place = Place.of(store)
    time = as_of.astimezone(UTC).isoformat(timespec="microseconds") if as_of else "infinity"
    moment = f"TIMESTAMPTZ '{time}'"
    yield from ledger(place)
    yield from history(place, moment)
    yield from congruence.statements()
    yield comment("VIEW congruence", "features of a title whose rows mean different shots, and may not be joined")
    yield comment("MACRO TABLE joined", "rows of two features, given by name, side by side by title and index")
    # a value may have been current once and be no longer: then the feature's view is there, and empty
    found = f"SELECT feature, bool_and(title = '{CATALOGUE}') FROM {HISTORY} GROUP BY feature HAVING bool_or(kept)"
    for feature, over_titles in connection.execute(f"{found} ORDER BY feature").fetchall():
        yield from _feature(place, feature, "" if over_titles else "stored.title, ", moment)


def _feature(place: Place, feature: str, title: str, moment: str) -> Iterator[str]:
    """The views of a feature's rows."""
    now, ever, then = stands(moment), "true", stands("moment::TIMESTAMPTZ")
    yield (
        f'SET VARIABLE "{feature}_files" = (SELECT {{now: {_files(place, now)}, ever: {_files(place, ever)}}} '
        f"FROM {_stored(place, feature, ever)})"
    )
    yield f'CREATE OR REPLACE VIEW "{feature}" AS {_rows(place, feature, "now", now, title)}'
    yield comment(f'VIEW "{feature}"', f"the current rows of {feature}")
    columns = f"{title}stored.seq, stored.made_at, "
    yield f'CREATE OR REPLACE VIEW "{feature}_history" AS {_rows(place, feature, "ever", ever, columns)}'
    yield comment(f'VIEW "{feature}_history"', f"the rows of every value of {feature} that ever was current")
    # which files those are cannot be told before the moment is; DuckDB skips those that no commit of then names
    yield f'CREATE OR REPLACE MACRO "{feature}_as_of"(moment) AS TABLE {_rows(place, feature, "ever", then, title)}'
    yield comment(f'MACRO TABLE "{feature}_as_of"', f"the rows of {feature} that were current at a moment")


def _rows(place: Place, feature: str, files: str, which: str, columns: str) -> str:
    """The rows of those values of a feature for which the condition `which` holds."""
    found = f"getvariable('{feature}_files')['{files}']"
    return (
        f"SELECT {columns}rows.* EXCLUDE (filename) FROM read_parquet({found}['files'], filename = true, "
        f"union_by_name = {found}['differ']) AS rows JOIN {_stored(place, feature, which)} AS stored "
        "ON rows.filename = stored.file"
    )


def _stored(place: Place, feature: str, which: str) -> str:
    return (
        f"(SELECT *, {place.value(pattern=False)} AS file FROM {HISTORY} "
        f"WHERE feature = '{feature}' AND kept AND {which})"
    )


def _files(place: Place, which: str) -> str:
    """SQL for the files of some values, and whether their columns may differ: then each is opened to learn them."""
    file = place.value(pattern=True)
    schemas = f"(list(DISTINCT schema) FILTER ({which}))"
    # where nothing is current, any older value still says which columns there are
    files = f"coalesce(list(DISTINCT {file}) FILTER ({which}), [min({file})])"
    return f"{{files: {files}, differ: coalesce({schemas} = [''] OR len({schemas}) > 1, false)}}"
