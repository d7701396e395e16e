"""Claims: who computes a memo key now.

A claim saves work and never decides correctness: values are written create-if-absent whoever computes them. In a
folder a claim is an advisory lock (flock) on a file, which the operating system frees the moment its holder dies; for
a bucket see bucket.py.
"""

import fcntl
import os
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import ParamSpec

Arguments = ParamSpec("Arguments")


class Claim:
    """An exclusive claim, held until `release`, or until the claim or its process is gone.

    Args:
        free: called once, with the arguments that follow, to let the next one in.
    """

    def __init__(self, free: Callable[Arguments, None], *args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        self._finish = weakref.finalize(self, free, *args, **kwargs)

    def release(self) -> None:
        """Let the next one in; safe to call twice."""
        self._finish()

    def __enter__(self) -> "Claim":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class FileClaim(Claim):
    """A claim on a lock file of this machine; making one waits until nobody else holds it."""

    def __init__(self, file: Path) -> None:
        super().__init__(_unlock, file, _lock(file), os.getpid())


def try_claim(file: Path) -> Claim | None:
    """A claim on a lock file of this machine; None when somebody holds it: this does not wait."""
    descriptor = _open(file)
    with suppress(BlockingIOError, FileNotFoundError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # removed by its holder in between, it is no claim, and another one may be there by now
        if os.path.samestat(os.fstat(descriptor), file.stat()):
            return Claim(_unlock, file, descriptor, os.getpid())
    os.close(descriptor)
    return None


def is_held(file: Path) -> bool:
    """Whether some living process holds the claim on this file now."""
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        # not removed here: by now another process may hold a new file of that name
        return False
    finally:
        os.close(descriptor)


def _unlock(file: Path, descriptor: int, process: int) -> None:
    # a forked child has a copy of the claim, not the claim
    if os.getpid() != process:
        return
    # removed while still locked: a waiter that wakes on the removed file sees that and locks a new one
    file.unlink(missing_ok=True)
    # closing alone would not free it while a forked child has a copy of the descriptor
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _lock(file: Path) -> int:
    """Wait for the lock of a file that may be removed by its holder at any time; returns the descriptor."""
    while True:
        descriptor = _open(file)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            if os.path.samestat(os.fstat(descriptor), file.stat()):
                return descriptor
        except FileNotFoundError:
            pass
        os.close(descriptor)


def _open(file: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(file, flags, 0o644)
    except FileNotFoundError:
        file.parent.mkdir(parents=True, exist_ok=True)
        return os.open(file, flags, 0o644)
