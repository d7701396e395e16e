"""A store with values of one feature, written without any mesh, for tests of its replicas."""

import random
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from mediaml_assets.amber.keys import column_digests
from mediaml_assets.amber.ledger import Commit, Value
from mediaml_assets.amber.store import Store

FEATURE = "looks"

SCHEMA = pa.schema(
    [
        pa.field("index", pa.int32(), nullable=False),
        ("text", pa.string()),
        pa.field("vector", pa.list_(pa.field("item", pa.float32(), nullable=False)), nullable=False),
        ("small", pa.list_(pa.float16(), 2)),
        ("tags", pa.list_(pa.string())),
        ("box", pa.struct([("x", pa.uint8()), ("y", pa.list_(pa.int16()))])),
        ("level", pa.uint8()),
        ("serial", pa.uint64()),
        ("share", pa.float64()),
        ("flag", pa.bool_()),
        ("made", pa.timestamp("us", "UTC")),
        ("length", pa.duration("ms")),
        ("bits", pa.binary(3)),
        ("kind", pa.dictionary(pa.int32(), pa.string())),
    ]
)
"""Of every sort of column that all kinds of replica keep."""


def rows(seed: str, count: int) -> pa.Table:
    """Some rows that the seed decides, without nulls."""
    chance = random.Random(seed)
    whole = range(count)
    columns = [
        list(whole),
        [f"{seed} é {number}" for number in whole],
        [[chance.random(), chance.gauss(0, 1), float("nan")] for _ in whole],
        [[chance.randrange(9) / 4, -0.0] for _ in whole],
        [["x"] * chance.randrange(3) for _ in whole],
        [{"x": chance.randrange(256), "y": [1, None]} for _ in whole],
        [chance.randrange(256) for _ in whole],
        [2**64 - 1 - number for number in whole],
        [chance.random() for _ in whole],
        [chance.random() < 0.5 for _ in whole],
        [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=number) for number in whole],
        [timedelta(milliseconds=number) for number in whole],
        [bytes([number % 256] * 3) for number in whole],
        ["one" if chance.random() < 0.5 else "two" for _ in whole],
    ]
    return pa.table([pa.array(column, one.type) for column, one in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)


def put(store: Store, title: str, table: pa.Table, feature: str = FEATURE) -> None:
    """Make a table the current value of a title."""
    value = store.write_rows(feature, table, "0" * 64, column_digests(table))
    _append(store, feature, title, value)


def withdraw(store: Store, title: str, feature: str = FEATURE) -> None:
    """Take a title's value away."""
    _append(store, feature, title, None)


def state(store: Store, feature: str = FEATURE) -> dict[str, pa.Table]:
    """Title -> the rows that are current."""
    heads = (store.ledger.head(feature, title) for title in store.ledger.scopes(feature))
    return {head.scope: store.read_rows(feature, head.current) for head in heads if head and head.current}


def _append(store: Store, feature: str, title: str, value: Value | None) -> None:
    row = Commit(
        feature=feature,
        scope=title,
        event="computed" if value else "withdrawn",
        value=value,
        current=value,
        key=value.key if value else "",
        generation=1,
        made_at=datetime.now(UTC).isoformat(timespec="microseconds"),
    )
    assert store.ledger.append(row, store.ledger.head(feature, title))
