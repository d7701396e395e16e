"""SQL over the store: views that any DuckDB client can have, over immutable Parquet files and the ledger.

    ledger                every commit
    current               the commit that each feature and title stands at
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

_VALUE = "STRUCT(digest VARCHAR, key VARCHAR, columns JSON, rows BIGINT, bytes BIGINT, sha256 VARCHAR)"
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
    yield (
        "CREATE OR REPLACE VIEW current AS SELECT feature, scope AS title, max_by(current.digest, seq) AS digest, "
        "max(seq) AS seq, max_by(event, seq) AS event, max_by(made_at, seq) AS made_at, "
        "max_by(generation, seq) AS generation, max_by(reason, seq) AS reason FROM ledger WHERE NOT contains(scope, '@') GROUP BY ALL"
    )
    yield (
        "CREATE OR REPLACE VIEW metrics AS SELECT feature, scope AS title, seq, made_at, entry.key AS metric, "
        "entry.value AS value FROM (SELECT *, unnest(map_entries(metrics)) AS entry FROM ledger) "
        "WHERE event = 'computed'"
    )
    for feature in features:
        yield from _feature_views(store, root, feature)


def _ledger_view(root: Path) -> str:
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in _LEDGER_COLUMNS.items())
    files = _quoted(root / "ledger/*/*/*/*.json")
    return f"CREATE OR REPLACE VIEW ledger AS SELECT * FROM read_json({files}, columns = {{{columns}}})"


def _feature_views(store: Store, root: Path, feature: str) -> Iterable[str]:
    """The views of one feature; none while no value was ever stored."""
    if not store.objects.folders(f"values/{feature}"):
        return
    # bound parameters are not allowed in a view, variables are: set again, the views show what is current then
    file = f"{_quoted(root / 'values' / feature)} || '/' || left(digest, 2) || '/' || digest || '.parquet'"
    known = f"feature = '{feature}' AND digest IS NOT NULL"
    yield f"SET VARIABLE {feature}_files = (SELECT list(DISTINCT {file}) FROM current WHERE {known})"
    stored = (
        f"SELECT scope AS title, seq, made_at, current.digest AS digest FROM ledger WHERE feature = '{feature}' "
        "AND current.digest IS NOT NULL AND NOT contains(scope, '@')"
    )
    yield f"SET VARIABLE {feature}_all_files = (SELECT list(DISTINCT {file}) FROM ({stored}))"
    title = "" if store.objects.folders(f"ledger/{feature}") == [CATALOGUE] else "known.title, "
    yield (
        f"CREATE OR REPLACE VIEW {feature}_history AS "
        f"SELECT {title}known.seq, known.made_at, rows.* EXCLUDE (filename) FROM read_parquet(getvariable('{feature}_all_files'), filename = true, union_by_name = true) AS rows "
        f"JOIN ({stored}) AS known ON rows.filename = {file}"
    )
    if any(commit.current for commit in _heads(store, feature)):
        yield (
            f"CREATE OR REPLACE VIEW {feature} AS SELECT {title}rows.* EXCLUDE (filename) "
            f"FROM read_parquet(getvariable('{feature}_files'), filename = true, union_by_name = true) AS rows "
            f"JOIN (SELECT title, digest FROM current WHERE {known}) AS known ON rows.filename = {file}"
        )


def _heads(store: Store, feature: str) -> Iterable[Commit]:
    heads = (store.ledger.head(feature, scope) for scope in store.ledger.scopes(feature))
    return [head for head in heads if head is not None]


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
