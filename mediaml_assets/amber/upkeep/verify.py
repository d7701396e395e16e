"""Finding any flipped bit, removed object or forged row in a store, and naming it.

    ledger rows    against their witnesses and each other (chain_check.py)
    folds          the newest of each feature against its witness; of its rows nothing else can be told when it is wrong
    memos          their own digest, their key, and the rows that they answered (object_check.py)
    values         size and digest of the file that rows and memos carry, and the digest of the rows; where nothing
                   that could be read vouches for the file, its rows alone
    blobs          the SHA-256 that is their name
    environments   the BLAKE3 that is their name
    code           its own digest

What refers to an object is read before the object is looked for, so a writer, `gc` or `forget` that goes on meanwhile
is not taken for damage. What a killed writer leaves behind is no damage either, and is told as a note.

Memory: the history of one feature, the names of its objects and of all blobs, and one value for each thread.
"""

import os
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import PurePosixPath
from typing import TypeVar

from mediaml_assets.amber.ledger.folds import fold_name, newest_fold, read_checked
from mediaml_assets.amber.names import memo_name, value_name
from mediaml_assets.amber.objects import Objects, Stored, blob_object, is_stored
from mediaml_assets.amber.objects.trash import bring_back
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.upkeep.chain_check import Finding, check_chain
from mediaml_assets.amber.upkeep.object_check import (
    Wrong,
    read_blob,
    read_code,
    read_memo,
    read_text,
    read_value,
)
from mediaml_assets.amber.upkeep.references import Held, References, circumstances
from mediaml_assets.errors import Damaged, NotStored

Found = TypeVar("Found")
Watch = Callable[[str, int, int], None]
"""Told of a part (a feature, or "blobs"), bytes looked at so far, and bytes in all."""

KNOWN = {
    "values", "memo", "claims", "ledger", "folds", "code", "environments", "blobs", "cache", "checks", "trash",
    "damaged",
}  # fmt: skip
"""Folders at the top of a store; nothing is promised of a cache, and whoever reads it checks what he reads."""

LOCAL = {"scratch", "runs"}
"""Folders of one machine, which may lie beside them."""

THREADS = min(16, 4 * (os.cpu_count() or 1))


@dataclass
class Report:
    """What a verification found."""

    findings: list[Finding] = field(default_factory=list)
    """Damage."""
    notes: list[Finding] = field(default_factory=list)
    """What is odd and harmless: unreferenced, known to be lost, not the store's."""
    objects: int = 0
    bytes: int = 0
    """Of memos, values and blobs that were read."""
    seed: int | None = None
    """What the sample was drawn with."""


def verify(
    store: Store,
    features: Sequence[str] = (),
    sample: int | None = None,
    seed: int | None = None,
    watch: Watch = lambda part, done, total: None,
) -> Report:
    """Look at every object of a store, or of some features; or at all chains and a random sample of the values.

    Args:
        store: it may be in use meanwhile.
        features: names; all by default.
        sample: how many values (with their blobs) to look at, of all those that the ledger refers to.
        seed: what the sample is drawn with; the time by default.
        watch: told how far it is.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        one = _Verification(store, pool, watch)
        names = sorted(features) or features_of(store.objects)
        if sample is not None:
            one.sample(names, sample, time.time_ns() if seed is None else seed)
        else:
            for feature in names:
                one.feature(feature)
            one.blobs(every=not features)
            one.circumstances("environments", read_text)
            one.circumstances("code", read_code)
            if not features:
                one.strangers()
        return one.report


def features_of(objects: Objects) -> list[str]:
    """Every feature that something is stored of, sorted."""
    return sorted({name for folder in ("ledger", "memo", "values") for name in objects.folders(folder)})


class _Verification:
    """One pass over a store."""

    def __init__(self, store: Store, pool: ThreadPoolExecutor, watch: Watch) -> None:
        self.store, self.objects = store, store.objects
        self.pool, self.watch = pool, watch
        self.report = Report()
        self.named: dict[str, tuple[str, set[str]]] = {}
        """Blob -> the feature and the titles whose values name it."""
        self.made_in: dict[str, tuple[str, set[str]]] = {}
        """Environment or code -> a feature and its titles whose rows were written in or by it."""

        self.gone: set[str] = set()
        """Objects that a chain says are gone."""

    def feature(self, feature: str) -> None:
        """Chains, memos and values of one feature."""
        references = self._references(feature)
        if any(one.name.startswith(f"folds/{feature}/") for one in self.report.findings):
            return
        memos = list(self.objects.walk(f"memo/{feature}"))
        values = list(self.objects.walk(f"values/{feature}"))
        self._memos(feature, references, memos)
        self._values(feature, references, values)

    def sample(self, features: Sequence[str], count: int, seed: int) -> None:
        """Every chain, and `count` values drawn from all that the ledger refers to."""
        self.report.seed = seed
        drawn, seen = random.Random(seed), 0
        chosen: list[tuple[str, str, Held]] = []
        for feature in features:
            for digest, held in sorted(self._references(feature).values.items()):
                seen += 1
                place = len(chosen) if len(chosen) < count else drawn.randrange(seen)
                if place < count:
                    chosen[place : place + 1] = [(feature, digest, held)]
        for feature in sorted({name for name, _, _ in chosen}):
            values = {digest: held for name, digest, held in chosen if name == feature}
            self._values(feature, References(values), [_unlisted(value_name(feature, one)) for one in values])
        self.blobs(every=False)

    def blobs(self, every: bool) -> None:
        """The blobs that values name, or every blob."""
        listed = self.objects.walk("blobs") if every else [_unlisted(blob_object(name)) for name in self.named]
        seen = set()
        for one, found in self._each("blobs", list(listed), lambda one: read_blob(self.objects, one.name)):
            name = PurePosixPath(one.name).name
            seen.add(name)
            if found is not None:
                self._found(one.name, *self.named.get(name, ("", set())), found.what)
            elif name not in self.named:
                self._note(one.name, "", "nothing refers to this file")
        for name, (feature, titles) in self.named.items():
            if name not in seen and not self._exists(blob_object(name)):
                self._found(blob_object(name), feature, titles, "this file was removed")

    def circumstances(self, folder: str, read: Callable[[Objects, str], Wrong | None]) -> None:
        """The versions of machine and libraries that rows were written in, or the code that made their values."""
        seen = set()
        for one, found in self._each(folder, list(self.objects.walk(folder)), lambda one: read(self.objects, one.name)):
            seen.add(one.name)
            if found is not None:
                self._found(one.name, *self.made_in.get(one.name, ("", set())), found.what)
        for name, (feature, titles) in self.made_in.items():
            if name.startswith(f"{folder}/") and name not in seen | self.gone and not self._exists(name):
                self._found(name, feature, titles, f"this part of {folder} was removed")

    def strangers(self) -> None:
        """What lies at the top of the store and is not the store's."""
        for name in (*self.objects.folders(""), *self.objects.names("")):
            if name not in KNOWN | LOCAL:
                self._note(name, "", "this is not the store's")

    def _references(self, feature: str) -> References:
        """What the chains of a feature refer to; the chains are checked."""
        references = References()
        if not self._fold(feature):
            return references
        for scope in self.store.ledger.scopes(feature):
            checked = check_chain(feature, scope, self.store.ledger.stored(feature, scope))
            references.add_chain(checked.commits)
            self.gone |= references.gone
            for name in circumstances(checked.commits):
                self.made_in.setdefault(name, (feature, set()))[1].add(scope)
            self.report.findings += checked.findings
            self.report.notes += checked.notes
            self.report.objects += len(checked.commits)
        return references

    def _fold(self, feature: str) -> bool:
        """Whether the newest fold is what was written, or there is none; what else there is cannot be told without."""
        while (number := newest_fold(self.objects, feature)) is not None:
            try:
                read_checked(self.objects, feature, number)
                break
            except NotStored:
                # two compactions went by
                continue
            except Damaged as damage:
                self._found(fold_name(feature, number), feature, (), str(damage))
                return False
        return True

    def _memos(self, feature: str, references: References, stored: list[Stored]) -> None:
        seen = set()
        for one, found in self._each(feature, stored, lambda one: read_memo(self.objects, one.name)):
            key = PurePosixPath(one.name).stem
            seen.add(key)
            answers = references.memos.get(key, [])
            titles = {scope for scope, _ in answers}
            if isinstance(found, Wrong):
                self._found(one.name, feature, titles, found.what)
                continue
            references.add_memo(key, found)
            if answers and all(value != found for _, value in answers):
                self._found(one.name, feature, titles, "this memo was changed: the ledger says another value")
        for key, answers in references.memos.items():
            name, titles = memo_name(feature, key), {scope for scope, _ in answers}
            if key not in seen and not self._exists(name) and key in self._read_again(feature, titles).memos:
                self._found(name, feature, titles, "this memo was removed")

    def _values(self, feature: str, references: References, stored: list[Stored]) -> None:
        seen = set()
        held_as = references.values
        for one, found in self._each(
            feature, stored, lambda one: read_value(self.objects, one.name, held_as.get(PurePosixPath(one.name).stem))
        ):
            digest = PurePosixPath(one.name).stem
            seen.add(digest)
            held = held_as.get(digest)
            if isinstance(found, Wrong):
                self._found(one.name, feature, held.titles if held else set(), found.what)
            elif held is None:
                self._note(one.name, feature, "nothing refers to this value")
            else:
                for blob in found:
                    self.named.setdefault(blob, (feature, set()))[1].update(held.titles)
        for digest, held in held_as.items():
            name = value_name(feature, digest)
            if digest not in seen and not self._exists(name) and self._is_held(feature, digest, held):
                self._found(name, feature, held.titles, "this value was removed")

    def _is_held(self, feature: str, digest: str, held: Held) -> bool:
        """Whether something still refers to a value that is not there: it may have been forgotten just now."""
        remembered = any(self._exists(memo_name(feature, key)) for key in held.keys)
        return remembered or digest in self._read_again(feature, held.titles).values

    def _read_again(self, feature: str, titles: Iterable[str]) -> References:
        references = References()
        for scope in titles:
            references.add_chain(check_chain(feature, scope, self.store.ledger.stored(feature, scope)).commits)
        return references

    def _each(self, part: str, stored: list[Stored], look: Callable[[Stored], Found]) -> Iterator[tuple[Stored, Found]]:
        """Each object that is there with what was found, in order; threads look a little ahead."""
        done, total = 0, sum(one.size for one in stored)
        rest = iter(stored)
        ahead: deque[tuple[Stored, Future[Found]]] = deque()
        while True:
            ahead += [(one, self.pool.submit(look, one)) for one in islice(rest, 2 * THREADS - len(ahead))]
            if not ahead:
                return
            one, future = ahead.popleft()
            try:
                found = future.result()
            except NotStored:
                continue
            done += one.size
            self.report.objects += 1
            self.report.bytes += one.size
            self.watch(part, done, total)
            yield one, found

    def _exists(self, name: str) -> bool:
        return is_stored(self.objects, name) or bring_back(self.objects, name)

    def _found(self, name: str, feature: str, titles: Iterable[str], what: str) -> None:
        self.report.findings.append(Finding(name, feature, tuple(sorted(titles)), what))

    def _note(self, name: str, feature: str, what: str) -> None:
        self.report.notes.append(Finding(name, feature, (), what))


def _unlisted(name: str) -> Stored:
    return Stored(name, 0, datetime.fromtimestamp(0, UTC))
