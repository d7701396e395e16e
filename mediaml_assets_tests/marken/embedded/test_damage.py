"""A changed byte, a full disk, a wrong clock: what is wrong is named, and nothing is lost."""

import logging
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.errors import Damaged
from mediaml_assets.marken.embedded import chain, files, tidying
from mediaml_assets.marken.embedded.state import Part
from mediaml_assets.marken.operation import State
from mediaml_assets_tests.marken.canonical import SPOT, VERDICT, spots, verdict
from mediaml_assets_tests.marken.conformance.test_log import verdicts
from mediaml_assets_tests.marken.conformance.test_operations import load, marks
from mediaml_assets_tests.marken.embedded.writers import PRELUDE, opened

LATER = timedelta(days=2)


def changed(file: Path, at: int) -> None:
    """Flip a bit of one byte of a file."""
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("folder", ["rows", "log", "checkpoints"])
def test_any_changed_byte_is_named_and_answers_nothing(tmp_path: Path, folder: str) -> None:
    engine = opened(tmp_path)
    load(engine, "alpha", 3, mark=1)
    engine.append(VERDICT, verdict("alpha+beta", "ann", "accept"))
    if folder == "checkpoints":
        engine.tidy()
    objects = FolderObjects(tmp_path)
    file = objects.path(f"{folder}/{objects.names(folder)[-1]}")
    content = file.read_bytes()
    for at in range(0, len(content), len(content) // 4):
        changed(file, at)
        with pytest.raises(Damaged, match=f"{folder}/{file.name}"):
            opened(tmp_path).snapshot()
        file.write_bytes(content)
    assert marks(opened(tmp_path)) == {"alpha": (3, 1)}


def test_a_changed_byte_where_ids_are_read_alone_changes_none(tmp_path: Path) -> None:
    objects, rows = FolderObjects(tmp_path), spots("alpha", 200)
    part = Part(files.write(objects, files.encode(rows)), 200)
    file = objects.path(part.name)
    content, named = file.read_bytes(), 0
    for at in range(0, len(content), 41):
        changed(file, at)
        try:
            # bytes of other columns are not read
            assert files.read(objects, part, ["id"])["id"].to_pylist() == rows["id"].to_pylist()
        except Damaged as damaged:
            assert part.name in str(damaged)
            named += 1
        with pytest.raises(Damaged):
            files.read(objects, part)
        file.write_bytes(content)
    assert named > 10


FULL = """
import resource
home = sys.argv[1]
engine = opened(home)
operation = engine.start(SPOT, "alpha", "tester", {})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.RLIM_INFINITY))
for verb in (lambda: engine.upsert(operation, spots("alpha", 500, 2)),
             lambda: engine.append(VERDICT, verdict("alpha+beta", "ann", "".join(map(chr, range(40_000)))))):
    try:
        verb()
        print("kept")
    except OSError as error:
        print(error.filename is not None or error.errno)
engine.cancel(operation)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
load(engine, "alpha", 4, 3)
"""


def test_a_full_disk_refuses_and_loses_nothing(tmp_path: Path) -> None:
    load(opened(tmp_path), "alpha", 3, mark=1)
    done = subprocess.run([sys.executable, "-c", PRELUDE + FULL, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0 and "kept" not in done.stdout.split(), done.stderr
    engine = opened(tmp_path)
    assert marks(engine) == {"alpha": (4, 3)} and verdicts(engine) == {}
    assert [one.state for one in engine.operations()] == [State.FINISHED, State.CANCELED, State.FINISHED]
    assert not list(FolderObjects(tmp_path).unfinished())


def refusing(monkeypatch: pytest.MonkeyPatch, refused: Callable[[str], bool]) -> None:
    """Let the disk be full for some names."""
    create = FolderObjects.create

    def full(self: FolderObjects, name: str, data: bytes) -> bool:
        if refused(name):
            raise OSError(28, "No space left on device", name)
        return create(self, name, data)

    monkeypatch.setattr(FolderObjects, "create", full)


def test_what_stands_stands_when_merging_or_a_checkpoint_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tidying, "FAN", 4)
    monkeypatch.setattr(chain, "EVERY", 2)
    engine = opened(tmp_path)
    operations = [engine.start(SPOT, scope, "tester", {}) for scope in "abcd"]
    for operation in operations:
        engine.upsert(operation, spots(operation.scope, 2, mark=1))
    refusing(monkeypatch, lambda name: not name.startswith("log/"))
    with caplog.at_level(logging.WARNING, "mediaml"):
        for operation in operations:
            assert engine.finish(operation).state is State.FINISHED
    assert "SPOT@1" in caplog.text and "No space left" in caplog.text
    monkeypatch.undo()
    assert marks(engine) == marks(opened(tmp_path)) == {scope: (2, 1) for scope in "abcd"}
    engine.tidy()
    assert marks(opened(tmp_path)) == {scope: (2, 1) for scope in "abcd"}


def test_a_clock_that_is_ahead_takes_nothing_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another one is about to name is young, whatever the clock of the one that tidies says."""
    engine, other = opened(tmp_path), opened(tmp_path)
    load(engine, "alpha", 3, mark=1)
    young = files.write(FolderObjects(tmp_path), files.encode(spots("beta", 2)))

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) + LATER

    monkeypatch.setattr(chain, "datetime", Ahead)
    before = FolderObjects(tmp_path).names("log")
    for _ in range(2):
        other.tidy()
    load(other, "beta", 2, mark=2)
    monkeypatch.undo()
    assert FolderObjects(tmp_path).path(young).exists() and set(FolderObjects(tmp_path).names("log")) > set(before)
    assert load(engine, "beta", 5, mark=3).number == 2
    times = [one.ended for one in opened(tmp_path).operations("SPOT", "beta") if one.ended]
    assert times == sorted(times), "time never goes back, whoever writes"
    assert marks(opened(tmp_path)) == {"alpha": (3, 1), "beta": (5, 3)}
