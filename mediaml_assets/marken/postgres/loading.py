"""Canonical rows into a table, by COPY: the columns become CSV as a whole, no row is touched in Python."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from mediaml_assets.errors import AnnotationRefused
from mediaml_assets.marken.postgres.layout import Rows, quoted, raw
from mediaml_assets.marken.postgres.servers import Connection
from mediaml_assets.marken.vectors import normalised

# beyond these lengths the squares that pgvector sums in float32 may overflow or vanish
_SHORTEST, _LONGEST = 1e-12, 1e12


def copy(connection: Connection, rows: Rows, table: pa.Table, own: Mapping[str, pa.Array]) -> None:
    """Add rows.

    Args:
        connection: within a transaction.
        rows: where to.
        table: canonical rows of its type.
        own: the table's own columns.

    Raises:
        AnnotationRefused: PostgreSQL cannot hold a value.
    """
    columns = {quoted(name): _column(table[name].combine_chunks()) for name in table.column_names}
    for name in rows.vectors:
        fitting, given = _vectors(table[name].combine_chunks())
        columns[quoted(name)], columns[raw(name)] = _column(fitting), given
    columns |= own
    text = pa.BufferOutputStream()
    # what is not null stands in quotes, so that an empty string is none
    options = csv.WriteOptions(include_header=False, quoting_style="all_valid")
    csv.write_csv(pa.table(list(columns.values()), names=list(columns)), text, options)
    statement = f"COPY {rows.table} ({', '.join(columns)}) FROM STDIN (FORMAT csv)"
    try:
        with connection.cursor() as cursor, cursor.copy(statement) as stream:
            stream.write(memoryview(text.getvalue()))
    except (psycopg.DataError, psycopg.errors.ProgramLimitExceeded) as error:
        # the first line says what is wrong, the next ones repeat the row
        told = f"{rows.name}@{rows.version} cannot be kept by PostgreSQL: {error.diag.message_primary}"
        raise AnnotationRefused(told, "") from None


def stems_of(rows: Rows, table: pa.Table) -> list[tuple[str, str]]:
    """(property, stem) of every word of the text properties, in order."""
    found = []
    for name in rows.texts:
        words = pc.unique(pc.list_flatten(table[f"{name}_stems"]))
        found += [(name, word) for word in words.to_pylist()]
    return sorted(found)


def _column(column: pa.Array) -> pa.Array:
    """As CSV can hold it."""
    if pa.types.is_fixed_size_list(column.type):
        size = column.type.list_size
        numbers = _flat(column).cast(pa.string())
        return _joined(column, "[", numbers, np.full(len(column), size), "]")
    if pa.types.is_list(column.type):
        words = pc.replace_substring(pc.replace_substring(column.flatten(), "\\", "\\\\"), '"', '\\"')
        words = pc.binary_join_element_wise('"', words, '"', "")
        return _joined(column, "{", words, pc.fill_null(pc.list_value_length(column), 0).to_numpy(), "}")
    return column


def _joined(column: pa.Array, first: str, parts: pa.Array, lengths: npt.NDArray[np.integer], last: str) -> pa.Array:
    """The parts of each list of a column as one string; null where it is null."""
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    strings = pc.binary_join(pa.ListArray.from_arrays(offsets, parts.cast(pa.string())), ",")
    strings = pc.binary_join_element_wise(first, strings, last, "")
    return pc.if_else(column.is_valid(), strings, pa.scalar(None, pa.string()))


def _flat(column: pa.Array) -> pa.Array:
    """The numbers of vectors, one after the other; 0 for those of none."""
    size = column.type.list_size
    return pc.fill_null(column.values.slice(column.offset * size, len(column) * size), 0.0)


def _vectors(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Vectors that float32 sums can be made of, and those given instead as `vector_send` writes them, else null."""
    size = column.type.list_size
    numbers = _flat(column).to_numpy().reshape(-1, size)
    lengths = np.sqrt(np.einsum("ij,ij->i", numbers, numbers, dtype=np.float64))
    apart = np.asarray(column.is_valid()) & ((lengths < _SHORTEST) | (lengths > _LONGEST))
    if not apart.any():
        return column, pa.nulls(len(column), pa.string())
    changed = numbers.copy()
    changed[apart] = normalised(numbers[apart])
    head = size.to_bytes(2, "big").hex() + "0000"
    given = [
        f"\\x{head}{row.astype('>f4').tobytes().hex()}" if one else None
        for row, one in zip(numbers, apart, strict=True)
    ]
    mask = pa.array(~np.asarray(column.is_valid()))
    return pa.FixedSizeListArray.from_arrays(pa.array(changed.ravel()), size, mask=mask), pa.array(given, pa.string())
