"""Where blocks are kept and found: files of a title in its folder of the cache.

A file is written whole, or not at all, and never changed: a deeper block of the same two titles is written into another
file, and counts. A file that cannot be read is thrown away, as if it had never been there. Many small files of a title
are folded into one; who reads meanwhile finds either.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import numpy as np
from blake3 import blake3

from mediaml_assets.amber.cache import Cache
from mediaml_assets.errors import NotStored
from mediaml_assets.matching.blocks.block import Block
from mediaml_assets.matching.blocks.format import Entry, Fetch, Records, Unreadable, decode, encode
from mediaml_assets.matching.blocks.title import Title

log = logging.getLogger("mediaml")

FILES = 4
"""Files of a title from which on they are folded into one."""

THREADS = 16
"""Files that are opened at once, where each takes a request."""


@dataclass(frozen=True)
class Kept:
    """A block that is kept: in whose file, with whom."""

    title: Title
    partner: Title
    entry: Entry
    file: str

    @property
    def pairs(self) -> int:
        """How many pairs were scored for it."""
        return self.title.shots * self.partner.shots * (1 if self.title is self.partner else 2)


Couple = tuple[str, str]
"""Digests of two titles, the lower one first."""


def couple(one: Title, other: Title) -> Couple:
    """The name of two titles' block."""
    return min(one.digest, other.digest), max(one.digest, other.digest)


class Blocks:
    """The blocks of some titles in one flavour.

    Args:
        cache: where their files are.
        titles: distinct ones, each with shots.
        reranked: whether the flavour's final scores differ from its first ones.
    """

    def __init__(self, cache: Cache, titles: Sequence[Title], reranked: bool) -> None:
        self._cache, self._reranked = cache, reranked
        self._titles = {one.digest: one for one in titles}
        self._files: dict[str, dict[str, list[Entry]]] = {one.digest: {} for one in titles}
        self.kept: dict[Couple, Kept] = {}
        with ThreadPoolExecutor(THREADS) as pool:
            for one, files in zip(titles, pool.map(self._read, titles), strict=True):
                for name, entries in files.items():
                    self._add(one, name, entries)

    def missing(self) -> list[Couple]:
        """The couples that have no block."""
        digests = list(self._titles)
        every = ((a, b) for place, a in enumerate(digests) for b in digests[place:])
        return [one for one in ((min(pair), max(pair)) for pair in every) if one not in self.kept]

    def title(self, digest: str) -> Title:
        """One of the titles."""
        return self._titles[digest]

    def add(self, owner: Title, data: bytes) -> None:
        """Keep a file of blocks of a title."""
        name = f"{blake3(data).hexdigest()[:32]}.blocks"
        self._cache.create(f"{owner.folder}/{name}", data)
        self._add(owner, name, decode(partial(_slice, data)))

    def piece(self, one: Kept, start: int) -> Records:
        """The pairs of a block that follow the first `start`; see `Entry.piece`.

        Raises:
            Unreadable: they are damaged or gone; the file is thrown away.
        """
        try:
            return one.entry.piece(self._fetch(one.file), start)
        except NotStored as gone:
            raise Unreadable from gone
        except Unreadable:
            self._throw_away(one.file)
            raise

    def fold(self) -> None:
        """Fold the files of each title that has many into one."""
        for digest, files in self._files.items():
            if len(files) >= FILES:
                with suppress(Unreadable):
                    self._fold(self._titles[digest], files)

    def _fold(self, title: Title, files: Mapping[str, list[Entry]]) -> None:
        """All blocks of a title, also those with partners that were not asked for, the deeper ones of the same two."""
        found: dict[str, tuple[Entry, str]] = {}
        names = list(files)
        for name in names:
            path = f"{title.folder}/{name}"
            try:
                entries = decode(self._fetch(path))
            except NotStored:
                return
            for entry in entries:
                known = found.get(entry.partner)
                if known is None or _is_deeper(entry, known[0]):
                    found[entry.partner] = entry, path
        blocks = {partner: (entry.shots[1], self._whole(entry, path)) for partner, (entry, path) in found.items()}
        data = encode(title.shots, blocks, self._reranked)
        self.add(title, data)
        kept = f"{blake3(data).hexdigest()[:32]}.blocks"
        for name in names:
            if name != kept:
                self._cache.remove(f"{title.folder}/{name}")
        self._cache.count("files_folded", len(names))

    def _whole(self, entry: Entry, path: str) -> Block:
        records = [entry.head]
        while (have := sum(map(len, records))) < entry.pairs:
            try:
                records.append(entry.piece(self._fetch(path), have))
            except NotStored as gone:
                raise Unreadable from gone
        whole = np.concatenate(records)
        first = whole["first"] if "first" in (whole.dtype.names or ()) else whole["final"]
        return Block(
            whole["row"].astype(np.int64),
            whole["col"].astype(np.int64),
            whole["final"],
            first,
            entry.floor,
            entry.depth,
        )

    def _read(self, title: Title) -> dict[str, list[Entry]]:
        """The files of a title; read again when one was folded away meanwhile."""
        while True:
            try:
                return dict(self._readable(title, self._cache.names(title.folder)))
            except NotStored:
                continue

    def _readable(self, title: Title, names: Iterable[str]) -> Iterator[tuple[str, list[Entry]]]:
        for name in names:
            path = f"{title.folder}/{name}"
            self._cache.count("files_opened", 1)
            try:
                entries = decode(self._fetch(path))
            except Unreadable:
                self._throw_away(path)
                continue
            yield name, [one for one in entries if one.partner in self._titles and one.shots[0] == title.shots]

    def _add(self, title: Title, name: str, entries: Sequence[Entry]) -> None:
        self._files[title.digest][name] = list(entries)
        for entry in entries:
            partner = self._titles.get(entry.partner)
            if partner is None or partner.shots != entry.shots[1]:
                continue
            both = couple(title, partner)
            known = self.kept.get(both)
            if known is None or _is_deeper(entry, known.entry):
                self.kept[both] = Kept(title, partner, entry, f"{title.folder}/{name}")

    def _fetch(self, path: str) -> Fetch:
        return partial(self._cache.read_range, path)

    def _throw_away(self, path: str) -> None:
        log.warning("a file of blocks, %s of the cache, is damaged: it is thrown away, and made again", path)
        self._cache.remove(path)
        self._cache.count("files_damaged", 1)


def _is_deeper(entry: Entry, than: Entry) -> bool:
    """Whether it knows more: it has a lower floor or, where equal pairs go on below the floor, saw more of them."""
    return (entry.floor, -entry.depth) < (than.floor, -than.depth)


def _slice(data: bytes, start: int, length: int) -> bytes:
    return data[start : start + length]


def by_owner(couples: Iterable[Couple]) -> dict[str, list[str]]:
    """Whose file each block is to go to: who has most of them takes all of his, so that few files are written."""
    left: defaultdict[str, set[str]] = defaultdict(set)
    for one, other in couples:
        left[one].add(other)
        left[other].add(one)
    owners: dict[str, list[str]] = {}
    while left:
        # the first of those with most, in the order of digests: the same whoever asks
        owner = min(left, key=lambda digest: (-len(left[digest]), digest))
        partners = left.pop(owner)
        owners[owner] = sorted(partners)
        for partner in partners - {owner}:
            left[partner].discard(owner)
            if not left[partner]:
                del left[partner]
    return owners
