"""The chain: one numbered entry for every transition of the whole store, each created only if absent.

    log/<seq>.json              entry seq, and on a second line its digest
    checkpoints/<seq>.json.z    the state after entry seq, so that opening reads few entries

Who wants to change something reads on to the head, decides on the state there, and creates the next entry. When that
exists by now, somebody else was first: read on and decide again. So every decision is made on what the one before
left, whoever makes it, and storage need do no more than create a name that does not exist.

Entries that a checkpoint holds are removed after `keep`. A process that slept for longer than half of that reads the
newest checkpoint first, and does not believe what it created without looking.
"""

import json
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any

from mediaml_assets.amber.objects import Objects
from mediaml_assets.errors import MediamlError, NotStored
from mediaml_assets.marken.embedded.checkpoint import decode, encode
from mediaml_assets.marken.embedded.files import damaged, digest
from mediaml_assets.marken.embedded.state import Entry, Folded

EVERY = 128
"""Entries between checkpoints."""
AHEAD = 32
"""Entries that are read at once, at most."""
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine sleeps."""


class Chain:
    """The entries below a place, and the state that they make.

    Args:
        objects: where they are.
        keep: how long what is no longer needed stays, for those who still read it.
    """

    def __init__(self, objects: Objects, keep: timedelta) -> None:
        self.objects, self.keep = objects, keep
        self.lock = RLock()
        self._state = Folded()
        self._looked = float("-inf")

    def read_on(self) -> Folded:
        """The state at the head. It is the chain's own: read it under `lock`, and change nothing."""
        with self.lock:
            looked = time.clock_gettime(_CLOCK)
            if self._is_late(looked):
                self._open()
            for entry in self._following():
                self._state.apply(self._state.seq + 1, entry)
            self._looked = looked
            return self._state

    def decide(self, propose: Callable[[Folded], Entry | None]) -> Folded:
        """Add an entry that is right at the head; returns the state after it.

        Args:
            propose: makes the entry for a state, or None when there is nothing to add, or raises; asked again when
                somebody else was first.
        """
        with self.lock:
            while True:
                state = self.read_on()
                proposed = propose(state)
                if proposed is None:
                    return state
                # the identity tells a writer that was cut off whether it is its own entry that is there
                entry = {**proposed, "at": max(now(), state.at), "identity": uuid.uuid4().hex}
                seq = state.seq + 1
                if self.objects.create(_entry(seq), _sealed(entry)) and self._stands(seq):
                    state.apply(seq, entry)
                    if seq % EVERY == 0:
                        # the entry stands, whatever becomes of what makes opening faster
                        with suppress(MediamlError, OSError):
                            self.objects.create(_checkpoint(seq), encode(state))
                    return state

    def old(self) -> datetime:
        """What was created before is `keep` old, by the storage's own clock: writers' clocks may be wrong."""
        name = f"clock/{uuid.uuid4().hex}"
        self.objects.create(name, b"")
        [created] = [one.modified for one in self.objects.walk("clock") if one.name == name]
        self.objects.remove(name)
        return created - self.keep

    def forget(self, old: datetime) -> None:
        """Write a checkpoint and remove the entries and checkpoints that an old enough one makes needless."""
        with self.lock:
            state = self.read_on()
            if state.seq:
                self.objects.create(_checkpoint(state.seq), encode(state))
        sure = max((_seq(one.name) for one in self.objects.walk("checkpoints") if one.modified < old), default=0)
        for name in self.objects.names("log"):
            if _seq(name) <= sure:
                self.objects.remove(f"log/{name}")
        for name in self.objects.names("checkpoints"):
            if _seq(name) < sure:
                self.objects.remove(f"checkpoints/{name}")

    def _is_late(self, looked: float) -> bool:
        return looked - self._looked > self.keep.total_seconds() / 2

    def _stands(self, seq: int) -> bool:
        """Whether an entry just created is the chain's head, and not in the place of one that was removed long ago."""
        if not self._is_late(time.clock_gettime(_CLOCK)) or self._newest_checkpoint() < seq:
            return True
        self.objects.remove(_entry(seq))
        return False

    def _open(self) -> None:
        newest = self._newest_checkpoint()
        if newest > self._state.seq:
            try:
                self._state = decode(self.objects.read(_checkpoint(newest)))
            except zlib.error as error:
                raise damaged(self.objects, _checkpoint(newest)) from error

    def _newest_checkpoint(self) -> int:
        return max(map(_seq, self.objects.names("checkpoints")), default=0)

    def _following(self) -> Iterator[Entry]:
        """The entries after the state's, read in ever larger handfuls: there is mostly none, and sometimes many."""
        seq, count = self._state.seq + 1, 1
        first = self._entry(seq)
        if first is None:
            return
        yield first
        with ThreadPoolExecutor(AHEAD) as pool:
            seq += 1
            while True:
                for entry in pool.map(self._entry, range(seq, seq + count)):
                    if entry is None:
                        return
                    yield entry
                seq, count = seq + count, min(2 * count, AHEAD)

    def _entry(self, seq: int) -> Entry | None:
        try:
            text, _, mark = self.objects.read(_entry(seq)).rpartition(b"\n")
        except NotStored:
            return None
        if digest(text).encode() != mark:
            raise damaged(self.objects, _entry(seq))
        found: dict[str, Any] = json.loads(text)
        return found


def now() -> str:
    """UTC, ISO 8601 with microseconds: texts that sort as times do."""
    return as_text(datetime.now(UTC))


def as_text(moment: datetime) -> str:
    """A time as entries have it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _sealed(entry: Entry) -> bytes:
    text = json.dumps(entry, separators=(",", ":")).encode()
    return text + b"\n" + digest(text).encode()


def _entry(seq: int) -> str:
    return f"log/{seq:010d}.json"


def _checkpoint(seq: int) -> str:
    return f"checkpoints/{seq:010d}.json.z"


def _seq(name: str) -> int:
    return int(name.rsplit("/", 1)[-1].split(".")[0])
