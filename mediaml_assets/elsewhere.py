"""What a computation costs in other processes: told by whoever has work done there, counted by whoever measures.

    with counting() as spent:
        ...                             # somewhere below: tell(cpu_seconds, memory_bytes)
    spent.cpu_seconds

What is told outside of any `counting` is not kept. Threads count for themselves.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Spent:
    """What other processes spent: CPU seconds of all, and bytes that the largest of them grew by."""

    cpu_seconds: float = 0.0
    memory_bytes: int = 0


_counted: ContextVar[Spent | None] = ContextVar("elsewhere", default=None)


@contextmanager
def counting() -> Iterator[Spent]:
    """Count what is told in this thread meanwhile."""
    spent = Spent()
    token = _counted.set(spent)
    try:
        yield spent
    finally:
        _counted.reset(token)


def tell(cpu_seconds: float, memory_bytes: int) -> None:
    """Say what another process spent on the computation that this thread is in."""
    spent = _counted.get()
    if spent is not None:
        spent.cpu_seconds += cpu_seconds
        spent.memory_bytes = max(spent.memory_bytes, memory_bytes)
