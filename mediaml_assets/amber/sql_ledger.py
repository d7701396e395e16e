"""The ledger in SQL: every commit once, whether a fold or a row of its own holds it, and what was current when.

What no fold holds is read once, into a table of the session: the views show one state of the store, whatever is
committed or compacted meanwhile.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from mediaml_assets.amber.store import Store

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
    "current": "CASE WHEN json_exists(row, '$.current') THEN current ELSE value END",
    "key": "coalesce(key, value.key)",
    **{name: f"coalesce({name}, '')" for name in ("who", "run", "version", "code", "reason", "before")},
    **{name: f"coalesce({name}, '{{}}')" for name in ("inputs", "config")},
    "environment": "coalesce(getvariable('environments')[environment], '{}')::JSON",
    **{name: f"coalesce({name}, MAP {{}})" for name in ("metrics", "gone")},
}
"""What a row leaves out because it goes without saying."""

_HISTORY_COLUMNS = {
    "event": "VARCHAR",
    "generation": "BIGINT",
    "reason": "VARCHAR",
    "gone": "MAP(VARCHAR, VARCHAR)",
}
"""What `history` is made from that no fold has a column for."""

_ROW_COLUMNS = {
    **{name: "VARCHAR" for name in ("feature", "scope", "digest", "schema", "row")},
    "seq": "BIGINT",
    "made_at": "TIMESTAMPTZ",
}
"""A row as a fold holds it: its text, and beside it the columns that tell what was current after it."""

HISTORY = 'temp."ledger history"'
"""What was current when, with its digest and schema, and whether its file was kept; no feature has such a name."""

_ROWS = 'temp."ledger rows"'
"""Rows that no fold holds."""

_PARTS = "'/ledger/([^/]+)/([^/]+)/[0-9]+/([0-9]{8})[.]json$', ['feature', 'scope', 'seq']"


@dataclass(frozen=True)
class Place:
    """Where a store is, for SQL."""

    root: str
    """Path or URL."""
    wild: bool
    """Whether [, * and ? in a path are wild cards wherever they stand: our file system of a bucket knows its root."""

    @classmethod
    def of(cls, store: Store) -> Self:
        """The place of a store."""
        return cls(store.objects.url("").rstrip("/"), store.objects.filesystem() is None)

    def files(self, below: str) -> str:
        """SQL for a pattern of files below the root."""
        return quoted(f"{self._pattern}/{below}")

    def value(self, pattern: bool) -> str:
        """SQL for the file of the value `digest` of `feature`, or for a pattern that matches nothing but that."""
        values = quoted(f"{self._pattern if pattern else self.root}/values/")
        return f"{values} || feature || '/' || left(digest, 2) || '/' || digest || '.parquet'"

    def only(self, file: str) -> str:
        """SQL for a pattern that matches nothing but a file."""
        return f"regexp_replace({file}, '([[*?])', '[\\1]', 'g')" if self.wild else file

    @property
    def _pattern(self) -> str:
        return re.sub(r"[\[*?]", r"[\g<0>]", self.root) if self.wild else self.root


def ledger(place: Place) -> Iterator[str]:
    """Statements that find every commit once, and the views of all of it."""
    yield (
        "SET VARIABLE environments = (SELECT map_from_entries(list((parse_filename(filename, true), content))) "
        f"FROM read_text({place.files('environments/*.json')}))"
    )
    # rows before folds: what a compaction moves in between is found twice, not missed
    yield f"SET VARIABLE ledger_files = (SELECT list(file) FROM glob({place.files('ledger/*/*/*/*.json')}))"
    yield (
        "SET VARIABLE ledger_folds = (SELECT coalesce(list(file), []) FROM "
        f"(SELECT {place.only('max(file)')} AS file FROM glob({place.files('folds/*/*.parquet')}) "
        "WHERE regexp_matches(file, '/[0-9]{8}[.]parquet$') GROUP BY parse_dirpath(file)))"
    )
    # a writer that slept may have created again what a fold holds: the fold is believed
    yield (
        f"SET VARIABLE ledger_files = (SELECT coalesce(list({place.only('file')}), []) FROM "
        f"(SELECT file, unnest(regexp_extract(file, {_PARTS})) FROM "
        "(SELECT unnest(getvariable('ledger_files')::VARCHAR[]) AS file)) "
        f"LEFT JOIN (SELECT feature, scope, max(seq) AS last FROM {_folded()} GROUP BY ALL) USING (feature, scope) "
        "WHERE seq != '' AND (last IS NULL OR seq::BIGINT > last))"
    )
    # a null that is written down is one in JSON, and none here
    current = "coalesce(content -> '$.current', content -> '$.value')"
    # sorted only because files come one at a time, and a thousand at once are computed on in a fifth of the time
    texts = "SELECT filename, content FROM read_text(getvariable('ledger_files')) ORDER BY filename"
    yield (
        f"CREATE OR REPLACE TEMP TABLE {_ROWS} AS SELECT feature, scope, seq::BIGINT AS seq, "
        "try_cast(content ->> '$.made_at' AS TIMESTAMPTZ) AS made_at, current ->> '$.digest' AS digest, "
        "current ->> '$.schema' AS schema, content AS row FROM "
        f"(SELECT content, {current} AS current, unnest(regexp_extract(filename, {_PARTS})) FROM ({texts}))"
    )
    # a file that is gone is read as nothing
    yield (
        f"SELECT if(count(*) = len(getvariable('ledger_files')), 'whole', error('rows of the ledger were compacted or "
        f"removed while they were read; run all statements again')) FROM {_ROWS}"
    )
    columns = ", ".join(f"{_IMPLIED.get(name, name)} AS {name}" for name in _LEDGER_COLUMNS)
    yield (
        f"CREATE OR REPLACE VIEW ledger AS SELECT {columns} FROM "
        f"(SELECT row, unnest({_from_json(_LEDGER_COLUMNS)}) FROM ({_every_row()}))"
    )
    yield comment("VIEW ledger", "every commit: what was made of what, by whom, when, how")
    yield (
        "CREATE OR REPLACE VIEW metrics AS SELECT feature, scope AS title, seq, made_at, entry.key AS metric, "
        "entry.value AS value FROM (SELECT *, unnest(map_entries(metrics)) AS entry FROM ledger) "
        "WHERE event = 'computed'"
    )
    yield comment("VIEW metrics", "what was measured while values were made, a row for each number")


def history(place: Place, moment: str) -> Iterator[str]:
    """Statements that find what was current when, and its views; `current` shows a moment, given in SQL."""
    # clocks jump: a commit stands until the first moment at which any later one does
    rows = (
        "SELECT feature, scope AS title, seq, made_at, min(coalesce(made_at, '-infinity')) OVER (PARTITION BY feature, "
        "scope ORDER BY seq ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS until, digest, "
        f"coalesce(schema, '') AS schema, unnest({_from_json(_HISTORY_COLUMNS)}) FROM ({_every_row()}) "
        "WHERE NOT contains(scope, '@')"
    )
    gone = (
        "SELECT feature, title, max(seq) AS gone_at, parse_filename(name, true) AS digest FROM "
        "(SELECT feature, title, seq, unnest(map_keys(gone)) AS name FROM rows) WHERE starts_with(name, 'values/') "
        "GROUP BY ALL"
    )
    # a value that was lost or forgotten has no file, unless it was made once more
    yield (
        f"CREATE OR REPLACE TEMP TABLE {HISTORY} AS WITH rows AS MATERIALIZED ({rows}), gone AS ({gone}) "
        "SELECT rows.* EXCLUDE (gone), digest IS NOT NULL AND (gone_at IS NULL OR gone_at < seq) AS kept "
        "FROM rows LEFT JOIN gone USING (feature, title, digest)"
    )
    yield (
        "CREATE OR REPLACE VIEW history AS SELECT feature, title, seq, made_at, until, event, digest, generation, "
        f"coalesce(reason, '') AS reason, CASE WHEN kept THEN {place.value(pattern=False)} END AS file FROM {HISTORY}"
    )
    yield comment("VIEW history", "what was current after each commit, from made_at until `until`, and its file")
    yield f"CREATE OR REPLACE VIEW current AS SELECT * EXCLUDE (until) FROM history WHERE {stands(moment)}"
    yield comment("VIEW current", "what is current of each feature and title, and its file")
    yield (
        "CREATE OR REPLACE MACRO current_as_of(moment) AS TABLE "
        f"SELECT * EXCLUDE (until) FROM history WHERE {stands('moment::TIMESTAMPTZ')}"
    )
    yield comment("MACRO TABLE current_as_of", "`current` as it was at a moment")


def stands(moment: str) -> str:
    """SQL: whether a commit was the newest of its chain at a moment; at infinity the newest of all is."""
    return f"coalesce(made_at, '-infinity') <= {moment} AND (until IS NULL OR {moment} < until)"


def comment(on: str, says: str) -> str:
    """A statement that describes a view or macro to people."""
    return f"COMMENT ON {on} IS {quoted(says)}"


def quoted(text: str) -> str:
    """A text as SQL."""
    return "'" + text.replace("'", "''") + "'"


def _every_row() -> str:
    return f"FROM {_ROWS} UNION ALL BY NAME FROM {_folded()}"


def _folded() -> str:
    """SQL for the rows of the newest folds, of which there may be none when it is run."""
    read = (
        "SELECT regexp_extract(filename, '/folds/([^/]+)/[^/]+$', 1) AS feature, * EXCLUDE (filename) "
        "FROM read_parquet(getvariable('ledger_folds'), filename = true)"
    )
    none = ", ".join(f"NULL::{kind} AS {name}" for name, kind in _ROW_COLUMNS.items())
    return f"query(if(getvariable('ledger_folds') = [], {quoted(f'SELECT {none} WHERE false')}, {quoted(read)}))"


def _from_json(columns: Mapping[str, Any]) -> str:
    return f"from_json(row, {quoted(json.dumps(columns))})"
