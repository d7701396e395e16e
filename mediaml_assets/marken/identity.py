"""Ids of annotations that bring none: digests of what they say."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def digests(name: str, columns: Sequence[pa.Array]) -> pa.Array:
    """A digest of each row (BLAKE2b, 128 bits, hexadecimal): of the name, and of each column in turn.

    Args:
        name: what the rows are, so that rows of something else never have the same digests.
        columns: of one length; numbers, truth values, strings, lists of strings and vectors.
    """
    if not len(columns[0]):
        return pa.array([], pa.string())
    lines = np.hstack([part for column in columns for part in _bytes(column)])
    start = hashlib.blake2b(name.encode(), digest_size=16)
    found = []
    for line in np.ascontiguousarray(lines):
        digest = start.copy()
        digest.update(line)
        found.append(digest.hexdigest())
    return pa.array(found, pa.string())


def _bytes(column: pa.Array) -> list[npt.NDArray[np.uint8]]:
    """A fixed number of bytes for each row that differ where the values do."""
    kind, rows = column.type, len(column)
    found = [_raw(pc.is_valid(column), np.uint8)]
    if pa.types.is_string(kind):
        return [*found, _of_strings(column)]
    if pa.types.is_list(kind):
        # no string holds a NUL
        joined = pc.binary_join(column, "\0")
        return [*found, _raw(pc.fill_null(pc.list_value_length(column), 0), np.int32), _of_strings(joined)]
    if pa.types.is_fixed_size_list(kind):
        lines = column.flatten().to_numpy().astype("<f4").reshape(-1, kind.list_size)
        whole = np.zeros((rows, 16), np.uint8)
        whole[found[0].reshape(-1).astype(bool)] = _digested(lines)
        return [*found, whole]
    if pa.types.is_boolean(kind):
        return [*found, _raw(pc.fill_null(column, False), np.uint8)]
    return [*found, _raw(pc.fill_null(column, 0), kind.to_pandas_dtype())]


def _of_strings(column: pa.Array) -> npt.NDArray[np.uint8]:
    encoded = column.dictionary_encode()
    known = _digested([one.encode() for one in encoded.dictionary.to_pylist()])
    # the last stands for null
    table = np.vstack([known, np.zeros((1, 16), np.uint8)])
    places = pc.fill_null(encoded.indices, len(table) - 1).to_numpy(zero_copy_only=False)
    return np.asarray(table[places])


def _digested(values: Iterable[Any]) -> npt.NDArray[np.uint8]:
    """[n, 16]."""
    told = b"".join(hashlib.blake2b(value, digest_size=16).digest() for value in values)
    return np.frombuffer(told, np.uint8).reshape(-1, 16)


def _raw(column: pa.Array, kind: type) -> npt.NDArray[np.uint8]:
    values = np.asarray(column.to_numpy(zero_copy_only=False)).astype(np.dtype(kind).newbyteorder("<"))
    return np.ascontiguousarray(values).view(np.uint8).reshape(len(column), -1)
