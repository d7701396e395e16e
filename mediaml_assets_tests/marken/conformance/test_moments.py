"""Moments: a snapshot keeps its rows whatever is written, and every moment can be asked for later."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from mediaml_assets.errors import QueryRefused
from mediaml_assets.marken.engine import Engine, Selection, Snapshot
from mediaml_assets_tests.marken.canonical import SPOT, VERDICT, spots, verdict
from mediaml_assets_tests.marken.conformance.conftest import Opener
from mediaml_assets_tests.marken.conformance.test_operations import load


def seen(snapshot: Snapshot) -> list[tuple[str, int, int]]:
    """Id, version and mark of every spot, and id, version of every verdict."""
    rows = snapshot.select(Selection(types=[SPOT, VERDICT], columns=["id", "version", "count"])).to_pylist()
    return [(row["id"], row["version"], row["count"] or 0) for row in rows]


def test_a_snapshot_keeps_its_rows(engine: Engine) -> None:
    empty = engine.snapshot()
    load(engine, "alpha", 3, mark=1)
    old = engine.snapshot()
    wanted = seen(old)
    assert len(wanted) == 3
    load(engine, "alpha", 5, mark=2)
    engine.append(VERDICT, verdict("alpha+beta", "ann", "accept"))
    new = engine.snapshot()
    engine.tidy()
    assert seen(empty) == [] and seen(old) == wanted and len(seen(new)) == 6
    assert old.count([SPOT], None) == 3 and new.count([SPOT, VERDICT], None) == 6
    assert new.count([SPOT, VERDICT], None, titles=["beta"]) == 1
    # what was not read before the change is the same, too
    assert list(old.words([SPOT], "label")) and old.moment != new.moment


def test_every_moment_can_be_asked_for(opener: Opener) -> None:
    engine = opener()
    history: list[tuple[str, list[tuple[str, int, int]]]] = []

    def note() -> None:
        snapshot = engine.snapshot()
        history.append((snapshot.moment, seen(snapshot)))

    note()
    for mark in range(1, 4):
        operation = load(engine, "alpha", mark, mark)
        note()
        load(engine, "beta", 1, mark)
        engine.append(VERDICT, verdict("alpha+beta", "ann", str(mark)))
        note()
        if mark == 2:
            engine.roll_back(operation)
            note()
            engine.tidy()
    assert len({tuple(rows) for _, rows in history}) == len(history)
    for tidied in (False, True):
        if tidied:
            engine.tidy()
        for reader in (engine, opener()):
            for moment, rows in reversed(history):
                asked = reader.snapshot(moment)
                assert seen(asked) == rows and asked.moment == moment


def test_a_time_is_a_moment(opener: Opener) -> None:
    engine = opener()
    before = datetime.now(UTC)
    time.sleep(0.002)
    load(engine, "alpha", 3, mark=1)
    time.sleep(0.002)
    between = datetime.now(UTC)
    time.sleep(0.002)
    load(engine, "alpha", 2, mark=2)
    for reader in (engine, opener()):
        assert seen(reader.snapshot(before)) == []
        assert len(seen(reader.snapshot(between))) == 3
        assert len(seen(reader.snapshot(datetime.now(UTC)))) == 2
    # the moment that a time means is a name, too
    assert len(seen(engine.snapshot(engine.snapshot(between).moment))) == 3


@pytest.mark.parametrize("moment", ["", "nonsense", "-1", "99999999", "1; drop table x", "../../etc/passwd"])
def test_no_such_moment(engine: Engine, moment: str) -> None:
    load(engine, "alpha", 1, mark=1)
    with pytest.raises(QueryRefused) as refused:
        engine.snapshot(moment)
    assert refused.value.place == "as_of"


def test_a_time_to_come_is_no_moment(engine: Engine) -> None:
    with pytest.raises(QueryRefused, match="as_of"):
        engine.snapshot(datetime.now(UTC) + timedelta(days=1))


def test_versions_are_all_that_readers_ever_saw(opener: Opener) -> None:
    engine = opener()
    load(engine, "alpha", 2, mark=1)
    engine.roll_back(load(engine, "alpha", 1, mark=2))
    engine.upsert(engine.start(SPOT, "alpha", "tester", {}), spots("alpha", 2, mark=3))
    load(engine, "alpha", 2, mark=4)
    for _ in range(2):
        assert [(row["version"], row["count"]) for row in engine.versions("alpha-0").to_pylist()] == [
            (1, 1),
            (2, 2),
            (4, 4),
        ]
        assert engine.versions("alpha-1")["version"].to_pylist() == [1, 4]
        engine.tidy()
    assert opener().versions("nobody").num_rows == 0
