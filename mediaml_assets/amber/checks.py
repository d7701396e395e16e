"""Checks that a feature declares in a line.

    checks=[at_least(1), increasing("start"), in_range("confidence", 0, 1), unit_norm("vector")]

A failing value is kept from becoming current and holds back what is downstream of it, unless the check says
`blocking=False`. Nulls pass; a schema says where there may be none.
"""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.amber.feature import Check

Rows = npt.NDArray[np.int64]


def at_least(rows: int, blocking: bool = True) -> Check:
    """There are this many rows, or more."""
    return Check(f"at_least_{rows}", partial(_too_few, rows), f"Rows: {rows} or more.", blocking)


def in_range(column: str, low: float | None, high: float | None, blocking: bool = True) -> Check:
    """The numbers of a column, also those in lists, lie in [low, high]; None is no bound. A NaN does not."""
    described = f"{column} lies in {_range(low, high)}."
    return Check(_named(column, "in_range"), partial(_outside, column, low, high), described, blocking, (column,))


def no_nans(column: str, blocking: bool = True) -> Check:
    """The numbers of a column, also those in lists, are none of them NaN or infinite."""
    described = f"{column} holds finite numbers only."
    return Check(_named(column, "no_nans"), partial(_not_finite, column), described, blocking, (column,))


def unit_norm(column: str, tolerance: float = 0.01, blocking: bool = True) -> Check:
    """The vectors of a column have Euclidean length 1, within the tolerance."""
    described = f"The vectors of {column} have length 1, within {tolerance:g}."
    return Check(_named(column, "unit_norm"), partial(_not_unit, column, tolerance), described, blocking, (column,))


def unique(*columns: str, blocking: bool = True) -> Check:
    """No two rows have the same value in the column, or in all of the columns."""
    named = " and ".join(columns)
    described = f"No two rows share {named}."
    return Check(_named("_".join(columns), "unique"), partial(_repeated, columns), described, blocking, columns)


def increasing(column: str, blocking: bool = True) -> Check:
    """Each value of a column is greater than the one in the row before it."""
    described = f"{column} grows from row to row."
    return Check(_named(column, "increasing"), partial(_not_increasing, column), described, blocking, (column,))


def _named(column: str, what: str) -> str:
    """The name of a check, of what Dagster takes in names."""
    return re.sub(r"[^A-Za-z0-9_]", "_", f"{column}_{what}")


def _too_few(least: int, rows: pa.Table) -> str | None:
    return f"there are {rows.num_rows} rows, fewer than {least}" if rows.num_rows < least else None


def _outside(column: str, low: float | None, high: float | None, rows: pa.Table) -> str | None:
    places, numbers = _numbers(rows, column)
    inside = np.ones(len(numbers), np.bool_) & ~np.isnan(numbers)
    inside &= True if low is None else numbers >= low
    inside &= True if high is None else numbers <= high
    return _first(column, places, numbers, ~inside, f"not in {_range(low, high)}")


def _not_finite(column: str, rows: pa.Table) -> str | None:
    places, numbers = _numbers(rows, column)
    return _first(column, places, numbers, ~np.isfinite(numbers), "no finite number")


def _not_unit(column: str, tolerance: float, rows: pa.Table) -> str | None:
    places, numbers = _numbers(rows, column)
    norms = np.sqrt(np.bincount(places, np.square(numbers), rows.num_rows))
    wrong = ~(np.abs(norms - 1) <= tolerance) & rows.column(column).is_valid().to_numpy()
    return _first(f"the length of {column}", np.arange(rows.num_rows), norms, wrong, f"not 1 within {tolerance:g}")


def _repeated(columns: Sequence[str], rows: pa.Table) -> str | None:
    counted = rows.select(columns).group_by(list(columns)).aggregate([([], "count_all")])
    repeated = counted.filter(pc.greater(counted.column("count_all"), 1))
    if not repeated.num_rows:
        return None
    first = repeated.slice(0, 1).to_pylist()[0]
    times = first.pop("count_all")
    values = " and ".join(f"{name} {value!r}" for name, value in first.items())
    return f"{times} rows share {values}{_more(repeated.num_rows - 1, 'value')}"


def _not_increasing(column: str, rows: pa.Table) -> str | None:
    values = rows.column(column).drop_null().to_numpy()
    wrong = np.flatnonzero(~(values[1:] > values[:-1]))
    if not len(wrong):
        return None
    at = int(wrong[0])
    return (
        f"{column} of row {at + 1} is {values[at + 1]}, not greater than the {values[at]} before it"
        f"{_more(len(wrong) - 1, 'row')}"
    )


def _numbers(rows: pa.Table, column: str) -> tuple[Rows, npt.NDArray[np.float64]]:
    """Row and number of everything in a column of numbers or of lists of numbers."""
    array = rows.column(column).combine_chunks()
    places: Rows = np.arange(len(array))
    places, array = places[array.is_valid().to_numpy(zero_copy_only=False)], array.drop_null()
    if pa.types.is_nested(array.type):
        places, array = np.repeat(places, array.value_lengths().to_numpy()), array.flatten()
        places, array = places[array.is_valid().to_numpy(zero_copy_only=False)], array.drop_null()
    return places, array.to_numpy(zero_copy_only=False).astype(np.float64)


def _first(what: str, places: Rows, numbers: npt.NDArray[Any], wrong: npt.NDArray[np.bool_], why: str) -> str | None:
    """The reason, by the first row that is wrong."""
    found = np.flatnonzero(wrong)
    if not len(found):
        return None
    others = len(np.unique(places[found])) - 1
    return f"{what} of row {places[found[0]]} is {numbers[found[0]]:g}, {why}{_more(others, 'row')}"


def _more(count: int, what: str) -> str:
    return f" (and {count} more {what}{'s' if count > 1 else ''})" if count else ""


def _range(low: float | None, high: float | None) -> str:
    left = "(-inf" if low is None else f"[{low:g}"
    return f"{left}, {'inf)' if high is None else f'{high:g}]'}"
