"""What the Delta and the Iceberg replica share: their extra columns, their types, how they are counted and read.

Both are one table of all titles with three columns in front of the feature's own:

    title          string
    row            int64, the row's number within its value
    value_digest   string, digest of the value that the row is part of

Types that these tables do not have are widened so that nothing is lost, and narrowed again when read back:

    uint8 → int16, int8 and uint16 → int32, uint32 → int64, uint64 → decimal(20, 0), float16 → float32
    fixed-size and large lists → lists, large strings and binaries → plain ones, fixed-size binary → binary
    dictionaries → their values, extension types → their storage, seconds and milliseconds → microseconds
    durations and times of day → whole numbers of their own unit

A nanosecond that is not a whole microsecond cannot be kept, so such columns are refused, as are decimals of more than
38 digits, nulls without a type, and dates in milliseconds.
"""

import importlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import duckdb
import pyarrow as pa

from mediaml_assets.amber.replicas.replication import Batch, Held, Rows, check_free
from mediaml_assets.errors import FeatureError, SettingsError

TITLE, ROW, DIGEST = "title", "row", "value_digest"
BATCH_BYTES = 64 << 20
"""Stored bytes of the values in one commit."""
BATCH_TITLES = 1000
FILE_BYTES = 128 << 20
"""Size of data file that is aimed for."""
SMALL_FILES = 16
"""So many data files below an eighth of `FILE_BYTES` are rewritten as one."""

_WIDER = {
    pa.int8(): pa.int32(),
    pa.uint8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.decimal128(20, 0),
    pa.float16(): pa.float32(),
    pa.large_string(): pa.string(),
    pa.large_binary(): pa.binary(),
    pa.string_view(): pa.string(),
    pa.binary_view(): pa.binary(),
}
_AS_THEY_ARE = {
    pa.bool_(), pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64(), pa.string(), pa.binary(), pa.date32()
}  # fmt: skip


def package(kind: str, module: str) -> ModuleType:
    """A module of the extra `lake`; raises SettingsError, saying how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as missing:
        raise SettingsError(
            f"the {kind} replica needs the package {module.split('.')[0]}, which is not installed; run "
            "`pip install 'mediaml-assets[lake]'`, or take it from the feature's replicas and from mediaml.toml"
        ) from missing


def lake_schema(schema: pa.Schema, name: str) -> pa.Schema:
    """The columns of the table; raises FeatureError for a type that would lose something, or a name that is taken."""
    check_free(schema, [TITLE, ROW, DIGEST], name)
    own = [
        pa.field(TITLE, pa.string(), nullable=False),
        pa.field(ROW, pa.int64(), nullable=False),
        pa.field(DIGEST, pa.string(), nullable=False),
    ]
    return pa.schema([*own, *(pa.field(one.name, lake_type(one.type, one.name, name)) for one in schema)])


def lake_type(kind: pa.DataType, column: str, name: str) -> pa.DataType:
    """The type that a column has in the table."""
    if kind in _AS_THEY_ARE:
        return kind
    if kind in _WIDER:
        return _WIDER[kind]
    if isinstance(kind, pa.BaseExtensionType):
        return lake_type(kind.storage_type, column, name)
    if pa.types.is_dictionary(kind):
        return lake_type(kind.value_type, column, name)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return pa.list_(pa.field("element", lake_type(kind.value_type, column, name)))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(one.name, lake_type(one.type, column, name)) for one in kind])
    if pa.types.is_fixed_size_binary(kind):
        return pa.binary()
    if pa.types.is_duration(kind) or pa.types.is_time(kind):
        return pa.int32() if pa.types.is_time32(kind) else pa.int64()
    if pa.types.is_timestamp(kind) and kind.unit != "ns":
        return pa.timestamp("us", "UTC" if kind.tz else None)
    if pa.types.is_decimal128(kind):
        return kind
    raise FeatureError(
        f"{name} cannot be made: its table has no type that keeps {column} ({kind}) as it is; use another type, or "
        "take it from the feature's replicas"
    )


def batch_table(batch: Batch, rows: Rows, schema: pa.Schema) -> pa.Table:
    """The rows of a batch, as they go into the table, sorted by title and row."""
    tables = []
    for one in batch.put:
        table = rows(one)
        count = table.num_rows
        own = [pa.repeat(one.title, count), pa.array(range(count), pa.int64()), pa.repeat(one.value.digest, count)]
        columns = [table.column(name).cast(schema.field(name).type) for name in table.column_names]
        tables.append(pa.table([*own, *columns], schema=schema))
    return pa.concat_tables([schema.empty_table(), *tables])


def value_rows(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Rows read back from a table, as the value that they were."""
    table = table.sort_by(ROW)
    return pa.table([table.column(one.name).cast(one.type) for one in schema], schema=schema)


def counted(files: Sequence[str]) -> dict[str, Held]:
    """What is held by the Parquet files of a table; a title whose rows are not those of one value has digest "mixed".

    Raises:
        duckdb.Error: a file is missing or cannot be read.
    """
    if not files:
        return {}
    query = (
        f"SELECT {TITLE}, min({DIGEST}), max({DIGEST}), count(*), count(DISTINCT {ROW}), max({ROW}) "
        f"FROM read_parquet(?) GROUP BY {TITLE}"
    )
    with duckdb.connect() as connection:
        found = connection.execute(query, [list(files)]).fetchall()
    return {
        title: Held(least if least == most and rows == distinct == last + 1 else "mixed", rows)
        for title, least, most, rows, distinct, last in found
    }


@dataclass
class Written:
    """Bytes that were written below a folder."""

    bytes: int = 0


@contextmanager
def written_below(folder: Path) -> Iterator[Written]:
    """Count the bytes of files that are new below a folder when the block ends."""
    written, before = Written(), set(folder.rglob("*"))
    yield written
    new = set(folder.rglob("*")) - before
    written.bytes = sum(stat.st_size for file, stat in stats(new) if file.is_file())


def stats(files: Iterable[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    """Size and times of files, without those that another writer removed meanwhile."""
    for file in files:
        with suppress(FileNotFoundError):
            yield file, file.stat()
