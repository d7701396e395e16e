"""Annotations loaded through operations, by the clock; and when another process sees them."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.annotations.catalogue import Catalogue, batch
from mediaml_assets.marken.marken import Marken

LARGE = 5_000
"""Annotations of a large operation."""


def load(marken: Marken, catalogue: Catalogue, together: int = 1) -> float:
    """Seconds to load everything, an operation for each type and so many titles, validation included."""
    batches = list(catalogue.batches(together))
    began = time.perf_counter()
    for kind, title, rows in batches:
        with marken.operation(kind.name, title, "benchmark") as writing:
            writing.upsert(rows)
    return time.perf_counter() - began


def large(catalogue: Catalogue, number: int) -> pa.Table:
    """As many faces as a film has, of a title of its own."""
    rows = catalogue.rows["FACE"]
    random = np.random.default_rng([catalogue.seed, 4, number])
    table = batch(rows, np.sort(random.integers(0, len(rows), LARGE)))
    ids = pa.array([f"large-{number}-{row}" for row in range(len(table))])
    return table.set_column(0, "id", ids).set_column(2, "entity_id", ids)


def load_large(marken: Marken, catalogue: Catalogue, count: int) -> float:
    """Annotations a second, in large operations, validation included."""
    batches = [(f"large-{number}", large(catalogue, number)) for number in range(count)]
    began = time.perf_counter()
    for title, rows in batches:
        with marken.operation("FACE", title, "benchmark") as writing:
            writing.upsert(rows)
    return sum(len(rows) for _, rows in batches) / (time.perf_counter() - began)


def visible(marken: Marken, catalogue: Catalogue, folder: Path, count: int) -> list[float]:
    """Milliseconds from the call of `finish` until another process counts a large operation's annotations."""
    found = []
    with _watching(folder) as watcher:
        for number in range(count):
            title = f"seen-{number}"
            operation = marken.start("FACE", title, "benchmark")
            marken.upsert(operation, large(catalogue, 1_000 + number))
            watcher.wait_for(title)
            began = time.monotonic()
            marken.finish(operation)
            found.append((watcher.seen() - began) * 1e3)
    return found


@dataclass
class _Watcher:
    process: subprocess.Popen[str]

    def wait_for(self, title: str) -> None:
        """Returns when it looks."""
        assert self.process.stdin and self.process.stdout
        print(title, LARGE, file=self.process.stdin, flush=True)
        said = self.process.stdout.readline()
        assert said == "looking\n", said

    def seen(self) -> float:
        """When it saw them, by the clock that processes of a machine share."""
        assert self.process.stdout
        return float(self.process.stdout.readline())


@contextmanager
def _watching(folder: Path) -> Iterator[_Watcher]:
    command = [sys.executable, "-m", "benchmarks.annotations.watcher", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield _Watcher(process)
        finally:
            assert process.stdin
            process.stdin.close()
