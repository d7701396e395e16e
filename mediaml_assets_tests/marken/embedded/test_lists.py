"""Lists beside the tables: numbers for lists, and which lists a condition holds for."""

from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.marken.embedded.lists import Lists
from mediaml_assets.marken.query.nodes import Column, HasAny, HasOnly, HasRun
from mediaml_assets.marken.schema import Kind

TAGS = Column("tags", Kind.STRINGS, "tags")
STRINGS = st.sampled_from(["a", "b", "c", "a b", "", "\x1f", "\x1e", "a\x1fb", "\x1e,", "ß"])
ROWS = st.lists(st.none() | st.lists(STRINGS, max_size=4), max_size=12)


def column(rows: Sequence[list[str] | None]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(rows, pa.list_(pa.string()))])


@given(st.lists(ROWS, min_size=1, max_size=4))
def test_numbers_stand_for_their_lists(batches: list[list[list[str] | None]]) -> None:
    lists = Lists()
    numbers = [lists.add(column(rows)) for rows in batches]
    for rows, mine in zip(batches, numbers, strict=True):
        assert lists.take(pa.chunked_array([mine])).to_pylist() == rows
        # equal lists that came together are one
        assert len(set(mine.drop_null().to_pylist())) == len({tuple(one) for one in rows if one is not None})


@given(ROWS, ROWS, st.lists(STRINGS, max_size=3))
def test_conditions_hold_for_the_lists_they_should(
    first: list[list[str] | None], second: list[list[str] | None], wanted: list[str]
) -> None:
    lists = Lists()
    rows = [one for one in first + second]
    numbers = [*lists.add(column(first)).to_pylist(), *lists.add(column(second)).to_pylist()]
    values = tuple(wanted)
    stems = tuple(one for one in wanted if one.isalpha())
    for node, holds in (
        (HasAny(TAGS, values), lambda row: bool({*row} & {*values})),
        (HasAny(TAGS, values, all=True), lambda row: {*row} >= {*values}),
        (HasOnly(TAGS, values), lambda row: {*row} <= {*values}),
    ):
        found = set(lists.numbers(node).tolist())
        assert [number in found for number in numbers] == [row is not None and holds(row) for row in rows]
    if stems:
        found = set(lists.numbers(HasRun(TAGS, stems)).tolist())
        plain = [row is not None and all(one.isalpha() for one in row) for row in rows]
        for number, row, is_plain in zip(numbers, rows, plain, strict=True):
            if is_plain and row is not None:
                runs = [tuple(row[at : at + len(stems)]) for at in range(len(row))]
                assert (number in found) == (stems in runs)


@pytest.mark.parametrize("rows", [[], [None], [[]], [[""], []]])
def test_nothing_is_something(rows: list[list[str] | None]) -> None:
    lists = Lists()
    numbers = lists.add(column(rows))
    assert lists.take(pa.chunked_array([numbers])).to_pylist() == rows
    assert lists.numbers(HasAny(TAGS, ("x",))).tolist() == []
