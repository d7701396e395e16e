"""Processes that compute titles, several at once: one that dies takes the title it was at with it, and no other.

A decoder that crashes on a film, or the kernel short of memory, ends a process in the middle. Each worker has a pipe of
its own, and no lock is shared, so that nothing is left waiting for it.
"""

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

Watch = Callable[[logging.LogRecord], None]
"""Called for every step of a feature, from one thread at a time.

The record carries `feature`, `title` and `event`: computing, computed (with `seconds`), recalled or stopped.
"""


class Workers:
    """Processes, started when needed and kept for the next call.

    Args:
        job: a function of a module; returns why it failed, or an empty string.
        watch: told of the log records of the `mediaml` logger in every process.
        count: how many there are at most; one a core by default.
    """

    def __init__(self, job: Callable[..., str], watch: Watch, count: int | None = None) -> None:
        self._job = job
        self._watch = watch
        self._count = count or len(os.sched_getaffinity(0))
        self._watching = threading.Lock()
        self._idle: list[_Worker] = []

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._idle:
            worker.end()

    def call(self, calls: Mapping[str, tuple[Any, ...]]) -> dict[str, str]:
        """Call the job with the arguments of each name, the first ones first; name -> why it failed."""
        with ThreadPoolExecutor(self._count) as threads:
            reasons = threads.map(self._one, calls.values())
            return {name: reason for name, reason in zip(calls, reasons, strict=True) if reason}

    def _one(self, arguments: tuple[Any, ...]) -> str:
        try:
            worker = self._idle.pop()
        except IndexError:
            worker = _Worker(self._job)
        try:
            reason = worker.call(arguments, self._tell)
        except (EOFError, ConnectionError):
            return f"its process ended in the middle ({worker.end()}); run again, or take the file away"
        self._idle.append(worker)
        return reason

    def _tell(self, record: logging.LogRecord) -> None:
        with self._watching:
            self._watch(record)


class _Worker:
    """A process and our end of its pipe."""

    def __init__(self, job: Callable[..., str]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, job))
        self._process.start()
        # ours must be the only end that is open here, or a dead process would never be noticed
        theirs.close()

    def call(self, arguments: tuple[Any, ...], tell: Watch) -> str:
        """Have the job done, telling what it logs; raises EOFError or ConnectionError when the process dies."""
        self._pipe.send(arguments)
        while isinstance(said := self._pipe.recv(), logging.LogRecord):
            tell(said)
        return str(said)

    def end(self) -> str:
        """Let the process end; says how it ended."""
        self._pipe.close()
        self._process.join()
        code = self._process.exitcode or 0
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"


class _ToPipe(logging.Handler):
    def __init__(self, pipe: "Connection[Any, Any]") -> None:
        super().__init__()
        self._pipe = pipe

    def emit(self, record: logging.LogRecord) -> None:
        # as text, because not everything in a record can be sent
        record.msg, record.args, record.exc_info = record.getMessage(), None, None
        # when the parent is gone the title is still finished
        with suppress(OSError):
            self._pipe.send(record)


def _serve(pipe: "Connection[Any, Any]", job: Callable[..., str]) -> None:
    """In a worker: do the job for each arguments that come, until the pipe is closed; print nothing."""
    log = logging.getLogger("mediaml")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(_ToPipe(pipe))
    with suppress(EOFError, ConnectionError):
        while True:
            arguments = pipe.recv()
            pipe.send(job(*arguments))
