"""One holder at a time, and a dead one holds nothing."""

import gc
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from mediaml_assets.amber.claims import FileClaim, is_held, try_claim
from mediaml_assets_tests.amber.processes import kill, start, together

HOLD = """
import pathlib, sys
from mediaml_assets.amber.claims import FileClaim
claim = FileClaim(pathlib.Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "claims/motion/key.lock"


def waiting(file: Path) -> "Future[FileClaim]":
    """Somebody who waits for the claim; a thread, so that a test that fails does not hang."""
    return ThreadPoolExecutor(1).submit(FileClaim, file)


def test_a_claim_is_held_until_released(file: Path) -> None:
    with FileClaim(file):
        assert is_held(file)
    assert not is_held(file)
    assert not file.exists()


def test_releasing_twice_frees_nobody_elses(file: Path) -> None:
    first = FileClaim(file)
    first.release()
    with FileClaim(file):
        first.release()
        assert is_held(file) and file.exists()


def test_the_next_one_waits(file: Path) -> None:
    first = FileClaim(file)
    second = waiting(file)
    with pytest.raises(TimeoutError):
        second.result(timeout=0.2)
    first.release()
    second.result(timeout=60).release()
    assert not file.exists()


def test_an_error_frees_the_claim(file: Path) -> None:
    with pytest.raises(RuntimeError), FileClaim(file):
        raise RuntimeError
    assert not is_held(file)


def test_a_forgotten_claim_is_freed(file: Path) -> None:
    claim = FileClaim(file)
    assert is_held(file)
    del claim
    gc.collect()
    assert not is_held(file) and not file.exists()


def test_a_killed_holder_frees_its_claim_to_the_one_that_waits(file: Path) -> None:
    holder = start(HOLD, file)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    assert is_held(file)
    second = waiting(file)
    with pytest.raises(TimeoutError):
        second.result(timeout=0.2)
    kill(holder)
    taken = second.result(timeout=60)
    assert is_held(file)
    taken.release()
    assert not file.exists()


def test_a_killed_holder_leaves_a_file_that_nobody_holds(file: Path) -> None:
    holder = start(HOLD, file)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    kill(holder)
    assert file.exists() and not is_held(file)
    FileClaim(file).release()
    assert not file.exists()


def test_asking_who_holds_it_takes_nobodys_claim_away(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = FileClaim(file)
    held: list[FileClaim] = []

    def between(descriptor: int, operation: int) -> None:
        # the holder goes and another one comes, after the file was opened and before it is tried
        monkeypatch.undo()
        first.release()
        held.append(FileClaim(file))

    monkeypatch.setattr("mediaml_assets.amber.claims.fcntl.flock", between)
    is_held(file)
    assert file.exists()
    held[0].release()


def test_a_forked_child_that_drops_the_claim_leaves_it_to_its_parent(file: Path) -> None:
    claim = FileClaim(file)
    dropped, stay = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        claim.release()
        os.write(dropped[1], b".")
        os.close(stay[1])
        os.read(stay[0], 1)
        os._exit(0)
    assert os.read(dropped[0], 1) == b"."
    assert file.exists() and is_held(file)
    second = waiting(file)
    with pytest.raises(TimeoutError):
        second.result(timeout=0.2)
    claim.release()
    # also while the child lives on
    second.result(timeout=10).release()
    os.close(stay[1])
    assert os.waitpid(child, 0)[1] == 0


def test_a_claim_that_is_tried_does_not_wait(file: Path) -> None:
    with FileClaim(file):
        assert try_claim(file) is None
    tried = try_claim(file)
    assert tried is not None and is_held(file)
    tried.release()
    assert not file.exists()


def test_processes_never_hold_it_together(tmp_path: Path) -> None:
    before = "import pathlib, sys, time\nfrom mediaml_assets.amber.claims import FileClaim"
    script = """
folder = pathlib.Path(sys.argv[2])
for _ in range(25):
    with FileClaim(folder / "claims/key.lock"):
        count = int((folder / "count").read_text())
        time.sleep(0.001)
        (folder / "count").write_text(str(count + 1))
"""
    (tmp_path / "count").write_text("0")
    together(4, before, script, tmp_path)
    assert (tmp_path / "count").read_text() == "100"
    assert not (tmp_path / "claims/key.lock").exists()
