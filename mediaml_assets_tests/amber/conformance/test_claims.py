"""One holder at a time, a dead one holds nothing for long, and a claim never decides what is right."""

import gc
import os
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from mediaml_assets.amber.claims import Claim
from mediaml_assets.amber.claims.bucket import BucketClaim
from mediaml_assets.amber.evaluation import commit, evaluate
from mediaml_assets.amber.objects import Objects
from mediaml_assets.amber.store import Store
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.processes import go_on, kill, start, together, until_it_says

PATIENCE = 1.5
"""Seconds; short, and yet beats of a third of it must come through on a machine that is busy."""

STORE = f"""
import os, pathlib, sys, time
from mediaml_assets.amber.store import Store, open_store

def store_of(where, local, patience={PATIENCE}):
    return Store(open_store(where, pathlib.Path(local)).objects, pathlib.Path(local), patience)
"""
HOLD = (
    STORE
    + """
claim = store_of(*sys.argv[1:3]).claim("motion", "key")
print("held", flush=True)
sys.stdin.readline()
claim.release()
"""
)

Held = Callable[[], subprocess.Popen[str]]


@pytest.fixture
def store(objects: Objects, tmp_path: Path) -> Store:
    return Store(objects, tmp_path / "local", PATIENCE)


@pytest.fixture
def holder(where: str, tmp_path: Path) -> Held:
    """A process that holds the claim until it is told to go on."""

    def hold() -> subprocess.Popen[str]:
        process = start(HOLD, where, tmp_path / "local")
        until_it_says(process, "held")
        return process

    return hold


def claim(store: Store) -> Claim:
    return store.claim("motion", "key")


def waiting(store: Store) -> "Future[Claim]":
    """Somebody who waits for the claim; a thread, so that a test that fails does not hang."""
    return ThreadPoolExecutor(1).submit(claim, store)


def left(store: Store) -> list[str]:
    return [one.name for one in store.objects.walk("claims")]


def on_bucket(store: Store) -> bool:
    return store.objects.filesystem() is not None


def test_a_claim_is_held_until_released(store: Store) -> None:
    with claim(store):
        assert store.is_claimed("motion", "key") and not store.is_claimed("motion", "other")
    assert not store.is_claimed("motion", "key") and left(store) == []


def test_releasing_twice_frees_nobody_elses(store: Store) -> None:
    first = claim(store)
    first.release()
    with claim(store):
        first.release()
        assert store.is_claimed("motion", "key")
    assert left(store) == []


def test_the_next_one_waits_also_longer_than_the_patience(store: Store) -> None:
    first = claim(store)
    second = waiting(store)
    with pytest.raises(TimeoutError):
        second.result(timeout=1.5 * PATIENCE)
    first.release()
    second.result(timeout=60).release()
    assert left(store) == []


def test_an_error_frees_the_claim(store: Store) -> None:
    with pytest.raises(RuntimeError), claim(store):
        raise RuntimeError
    assert not store.is_claimed("motion", "key")


def test_a_forgotten_claim_is_freed(store: Store) -> None:
    forgotten = claim(store)
    assert store.is_claimed("motion", "key")
    del forgotten
    gc.collect()
    assert not store.is_claimed("motion", "key") and left(store) == []


def test_a_process_that_ends_frees_its_claims(store: Store, where: str, tmp_path: Path) -> None:
    process = start(HOLD.replace("claim.release()", "sys.exit(3)"), where, tmp_path / "local")
    until_it_says(process, "held")
    process.communicate("\n", timeout=60)
    assert process.returncode == 3 and left(store) == []


def test_a_forked_child_has_no_part_in_a_claim(store: Store, where: str, tmp_path: Path) -> None:
    forking = """
if not os.fork():
    claim.release() if sys.argv[1].startswith("s3://") else None
    os._exit(0)
os.wait()
print("forked", flush=True)
sys.stdin.readline()
"""
    process = start(HOLD.replace("claim.release()", forking), where, tmp_path / "local")
    until_it_says(process, "held")
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    until_it_says(process, "forked")
    assert store.is_claimed("motion", "key")
    second = waiting(store)
    with pytest.raises(TimeoutError):
        second.result(timeout=1.5 * PATIENCE)
    go_on(process)
    second.result(timeout=60).release()


def test_processes_never_hold_it_together(store: Store, where: str, tmp_path: Path) -> None:
    script = """
store, counter = store_of(*sys.argv[2:4], patience=6.0), pathlib.Path(sys.argv[4])
for _ in range(5):
    with store.claim("motion", "key"):
        count = int(counter.read_text())
        time.sleep(0.01)
        counter.write_text(str(count + 1))
"""
    (tmp_path / "count").write_text("0")
    together(4, STORE, script, where, tmp_path / "local", tmp_path / "count")
    assert (tmp_path / "count").read_text() == "20"
    assert left(store) == []


def test_a_killed_holder_is_taken_over(store: Store, holder: Held) -> None:
    held = holder()
    second = waiting(store)
    with pytest.raises(TimeoutError):
        second.result(timeout=1.5 * PATIENCE)
    killed = time.monotonic()
    kill(held)
    taken = second.result(timeout=10 * PATIENCE)
    # a folder's lock goes with its process; on a bucket silence has to be heard first, since the last beat
    waited = time.monotonic() - killed
    assert waited > 0.6 * PATIENCE if on_bucket(store) else waited < PATIENCE
    assert store.is_claimed("motion", "key")
    taken.release()
    assert left(store) == []


def test_of_many_who_wait_for_a_dead_one_each_comes_in_turn(store: Store, holder: Held) -> None:
    kill(holder())
    held: list[int] = []

    def work(number: int) -> None:
        with claim(store):
            held.append(number)
            assert held[-1] == number and len(held) % 2 == 1
            time.sleep(0.05)
            held.append(number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert held[::2] == held[1::2] and sorted(held[::2]) == [0, 1, 2, 3]
    assert left(store) == []


def test_a_stalled_holder_is_taken_over_on_a_bucket_and_keeps_the_lock_of_a_folder(store: Store, holder: Held) -> None:
    stalled = holder()
    os.kill(stalled.pid, signal.SIGSTOP)
    second = waiting(store)
    try:
        if on_bucket(store):
            taken = second.result(timeout=10 * PATIENCE)
        else:
            with pytest.raises(TimeoutError):
                second.result(timeout=2 * PATIENCE)
    finally:
        os.kill(stalled.pid, signal.SIGCONT)
    # it wakes, beats and releases: what another one holds by now is not touched
    go_on(stalled)
    if not on_bucket(store):
        taken = second.result(timeout=60)
    third = waiting(store)
    with pytest.raises(TimeoutError):
        third.result(timeout=1.5 * PATIENCE)
    taken.release()
    third.result(timeout=60).release()
    assert left(store) == []


def test_what_a_holder_that_was_taken_over_computes_is_harmless(
    store: Store, where: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not on_bucket(store):
        pytest.skip("in a folder nobody is taken over")
    here = Installation(home, store)
    here.deliver(one="abba")
    here.compute("letters", "one")
    script = """
from mediaml_assets_tests.amber import toy
from mediaml_assets_tests.amber.toy import counts_version, letters, toy_mesh
called = toy.called
def stalling(feature, scope):
    called(feature, scope)
    print("computing", flush=True)
    sys.stdin.readline()
toy.called = stalling
store = store_of(*sys.argv[1:3])
row = toy_mesh(remark="by the one that stalled").compute(store, "counts", ["one"])
print(row.event, row.current.digest, flush=True)
"""
    stalled = start(STORE + script, where, store.local)
    until_it_says(stalled, "computing")
    os.kill(stalled.pid, signal.SIGSTOP)
    ask = here.mesh.ask(store, "counts", ["one"])
    outcome = ThreadPoolExecutor(1).submit(evaluate, store, ask).result(timeout=10 * PATIENCE)
    first = commit(store, outcome)
    os.kill(stalled.pid, signal.SIGCONT)
    event, digest = go_on(stalled).split()
    assert first.current is not None and (event, digest) == ("computed", first.current.digest)
    assert store.view("counts", "one").table().column("remark").to_pylist() == ["", ""]
    # what was remembered first is current already, so it has nothing to write down
    assert store.ledger.chain("counts", "one") == [first]
    assert here.stale() == [] and left(store) == []


def test_clocks_may_jump_and_differ(store: Store, where: str, tmp_path: Path) -> None:
    script = """
import sys, time
wall, looks = time.time, iter(range(10**9))
# each process is some years off, and every look at its clock is a day away from the one before, to and fro
time.time = lambda: wall() + next(looks) % 2 * 86_400 + int(sys.argv[3]) * 365 * 86_400
"""
    first = start(script + HOLD, where, tmp_path / "local", 1)
    until_it_says(first, "held")
    second = start(script + HOLD, where, tmp_path / "local", -2)
    assert second.stdout is not None
    said = ThreadPoolExecutor(1).submit(second.stdout.readline)
    with pytest.raises(TimeoutError):
        said.result(timeout=3 * PATIENCE)
    go_on(first)
    assert said.result(timeout=60) == "held\n"
    go_on(second)
    assert left(store) == []


def test_what_a_claim_costs(store: Store) -> None:
    if not on_bucket(store):
        pytest.skip("a lock file is no object")
    store.objects.create("first/one", b"")
    store.objects.operations.clear()
    claim(store).release()
    assert store.objects.operations == {"create": 1, "list": 1, "read": 1, "remove": 1}


def test_a_bucket_that_fails_at_the_release_is_no_error(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    if not on_bucket(store):
        pytest.skip("a lock file is no object")
    held = claim(store)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    from mediaml_assets.amber.objects.bucket import BucketObjects

    gone = BucketObjects(store.objects.where, retry_seconds=0.2)
    monkeypatch.setattr(store.objects, "_store", gone._store)
    monkeypatch.setattr(store.objects, "_retry_seconds", 0.2)
    held.release()
    monkeypatch.undo()
    assert store.is_claimed("motion", "key")
    BucketClaim(store.objects, "claims/motion/key", 0.3).release()
    assert left(store) == []
