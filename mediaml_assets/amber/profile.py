"""What is measured of every value: what its computation cost, and what its rows are like.

    seconds, cpu_seconds        of the function and of storing its files; CPU of all threads of the process
    memory_bytes                how far the process grew: its highest resident memory during the computation, as the
                                kernel counts it, less that at its start; left out where the kernel does not tell
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
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

MEASURED = 8
"""Columns of numbers and vectors up to which ranges are kept."""

DIGITS = 6
"""Significant digits of what is measured of rows."""

COSTS = frozenset({"seconds", "cpu_seconds", "memory_bytes"})
"""Names of what a computation cost; the others are of the rows."""

_PROCESS = Path("/proc/self")

Numbers = npt.NDArray[Any]


@contextmanager
def cost(into: dict[str, float]) -> Iterator[None]:
    """Measure what happens inside: seconds, cpu_seconds and memory_bytes.

    Memory is that of the whole process: exact for one computation at a time, and for several at once their sum.
    """
    before = _start_peak()
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    into["seconds"] = round(time.perf_counter() - wall, 3)
    into["cpu_seconds"] = round(time.process_time() - cpu, 3)
    if before is not None and (peak := _resident("VmHWM")) is not None:
        into["memory_bytes"] = max(0, peak - before)


def _start_peak() -> int | None:
    """Let the kernel measure the process's peak anew; its resident bytes now, or None where that cannot be done."""
    try:
        (_PROCESS / "clear_refs").write_text("5")
    except OSError:
        return None
    return _resident("VmRSS")


def _resident(field: str) -> int | None:
    with suppress(OSError):
        for line in (_PROCESS / "status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) * 1024
    return None


def profile(rows: pa.Table) -> dict[str, float]:
    """What rows are like; see the names at the top of this module."""
    totals = {"nulls": 0, "nans": 0, "infinities": 0}
    columns: dict[str, float] = {}
    measured = [one for one in rows.schema if _is_number(one.type) or _is_vector(one.type)]
    ranges = rows.num_rows > 1 and len(measured) <= MEASURED
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        found: dict[str, float] = {"nulls": column.null_count}
        if _is_number(column.type):
            found |= _numbers(_flat(column), ranges)
        elif _is_vector(column.type):
            found |= _vectors(column, ranges)
        for key, value in found.items():
            if key in totals:
                totals[key] += int(value)
            if key not in totals or (value and len(measured) <= MEASURED):
                columns[f"{name}.{key}"] = value if isinstance(value, int) else float(f"{value:.{DIGITS}g}")
    return {"rows": rows.num_rows, **{key: count for key, count in totals.items() if count}, **columns}


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _is_vector(kind: pa.DataType) -> bool:
    is_list = pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return bool(is_list and pa.types.is_floating(kind.value_type))


def _flat(column: pa.ChunkedArray) -> Numbers:
    """The numbers of a column that are not null, not copied where they lie together."""
    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return np.asarray((array.drop_null() if array.null_count else array).to_numpy(zero_copy_only=False))


def _numbers(values: Numbers, ranges: bool) -> dict[str, float]:
    found = _not_finite(values)
    if ranges and len(values):
        finite = values[np.isfinite(values)] if any(found.values()) else values
        if len(finite):
            found |= {"min": finite.min().item(), "max": finite.max().item()}
    return found


def _vectors(column: pa.ChunkedArray, ranges: bool) -> dict[str, float]:
    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    array = array.drop_null()
    flat = _flat(pa.chunked_array([array.flatten()]))
    found = _not_finite(flat)
    if not ranges or len(array) == 0 or any(found.values()):
        return found
    norms = np.sqrt(_squares(flat, array.value_lengths().to_numpy()))
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
    """How many are NaN and infinite, of floats; their sum tells that there are none in a fraction of the time."""
    if values.dtype.kind != "f":
        return {}
    with np.errstate(invalid="ignore"):
        if np.isfinite(values.sum(dtype=np.float64)):
            return {}
    return {"nans": np.isnan(values).sum().item(), "infinities": np.isinf(values).sum().item()}
