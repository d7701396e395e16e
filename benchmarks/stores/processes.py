"""Processes that hold a store each: started, asked one command at a time, ended."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks import peers

HERE = Path(__file__).parent


class Worker:
    """One process; raises Unavailable with its last words when it ends before it should."""

    def __init__(self, store: str, interpreter: Path, root: Path, seed: int, bare: Path) -> None:
        self.store = store
        self.errors = root.parent / f"{root.name}-errors-{id(self)}.txt"
        root.mkdir(parents=True, exist_ok=True)
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [interpreter, HERE / f"run_{store}.py", root, str(seed), bare],
                env={**os.environ, "PYTHONPATH": str(HERE.parent.parent)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._answer()

    def begin(self, do: str, **given: Any) -> None:
        """Give a command without waiting for its answer."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps({"do": do, **given}) + "\n")
            self.process.stdin.flush()
        except OSError:
            return  # it has ended; whoever asks for the answer is told why

    def finish(self) -> Any:
        """The answer to the command that was begun."""
        return self._answer()

    def ask(self, do: str, **given: Any) -> Any:
        """Give a command, and wait for its answer."""
        self.begin(do, **given)
        return self.finish()

    def end(self) -> None:
        """Close the input, and wait for the process."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.close()
            self.process.wait(timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            if line.startswith("{"):
                return json.loads(line)
        said = self.errors.read_text().strip().splitlines() or ["no message"]
        raise peers.Unavailable(f"{self.store} ended: {said[-1][:300]}")


@contextmanager
def started(store: str, count: int, root: Path, seed: int, bare: Path) -> Iterator[Sequence[Worker]]:
    """So many processes over one store; raises Unavailable."""
    interpreter = peers.python(store) if store in ("deltalake", "lancedb") else Path(sys.executable)
    with ExitStack() as stack:
        workers = []
        for _ in range(count):
            worker = Worker(store, interpreter, root, seed, bare)
            stack.callback(worker.end)
            workers.append(worker)
        yield workers
