# mypy: ignore-errors
# runs in the environments of others, which have numpy
"""What every script of another system shares: run each task in turns, check the pictures, print CPU seconds as JSON.

A task is a function of (path, order) that yields RGB pictures, uint8 [360, 640, 3], in the order asked for; one that
raises, or gives other frames, is reported with the reason. CPU seconds are those of this process and of all that it
started (`/proc`), in user and system mode, best of the rounds.
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

BITS, CELL_HEIGHT, WIDTH = 12, 24, 640


def number_of(picture):
    """The number that a picture carries, as `film.number_of`."""
    row = np.asarray(picture)[-CELL_HEIGHT // 2, :, 0]
    centres = (np.arange(BITS) * 2 + 1) * WIDTH // (2 * BITS)
    return int(sum(int(row[centre] > 128) << bit for bit, centre in enumerate(centres)))


def asked():
    """What the script was asked for: path, order, count, rounds."""
    return json.loads(sys.argv[1])


def run(tasks):
    """Run tasks by name and print what each cost."""
    wish = asked()
    path, order, count = wish["path"], wish["order"], wish["count"]
    wanted = {"sequential": list(range(count)), "first_four": [0, 1, 2, 3], "random": order, "random_batch": order}
    said = {}
    for name, task in tasks.items():
        try:
            seen = [number_of(picture) for picture in task(path, order)]
            if seen != wanted[name]:
                wrong = sum(one != other for one, other in zip(seen, wanted[name], strict=False))
                said[name] = {"cpu_s": None, "why": f"{len(seen)} frames of {len(wanted[name])}, {wrong} wrong"}
                continue
            said[name] = {"cpu_s": min(cost(task, path, order) for _ in range(wish["rounds"]))}
        except Exception as error:
            said[name] = {"cpu_s": None, "why": f"{type(error).__name__}: {error}"[:300]}
    print(json.dumps(said))


def cost(task, path, order):
    """CPU seconds of one run."""
    start = spent()
    for _ in task(path, order):
        pass
    return spent() - start


def spent():
    """CPU seconds so far of this process and of what it started, also of what has ended and was waited for."""
    own = time.process_time() + sum(os.times()[2:4])
    return own + sum(_of(one) for one in _descendants(os.getpid()))


def _descendants(parent):
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        try:
            for child in task.read_text().split():
                yield int(child)
                yield from _descendants(int(child))
        except OSError:
            pass


def _of(process):
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")
