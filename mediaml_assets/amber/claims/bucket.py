"""Claims on a bucket, which has no locks: objects created only if absent, and a holder that shows that it lives.

    claims/<feature>/<key>/<n>.json            who computes it now; <n> is 1, and one more at each take-over
    claims/<feature>/<key>/<n>.<token>.<beat>  empty, a new one three times within the patience; the one before goes

Taking a claim: create `1.json`, then list. Whoever finds nothing beside it is the holder; who finds anything removes
his own and waits. Of two who create, the later one lists after the earlier one created, so at most one finds nothing.

Waiting: list again and again. An empty folder is free. A folder in which nothing changed for the patience, by the
waiter's own monotonic clock, is of a holder that died: it is taken over by creating the next number, and what was
silent is removed. No time of one machine is compared with that of another, so wall clocks may be wrong and jump.

A holder that stalled may be taken over and wake: it goes on, writes the same objects create-if-absent, and finds the
value of the other; on its release it removes what is its own and nothing else. Work was done twice, that is all.

Asked of the bucket: create-if-absent, read, list, remove. A claim that nobody else wants costs two requests to take and
two to release, a waiter one a second.
"""

import json
import os
import random
import socket
import threading
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from itertools import count

from mediaml_assets.amber.claims import Claim
from mediaml_assets.amber.keys import to_json
from mediaml_assets.amber.objects import Objects, Stored
from mediaml_assets.errors import MediamlError

PATIENCE = 30.0
"""Seconds without a sign of life after which a holder counts as dead."""

BEATS = 3
"""Signs of life within the patience."""

LOOKS = 30
"""Looks of a waiter within the patience."""


class BucketClaim(Claim):
    """A claim on one folder of a bucket; making one waits until nobody else holds it.

    Args:
        objects: the bucket.
        folder: what is claimed: `claims/<feature>/<key>`.
        patience: seconds after which a holder without a sign of life is taken over; the same for all who claim.
    """

    def __init__(self, objects: Objects, folder: str, patience: float = PATIENCE) -> None:
        super().__init__(_Holder(objects, folder, patience).release)


class _Holder:
    """What holds a claim: the object that says so, and a thread that beats."""

    def __init__(self, objects: Objects, folder: str, patience: float) -> None:
        self._objects, self._pause = objects, patience / BEATS
        self._process, self._token = os.getpid(), uuid.uuid4().hex
        self._name = _take(objects, folder, self._token, patience)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"beats of {folder}", daemon=True)
        self._thread.start()

    def release(self) -> None:
        """Stop beating, then remove what says that we hold it; what is another's by now stays."""
        # a forked child has neither the claim nor the thread
        if os.getpid() != self._process:
            return
        self._ended.set()
        # this may be called by the garbage collector, in any thread
        if threading.current_thread() is not self._thread:
            self._thread.join()
        # if that fails, the claim is silent from now on and will be taken over
        with suppress(MediamlError):
            if json.loads(self._objects.read(self._name))["token"] == self._token:
                self._objects.remove(self._name)

    def _beat(self) -> None:
        made: list[str] = []
        for beat in count(1):
            if self._ended.wait(self._pause):
                break
            # a bucket that does not answer now may do so at the next beat
            with suppress(MediamlError):
                made.append(f"{self._name.removesuffix('.json')}.{self._token}.{beat}")
                self._objects.create(made[-1], b"")
                self._remove(made[:-1])
                made = made[-1:]
        with suppress(MediamlError):
            self._remove(made)

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            self._objects.remove(name)


def _take(objects: Objects, folder: str, token: str, patience: float) -> str:
    """Wait for the claim; returns the object that says that it is ours."""
    text = to_json({"host": socket.gethostname(), "process": os.getpid(), "token": token})
    silent: frozenset[Stored] = frozenset()
    while True:
        name = f"{folder}/{1 + max(map(_number, silent), default=0)}.json"
        if objects.create(name, text):
            others = {one for one in objects.walk(folder) if one.name != name}
            if others <= silent:
                for one in others:
                    objects.remove(one.name)
                return name
            objects.remove(name)
        silent = _wait(objects, folder, patience)


def _wait(objects: Objects, folder: str, patience: float) -> frozenset[Stored]:
    """Wait until a claim is free or silent; returns what lies there of a holder that died."""
    seen, since = frozenset[Stored](), 0.0
    while True:
        asked = time.monotonic()
        found = frozenset(objects.walk(folder))
        if not found:
            return found
        if found != seen:
            seen, since = found, time.monotonic()
        elif asked - since >= patience:
            return found
        time.sleep(patience / LOOKS * random.uniform(0.5, 1.5))


def _number(stored: Stored) -> int:
    return int(stored.name.rpartition("/")[2].partition(".")[0])
