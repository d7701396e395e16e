"""SQL over the store: views that any DuckDB client can have, over immutable Parquet files and the ledger.

    ledger                every commit
    history               what was current after each commit, and its file
    current               the same, of the newest commit of each feature and title
    metrics               what was measured while values were made
    <feature>             current values, with a `title` column for per-title features
    <feature>_history     every value that ever was current, with `title`, `seq` and `made_at`

No database file is shared: each client reads the files, so readers never block writers.
"""

from collections.abc import Iterable
from pathlib import Path

import duckdb

from mediaml_assets.amber.ledger import Commit
from mediaml_assets.amber.store import CATALOGUE, Store

_VALUE = "STRUCT(digest VARCHAR, key VARCHAR, columns JSON, rows BIGINT, bytes BIGINT, blake3 VARCHAR)"
_LEDGER_COLUMNS = {
    "feature": "VARCHAR",
    "scope": "VARCHAR",
    "seq": "BIGINT",
    "event": "VARCHAR",
    "value": _VALUE,
    "current": _VALUE,
    "key": "VARCHAR",
    "generation": "BIGINT",
    "made_at": "TIMESTAMPTZ",
    "who": "VARCHAR",
    "run": "VARCHAR",
    "version": "VARCHAR",
    "code": "VARCHAR",
    "environment": "JSON",
    "inputs": "JSON",
    "config": "JSON",
    "metrics": "MAP(VARCHAR, DOUBLE)",
    "reason": "VARCHAR",
    "before": "VARCHAR",
}


def connect(store: Store) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with all the views."""
    connection = duckdb.connect()
    for statement in statements(store):
        connection.execute(statement)
    return connection


def statements(store: Store) -> Iterable[str]:
    """The SQL that makes the views; run it in any DuckDB 1.2 or newer. Views follow the store when it is run again."""
    root = store.objects.root
    features = store.objects.folders("ledger")
    if not features:
        return
    yield _ledger_view(root)
    file = f"{_quoted(root / 'values')} || '/' || feature || '/' || left(digest, 2) || '/' || digest || '.parquet'"
    commits = (
        "SELECT feature, scope AS title, seq, made_at, event, current.digest AS digest, generation, reason FROM ledger"
    )
    yield f"CREATE OR REPLACE VIEW history AS SELECT *, {file} AS file FROM ({commits}) WHERE NOT contains(title, '@')"
    yield "CREATE OR REPLACE VIEW current AS FROM history QUALIFY seq = max(seq) OVER (PARTITION BY feature, title)"
    yield (
        "CREATE OR REPLACE VIEW metrics AS SELECT feature, scope AS title, seq, made_at, entry.key AS metric, "
        "entry.value AS value FROM (SELECT *, unnest(map_entries(metrics)) AS entry FROM ledger) "
        "WHERE event = 'computed'"
    )
    for feature in features:
        yield from _feature_views(store, feature)


def _ledger_view(root: Path) -> str:
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in _LEDGER_COLUMNS.items())
    files = _quoted(root / "ledger/*/*/*/*.json")
    return f"CREATE OR REPLACE VIEW ledger AS SELECT * FROM read_json({files}, columns = {{{columns}}})"


def _feature_views(store: Store, feature: str) -> Iterable[str]:
    """The views of one feature: its history once a value was ever current, its values while one is."""
    heads = _heads(store, feature)
    title = "" if [head.scope for head in heads] == [CATALOGUE] else "known.title, "
    now = any(head.current for head in heads)
    if now or any(row.current for head in heads for row in store.ledger.chain(feature, head.scope)):
        yield from _view(feature, f"{feature}_history", "history", f"{title}known.seq, known.made_at, ")
    if now:
        yield from _view(feature, feature, "current", title)


def _view(feature: str, name: str, known: str, columns: str) -> Iterable[str]:
    """A view over the values that `known` (current or history) lists for a feature."""
    where = f"feature = '{feature}' AND digest IS NOT NULL"
    # a view takes no bound parameters but variables: set again, it shows what is current then
    yield f"SET VARIABLE {name}_files = (SELECT list(DISTINCT file) FROM {known} WHERE {where})"
    yield (
        f"CREATE OR REPLACE VIEW {name} AS SELECT {columns}rows.* EXCLUDE (filename) "
        f"FROM read_parquet(getvariable('{name}_files'), filename = true, union_by_name = true) AS rows "
        f"JOIN (FROM {known} WHERE {where}) AS known ON rows.filename = known.file"
    )


def _heads(store: Store, feature: str) -> list[Commit]:
    scopes = [scope for scope in store.ledger.scopes(feature) if "@" not in scope]
    heads = (store.ledger.head(feature, scope) for scope in scopes)
    return [head for head in heads if head is not None]


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
