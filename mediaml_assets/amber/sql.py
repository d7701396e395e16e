"""SQL over the store: views that any DuckDB client can have, over immutable Parquet files and the ledger.

    ledger                every commit
    history               what was current after each commit, and its file
    current               the same, of the newest commit of each feature and title
    metrics               what was measured while values were made
    congruence            pairs of features of a title whose rows mean different shots now
    <feature>             current values, with a `title` column for per-title features
    <feature>_history     every value that ever was current, with `title`, `seq` and `made_at`
    joined('a', 'b')      rows of two features by title and index; an error where they mean different shots

No database file is shared: each client reads the files, so readers never block writers.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from mediaml_assets.amber import congruence
from mediaml_assets.amber.ledger import Commit
from mediaml_assets.amber.store import CATALOGUE, Store

_VALUE = {
    "digest": "VARCHAR",
    "key": "VARCHAR",
    "columns": "JSON",
    "rows": "BIGINT",
    "bytes": "BIGINT",
    "blake3": "VARCHAR",
    "schema": "VARCHAR",
    "reads": "JSON",
}
_LEDGER_COLUMNS: dict[str, Any] = {
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
    "environment": "VARCHAR",
    "inputs": "JSON",
    "config": "JSON",
    "metrics": "MAP(VARCHAR, DOUBLE)",
    "reason": "VARCHAR",
    "gone": "MAP(VARCHAR, VARCHAR)",
    "before": "VARCHAR",
}
_IMPLIED = {
    "seq": "coalesce(seq, 0)",
    # a null that is written down is no current value
    "current": "CASE WHEN json_exists(content, '$.current') THEN current ELSE value END",
    "key": "coalesce(key, value.key)",
    **{name: f"coalesce({name}, '')" for name in ("who", "run", "version", "code", "reason", "before")},
    **{name: f"coalesce({name}, '{{}}')" for name in ("inputs", "config")},
    "environment": "coalesce(getvariable('environments')[environment], '{}')::JSON",
    **{name: f"coalesce({name}, MAP {{}})" for name in ("metrics", "gone")},
}
"""What a row leaves out because it goes without saying."""


def connect(store: Store) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with all the views."""
    connection = duckdb.connect()
    for statement in statements(store):
        connection.execute(statement)
    return connection


def statements(store: Store) -> Iterable[str]:
    """The SQL that makes the views; run it in any DuckDB 1.2 or newer.

    The ledger's views follow the store; those of features show what stood there when the statements were run.
    """
    root = Path(store.objects.url(""))
    features = {feature: _heads(store, feature) for feature in store.objects.folders("ledger")}
    if not any(features.values()):
        return
    yield _environments(store)
    yield _ledger_view(root)
    yield (
        "CREATE OR REPLACE VIEW history AS SELECT feature, scope AS title, seq, made_at, event, current.digest AS "
        f"digest, generation, reason, {_file(_quoted(root / 'values'), 'current.digest')} AS file FROM ledger "
        "WHERE NOT contains(scope, '@')"
    )
    yield "CREATE OR REPLACE VIEW current AS FROM history QUALIFY seq = max(seq) OVER (PARTITION BY feature, title)"
    yield (
        "CREATE OR REPLACE VIEW metrics AS SELECT feature, scope AS title, seq, made_at, entry.key AS metric, "
        "entry.value AS value FROM (SELECT *, unnest(map_entries(metrics)) AS entry FROM ledger) "
        "WHERE event = 'computed'"
    )
    yield from congruence.statements()
    # a view takes no bound parameters but variables; this one is what all feature views show: one state of the store
    newest = "seq = max(seq) OVER (PARTITION BY feature, title) AS newest"
    rows = f"SELECT feature, title, seq, made_at, digest, file, {newest} FROM history"
    yield f"SET VARIABLE stored = (SELECT list(row) FROM ({rows}) AS row WHERE digest IS NOT NULL)"
    for feature, heads in features.items():
        # a value may have been current once and be no longer: then the feature's view is there, and empty
        past = (row for head in heads for row in store.ledger.chain(feature, head.scope))
        if any(head.current for head in heads) or any(row.current for row in past):
            title = "" if [head.scope for head in heads] == [CATALOGUE] else "stored.title, "
            yield from _view(root, feature, f"{feature}_history", "true", f"{title}stored.seq, stored.made_at, ")
            yield from _view(root, feature, feature, "newest", title)


def _environments(store: Store) -> str:
    digests = [name.removesuffix(".json") for name in store.objects.names("environments")]
    entries = (f"{_quoted(one)}: {_quoted(json.dumps(store.environment(one)))}" for one in digests)
    return f"SET VARIABLE environments = MAP {{{', '.join(entries)}}}::MAP(VARCHAR, VARCHAR)"


def _ledger_view(root: Path) -> str:
    columns = ", ".join(f"{_IMPLIED.get(name, name)} AS {name}" for name in _LEDGER_COLUMNS)
    files = f"{_pattern(root)} || '/ledger/*/*/*/*.json'"
    rows = f"SELECT content, unnest(from_json(content, {_quoted(json.dumps(_LEDGER_COLUMNS))})) FROM read_text({files})"
    return f"CREATE OR REPLACE VIEW ledger AS SELECT {columns} FROM ({rows})"


def _view(root: Path, feature: str, name: str, which: str, columns: str) -> Iterable[str]:
    """A view over the stored values of a feature, of those commits for which the condition `which` holds."""
    stored = f"(FROM (SELECT unnest(getvariable('stored'), recursive := true)) WHERE feature = '{feature}')"
    file = _file(_pattern(root / "values"), "digest")
    # where nothing is current, any older value still says which columns there are
    files = f"coalesce(list(DISTINCT {file}) FILTER ({which}), [min({file})])"
    yield f'SET VARIABLE "{name}_files" = (SELECT {files} FROM {stored})'
    yield (
        f'CREATE OR REPLACE VIEW "{name}" AS SELECT {columns}rows.* EXCLUDE (filename) '
        f"FROM read_parquet(getvariable('{name}_files'), filename = true, union_by_name = true) AS rows "
        f"JOIN {stored} AS stored ON rows.filename = stored.file AND {which}"
    )


def _heads(store: Store, feature: str) -> list[Commit]:
    scopes = [scope for scope in store.ledger.scopes(feature) if "@" not in scope]
    heads = (store.ledger.head(feature, scope) for scope in scopes)
    return [head for head in heads if head is not None]


def _file(values: str, digest: str) -> str:
    """SQL for the file of a value below the folder of values."""
    return f"{values} || '/' || feature || '/' || left({digest}, 2) || '/' || {digest} || '.parquet'"


def _quoted(text: Path | str) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def _pattern(path: Path) -> str:
    """A path as a quoted pattern that matches nothing but itself."""
    return _quoted(re.sub(r"[\[*?]", r"[\g<0>]", str(path)))
