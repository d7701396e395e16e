"""A process that holds one store open, runs one command a line, and answers each with a line of JSON.

python run_<store>.py <folder of the store> <seed> <folder of the bare Parquet files>
"""

import json
import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.stores.shots import ROWS, rows_of

Answer = dict[str, Any]
TRIES = 30


class Kept(ABC):
    """A store of titles' values, in whatever form; a title is a number, a version counts from 0."""

    conflicts: tuple[type[Exception], ...] = ()
    """What a writer gets when another one was first, and is told to try again."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.seed = seed
        self.ready: dict[tuple[int, int], pa.Table] = {}
        self.open()

    @abstractmethod
    def open(self) -> None:
        """Open the store, as a reader who has not read it before."""

    def prepare(self, title: int, version: int) -> None:
        """Have the rows of a version at hand, so that making them is not measured."""
        self.ready[title, version] = rows_of(self.seed, title, version)

    @abstractmethod
    def add(self, title: int, version: int) -> None:
        """One commit: a title that is new."""

    @abstractmethod
    def replace(self, title: int, version: int) -> None:
        """One commit: a new version of a title."""

    def expect_upserts(self) -> None:
        """What the documentation advises to do before titles are looked up and replaced; nothing, unless said."""
        return

    @abstractmethod
    def maintain(self) -> None:
        """What the documentation advises to run now and then; keeps the history that it keeps by default."""

    def clean(self) -> None:
        """Remove every version but the current ones."""
        raise NotImplementedError

    @abstractmethod
    def read(self, title: int) -> pa.Table:
        """The current rows of a title."""

    @abstractmethod
    def read_all(self) -> pa.Table:
        """The current rows of all titles."""

    @abstractmethod
    def read_at(self, moment: Any) -> pa.Table:
        """The rows of all titles as they were at a moment."""

    @abstractmethod
    def moment(self) -> Any:
        """The moment now, in the store's own terms, as JSON has it."""

    @abstractmethod
    def commits(self) -> int:
        """How many commits the store's history tells of, those of title 0 where each title has a history of its own."""

    def contend(self, title: int, version: int) -> None:
        """One commit while others write the same title."""
        Kept.prepare(self, title, version)
        self.replace(title, version)


def serve(kind: Callable[[Path, int], Kept]) -> None:
    """Answer commands until the input ends."""
    root, seed, bare = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    kept = kind(root, seed)
    commands: Mapping[str, Callable[..., Answer]] = {
        "write": lambda **given: _write(kept, **given),
        "expect_upserts": lambda: {"seconds": _seconds(kept.expect_upserts)},
        "maintain": lambda: {"seconds": _seconds(kept.maintain)},
        "clean": lambda: {"seconds": _seconds(kept.clean)},
        "open": lambda: {"seconds": _seconds(kept.open)},
        "size": lambda: _size(root),
        "moment": lambda: {"moment": kept.moment()},
        "commits": lambda: {"commits": kept.commits()},
        "point": lambda **given: _point(kept, bare, **given),
        "travel": lambda **given: _travel(kept, **given),
        "check": lambda **given: _check(kept.read_all(), seed, **given),
    }
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        print(json.dumps(commands[command.pop("do")](**command)), flush=True)


def bare_file(bare: Path, title: int, version: int) -> Path:
    """Where the bare Parquet file of a version lies."""
    return bare / str(title) / f"{version}.parquet"


def _write(kept: Kept, how: str, versions: Sequence[tuple[int, int]]) -> Answer:
    """A commit for each (title, version): wall seconds of each, CPU seconds of all, and how often one was repeated."""
    for title, version in versions if how != "contend" else ():
        kept.prepare(title, version)
    write = {"add": kept.add, "replace": kept.replace, "contend": kept.contend}[how]
    seconds, repeated, cpu = [], 0, time.process_time()
    for title, version in versions:
        start = time.perf_counter()
        for attempt in range(TRIES):
            try:
                write(title, version)
                break
            except kept.conflicts:
                if attempt == TRIES - 1:
                    raise
                repeated += 1
                kept.open()
        seconds.append(time.perf_counter() - start)
    cpu = time.process_time() - cpu
    kept.ready.clear()
    return {"seconds": seconds, "cpu": cpu, "repeated": repeated}


def _size(root: Path) -> Answer:
    """Files, and their apparent bytes."""
    sizes = [entry.stat().st_size for entry in root.rglob("*") if entry.is_file()]
    return {"files": len(sizes), "bytes": sum(sizes)}


def _point(kept: Kept, bare: Path, versions: Sequence[tuple[int, int]], rounds: int, cold: bool) -> Answer:
    """Seconds to read a title's current rows, through the store and from its bare file, in turns; the best round each.

    Cold: both have been dropped from the page cache, and the store is opened anew.
    """
    if cold:
        os.sync()
    best: dict[str, list[float]] = {"store": [], "bare": []}
    for place, (title, version) in enumerate(versions):
        path = bare_file(bare, title, version)
        readers = {"store": lambda: _read(kept, title, cold), "bare": lambda: pq.read_table(path)}  # noqa: B023
        seconds = dict.fromkeys(readers, float("inf"))
        for one in range(rounds):
            # who comes first changes, so that neither is always the one that wakes the disk
            for name in sorted(readers, reverse=bool((place + one) % 2)):
                if cold:
                    _forget(kept.root)
                    _forget(path.parent)
                seconds[name] = min(seconds[name], _seconds(readers[name]))
        for name in readers:
            best[name].append(seconds[name])
    for title, version in versions:
        rows = kept.read(title).sort_by("shot").select(ROWS.names).cast(ROWS)
        if not rows.equals(rows_of(kept.seed, title, version)):
            raise AssertionError(f"{kept.root} does not hold version {version} of title {title}")
    return dict(best)


def _read(kept: Kept, title: int, anew: bool) -> None:
    if anew:
        kept.open()
    kept.read(title)


def _forget(folder: Path) -> None:
    """Drop a folder's files from the page cache."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def _travel(kept: Kept, moment: Any, titles: int) -> Answer:
    """Whether the first titles, and no others, are as they were first; seconds for that, and for all titles now."""
    then = _seconds(lambda: kept.read_at(moment))
    now = _seconds(kept.read_all)
    checked = _check(kept.read_at(moment), kept.seed, [0] * titles)
    return {"right": not checked["lost"] and not checked["duplicate"], "then": then, "now": now}


def _check(table: pa.Table, seed: int, versions: Sequence[int]) -> Answer:
    """Against the version that each title should be at: rows that are missing or wrong, and rows too many."""
    expected = {
        (title, shot): vector
        for title, version in enumerate(versions)
        for shot, vector in enumerate(rows_of(seed, title, version).column("vector").to_pylist())
    }
    found: dict[tuple[int, int], list[Any]] = {}
    for title, shot, vector in zip(
        *(table.column(name).to_pylist() for name in ("title", "shot", "vector")), strict=True
    ):
        found.setdefault((title, shot), []).append(vector)
    return {
        "lost": sum(vector not in found.get(key, []) for key, vector in expected.items()),
        "duplicate": sum(len(vectors) - (key in expected) for key, vectors in found.items()),
    }


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
