"""SVT-AV1, run by root, makes the thread that encodes a real-time one, and with it all that is started from there.

Such processes starve every other one on the machine, so that tests which wait for some of them stand still.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def kept_priority() -> Iterator[None]:
    """Leave the scheduling of this process's threads as it is, whatever an encoder does to it meanwhile."""
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        for thread in Path("/proc/self/task").iterdir():
            os.sched_setscheduler(int(thread.name), policy, parameters)
