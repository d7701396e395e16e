"""Replicas under SIGKILL at any write, and with two writers at once: real processes, all kinds of replica."""

import json
import random
import shutil
from pathlib import Path

import pytest

from mediaml_assets.amber.keys import column_digests, rows_digest
from mediaml_assets.amber.replicas import KINDS, Replica
from mediaml_assets.amber.replicas.file_replica import FileReplica
from mediaml_assets.amber.replicas.parity import parity
from mediaml_assets.amber.replicas.replication import Sink, difference, replicate
from mediaml_assets.amber.store import Store
from mediaml_assets_tests.amber.processes import start, together
from mediaml_assets_tests.amber.replicas.sinks import FEATURE, SCHEMA, put, rows, withdraw

TITLES = "abcdefghijkl"

SMALL_BATCHES = """
import os, pathlib, signal, sys, time
from mediaml_assets.amber.replicas import Replica, delta, iceberg, lake, shards, vectors
from mediaml_assets.amber.replicas.replication import replicate
from mediaml_assets.amber.store import Store
from mediaml_assets_tests.amber.replicas.sinks import FEATURE, SCHEMA, put, rows, withdraw

lake.BATCH_TITLES = 3

def opened(home, kind):
    sink = Replica(FEATURE, kind, SCHEMA, pathlib.Path(home) / "replicas").open()
    if kind in ("shards", "vectors"):
        sink.part_bytes = 30_000
    return sink
"""

KILLED = (
    SMALL_BATCHES
    + """
def files(folder):
    return {os.path.join(path, name) for path, _, names in os.walk(folder) for name in names}

for argument in sys.argv[1:]:
    home, kind, point, seconds = argument.split("=")
    there = files(home + "/replicas")
    child = os.fork()
    if not child:
        replicate(Store(pathlib.Path(home) / "store"), FEATURE, opened(home, kind), keep_seconds=0)
        os._exit(0)
    while len(files(home + "/replicas") - there) < int(point):
        status = os.waitpid(child, os.WNOHANG)
        if status[0]:
            break
    else:
        time.sleep(float(seconds))
        os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)
    print(status[1], flush=True)
"""
)

WRITERS = (
    SMALL_BATCHES
    + """
import contextlib, random
Store.claim = lambda self, feature, key: contextlib.nullcontext()
"""
)

WRITES = """
store = Store(pathlib.Path(sys.argv[2]) / "store")
chance = random.Random(number)
for turn in range(6):
    for title in chance.sample("abcdefghijkl", 3):
        title = f"{title}{number}"
        if chance.random() < 0.2:
            withdraw(store, title)
        else:
            put(store, title, rows(f"{title}{turn}", chance.randrange(1, 9)))
    replicate(store, FEATURE, opened(sys.argv[2], sys.argv[3]), keep_seconds=0 if number else 3600)
"""

SAME_WORK = """
copied = replicate(store, FEATURE, opened(sys.argv[2], sys.argv[3]))
import json
print(json.dumps(copied.put))
"""

FIRST_COMMITS = """
for turn in range(3):
    home = pathlib.Path(sys.argv[2]) / str(turn)
    store = Store(home / "store")
    put(store, f"title{number}", rows(str(number), 3))
    (home / f"ready{number}").touch()
    while len(list(home.glob("ready*"))) < 3:
        time.sleep(0.0005)
    replicate(store, FEATURE, opened(home, sys.argv[3]))
"""


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def opened(home: Path, kind: str) -> Sink:
    sink = Replica(FEATURE, kind, SCHEMA, home / "replicas").open()
    if isinstance(sink, FileReplica):
        sink.part_bytes = 30_000
    return sink


def changed_home(home: Path, kind: str) -> Path:
    """A replica that was up to date before half of the titles changed, one was withdrawn and two came in."""
    store = Store(home / "store")
    for title in TITLES:
        put(store, title, rows(title, 40))
    replicate(store, FEATURE, opened(home, kind))
    for title in TITLES[::2]:
        put(store, title, rows(f"{title}, again", 30))
    withdraw(store, "d")
    for title in ("m", "n"):
        put(store, title, rows(title, 20))
    return home


def kill(homes: list[Path], kind: str, points: list[int], seconds: list[float]) -> list[int]:
    """Replicate in each home and kill that when so many new files are seen, and so many seconds more went by."""
    arguments = [f"{home}={kind}={point}={wait:.4f}" for home, point, wait in zip(homes, points, seconds, strict=True)]
    printed = start(KILLED, *arguments).communicate(timeout=200)[0]
    return [int(status) for status in printed.split()]


def goes_on(home: Path, kind: str) -> int:
    """Check that a killed replica shows only whole values, and that the next run does just what is left; its titles."""
    store = Store(home / "store")
    sink = opened(home, kind)
    before = sink.held()
    for title, held in before.items():
        ever = {row.current.digest for row in store.ledger.chain(FEATURE, title) if row.current}
        assert held.digest in ever
        assert rows_digest(column_digests(sink.rows(title))) == held.digest
    left = difference(store, FEATURE, sink)
    copied = replicate(store, FEATURE, opened(home, kind), keep_seconds=0)
    assert (sorted(copied.put), sorted(copied.drop)) == ([one.title for one in left.put], list(left.drop))
    found = parity(store, FEATURE, opened(home, kind), sample=None)
    assert (found.behind, found.miscounted, found.damaged) == ((), {}, {})
    again = replicate(store, FEATURE, opened(home, kind), keep_seconds=0)
    assert (again.put, again.drop, again.bytes) == ([], [], 0)
    return len(copied.put)


def killed_and_gone_on_with(tmp_path: Path, kind: str, points: list[int], seed: int) -> list[int]:
    origin = changed_home(tmp_path / "origin", kind)
    if kind == "iceberg":
        # its metadata name files by absolute paths, so it cannot be copied
        homes = [changed_home(tmp_path / str(number), kind) for number in range(len(points))]
    else:
        homes = [Path(shutil.copytree(origin, tmp_path / str(number))) for number in range(len(points))]
    chance = random.Random(seed)
    statuses = kill(homes, kind, points, [chance.uniform(0, 0.02) for _ in points])
    # how many files a run makes is the kind's business; those that end before the point come last
    assert statuses.count(9) >= len(points) / 3
    return [goes_on(home, kind) for home in homes]


def test_killed_at_some_write(tmp_path: Path, kind: str) -> None:
    copied = killed_and_gone_on_with(tmp_path, kind, [1, 2, 4, 7], seed=5)
    # the first dies before anything counts; the others leave less to do
    assert copied[0] >= copied[-1] and copied[0] > 0


@pytest.mark.slow
def test_killed_at_every_write(tmp_path: Path, kind: str) -> None:
    killed_and_gone_on_with(tmp_path, kind, [*range(1, 9)] * 3, seed=6)


def test_two_writers_at_once(tmp_path: Path, kind: str) -> None:
    # without claims: what keeps them apart is the replica's own commit
    together(2, WRITERS, WRITES, tmp_path, kind)
    store = Store(tmp_path / "store")
    replicate(store, FEATURE, opened(tmp_path, kind))
    found = parity(store, FEATURE, opened(tmp_path, kind), sample=None)
    assert (found.behind, found.miscounted, found.damaged) == ((), {}, {})
    heads = [store.ledger.head(FEATURE, title) for title in store.ledger.scopes(FEATURE)]
    assert found.rows == sum(head.current.rows for head in heads if head and head.current)


def test_nobody_is_in_the_way_of_the_first_commit(tmp_path: Path, kind: str) -> None:
    together(3, WRITERS, FIRST_COMMITS, tmp_path, kind)
    for home in tmp_path.iterdir():
        replicate(Store(home / "store"), FEATURE, opened(home, kind))
        assert sorted(opened(home, kind).held()) == ["title0", "title1", "title2"]
        assert not list(home.rglob("*.unfinished"))


def test_with_claims_the_work_is_done_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    for title in TITLES:
        put(store, title, rows(title, 40))
    before = SMALL_BATCHES + '\nstore = Store(pathlib.Path(sys.argv[2]) / "store")\n'
    printed = together(3, before, SAME_WORK, tmp_path, "shards")
    assert sorted(title for line in printed for title in json.loads(line)) == list(TITLES)
