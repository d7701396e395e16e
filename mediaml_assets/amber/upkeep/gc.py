"""Garbage: what killed writers left behind and what `forget` let go; listed, or removed beside writers.

    values         no ledger row and no memo refers to them            \
    blobs          no value names them                                  } by way of the trash: see trash.py, which also
    code           no ledger row refers to it                           } says why that is safe beside writers
    environments   no ledger row refers to them                        /
    trash          left there by a remover that was killed: put back when something refers to it
    cache          what was derived from columns that no value has any more; removed, for it can be made again
    unfinished     files that a killed writer was writing
    claims         of holders that died; a claim saves work and decides nothing
    scratch        temporary folders, on this machine, of computations that nobody works on any more
    clocks         of collections that were killed while they looked at the clock of the storage
    damaged        what `repair` moved away; only when asked for

Rows of the ledger and memos are never garbage. An object that was written less than a grace ago is left alone. That
spares writers the work of making it again, and nothing depends on it but unfinished files: removed under a living
writer, one that slept for an hour, they fail his write, and nothing that was stored is lost. Ages are told by the clock
of the storage alone.

Killed anywhere, run it again.

Memory: names of a feature's objects, then those of all blobs.
"""

import os
import shutil
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from mediaml_assets.amber.cache import bonds
from mediaml_assets.amber.claims import Claim
from mediaml_assets.amber.objects import Objects, Stored
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.amber.objects.trash import FOLDER, bring_back, former_name, settle, take_away
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.upkeep.reach import Reach, blob_reach, columns_of, reach
from mediaml_assets.amber.upkeep.verify import features_of

CLOCK = "checks/clock-"
"""How the objects begin that are made to learn the time of the storage."""

GRACE_SECONDS = 3600.0
"""Age below which nothing is garbage."""

Watch = Callable[[str, str], None]
"""Told of a part of the store and of what is being done about it."""


@dataclass
class Heap:
    """Garbage of one kind."""

    count: int = 0
    bytes: int = 0


@dataclass
class Collected:
    """What a collection found, and removed if it was asked to."""

    garbage: dict[str, Heap] = field(default_factory=dict)
    """Kind -> what there is of it, or what was removed."""
    restored: list[str] = field(default_factory=list)
    """Objects that are referred to and lay in the trash: they were put back. A listing counts them as trash."""
    kept: dict[str, str] = field(default_factory=dict)
    """Folder -> why nobody can say what is garbage in it: something is damaged."""

    def add(self, kind: str, size: int) -> None:
        """Count one more object."""
        heap = self.garbage.setdefault(kind, Heap())
        heap.count += 1
        heap.bytes += size


def collect(
    store: Store,
    delete: bool = False,
    damaged: bool = False,
    grace_seconds: float = GRACE_SECONDS,
    watch: Watch = lambda part, doing: None,
) -> Collected:
    """List the garbage of a store, or remove it; the store may be in use meanwhile.

    Args:
        store: where.
        delete: remove it. Waits while another process does.
        damaged: also what `repair` moved away, and that nobody has looked at yet.
        grace_seconds: see above.
        watch: told how far it is.
    """
    if not delete:
        return _Collection(store, False, grace_seconds, watch).run(damaged)
    with alone(store):
        return _Collection(store, True, grace_seconds, watch).run(damaged)


def alone(store: Store) -> Claim:
    """While entered, no other process takes anything away from the store: see trash.py."""
    return store.claim(FOLDER, "remover")


def empty_trash(store: Store) -> tuple[list[str], list[str]]:
    """Put back from the trash what something refers to, and remove the rest; the names of both. Only when `alone`."""
    trashed = sorted(one.name for one in store.objects.walk(FOLDER))
    removed = settle(store.objects, trashed, lambda names: referred(store, names))
    return sorted(set(map(former_name, trashed)) - set(removed)), removed


def referred(store: Store, names: Iterable[str]) -> set[str]:
    """Which of some objects, all of them in the trash, something refers to; values among them are put back."""
    wanted = sorted(names)
    found = Reach()
    for feature in _features(store, wanted):
        found.add(reach(store, feature))
    if any(name.startswith("blobs/") for name in wanted):
        # what a value names is known once it lies in its place
        for name in wanted:
            if name.startswith("values/") and found.has(name):
                bring_back(store.objects, name)
        found.add(blob_reach(store.objects))
    return {name for name in wanted if found.has(name)}


class _Collection:
    """One pass over a store."""

    def __init__(self, store: Store, delete: bool, grace_seconds: float, watch: Watch) -> None:
        self.store, self.objects, self.delete, self.watch = store, store.objects, delete, watch
        self.grace_seconds = grace_seconds
        self.now = _now(store.objects)
        self.before = self.now - timedelta(seconds=grace_seconds)
        self.done = Collected()

    def run(self, damaged: bool) -> Collected:
        self.watch("trash", "looked at")
        self._trash()
        circumstances = Reach()
        doomed: set[str] = set()
        for feature in _features(self.store):
            self.watch(feature, "looked at")
            found = reach(self.store, feature)
            doomed |= self._take("values", self.objects.walk(f"values/{feature}"), found)
            circumstances.add(found)
        for kind in ("code", "environments"):
            self.watch(kind, "looked at")
            self._take(kind, self.objects.walk(kind), circumstances)
        self.watch("blobs", "looked at")
        # in a listing, values still lie in the trash that may be put back, and others do that would go
        named = blob_reach(self.objects) if self.delete else blob_reach(self.objects, without=doomed, also=FOLDER)
        self._take("blobs", self.objects.walk("blobs"), named)
        self.watch("cache", "looked at")
        self._remove("cache", self._derived())
        self.watch("what was left behind", "looked at")
        self._remove("unfinished", self._unfinished())
        self._claims()
        self._scratch()
        self._remove("clocks", self._clocks())
        if damaged:
            self._remove("damaged", self.objects.walk("damaged"))
        return self.done

    def _take(self, kind: str, stored: Iterable[Stored], found: Reach) -> set[str]:
        """Take away what nothing refers to, of objects of one kind; the names."""
        self.done.kept |= {folder: why for folder, why in found.unknown.items() if folder.split("/")[0] == kind}
        garbage = {one.name: one for one in stored if one.modified <= self.before and not found.has(one.name)}
        gone = set(garbage)
        if self.delete:
            gone = set(take_away(self.objects, sorted(garbage), lambda names: referred(self.store, names)))
        for name in gone:
            self.done.add(kind, garbage[name].size)
        return gone

    def _trash(self) -> None:
        sizes = {former_name(one.name): one.size for one in self.objects.walk(FOLDER)}
        if self.delete:
            self.done.restored, removed = empty_trash(self.store)
            for name in removed:
                self.done.add("trash", sizes.get(name, 0))
        else:
            for size in sizes.values():
                self.done.add("trash", size)

    def _remove(self, kind: str, stored: Iterable[Stored]) -> None:
        for one in list(stored):
            if self.delete:
                self.objects.remove(one.name)
            self.done.add(kind, one.size)

    def _derived(self) -> Iterator[Stored]:
        """Folders of caches that are bound to columns which no value has that a row or a memo refers to."""
        known: dict[str, list[Mapping[str, str]] | None] = {}
        for folder, bond in bonds(self.objects):
            if bond is not None and bond.feature not in known:
                known[bond.feature] = columns_of(self.store, bond.feature)
            held = known[bond.feature] if bond is not None else []
            stored = list(self.objects.walk(folder))
            # one that is in use now may be bound to a value that is not in the ledger yet
            old = all(one.modified <= self.before for one in stored)
            if old and held is not None and not (bond and any(map(bond.holds, held))):
                yield from stored

    def _unfinished(self) -> Iterator[Stored]:
        """Whatever the grace, a writer has an hour after his last byte."""
        before = min(self.before, self.now - timedelta(seconds=GRACE_SECONDS))
        return (one for one in self.objects.unfinished() if one.modified <= before)

    def _clocks(self) -> Iterator[Stored]:
        """What a killed collection left of looking at the clock; others may be looking now."""
        before = min(self.before, self.now - timedelta(seconds=GRACE_SECONDS))
        return (one for one in self.objects.walk("checks") if one.name.startswith(CLOCK) and one.modified <= before)

    def _claims(self) -> None:
        """Claims of holders that died: nobody has the lock, or on a bucket there was no sign of life for a grace."""
        claims = defaultdict(list)
        for one in self.objects.walk("claims"):
            feature, key = one.name.split("/")[1:3]
            claims[feature, key.removesuffix(".lock")].append(one)
        for (feature, key), signs in claims.items():
            if max(one.modified for one in signs) > self.before or feature == FOLDER:
                continue
            if not isinstance(self.objects, FolderObjects):
                self._remove("claims", signs)
            else:
                # a lock file is removed by whoever has the lock
                with self._free(feature, key) as free:
                    if free:
                        self.done.add("claims", signs[0].size)

    def _scratch(self) -> None:
        for folder in sorted((self.store.local / "scratch").glob("*/*")):
            feature, key = folder.parts[-2:]
            # who computes it holds the claim
            if time.time() - _touched(folder) < self.grace_seconds:
                continue
            with self._free(feature, key) as free:
                if free and folder.exists():
                    self.done.add("scratch", _size(folder))
                    if self.delete:
                        shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _free(self, feature: str, key: str) -> Iterator[bool]:
        """Whether nobody holds a claim; while entered to delete, nobody takes it. Never waits for a computation."""
        if not self.delete:
            yield not self.store.is_claimed(feature, key)
            return
        claim = self.store.try_claim(feature, key)
        with claim or nullcontext():
            yield claim is not None


def _features(store: Store, names: Iterable[str] | None = None) -> list[str]:
    """Every feature of a store; or those that may refer to some values, memos, code or environments."""
    parts = [name.split("/") for name in names or ()]
    if names is None or any(part[0] == "environments" for part in parts):
        return features_of(store.objects)
    return sorted({part[1] for part in parts if part[0] in ("values", "memo", "code")})


def _now(objects: Objects) -> datetime:
    """The time by the clock of the storage, which is not ours."""
    name = f"{CLOCK}{uuid.uuid4().hex}"
    objects.create(name, b"")
    (now,) = (one.modified for one in objects.walk("checks") if one.name == name)
    objects.remove(name)
    return now


def _size(folder: Path) -> int:
    """Bytes of the files in a folder; some may go meanwhile."""
    size = 0
    for place, _, files in os.walk(folder):
        for file in files:
            with suppress(FileNotFoundError):
                size += os.lstat(os.path.join(place, file)).st_size
    return size


def _touched(folder: Path) -> float:
    """When a folder was last changed, in seconds; now when it is there no more."""
    with suppress(FileNotFoundError):
        return folder.stat().st_mtime
    return time.time()
