"""The sink under SIGKILL at any write, and with several writers at once: real processes on one place of annotations."""

import random
import shutil
from pathlib import Path

import pytest

from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.amber.replicas.replication import difference, replicate
from mediaml_assets.amber.store import Store
from mediaml_assets.marken.embedded.engine import EmbeddedEngine
from mediaml_assets_tests.amber.processes import start, together
from mediaml_assets_tests.annotations.sinks import opened, whole
from mediaml_assets_tests.annotations.titles import put_title, withdraw

FEATURE = "shots"
TITLES = "abcdef"

OPEN = """
import os, pathlib, random, signal, sys, time
from mediaml_assets.amber.replicas.replication import replicate
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.marken.embedded.engine import EmbeddedEngine
from mediaml_assets_tests.annotations.sinks import opened
from mediaml_assets_tests.annotations.titles import put_title, withdraw

def sink(home):
    home = pathlib.Path(home)
    return opened(Store(home / "store"), EmbeddedEngine(FolderObjects(home / "marken")), "shots")
"""

KILLED = (
    OPEN
    + """
def files(folder):
    return {os.path.join(path, name) for path, _, names in os.walk(folder) for name in names}

for argument in sys.argv[1:]:
    home, point, seconds = argument.split("=")
    there = files(home + "/marken")
    child = os.fork()
    if not child:
        replicate(Store(pathlib.Path(home) / "store"), "shots", sink(home))
        os._exit(0)
    while len(files(home + "/marken") - there) < int(point):
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

WRITES = """
import contextlib
Store.claim = lambda self, feature, key: contextlib.nullcontext()
store = Store(pathlib.Path(sys.argv[2]) / "store")
chance = random.Random(number)
for turn in range(2):
    for title in chance.sample("abcdef", 2):
        title = f"{title}{number}"
        if chance.random() < 0.2 and store.ledger.head("shots", title):
            withdraw(store, title, "shots")
        else:
            put_title(store, title, chance.randrange(10**6))
    replicate(store, "shots", sink(sys.argv[2]))
# how libraries with threads end with the interpreter is not asked here
os._exit(0)
"""


def changed_home(home: Path) -> Path:
    """Annotations that were up to date before titles changed, one was withdrawn and one came in."""
    store, engine = Store(home / "store"), EmbeddedEngine(FolderObjects(home / "marken"))
    for seed, slug in enumerate(TITLES):
        put_title(store, slug, seed)
    replicate(store, FEATURE, opened(store, engine, FEATURE))
    for seed, slug in enumerate(TITLES[::2]):
        put_title(store, slug, 100 + seed)
    withdraw(store, "b", FEATURE)
    put_title(store, "new", 200)
    return home


@pytest.mark.parametrize("kills", [3, pytest.param(24, marks=pytest.mark.slow)])
def test_killed_at_any_write_it_is_gone_on_with(tmp_path: Path, kills: int) -> None:
    home = changed_home(tmp_path / "home")
    chance = random.Random()
    homes = [shutil.copytree(home, tmp_path / str(number)) for number in range(kills)]
    # spread over what a run writes, the first of them where no run has ended yet
    files = [1 + (24 * number + chance.randrange(24)) // kills for number in range(kills)]
    points = [f"{one}={count}={chance.random() * 0.01}" for one, count in zip(homes, files, strict=True)]
    process = start(KILLED, *points)
    printed = process.communicate(timeout=180)[0].split()
    assert process.returncode == 0 and len(printed) == len(homes)
    assert "9" in printed, "none of them was killed while it wrote"
    for one in homes:
        store, engine = Store(one / "store"), EmbeddedEngine(FolderObjects(one / "marken"))
        sink = opened(store, engine, FEATURE)
        before = difference(store, FEATURE, sink)
        # what is held is whole: some titles as they were, the others as they are
        for title in before.held:
            assert sink.rows(title).num_rows == before.held[title].rows
        copied = replicate(store, FEATURE, sink)
        assert sorted(copied.put) == [put.title for put in before.put] and copied.drop == list(before.drop)
        assert whole(store, engine, FEATURE).behind == ()


def test_writers_that_know_nothing_of_each_other_lose_nothing(tmp_path: Path) -> None:
    Store(tmp_path / "store")
    together(2, OPEN, WRITES, tmp_path)
    store, engine = Store(tmp_path / "store"), EmbeddedEngine(FolderObjects(tmp_path / "marken"))
    # each of them saw its own titles through, whoever wrote between
    assert difference(store, FEATURE, opened(store, engine, FEATURE)).titles == []
    assert whole(store, engine, FEATURE).behind == ()
