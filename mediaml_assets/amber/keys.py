"""Digests of rows and columns, and the memo keys made of them.

A value is known by the digest of its rows, not by the bytes of its Parquet file, so a new writer version or codec
changes nothing. Every column has a digest of its own, because a consumer's key covers only the columns it reads.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from blake3 import blake3

from mediaml_assets.errors import FeatureError

JOINED = 64 * 1024
"""Bytes of a column up to which they are copied together to be digested."""


SHORT = 32
"""Hex digits, 128 bits, of what is only compared with its like: columns, code, environments. Digests that vouch for
stored bytes (files, rows of the ledger, memos) have all 64."""


def digest_of(document: Any) -> str:
    """BLAKE3 (hex, 64 characters) of a document of plain values, independent of the order of its keys."""
    return blake3(to_json(document)).hexdigest()


def to_json(document: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8; NaN is refused with ValueError."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def column_digests(table: pa.Table) -> dict[str, str]:
    """BLAKE3 (hex, `SHORT`) of each column's type and values; the same however equal columns are chunked or sliced."""
    return {name: _column_digest(column) for name, column in zip(table.column_names, table.itercolumns(), strict=True)}


def schema_digest(schema: pa.Schema) -> str:
    """The first 16 hex digits of the digest of the names and types of columns, in order."""
    return digest_of(list(zip(schema.names, map(str, schema.types), strict=True)))[:16]


def rows_digest(columns: Mapping[str, str]) -> str:
    """The identity of a value: the digest of its column names, in order, with their digests."""
    return digest_of([[name, digest] for name, digest in columns.items()])


def _column_digest(column: pa.ChunkedArray) -> str:
    array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    parts = list(_parts(array))
    # BLAKE3 takes twice as long for a short column after a few odd bytes as for all of it at once
    if sum(map(len, parts)) <= JOINED:
        return blake3(b"".join(parts)).hexdigest()[:SHORT]
    digest = blake3()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()[:SHORT]


def _parts(array: pa.Array) -> Iterator[Any]:
    """Type and values as bytes, without what is not part of them: slots under nulls, offsets of a slice, padding."""
    yield f"{_kind(array.type)}: {len(array)} values, {array.null_count} nulls;".encode()
    if array.null_count:
        yield from _fixed_width(array.is_valid().cast(pa.uint8()))
        array = array.drop_null()
    kind = array.type
    # first what most columns are: a table may have hundreds
    if isinstance(array, pa.NumericArray):
        yield from _fixed_width(array)
    elif isinstance(array, pa.ExtensionArray):
        yield from _parts(array.storage)
    elif pa.types.is_dictionary(kind):
        yield from _parts(array.dictionary_decode())
    elif pa.types.is_boolean(kind):
        yield from _fixed_width(array.cast(pa.uint8()))
    elif pa.types.is_struct(kind):
        for member in array.flatten():
            yield from _parts(member)
    elif pa.types.is_fixed_size_list(kind):
        yield from _parts(array.flatten())
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield from _fixed_width(array.value_lengths())
        yield from _parts(array.flatten())
    elif isinstance(array, (pa.StringArray, pa.BinaryArray, pa.LargeStringArray, pa.LargeBinaryArray)):
        yield from _texts(array)
    elif len(array.buffers()) == 2:
        yield from _fixed_width(array)
    elif not pa.types.is_null(kind):
        raise FeatureError(f"columns of type {kind} cannot be stored; use a plain, list or struct type")


def _kind(kind: pa.DataType) -> str:
    """A type without its members, which follow; Parquet gives a list's member another name, so that cannot count."""
    if not pa.types.is_nested(kind):
        return str(kind)
    if pa.types.is_fixed_size_list(kind):
        return f"fixed_size_list[{kind.list_size}]"
    if pa.types.is_struct(kind):
        return f"struct{kind.names}"
    return "large_list" if pa.types.is_large_list(kind) else "list"


def _texts(array: pa.Array) -> Iterator[Any]:
    yield from _fixed_width(pc.binary_length(array))
    if len(array):
        wide = pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type)
        _, offsets, data = array.buffers()
        places = memoryview(offsets).cast("q" if wide else "i")
        start, end = places[array.offset], places[array.offset + len(array)]
        yield data.slice(start, end - start) if data is not None else b""


def _fixed_width(array: pa.Array) -> Sequence[Any]:
    width = array.type.bit_width // 8
    return [array.buffers()[1].slice(array.offset * width, len(array) * width)] if len(array) else []
