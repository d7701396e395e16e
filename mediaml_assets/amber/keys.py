"""Digests of rows and columns, and the memo keys made of them.

A value is known by the digest of its rows, not by the bytes of its Parquet file, so a new writer version or codec
changes nothing. Every column has a digest of its own, because a consumer's key covers only the columns it reads.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa


def digest_of(document: Any) -> str:
    """SHA-256 (hex, 64 characters) of a document of plain values, independent of the order of its keys."""
    return hashlib.sha256(to_json(document)).hexdigest()


def to_json(document: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8; NaN is refused with ValueError."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def column_digests(table: pa.Table) -> dict[str, str]:
    """SHA-256 of each column's type and values; the same for equal columns however they are chunked or sliced."""
    return {name: _column_digest(table.column(name)) for name in table.column_names}


def rows_digest(columns: Mapping[str, str]) -> str:
    """The identity of a value: the digest of its column names, in order, with their digests."""
    return digest_of([[name, digest] for name, digest in columns.items()])


def _column_digest(column: pa.ChunkedArray) -> str:
    array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if not _is_dense(array):
        # bytes under null slots and list offsets are not part of the value: rebuild them in one fixed way
        array = pa.array(array.to_pylist(), type=array.type)
    digest = hashlib.sha256(f"{array.type}:{len(array)}:".encode())
    batch = pa.record_batch([array], names=[""])
    digest.update(batch.serialize())
    return digest.hexdigest()


def _is_dense(array: pa.Array) -> bool:
    """Whether equal values of this array always have equal bytes."""
    if array.null_count or pa.types.is_boolean(array.type):
        return False
    if pa.types.is_fixed_size_list(array.type):
        return _is_dense(array.flatten())
    return not pa.types.is_nested(array.type)
