"""What is measured of every value: what its computation cost, and what its rows are like.

    seconds, cpu_seconds        of the function and of storing its files; CPU of all threads of the process (where
                                siblings are computed at once, of the feature's own thread alone) and of the processes
                                that read delivered files for it
    memory_bytes                how far the process grew: its highest resident memory during the computation, as the
                                kernel counts it, less that at its start, and how far the largest of those processes
                                grew; left out where the kernel does not tell
    cache.<name>                what a function that keeps a cache reported of it, such as cache.pairs_scored
    rows
    nulls, nans, infinities     over all columns
    <column>.nulls              of a column, and so on
    <column>.min, .max          of a column of numbers, finite ones
    <column>.norm_min, .norm_mean, .norm_max       Euclidean lengths of a column of vectors

Nothing is written of counts that are zero. Ranges are left out of a value of one row, which is its own range, and of
values with more than `MEASURED` columns of numbers and vectors: there the footers of the Parquet file have them.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mediaml_assets.elsewhere import counting

MEASURED = 8
"""Columns of numbers and vectors up to which ranges are kept."""

DIGITS = 6
"""Significant digits of what is measured of rows."""

_PROCESS = Path("/proc/self")

Numbers = npt.NDArray[Any]


@contextmanager
def cost(into: dict[str, float], of_thread: bool = False) -> Iterator[None]:
    """Measure what happens inside: seconds, cpu_seconds (of the calling thread, or of all) and memory_bytes.

    Memory is that of the whole process: exact for one computation at a time, and for several at once their sum.
    """
    before = _start_peak()
    clock = time.thread_time if of_thread else time.process_time
    wall, cpu = time.perf_counter(), clock()
    with counting() as elsewhere:
        yield
    into["seconds"] = round(time.perf_counter() - wall, 3)
    into["cpu_seconds"] = round(clock() - cpu + elsewhere.cpu_seconds, 3)
    if before is not None and (peak := _resident(b"VmHWM")) is not None:
        into["memory_bytes"] = max(0, peak - before) + elsewhere.memory_bytes


def _start_peak() -> int | None:
    """Let the kernel measure the process's peak anew; its resident bytes now, or None where that cannot be done."""
    try:
        with open(_PROCESS / "clear_refs", "wb", buffering=0) as file:
            file.write(b"5")
    except OSError:
        return None
    return _resident(b"VmRSS")


def _resident(field: bytes) -> int | None:
    with suppress(OSError), open(_PROCESS / "status", "rb", buffering=0) as file:
        for line in file.read().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) * 1024
    return None


def profile(rows: pa.Table) -> dict[str, float]:
    """What rows are like; see the names at the top of this module."""
    totals = {"nulls": 0, "nans": 0, "infinities": 0}
    columns: dict[str, float] = {}
    kinds = rows.schema.types
    numbers = [_is_number(kind) for kind in kinds]
    vectors = [_is_vector(kind) for kind in kinds]
    named = numbers.count(True) + vectors.count(True) <= MEASURED
    ranges = named and rows.num_rows > 1
    # what is not finite, or too large once squared, is seen in the sums
    with np.errstate(over="ignore", invalid="ignore"):
        for name, is_number, is_vector, column in zip(
            rows.column_names, numbers, vectors, rows.itercolumns(), strict=True
        ):
            found: dict[str, float] = {"nulls": column.null_count} if column.null_count else {}
            if is_number:
                found |= _numbers(_flat(_whole(column)), ranges)
            elif is_vector:
                found |= _vectors(_whole(column), ranges)
            for key, value in found.items():
                if key in totals:
                    totals[key] += int(value)
                if named:
                    columns[f"{name}.{key}"] = value if isinstance(value, int) else float(f"{value:.{DIGITS}g}")
    return {"rows": rows.num_rows, **{key: count for key, count in totals.items() if count}, **columns}


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _is_vector(kind: pa.DataType) -> bool:
    is_list = pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return bool(is_list and pa.types.is_floating(kind.value_type))


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """A column's values without nulls, in one piece; not copied where they are."""
    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return array.drop_null() if array.null_count else array


def _flat(array: pa.Array) -> Numbers:
    return np.asarray(array.to_numpy(zero_copy_only=False))


def _numbers(values: Numbers, ranges: bool) -> dict[str, float]:
    found = _not_finite(values)
    if ranges and len(values):
        finite = values[np.isfinite(values)] if found else values
        if len(finite):
            found |= {"min": finite.min().item(), "max": finite.max().item()}
    return found


def _vectors(array: pa.Array, ranges: bool) -> dict[str, float]:
    members = array.flatten()
    flat = _flat(members.drop_null() if members.null_count else members)
    if not ranges or len(array) == 0 or members.null_count:
        return _not_finite(flat)
    norms = np.sqrt(_squares(flat, array.value_lengths().to_numpy()))
    # what is not finite makes its vector's length so: where all lengths are finite, nothing else need be looked at
    if not np.isfinite(norms).all():
        return _not_finite(flat)
    return {"norm_min": norms.min().item(), "norm_mean": norms.mean().item(), "norm_max": norms.max().item()}


def _squares(flat: Numbers, lengths: Numbers) -> Numbers:
    """Sums of squares, float64 [n], of vectors that lie one behind the other."""
    if len(flat) == len(lengths) * lengths[0] and (lengths == lengths[0]).all():
        vectors = flat.reshape(len(lengths), -1)
        return np.asarray(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    # an empty vector would take the next one's first number
    sums = np.zeros(len(lengths))
    filled = lengths > 0
    starts = np.cumsum(lengths) - lengths
    if filled.any():
        sums[filled] = np.add.reduceat(np.square(flat, dtype=np.float64), starts[filled])
    return sums


def _not_finite(values: Numbers) -> dict[str, float]:
    """How many are NaN and infinite, of floats; that there are none their sum tells in a fraction of the time."""
    if values.dtype.kind != "f" or isfinite(np.add.reduce(values)):
        return {}
    counts = {"nans": np.isnan(values).sum().item(), "infinities": np.isinf(values).sum().item()}
    return {name: count for name, count in counts.items() if count}
