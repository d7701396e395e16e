"""Back-pressure: how fast a first back-fill may write, so that people who search do not wait for it.

The signal is a search. About once in `LOOK_SECONDS` the writer asks the engine the smallest thing that a person could
ask, and takes the time. That one number says what no counter of an engine says: whether searches are slow, whatever
makes them so (loads that are not merged yet, a server that is busy, this machine's disk), and it means the same for
every engine. While it is above `SLOW_SECONDS`, the writer first has the engine merge what became small, and then
rests `REST` times as long as each of its operations took. So while searches are slow it is at work a fifth of the
time, and it never stops.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

SLOW_SECONDS = 0.1
"""A search that takes longer is slow: twice what the slowest of twenty may take."""
LOOK_SECONDS = 1.0
"""From one look at how long a search takes to the next, at least."""
REST = 4.0
"""Rests this many times as long as the last operation took."""
MOST_SECONDS = 30.0
"""The longest rest."""


@dataclass
class Pace:
    """The pace of one writer.

    Args:
        search: asks the smallest thing that can be asked.
        merge: has the engine merge what became small.
        sleep: time.sleep, unless a test has its own.
        clock: seconds; time.perf_counter, unless a test has its own.
    """

    search: Callable[[], object]
    merge: Callable[[], object]
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.perf_counter
    _worked: float = field(default=0.0, init=False)
    _looked: float = field(default=-math.inf, init=False)
    _slow: bool = field(default=False, init=False)

    def write(self, operation: Callable[[], int]) -> int:
        """Do an operation, after a rest where searches are slow; the first of a writer never waits."""
        if self._worked and self._is_slow():
            self.sleep(min(REST * self._worked, MOST_SECONDS))
        began = self.clock()
        try:
            return operation()
        finally:
            self._worked = self.clock() - began

    def _is_slow(self) -> bool:
        """Whether searches are slow, by the last look; and not only because something is not merged yet."""
        if self.clock() - self._looked >= LOOK_SECONDS:
            self._slow = self._takes_long()
            if self._slow:
                self.merge()
                self._slow = self._takes_long()
            self._looked = self.clock()
        return self._slow

    def _takes_long(self) -> bool:
        began = self.clock()
        self.search()
        return self.clock() - began > SLOW_SECONDS
