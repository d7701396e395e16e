"""Columns of a batch that hold several values in a row, checked and made canonical: lists of strings, vectors."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.marken.columns import Values, mask_of, only, strings, valid
from mediaml_assets.marken.refusal import At

MOST_STRINGS = 1_000
"""In one list."""


def string_lists(values: Values, at: At) -> pa.Array:
    """Lists of strings, each once, in the order in which they came first; an empty list is not null."""
    if not isinstance(values, list):
        kind = values.type
        if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_null(kind)):
            raise at.refused_whole(f"is a column of {kind}", "give lists of text")
        values = values.to_pylist()
    only(values, (list, tuple), at, "a list of text")
    lengths = [0 if one is None else len(one) for one in values]
    too_many = np.array([length > MOST_STRINGS for length in lengths], bool)
    if too_many.any():
        raise at.refused(too_many, f"has over {MOST_STRINGS:,} entries", "give fewer")
    entries = replace(at, rows=np.repeat(np.arange(len(values)), lengths))
    flat = [entry for one in values if one is not None for entry in one]
    missing = np.array([entry is None for entry in flat], bool)
    if missing.any():
        raise entries.refused(missing, "has an entry that is null", "leave that entry out")
    strings(flat, entries)
    return pa.array([None if one is None else list(dict.fromkeys(one)) for one in values], pa.list_(pa.string()))


def vectors(values: Values, dimensions: int, at: At) -> pa.Array:
    """Vectors of float32, all of `dimensions` finite numbers that are not all 0; as they were given."""
    wanted = f"give {dimensions} finite numbers, not all 0"
    read = _listed if isinstance(values, list) else _nested
    there, given = read(values, dimensions, at, wanted)
    # what is beyond float32 becomes infinite, and is told below
    with np.errstate(over="ignore"):
        matrix = given.astype(np.float32)
    present = replace(at, rows=np.flatnonzero(there))
    for wrong, what in (
        (~np.isfinite(matrix).all(axis=1), "has a number that no float32 holds (not finite, or too large)"),
        (~matrix.any(axis=1), "is all 0, so that it points nowhere"),
    ):
        if wrong.any():
            raise present.refused(wrong, what, wanted)
    full = np.zeros((len(values), dimensions), np.float32)
    full[there] = matrix
    return pa.FixedSizeListArray.from_arrays(pa.array(full.reshape(-1)), dimensions, mask=pa.array(~there))


def _listed(values: list[Any], dimensions: int, at: At, wanted: str) -> tuple[npt.NDArray[np.bool_], npt.NDArray[Any]]:
    """Which rows have a vector, and their numbers, [n, dimensions]."""
    only(values, (list, tuple, np.ndarray), at, "a vector")
    there = np.array([value is not None for value in values], bool)
    kept = [value for value in values if value is not None]
    present = replace(at, rows=np.flatnonzero(there))
    other = np.array([len(value) != dimensions for value in kept], bool)
    if other.any():
        raise present.refused(other, f"has {len(kept[int(np.flatnonzero(other)[0])])} numbers", wanted)
    matrix = _matrix(kept, dimensions)
    if matrix is None:
        bad = np.array([_matrix([value], dimensions) is None for value in kept], bool)
        raise present.refused(bad, "has an entry that is no number", wanted)
    return there, matrix


def _nested(values: pa.Array, dimensions: int, at: At, wanted: str) -> tuple[npt.NDArray[np.bool_], npt.NDArray[Any]]:
    """As `_listed`, of an Arrow array."""
    kind = values.type
    if pa.types.is_null(kind):
        return np.zeros(len(values), bool), np.zeros((0, dimensions))
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not lists or not (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)):
        raise at.refused_whole(f"is a column of {kind}", "give lists of numbers")
    lengths = pc.list_value_length(values)
    other = mask_of(pc.not_equal(lengths, dimensions))
    if other.any():
        raise at.refused(other, f"has {lengths[int(np.flatnonzero(other)[0])]} numbers", wanted)
    # null becomes NaN here, and is told as not finite
    flat = values.flatten().to_numpy(zero_copy_only=False)
    return valid(values), flat.reshape(-1, dimensions)


def _matrix(rows: list[Any], dimensions: int) -> npt.NDArray[Any] | None:
    """Rows of numbers; None when some are none, which NumPy would otherwise read out of a text."""
    if not rows:
        return np.zeros((0, dimensions))
    try:
        found = np.array(rows)
    except ValueError:
        return None
    return found if found.dtype.kind in "iuf" and found.shape == (len(rows), dimensions) else None
