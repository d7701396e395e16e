"""Seconds, and peak memory."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


@dataclass
class Best:
    """The least wall and CPU seconds of some runs."""

    wall: float = inf
    cpu: float = inf

    def add(self, wall: float, cpu: float) -> None:
        """Of one run."""
        self.wall, self.cpu = min(self.wall, wall), min(self.cpu, cpu)

    def run(self, work: Callable[[], object]) -> None:
        """Run it, and count all threads of this process."""
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        self.add(time.perf_counter() - wall, time.process_time() - cpu)


def with_memory(work: Callable[[], T]) -> tuple[T, float]:
    """The result, and how many MB (10^6 bytes) the peak resident memory rose above its level before."""
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak, proc(5)
    before = _memory("VmRSS")
    result = work()
    return result, (_memory("VmHWM") - before) / 1e6


def _memory(key: str) -> int:
    """A line of /proc/self/status, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key + ":"))
