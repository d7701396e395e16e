"""Operations: all or nothing, the last to finish is active, every state refuses what it must."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from mediaml_assets.errors import OperationRefused
from mediaml_assets.marken.engine import Engine, Selection
from mediaml_assets.marken.operation import Operation, State
from mediaml_assets.marken.rows import row_schema
from mediaml_assets.marken.schema import AnnotationType
from mediaml_assets_tests.marken.canonical import SPOT, SPOT_2, canonical, spots
from mediaml_assets_tests.marken.conformance.conftest import Opener


def current(engine: Engine, *kinds: AnnotationType, **more: Any) -> pa.Table:
    """All current rows of some types, every column of the first of them."""
    columns = row_schema(kinds[0]).names
    return engine.snapshot().select(Selection(types=kinds, columns=columns, **more))


def marks(engine: Engine, kind: AnnotationType = SPOT) -> dict[str, tuple[int, int]]:
    """Scope -> count of its current rows and the mark that all of them have."""
    rows = current(engine, kind).select(["scope", "count"]).to_pylist()
    found: dict[str, tuple[int, int]] = {}
    for row in rows:
        count, mark = found.get(row["scope"], (0, row["count"]))
        assert mark == row["count"], "two operations are mixed"
        found[row["scope"]] = (count + 1, mark)
    return found


def load(engine: Engine, scope: str, count: int, mark: int) -> Operation:
    """Start, upsert and finish one operation."""
    operation = engine.start(SPOT, scope, "tester", {"feature": "spots"})
    if count:
        engine.upsert(operation, spots(scope, count, mark))
    return engine.finish(operation)


def test_nothing_is_seen_before_the_first_finish(engine: Engine) -> None:
    operation = engine.start(SPOT, "alpha", "tester", {"feature": "spots", "digest": "d1"})
    assert (operation.number, operation.state, operation.rows) == (1, State.STARTED, 0)
    assert operation.key == ("SPOT", 1, "alpha") and operation.by == "tester"
    assert operation.source == {"feature": "spots", "digest": "d1"} and operation.ended is None
    engine.upsert(operation, spots("alpha", 5, mark=1))
    assert marks(engine) == {} and engine.active(SPOT) == {}
    finished = engine.finish(operation)
    assert (finished.state, finished.rows) == (State.FINISHED, 5)
    assert finished.ended is not None and finished.ended >= finished.started and finished.started.tzinfo
    assert marks(engine) == {"alpha": (5, 1)}
    assert engine.active(SPOT) == {"alpha": finished}


def test_rows_come_back_as_they_were_given(engine: Engine) -> None:
    given = spots("alpha", 3, mark=7)
    full = canonical(
        SPOT,
        "alpha",
        [
            {
                "id": "other",
                "title": "alpha",
                "other_title": "beta",
                "entity_kind": "pair",
                "entity_id": "alpha+beta",
                "time_start": 0.5,
                "time_end": 1.25,
                "time_start_frame": 12,
                "time_end_frame": 30,
                "time_rate_num": 24000,
                "time_rate_den": 1001,
                "region": "POLYGON ((0 0, 1 0, 1 1, 0 0))",
                "region_x0": 0.0,
                "region_y0": 0.0,
                "region_x1": 1.0,
                "region_y1": 1.0,
                "region_is_box": False,
                "tags": [],
                "seen": True,
            }
        ],
    )
    operation = engine.start(SPOT, "alpha", "tester", {})
    engine.upsert(operation, pa.concat_tables([given, full]))
    engine.finish(operation)
    found = current(engine, SPOT)
    wanted = pa.concat_tables([given, full]).to_pylist()
    assert sorted(found.to_pylist(), key=lambda row: row["id"]) == sorted(
        ({**row, "version": 1} for row in wanted), key=lambda row: row["id"]
    )
    assert found.schema.names == row_schema(SPOT).names


def test_a_finished_operation_replaces_the_one_before_and_no_other_scope(engine: Engine) -> None:
    load(engine, "alpha", 5, mark=1)
    load(engine, "beta", 4, mark=9)
    second = engine.start(SPOT, "alpha", "tester", {})
    assert second.number == 2
    engine.upsert(second, spots("alpha", 2, mark=2))
    assert marks(engine) == {"alpha": (5, 1), "beta": (4, 9)}
    engine.finish(second)
    assert marks(engine) == {"alpha": (2, 2), "beta": (4, 9)}
    assert set(current(engine, SPOT)["version"].to_pylist()) == {1, 2}
    load(engine, "alpha", 0, mark=0)
    assert marks(engine) == {"beta": (4, 9)}, "an empty operation leaves nothing"


def test_the_first_operation_may_be_empty(engine: Engine) -> None:
    finished = load(engine, "alpha", 0, mark=0)
    assert finished.rows == 0 and engine.active(SPOT) == {"alpha": finished}
    assert marks(engine) == {} and engine.snapshot().count([SPOT], None) == 0
    load(engine, "alpha", 2, mark=1)
    assert marks(engine) == {"alpha": (2, 1)}


def test_versions_of_a_type_have_their_own_operations(engine: Engine) -> None:
    load(engine, "alpha", 3, mark=1)
    newer = engine.start(SPOT_2, "alpha", "tester", {})
    assert newer.number == 1
    engine.upsert(newer, canonical(SPOT_2, "alpha", [{"id": "x", "size": 2.5, "count": 2}]))
    engine.finish(newer)
    assert marks(engine) == {"alpha": (3, 1)} and marks(engine, SPOT_2) == {"alpha": (1, 2)}
    both = current(engine, SPOT_2, SPOT)
    assert sorted(row["size"] or 0.0 for row in both.to_pylist()) == [0.0, 0.0, 0.0, 2.5]


def test_batches_add_up_and_a_later_row_of_an_id_wins(engine: Engine) -> None:
    operation = engine.start(SPOT, "alpha", "tester", {})
    engine.upsert(operation, spots("alpha", 4, mark=1))
    engine.upsert(operation, spots("alpha", 4, mark=1))
    engine.upsert(operation, spots("alpha", 3, mark=2, first=2))
    # within one batch too
    twice = pa.concat_tables([spots("alpha", 1, mark=3, first=9), spots("alpha", 1, mark=4, first=9)])
    engine.upsert(operation, twice)
    assert engine.finish(operation).rows == 6
    found = {row["id"]: row["count"] for row in current(engine, SPOT).to_pylist()}
    assert found == {f"alpha-{number}": mark for number, mark in [(0, 1), (1, 1), (2, 2), (3, 2), (4, 2), (9, 4)]}


def test_a_batch_sent_again_after_another_wins_again(engine: Engine) -> None:
    operation = engine.start(SPOT, "alpha", "tester", {})
    for mark in (1, 2, 1):
        engine.upsert(operation, spots("alpha", 2, mark))
    engine.finish(operation)
    assert marks(engine) == {"alpha": (2, 1)}


def test_the_last_to_finish_is_active(engine: Engine) -> None:
    first, second = (engine.start(SPOT, "alpha", name, {}) for name in ("one", "two"))
    assert (first.number, second.number) == (1, 2)
    engine.upsert(first, spots("alpha", 1, mark=1))
    engine.upsert(second, spots("alpha", 2, mark=2))
    engine.finish(second)
    assert marks(engine) == {"alpha": (2, 2)}
    last = engine.finish(first)
    assert marks(engine) == {"alpha": (1, 1)} and engine.active(SPOT) == {"alpha": last}


def test_cancel_gives_up(engine: Engine) -> None:
    load(engine, "alpha", 3, mark=1)
    operation = engine.start(SPOT, "alpha", "tester", {})
    engine.upsert(operation, spots("alpha", 5, mark=2))
    canceled = engine.cancel(operation)
    assert canceled.state is State.CANCELED and canceled.ended is not None
    assert engine.cancel(operation) == canceled
    assert marks(engine) == {"alpha": (3, 1)}
    assert engine.versions("alpha-4").num_rows == 0, "nobody ever saw it"
    assert load(engine, "alpha", 1, mark=3).number == 3


def test_finishing_again_changes_nothing(engine: Engine) -> None:
    first = load(engine, "alpha", 3, mark=1)
    second = load(engine, "alpha", 2, mark=2)
    assert engine.finish(first) == first
    assert marks(engine) == {"alpha": (2, 2)} and engine.active(SPOT) == {"alpha": second}


def test_roll_back_brings_the_finished_one_before_it_back(engine: Engine) -> None:
    first, second, third = (load(engine, "alpha", mark, mark) for mark in (1, 2, 3))
    engine.roll_back(second)
    assert marks(engine) == {"alpha": (3, 3)}, "what is not active can be withdrawn too"
    withdrawn = engine.roll_back(third)
    assert withdrawn.state is State.ROLLED_BACK and withdrawn.rows == 3
    assert marks(engine) == {"alpha": (1, 1)} and engine.active(SPOT) == {"alpha": first}
    assert engine.roll_back(third) == withdrawn
    engine.roll_back(first)
    assert marks(engine) == {} and engine.active(SPOT) == {}


def test_each_state_refuses_what_it_must(engine: Engine) -> None:
    started, finished = engine.start(SPOT, "alpha", "tester", {}), load(engine, "beta", 1, 1)
    canceled = engine.cancel(engine.start(SPOT, "gamma", "tester", {}))
    withdrawn = engine.roll_back(load(engine, "delta", 1, 1))
    unknown = Operation("SPOT", 1, "alpha", 99, State.STARTED, "tester", started.started)

    def upsert(operation: Operation) -> None:
        engine.upsert(operation, spots(operation.scope, 1))

    refused: list[tuple[Callable[[Operation], Any], list[Operation]]] = [
        (upsert, [finished, canceled, withdrawn, unknown]),
        (engine.finish, [canceled, withdrawn, unknown]),
        (engine.cancel, [finished, withdrawn, unknown]),
        (engine.roll_back, [started, canceled, unknown]),
    ]
    before = engine.operations()
    for verb, operations in refused:
        for operation in operations:
            with pytest.raises(OperationRefused, match=operation.scope):
                verb(operation)
    assert engine.operations() == before


def test_what_the_writer_holds_may_be_old(engine: Engine) -> None:
    """The state that decides is the kept one, not that of the value handed in."""
    operation = engine.start(SPOT, "alpha", "tester", {})
    engine.cancel(operation)
    assert operation.state is State.STARTED
    with pytest.raises(OperationRefused, match="canceled"):
        engine.upsert(operation, spots("alpha", 1))


def test_operations_are_listed_by_type_version_scope_and_number(engine: Engine) -> None:
    load(engine, "beta", 1, 1)
    engine.start(SPOT_2, "alpha", "tester", {})
    load(engine, "alpha", 1, 1)
    engine.start(SPOT, "alpha", "tester", {})
    listed = engine.operations()
    assert [(one.type_version, one.scope, one.number) for one in listed] == [
        (1, "alpha", 1),
        (1, "alpha", 2),
        (1, "beta", 1),
        (2, "alpha", 1),
    ]
    assert engine.operations("SPOT", "beta") == [listed[2]] and not engine.operations("CUE")
    assert engine.operations(scope="alpha") == [listed[0], listed[1], listed[3]]


def test_every_engine_on_a_place_sees_and_goes_on_with_the_same(opener: Opener) -> None:
    one, other = opener(), opener()
    operation = one.start(SPOT, "alpha", "tester", {"digest": "d"})
    one.upsert(operation, spots("alpha", 2, mark=1))
    assert other.operations() == [operation] and marks(other) == {}
    other.upsert(operation, spots("alpha", 3, mark=1, first=2))
    finished = other.finish(operation)
    assert one.finish(operation) == finished and one.active(SPOT) == {"alpha": finished}
    assert marks(one) == marks(other) == marks(opener()) == {"alpha": (5, 1)}


def test_tidying_changes_no_answer(opener: Opener) -> None:
    engine = opener()
    for mark in range(1, 5):
        for scope in ("alpha", "beta", "gamma"):
            load(engine, scope, mark, mark)
    engine.roll_back(engine.active(SPOT)["beta"])
    before, listed = current(engine, SPOT), engine.operations()
    versions = engine.versions("alpha-0").to_pylist()
    for _ in range(2):
        engine.tidy()
        for reader in (engine, opener()):
            assert current(reader, SPOT) == before and reader.operations() == listed
            assert reader.versions("alpha-0").to_pylist() == versions
    load(engine, "beta", 7, 7)
    assert marks(engine) == marks(opener()) == {"alpha": (4, 4), "beta": (7, 7), "gamma": (4, 4)}
