"""Folds: the ledger rows of a feature, of all its chains, compacted into one Parquet file.

    folds/<feature>/<n>.parquet             every row that the fold before it held, and newer ones; sorted by scope, seq
    folds/<feature>/<n>.<16 hex digits>     its witness: empty, named by the file's digest

The newest fold is the one that counts. A fold is created only if absent at n + 1, like a row of the ledger.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
from blake3 import blake3

from mediaml_assets.amber.ledger.rows import Row
from mediaml_assets.amber.objects import Objects
from mediaml_assets.errors import Damaged, NotStored

SCHEMA = pa.schema(
    [
        ("scope", pa.string()),
        ("seq", pa.int64()),
        ("made_at", pa.timestamp("us", "UTC")),
        ("digest", pa.string()),
        ("schema", pa.string()),
        ("row", pa.large_string()),
    ]
)
"""`row` is the text that the chain's digests are about; the columns between repeat what SQL asks of every row: when it
was made, and digest and schema of what was current after it."""

ROW_GROUP = 4096
"""Rows that are read to find those of one chain."""

_FOLD = re.compile(r"(\d{8})\.parquet")
_WITNESS = re.compile(r"(\d{8})\.([0-9a-f]{16})")


def fold_name(feature: str, number: int) -> str:
    """The object that holds a fold."""
    return f"folds/{feature}/{number:08d}.parquet"


def fold_witness_name(feature: str, number: int, encoded: bytes | memoryview) -> str:
    """The object that vouches for a fold with these bytes."""
    return f"folds/{feature}/{number:08d}.{blake3(encoded).hexdigest()[:16]}"


def fold_numbers(objects: Objects, feature: str) -> list[int]:
    """The folds of a feature that are there, the oldest first."""
    found = (_FOLD.fullmatch(name) for name in objects.names(f"folds/{feature}"))
    return [int(match[1]) for match in found if match]


def newest_fold(objects: Objects, feature: str) -> int | None:
    """The number of the fold that counts; None when nothing was ever folded."""
    return max(fold_numbers(objects, feature), default=None)


def read_newest(
    objects: Objects, feature: str, scope: str | None = None, columns: Sequence[str] | None = None
) -> tuple[int | None, pa.Table]:
    """The newest fold's number and its rows (of one chain when a scope is given); raises Damaged."""
    number = newest_fold(objects, feature)
    while number is not None:
        try:
            return number, _read(objects, fold_name(feature, number), scope, columns)
        except NotStored:
            newer = newest_fold(objects, feature)
            if newer == number:
                raise
            # two compactions went by since the fold was listed, and removed it
            number = newer
    return None, SCHEMA.empty_table().select(columns if columns is not None else SCHEMA.names)


def read_checked(objects: Objects, feature: str, number: int) -> tuple[pa.Table, bool]:
    """All rows of a fold, and whether a witness vouches for its file.

    Raises:
        NotStored: it was removed.
        Damaged: its file is not what its witness says, or no Parquet file.
    """
    name = fold_name(feature, number)
    encoded = objects.read(name)
    digest = blake3(encoded).hexdigest()[:16]
    found = (_WITNESS.fullmatch(one) for one in objects.names(f"folds/{feature}"))
    witnesses = {match[2] for match in found if match and int(match[1]) == number}
    if witnesses and digest not in witnesses:
        raise Damaged(f"{name} in {objects.where} is not what it was when it was written; bring it back from a copy")
    try:
        return pq.read_table(pa.BufferReader(encoded), schema=SCHEMA), bool(witnesses)
    except (OSError, pa.ArrowInvalid) as error:
        raise _unreadable(objects, name, error) from error


def rows_of(table: pa.Table, feature: str, number: int | None) -> list[Row]:
    """The ledger rows of a table that `read_newest` gave with all its columns."""
    if number is None:
        return []
    name = fold_name(feature, number)
    columns = (table.column(one).to_pylist() for one in ("scope", "seq", "row"))
    return [Row(feature, scope, seq, name, text.encode()) for scope, seq, text in zip(*columns, strict=True)]


def table_of(rows: Sequence[Row]) -> pa.Table:
    """Ledger rows in the form of a fold, in the order given; raises Damaged for what is no row."""
    commits = [row.commit for row in rows]
    columns = {
        "scope": [row.scope for row in rows],
        "seq": [row.seq for row in rows],
        "made_at": [_time(commit.made_at) for commit in commits],
        "digest": [commit.current.digest if commit.current else None for commit in commits],
        "schema": [commit.current.schema if commit.current else None for commit in commits],
        "row": [row.text.decode() for row in rows],
    }
    return pa.table(columns, schema=SCHEMA)


def encode_fold(table: pa.Table) -> memoryview:
    """A fold as Parquet bytes, sorted so that one chain lies in few row groups."""
    ordered = table.sort_by([("scope", "ascending"), ("seq", "ascending")])
    sink = pa.BufferOutputStream()
    # texts with digests in them are all different; a dictionary of them would only be a second copy
    pq.write_table(ordered, sink, compression="zstd", row_group_size=ROW_GROUP, use_dictionary=["scope", "schema"])
    return memoryview(sink.getvalue()).cast("B")


def _read(objects: Objects, name: str, scope: str | None, columns: Sequence[str] | None) -> pa.Table:
    objects.operations["read"] += 1
    wanted = None if scope is None else [("scope", "==", scope)]
    try:
        return pq.read_table(
            objects.url(name),
            filesystem=objects.filesystem(),
            filters=wanted,
            columns=None if columns is None else list(columns),
            schema=SCHEMA,
        )
    except FileNotFoundError as missing:
        raise NotStored(f"nothing is stored as {name} in {objects.where}") from missing
    except (OSError, pa.ArrowInvalid) as error:
        raise _unreadable(objects, name, error) from error


def _unreadable(objects: Objects, name: str, error: Exception) -> Damaged:
    return Damaged(
        f"the ledger rows {name} in {objects.where} cannot be read ({error}); bring the file back from a copy"
    )


def _time(text: str) -> datetime | None:
    """A commit's time; None when it carries none that can be read."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None
