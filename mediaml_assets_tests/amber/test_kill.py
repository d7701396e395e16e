"""SIGKILL at any moment: nothing half-written is visible, and only unfinished work runs again."""

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from mediaml_assets.amber.claims import is_held
from mediaml_assets.amber.keys import column_digests, rows_digest
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.store import Store
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.processes import files_below, start
from mediaml_assets_tests.amber.toy import calls

TEXTS = {"one": "abba", "two": "xyz", "held": "aq"}
ONE = {"one": "abba"}
POINTS = 26
"""More than the objects that landing and computing one title create."""

BRING_UP = """
import os, pathlib, signal, sys, time
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets_tests.amber import toy
from mediaml_assets_tests.amber.installation import Installation

def bring_up(home):
    os.environ.update(MEDIAML_HOME=home, TOY_CALLS=home + "/calls")
    here = Installation(pathlib.Path(home))
    here.land()
    here.settle()
"""

KILLED_FROM_OUTSIDE = (
    BRING_UP
    + """
called = toy.called
toy.called = lambda *args: (called(*args), time.sleep(0.02))

def begun(home):
    child = os.fork()
    if not child:
        bring_up(home)
        os._exit(0)
    return child

others, whole, *killed = sys.argv[1:]
began = time.monotonic()
os.waitpid(begun(whole), 0)
seconds = time.monotonic() - began
for argument in killed:
    home, share = argument.split("=")
    children = [begun(home) for _ in range(1 + int(others))]
    time.sleep(float(share) * seconds)
    os.kill(children[0], signal.SIGKILL)
    print(*(os.waitpid(child, 0)[1] for child in children), flush=True)
"""
)

KILLED_AT_EACH_OBJECT = (
    BRING_UP
    + """
create = FolderObjects.create

def dying(point):
    left = [point]
    def instead(self, name, data):
        left[0] -= 1
        if left[0] < 0:
            path = self.path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / (path.name + "#1")).write_bytes(bytes(data)[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return create(self, name, data)
    return instead

for point, home in enumerate(sys.argv[1:]):
    child = os.fork()
    if not child:
        FolderObjects.create = dying(point)
        bring_up(home)
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""
)


def homes(folder: Path, count: int, texts: Mapping[str, str]) -> list[Path]:
    """Installations where the films have been delivered and nothing has happened yet."""
    made = [folder / f"{number:02}" for number in range(count)]
    for home in made:
        (home / "landing").mkdir(parents=True)
        for title, text in texts.items():
            (home / "landing" / f"{title}.mp4").write_text(text)
    return made


def run(script: str, *arguments: object) -> list[int]:
    """The exit statuses (as `os.waitpid` gives them) that a script of forks prints."""
    printed = start(script, *arguments).communicate(timeout=300)[0]
    return [int(status) for status in printed.split()]


def whole(store: Store) -> set[str]:
    """Check that everything visible is whole; the calls (feature/scope) whose value is remembered."""
    for name in files_below(store.objects.root):
        if name.endswith(".json"):
            json.loads(store.objects.path(name).read_bytes())
    known = {memo.stem for memo in store.objects.path("memo").rglob("*.json")}
    for feature in ("source", "letters", "counts", "total"):
        for key in (one.stem for one in store.objects.path(f"memo/{feature}").rglob("*.json")):
            memo = store.recall(feature, key)
            assert memo is not None
            assert rows_digest(column_digests(store.read_rows(feature, memo.value))) == memo.value.digest
        for scope in store.ledger.scopes(feature):
            before = ""
            for seq, commit in enumerate(store.ledger.chain(feature, scope)):
                assert (commit.seq, commit.before) == (seq, before)
                before = commit.digest
                if commit.current is not None:
                    assert store.read_rows(feature, commit.current).num_rows == commit.current.rows
    return known


def answers(here: Installation) -> dict[str, str | None]:
    """Feature/scope -> digest of what is current."""
    found: dict[str, str | None] = {}
    for feature in ("letters", "counts", "total"):
        for scope in here.store.ledger.scopes(feature):
            head = here.store.ledger.head(feature, scope)
            found[f"{feature}/{scope}"] = head.current.digest if head and head.current else None
    return found


def finished_without_doing_anything_twice(home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """Bring a killed installation up; its answers."""
    monkeypatch.setenv("MEDIAML_HOME", str(home))
    monkeypatch.setenv("TOY_CALLS", str(home / "calls"))
    here = Installation(home)
    known, before = whole(here.store), calls()
    here.land()
    here.settle()
    again = calls()[len(before) :]
    assert len(set(again)) == len(again)
    # what ran again is exactly what was remembered only now
    assert len(again) == len(whole(here.store) - known)
    # a killed holder's file may lie there, but nobody holds it
    assert not any(is_held(file) for file in (home / "store/claims").rglob("*.lock"))
    return answers(here)


def killed_at_random(homes: list[Path], seeds: Sequence[int], others: int) -> list[int]:
    """Bring up the first home undisturbed, and each other one with a process that is killed in the middle.

    Args:
        homes: one more than seeds.
        seeds: of the moments, within the time that the first home takes.
        others: how many more processes bring up the same home, and go on.

    Returns:
        The exit status of the killed process of each home, and of each of the others.
    """
    undisturbed, *killed = homes
    moments = [f"{home}={random.Random(seed).random():.4f}" for home, seed in zip(killed, seeds, strict=True)]
    return run(KILLED_FROM_OUTSIDE, others, undisturbed, *moments)


@pytest.mark.parametrize("seeds", [range(20), pytest.param(range(20, 140), marks=pytest.mark.slow)])
def test_killed_at_random_moments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seeds: Sequence[int]) -> None:
    undisturbed, *killed = homes(tmp_path, len(seeds) + 1, TEXTS)
    statuses = killed_at_random([undisturbed, *killed], seeds, others=0)
    assert statuses.count(9) >= len(seeds) / 2
    wanted = finished_without_doing_anything_twice(undisturbed, monkeypatch)
    assert wanted["counts/held"] is None and wanted[f"total/{CATALOGUE}"]
    for home in killed:
        assert finished_without_doing_anything_twice(home, monkeypatch) == wanted


@pytest.mark.parametrize("seeds", [range(8), pytest.param(range(8, 60), marks=pytest.mark.slow)])
def test_of_two_at_once_one_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seeds: Sequence[int]) -> None:
    undisturbed, *killed = homes(tmp_path, len(seeds) + 1, TEXTS)
    statuses = killed_at_random([undisturbed, *killed], seeds, others=1)
    # the other one always comes to its end
    assert statuses[1::2] == [0] * len(seeds) and statuses[::2].count(9) >= len(seeds) / 4
    wanted = finished_without_doing_anything_twice(undisturbed, monkeypatch)
    for home in killed:
        ran = Counter((home / "calls").read_text().split())
        # but for what was under way when the one was killed, nothing was computed twice
        assert sum(ran.values()) - len(ran) <= 1
        assert finished_without_doing_anything_twice(home, monkeypatch) == wanted
        assert Counter((home / "calls").read_text().split()) == ran


def test_killed_while_writing_each_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed, *killed = homes(tmp_path, POINTS + 1, ONE)
    wanted = finished_without_doing_anything_twice(undisturbed, monkeypatch)
    statuses = run(KILLED_AT_EACH_OBJECT, *killed)
    finished = statuses.index(0)
    assert statuses == [9] * finished + [0] * (POINTS - finished)
    # value, row and witness of the landed file; value, code, memo, row, witness and code again of three features; the
    # environment before and after the first row that refers to it
    assert finished == 3 + 3 * 6 + 2
    for home in killed[:finished]:
        assert finished_without_doing_anything_twice(home, monkeypatch) == wanted
