"""What the store costs: few files, few requests, each row copied a few times; and what it does when things go wrong."""

import time
from datetime import timedelta
from pathlib import Path

import pytest

from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.marken.embedded import chain, tidying
from mediaml_assets.marken.embedded.chain import Chain
from mediaml_assets.marken.embedded.checkpoint import decode, encode
from mediaml_assets.marken.embedded.engine import EmbeddedEngine
from mediaml_assets.marken.embedded.state import Entry, Folded
from mediaml_assets_tests.marken.canonical import SPOT, VERDICT, spots, verdict
from mediaml_assets_tests.marken.conformance.test_log import verdicts
from mediaml_assets_tests.marken.conformance.test_moments import seen
from mediaml_assets_tests.marken.conformance.test_operations import load, marks
from mediaml_assets_tests.marken.embedded.writers import opened

AT_ONCE = timedelta(0)


def folded(home: Path) -> Folded:
    return Chain(FolderObjects(home), timedelta(days=1)).read_on()


def names(home: Path, folder: str) -> list[str]:
    return FolderObjects(home).names(folder)


def test_parts_stay_few_and_rows_are_copied_a_few_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidying, "FAN", 4)
    copied: list[int] = []
    written = tidying.Tidying._written

    def counted(self: tidying.Tidying, rows: object) -> object:
        made = written(self, rows)  # type: ignore[arg-type]
        copied.append(made["rows"])
        return made

    monkeypatch.setattr(tidying.Tidying, "_written", counted)
    engine = opened(tmp_path)
    for number in range(100):
        load(engine, f"t{number}", 4, number)
        if number % 10 == 9:
            load(engine, "t0", 4, number)
    parts = folded(tmp_path).parts["SPOT", 1]
    # 440 rows are at most 5 sizes of rows in sight and 4 of history, each below 4 parts
    assert len(parts) <= 9 * 3 and sum(one.rows for one in parts.values()) == 440
    assert sum(copied) <= 440 * 4
    engine.tidy()
    assert sorted(one.rows for one in folded(tmp_path).parts["SPOT", 1].values()) == [40, 400]
    assert len(marks(engine)) == 100


def test_what_was_replaced_goes_after_its_time(tmp_path: Path) -> None:
    kept, engine = EmbeddedEngine(FolderObjects(tmp_path)), EmbeddedEngine(FolderObjects(tmp_path), AT_ONCE)
    for mark in range(1, 5):
        load(engine, "alpha", mark, mark)
    FolderObjects(tmp_path).create("rows/0123-stray.parquet", b"of a writer that was killed")
    moments = {change.seq for change in folded(tmp_path).changes}
    kept.tidy()
    assert len(names(tmp_path, "rows")) == 4 + 1 + 1, "merged, nothing removed"
    time.sleep(0.01)
    engine.tidy()
    assert len(names(tmp_path, "rows")) == 2
    for reader in (kept, engine, opened(tmp_path)):
        assert marks(reader) == {"alpha": (4, 4)}
        assert [len(seen(reader.snapshot(str(moment)))) for moment in sorted(moments)] == [1, 2, 3, 4]


def test_batches_of_an_operation_that_takes_long_stay(tmp_path: Path) -> None:
    engine = EmbeddedEngine(FolderObjects(tmp_path), AT_ONCE)
    operation = engine.start(SPOT, "alpha", "tester", {})
    engine.upsert(operation, spots("alpha", 2, mark=1))
    for _ in range(2):
        time.sleep(0.01)
        engine.tidy()
    engine.upsert(operation, spots("alpha", 2, mark=1, first=2))
    engine.finish(operation)
    assert marks(opened(tmp_path)) == {"alpha": (4, 1)}


def test_a_store_is_opened_by_its_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "EVERY", 20)
    engine = opened(tmp_path)
    for number in range(70):
        engine.append(VERDICT, verdict("alpha+beta", f"p{number}", "x"))
    objects = FolderObjects(tmp_path)
    reader = EmbeddedEngine(objects)
    assert len(verdicts(reader)) == 70
    assert objects.operations["read"] < 45, "a checkpoint, what came after it, and a merged part"
    before = objects.operations.copy()
    reader.snapshot()
    assert objects.operations - before == {"read": 1}, "one look for the next entry"


def test_the_state_of_a_checkpoint_is_the_state(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    engine.roll_back(load(engine, "alpha", 3, mark=1))
    load(engine, "alpha", 3, mark=2)
    engine.upsert(engine.start(SPOT, "beta", "tester", {"digest": "d"}), spots("beta", 2))
    engine.append(VERDICT, verdict("alpha+beta", "ann", "accept"))
    engine.tidy()
    state = folded(tmp_path)
    assert decode(encode(state)) == state and state.seq > 8


def test_entries_of_a_checkpoint_go_and_a_reader_that_slept_finds_its_way(tmp_path: Path) -> None:
    sleeper, engine = EmbeddedEngine(FolderObjects(tmp_path), AT_ONCE), EmbeddedEngine(FolderObjects(tmp_path), AT_ONCE)
    load(sleeper, "alpha", 1, mark=1)
    assert marks(sleeper) == {"alpha": (1, 1)}
    for mark in range(2, 5):
        load(engine, "alpha", mark, mark)
    for _ in range(2):
        time.sleep(0.01)
        engine.tidy()
    assert not names(tmp_path, "log") and len(names(tmp_path, "checkpoints")) <= 2
    assert marks(sleeper) == marks(opened(tmp_path)) == {"alpha": (4, 4)}
    assert load(sleeper, "alpha", 5, mark=5).number == 5 and marks(engine) == {"alpha": (5, 5)}


def test_a_writer_that_slept_between_deciding_and_writing_decides_again(tmp_path: Path) -> None:
    sleeper, engine = Chain(FolderObjects(tmp_path), AT_ONCE), EmbeddedEngine(FolderObjects(tmp_path), AT_ONCE)
    operation = load(engine, "alpha", 1, mark=1)
    decided: list[int] = []

    def propose(state: Folded) -> Entry:
        decided.append(state.seq)
        if len(decided) == 1:
            # while this one sleeps the entries that come next are made, folded and removed
            for mark in range(2, 5):
                load(engine, "alpha", mark, mark)
            for _ in range(2):
                time.sleep(0.01)
                engine.tidy()
        place = {"type": "SPOT", "type_version": 1, "scope": "alpha", "number": operation.number}
        return {"do": "roll_back", **place}

    sleeper.decide(propose)
    assert len(decided) == 2 and decided[1] > decided[0] + 9
    assert [one.state.value for one in opened(tmp_path).operations()] == ["rolled_back", *["finished"] * 3]
    assert marks(engine) == {"alpha": (4, 4)}


def test_memory_of_rows_that_are_gone_is_had_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mediaml_assets.marken.embedded import engine as module

    monkeypatch.setattr(module, "ANEW", 20)
    engine = opened(tmp_path)
    for mark in range(1, 8):
        load(engine, "alpha", 10, mark)
        assert marks(engine) == {"alpha": (10, mark)}
        assert engine._tables.gone <= 30
