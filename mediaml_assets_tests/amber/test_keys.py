"""A column's digest is that of its type and values, and of nothing else."""

import io
import math
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mediaml_assets.amber import keys
from mediaml_assets.amber.keys import column_digests, digest_of, rows_digest, to_json
from mediaml_assets.amber.store import encode
from mediaml_assets.errors import FeatureError

FLOAT = st.floats(width=32)
VALUES: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "int32": (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    "float32": (pa.float32(), FLOAT),
    "float64": (pa.float64(), st.floats()),
    "boolean": (pa.bool_(), st.booleans()),
    "string": (pa.string(), st.text(max_size=5)),
    "large_string": (pa.large_string(), st.text(max_size=5)),
    "binary": (pa.binary(), st.binary(max_size=5)),
    "bits": (pa.binary(3), st.binary(min_size=3, max_size=3)),
    "vector": (pa.list_(pa.float32(), 3), st.lists(FLOAT, min_size=3, max_size=3)),
    "list": (pa.list_(pa.field("item", pa.int32(), nullable=False)), st.lists(st.integers(0, 9), max_size=4)),
    "list of texts": (pa.list_(pa.string()), st.lists(st.none() | st.text(max_size=3), max_size=3)),
    "struct": (
        pa.struct([("a", pa.int8()), ("b", pa.string())]),
        st.fixed_dictionaries({"a": st.none() | st.integers(0, 9), "b": st.text(max_size=3)}),
    ),
    "time": (pa.timestamp("us", "UTC"), st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1))),
    "null": (pa.null(), st.none()),
}


@st.composite
def columns(draw: Callable[[st.SearchStrategy[Any]], Any]) -> pa.Array:
    kind, values = VALUES[draw(st.sampled_from(sorted(VALUES)))]
    return pa.array(draw(st.lists(st.none() | values, max_size=12)), type=kind)


def digest(column: pa.Array | pa.ChunkedArray) -> str:
    return column_digests(pa.table({"x": column}))["x"]


def round_trip(table: pa.Table) -> pa.Table:
    return pq.read_table(io.BytesIO(encode(table)))


@given(columns(), st.integers(0, 12), st.integers(0, 12))
def test_chunks_and_slices_do_not_count(column: pa.Array, cut: int, before: int) -> None:
    wanted = digest(column)
    chunked = pa.chunked_array([column.slice(0, cut), column.slice(cut)], type=column.type)
    assert digest(chunked) == wanted
    padded = pa.concat_arrays([column.slice(0, before), column, column.slice(0, 1)])
    assert digest(padded.slice(min(before, len(column)), len(column))) == wanted


@given(columns())
@settings(max_examples=60)
def test_a_parquet_round_trip_does_not_count(column: pa.Array) -> None:
    table = pa.table({"x": column, "n": pa.array(range(len(column)), pa.int32())})
    assert column_digests(round_trip(table)) == column_digests(table)


@given(columns(), columns())
@example(pa.array([], pa.int32()), pa.array([], pa.int64()))
@example(pa.array(["ab", "c"]), pa.array(["a", "bc"]))
@example(pa.array([["a"], []], pa.list_(pa.string())), pa.array([[], ["a"]], pa.list_(pa.string())))
@example(pa.array([None, 0], pa.int32()), pa.array([0, None], pa.int32()))
@example(pa.array([0.0], pa.float32()), pa.array([-0.0], pa.float32()))
@example(pa.array([True, None]), pa.array([True, False]))
@example(pa.array([""]), pa.array([None], pa.string()))
def test_equal_digests_mean_equal_columns(one: pa.Array, other: pa.Array) -> None:
    same = one.type == other.type and exact(one) == exact(other)
    assert (digest(one) == digest(other)) == same


def exact(column: pa.Array) -> list[str]:
    """Values written so that NaN equals NaN and 0.0 is not -0.0."""
    return [repr(value) for value in column.to_pylist()]


@given(columns().filter(len), st.data())
def test_any_changed_value_counts(column: pa.Array, data: st.DataObject) -> None:
    values = column.to_pylist()
    at = data.draw(st.integers(0, len(values) - 1))
    kept = pa.array(values[:at] + values[at + 1 :], column.type)
    assert digest(kept) != digest(column)


def test_type_counts_even_where_values_are_equal() -> None:
    kinds = [
        pa.int8(),
        pa.int32(),
        pa.int64(),
        pa.float32(),
        pa.float64(),
        pa.string(),
        pa.list_(pa.int8()),
        pa.bool_(),
    ]
    assert len({digest(pa.array([], kind)) for kind in kinds}) == len(kinds)
    assert digest(pa.array([None], pa.int32())) != digest(pa.array([None], pa.int64()))


def test_nan_is_a_value_and_not_a_null() -> None:
    nan, null = pa.array([math.nan], pa.float32()), pa.array([None], pa.float32())
    assert digest(nan) == digest(pa.array([math.nan], pa.float32())) != digest(null)


def test_bytes_under_nulls_do_not_count() -> None:
    valid = pa.array([True, False]).buffers()[1]
    seen = [
        pa.Array.from_buffers(pa.int32(), 2, [valid, pa.py_buffer(np.array([7, below], "i4"))]) for below in (0, 99)
    ]
    assert seen[0].to_pylist() == seen[1].to_pylist() == [7, None]
    assert digest(seen[0]) == digest(seen[1])


def test_a_dictionary_is_its_values() -> None:
    kind = pa.dictionary(pa.int32(), pa.string())
    one = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0], pa.int32()), ["a", "b"])
    other = pa.DictionaryArray.from_arrays(pa.array([2, 0, 2], pa.int32()), ["b", "c", "a"])
    assert one.type == other.type == kind
    assert digest(one) == digest(other) != digest(pa.array(["a", "b", "a"]))


def test_decimals_and_dates_count_by_value() -> None:
    one, other = Decimal("1.10"), Decimal("1.20")
    assert digest(pa.array([one], pa.decimal128(5, 2))) != digest(pa.array([other], pa.decimal128(5, 2)))
    now = datetime(2024, 1, 1, tzinfo=UTC)
    assert digest(pa.array([now], pa.timestamp("us", "UTC"))) != digest(pa.array([now.date()], pa.date32()))


def test_a_type_without_one_form_is_refused() -> None:
    with pytest.raises(FeatureError, match="map<string"):
        digest(pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int32())))


def test_rows_are_known_by_names_and_order_of_columns() -> None:
    a, b = pa.array([1, 2]), pa.array([3, 4])
    tables = [pa.table({"a": a, "b": b}), pa.table({"b": b, "a": a}), pa.table({"a": b, "b": a}), pa.table({"a": a})]
    assert len({rows_digest(column_digests(table)) for table in tables}) == len(tables)
    assert rows_digest(column_digests(pa.table({}))) == rows_digest({})


def test_digests_stay_what_they_are() -> None:
    # stored values are found by these: a change makes every store compute everything again
    table = pa.table({"i": pa.array([1, None], pa.int32()), "v": pa.array([[0.5], []], pa.list_(pa.float32()))})
    assert rows_digest(column_digests(table)) == "181f5382091e87e408c0a3fe92322ebbfc06f7bb43b5d3b12c42eaaf261903a7"


@given(st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3) | st.booleans(), max_size=5))
def test_the_order_of_keys_does_not_count(document: dict[str, Any]) -> None:
    assert digest_of(dict(reversed(document.items()))) == digest_of(document)


def test_json_is_canonical_and_refuses_what_json_has_not() -> None:
    assert to_json({"b": 1, "a": "é"}) == '{"a":"é","b":1}'.encode()
    with pytest.raises(ValueError):
        to_json({"a": math.nan})


def test_columns_are_digested_alike_in_one_piece_and_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [None, *range(20_000)]
    rows = pa.table({"n": pa.array(numbers), "text": [str(n) for n in numbers], "short": pa.array(numbers, pa.int16())})
    found = []
    for joined in (0, keys.JOINED, 1 << 30):
        monkeypatch.setattr(keys, "JOINED", joined)
        found.append(column_digests(rows))
    assert found[0] == found[1] == found[2]
