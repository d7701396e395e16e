"""One suite that every kind of replica passes."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mediaml_assets.amber.commits import record
from mediaml_assets.amber.keys import column_digests
from mediaml_assets.amber.ledger import Value
from mediaml_assets.amber.names import value_name
from mediaml_assets.amber.replicas import KINDS, Replica
from mediaml_assets.amber.replicas.parity import parity
from mediaml_assets.amber.replicas.replication import Copied, Sink, replicate
from mediaml_assets.amber.store import Store
from mediaml_assets_tests.amber.replicas.sinks import FEATURE, SCHEMA, put, rows, state, withdraw


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def opened(tmp_path: Path, kind: str) -> Callable[[], Sink]:
    return lambda: Replica(FEATURE, kind, SCHEMA, tmp_path / "replicas").open()


def copy(store: Store, sink: Sink, **more: object) -> Copied:
    """Replicate, and check that the replica then holds exactly what is current, down to the last bit."""
    copied = replicate(store, FEATURE, sink, **more)  # type: ignore[arg-type]
    assert_same(store, sink)
    return copied


def assert_same(store: Store, sink: Sink) -> None:
    found = parity(store, FEATURE, sink, sample=None)
    assert (found.behind, found.miscounted, found.damaged, found.lag_seconds) == ((), {}, {}, 0.0)
    wanted = state(store)
    held = {title: one.rows for title, one in sink.held().items()}
    assert held == {title: table.num_rows for title, table in wanted.items() if table.num_rows or sink.keeps_empty}
    for title in held:
        assert column_digests(sink.rows(title)) == column_digests(wanted[title])
    assert found.read_back == len(held)


def test_everything_is_copied_once(store: Store, opened: Callable[[], Sink]) -> None:
    for number, title in enumerate(("c", "a", "b")):
        put(store, title, rows(title, 3 + number))
    copied = copy(store, opened())
    assert sorted(copied.put) == ["a", "b", "c"] and copied.bytes > 0
    again = copy(store, opened())
    assert (again.put, again.drop, again.bytes) == ([], [], 0)


def test_the_life_of_a_title(store: Store, opened: Callable[[], Sink]) -> None:
    for title in "abcd":
        put(store, title, rows(title, 5))
    copy(store, opened())
    put(store, "b", rows("b, delivered again", 7))
    withdraw(store, "c")
    put(store, "e", rows("e", 2))
    changed = copy(store, opened())
    assert (sorted(changed.put), changed.drop) == (["b", "e"], ["c"])
    # restored with the same content, and a title that shrinks to nothing
    put(store, "c", rows("c", 5))
    put(store, "a", rows("a", 0))
    copy(store, opened())
    put(store, "a", rows("a", 1))
    for title in "bcde":
        withdraw(store, title)
    copy(store, opened())
    withdraw(store, "a")
    copy(store, opened())
    assert opened().held() == {}


def test_a_value_that_is_forgotten_while_it_is_copied_is_looked_at_again(
    store: Store, opened: Callable[[], Sink], monkeypatch: pytest.MonkeyPatch
) -> None:
    for title in "abc":
        put(store, title, rows(title, 3))
    read = Store.read_rows

    def forgotten_before(self: Store, feature: str, value: Value, *more: Any, **named: Any) -> pa.Table:
        name = value_name(feature, value.digest)
        head = self.ledger.head(feature, "b")
        if head is not None and head.current == value:
            record(self, feature, "b", "forgotten", {name: ""}, "asked for")
            self.objects.path(name).unlink()
        return read(self, feature, value, *more, **named)

    monkeypatch.setattr(Store, "read_rows", forgotten_before)
    replicate(store, FEATURE, opened())
    monkeypatch.undo()
    assert sorted(opened().held()) == ["a", "c"]
    assert_same(store, opened())


def test_nulls_and_awkward_values(store: Store, opened: Callable[[], Sink]) -> None:
    table = rows("x", 6)
    holes = [None if number % 2 else value for number, value in enumerate(table.column("text").to_pylist())]
    put(store, "holes", table.set_column(1, SCHEMA.field("text"), pa.array(holes, pa.string())))
    put(
        store,
        "nothing",
        pa.table([[None] * 4 if one.nullable else table.column(one.name).slice(0, 4) for one in SCHEMA], schema=SCHEMA),
    )
    put(store, "O'Brien 100%", rows("quote", 2))
    copy(store, opened())


def test_random_lives(store: Store, opened: Callable[[], Sink]) -> None:
    chance = random.Random(3)
    for _ in range(8):
        for title in chance.sample("abcdefghij", chance.randrange(5)):
            if chance.random() < 0.3:
                withdraw(store, title)
            else:
                put(store, title, rows(f"{title}{chance.random()}", chance.randrange(5)))
        copy(store, opened())
