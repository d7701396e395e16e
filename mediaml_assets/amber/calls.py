"""Calling a feature's function: its arguments from the stored values, its rows held against the declared schema.

A function with a parameter that is one of many (`each_from_value`) is called once for each of them and gives one row
each time, as a mapping without the index: that is the first column of the schema, and filled in here.
"""

from collections.abc import Iterator, Mapping
from numbers import Real
from typing import Any

import pyarrow as pa

from mediaml_assets.amber.ask import Ask
from mediaml_assets.amber.feature import AmberFeature, Input, Members
from mediaml_assets.amber.view import View
from mediaml_assets.errors import FeatureError, MediamlError


def call(ask: Ask, given: Mapping[str, Any]) -> pa.Table:
    """The rows that the function gives for what is asked.

    Args:
        ask: what is asked; its inputs are there.
        given: arguments that are not made here: `scratch` and `cache` if the function wants them, and what is read by
            others too.

    Raises:
        FeatureError: the rows are not what the feature declares. Whatever the function raises goes on; of a function
            that is called for each of many, it says which one that was.
    """
    feature, each = ask.feature, ask.feature.each
    arguments = {name: argument for name, argument in _arguments(ask, given)} | dict(given)
    if each is None:
        rows = feature(**arguments)
    else:
        view = ask.present[each.name]
        assert isinstance(view, View)
        rows = _mapped(feature, each, view, arguments)
    return _checked(feature, ask.scope, rows)


def _arguments(ask: Ask, given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for one in ask.feature.inputs:
        view = ask.present[one.name]
        if one.name in given or one.each or one.reads is Members:
            continue
        if isinstance(view, View):
            yield one.name, one.reads.from_value(view)
        else:
            yield one.name, {title: one.reads.from_value(each) for title, each in view.items()}
    if ask.config is not None:
        yield "config", ask.config


def _mapped(feature: AmberFeature, each: Input, view: View, arguments: Mapping[str, Any]) -> pa.Table:
    """One row for each item of an upstream value."""
    index, *others = feature.schema.names
    rows: list[pa.RecordBatch] = []
    for place, item in each.reads.each_from_value(view):
        where = f"{each.name} {place} of {view.title}"
        try:
            row = feature(**{each.name: item}, **arguments)
        except Exception as error:
            if isinstance(error, MediamlError):
                error.args = (f"{where}: {error}",)
            else:
                error.add_note(f"{feature.name} was at {where}")
            raise
        if not isinstance(row, Mapping) or set(row) != set(others):
            got = f"the columns {', '.join(sorted(row))}" if isinstance(row, Mapping) else type(row).__name__
            raise FeatureError(
                f"{feature.name} gave {got} for {where}; it is called for each of {each.name} and must return a "
                f"mapping with {', '.join(others)} (the column {index} is filled in)"
            )
        rows.append(_row(feature, {index: place, **row}, where))
    return pa.Table.from_batches(rows, feature.schema).combine_chunks()


def _row(feature: AmberFeature, row: Mapping[str, Any], where: str) -> pa.RecordBatch:
    columns = []
    for field in feature.schema:
        value = row[field.name]
        try:
            if pa.types.is_integer(field.type) and isinstance(value, Real) and value % 1:
                # pyarrow would cut it without a word
                raise ValueError("not a whole number")
            columns.append(pa.array([value], field.type))
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise FeatureError(
                f"{feature.name} gave {value!r} as {field.name} for {where}, which is no {field.type} ({error})"
            ) from error
    return pa.record_batch(columns, schema=feature.schema)


def _checked(feature: AmberFeature, scope: str, rows: Any) -> pa.Table:
    if not isinstance(rows, pa.Table) or not rows.schema.equals(feature.schema):
        got = rows.schema if isinstance(rows, pa.Table) else type(rows).__name__
        raise FeatureError(
            f"{feature.name} of {scope} returned other rows than it declares.\n"
            f"declared:\n{feature.schema}\nreturned:\n{got}\nMake the function return its schema"
        )
    holes = [name for name in feature.without_nulls if rows.column(name).null_count]
    if holes:
        raise FeatureError(
            f"{feature.name} of {scope} returned nulls in {', '.join(holes)}, declared without; declare the column "
            "nullable or make the function fill it"
        )
    return rows if rows.schema.equals(feature.schema, check_metadata=True) else rows.cast(feature.schema)
