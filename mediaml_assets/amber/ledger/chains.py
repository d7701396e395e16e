"""The ledger: an append-only chain of commits for each feature and scope.

    ledger/<feature>/<scope>/<seq // 64>/<seq>.json             one row: a commit
    ledger/<feature>/<scope>/<seq // 64>/<seq>.<16 hex digits>  its witness: empty, named by the row's digest
    folds/<feature>/<n>.parquet                                 older rows of all chains of the feature (`compact`)

A row is created only if absent at head + 1 and carries the digest of the row before it, so two writers can never both
be right and a removed or forged row breaks the chain. The witness, created right after its row, tells the same of the
newest one, which no row follows yet. The folder (chapter) for each 64 commits keeps the cost of finding the head the
same for the thousandth commit as for the first.

Once rows are in a fold they are removed, all but the newest of each chapter. So a row that a fold holds may be missing
here, and its name is free again: a writer that slept since it read the head may create it a second time. It cannot
miss that. Rows are removed only after the fold is there and only where the same chapter holds a newer row, so after
creating its row such a writer finds a newer one in the chapter and its seq in the newest fold with another text; it
removes its row and starts over. Readers never take that row for real, not even when the writer was killed there: in
what a fold holds, the fold is believed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby

from blake3 import blake3

from mediaml_assets.amber.ledger.folds import newest_fold, read_newest, rows_of
from mediaml_assets.amber.ledger.rows import Commit, Row
from mediaml_assets.amber.objects import Objects
from mediaml_assets.errors import Damaged, NotStored

CHAPTER = 64
"""Commits in one folder of a chain."""

TRIES = 5
"""How often a newest row is looked for that others add to or compact meanwhile."""

READERS = 16
"""Small objects that are read at once."""

_ROW_OR_WITNESS = re.compile(r"(?:.*/)?(\d{8})\.(?:json|([0-9a-f]{16}))")

Moment = datetime | Commit
"""A time (with its time zone), or a commit: its own chain stands there, the others at the time it was made."""


@dataclass
class Listing:
    """Names of the objects of one chain, without what is neither row nor witness."""

    rows: dict[int, str] = field(default_factory=dict)
    """Seq -> object."""
    witnesses: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Seq -> the first 16 hex digits of the digest of that row; more than one when something is wrong."""

    def add(self, name: str) -> None:
        """Take up an object of the chain."""
        match = _ROW_OR_WITNESS.fullmatch(name)
        if match is None:
            return
        seq, witness = int(match[1]), match[2]
        if witness is None:
            self.rows[seq] = name
        else:
            self.witnesses[seq] = (*self.witnesses.get(seq, ()), witness)


@dataclass(frozen=True)
class Chain:
    """Everything that lies in the store of one chain, not yet believed."""

    rows: list[Row]
    """The oldest first; a row that was removed is not among them."""
    witnesses: Mapping[int, tuple[str, ...]]
    """Seq -> the first 16 hex digits of the digest of that row; more than one when something is wrong."""
    folded: int = -1
    """The last seq that a fold holds. Up to here a witness may be missing."""
    beside: Sequence[Row] = ()
    """Rows that a fold holds too: the newest of each chapter, and what a killed compaction or writer left."""


class Ledger:
    """The chains of one store."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def head(self, feature: str, scope: str) -> Commit | None:
        """The newest commit of a chain; None when there is none. Three store operations, whatever its length.

        Where the newest row was removed, the newest that is left counts; `verify` tells, for its witness is there.

        Raises:
            Damaged: it is not what its witness says.
        """
        for _ in range(TRIES):
            listing = self._newest_chapter(feature, scope)
            seq = max(listing.rows, default=-1)
            if seq < 0 and not listing.witnesses:
                return None
            # a listing may miss a row that was created meanwhile, and yet hold its witness
            if seq < max(listing.witnesses, default=-1):
                continue
            try:
                row = self._row(feature, scope, seq, listing.rows[seq])
            except NotStored:
                # compacted since it was listed: there is a newer one
                continue
            if seq in listing.witnesses and row.digest[:16] not in listing.witnesses[seq]:
                raise Damaged(f"{row.name} is not what it was when it was written; run `mediaml verify {feature}`")
            return row.commit
        left = self.chain(feature, scope)
        return left[-1] if left else None

    def append(self, commit: Commit, head: Commit | None) -> Commit | None:
        """Add the commit after `head`; None when somebody else did so first (read the head again)."""
        following = replace(commit, seq=head.seq + 1 if head else 0, before=head.digest if head else "")
        text = following.text
        digest = blake3(text).hexdigest()
        chapter, name = _chapter(following), row_name(following.feature, following.scope, following.seq)
        if not self._objects.create(name, text):
            return None
        listing = _listing(f"{chapter}/{one}" for one in self._objects.names(chapter))
        if max(listing.rows, default=-1) > following.seq and not self._stands(following):
            self._objects.remove(name)
            return None
        self._objects.create(witness_name(name, digest), b"")
        if head is not None and head.seq in listing.rows and head.seq not in listing.witnesses:
            # its writer was killed before it came to that
            self._objects.create(witness_name(listing.rows[head.seq], head.digest), b"")
        return following

    def chain(self, feature: str, scope: str) -> list[Commit]:
        """Every commit of a chain, the oldest first; raises Damaged."""
        return [row.commit for row in self._stored(feature, scope, beside=False).rows]

    def as_of(self, feature: str, scope: str, moment: Moment) -> Commit | None:
        """The newest commit of a chain at a moment; None when there was none yet.

        The chain is the order, and `made_at` what the writer's clock said: of the commits that claim to have been made
        no later than a time, the one that is furthest in the chain. So a later time never gives an earlier commit, and
        a time after all of them gives the head; a commit by a clock that was ahead shows only from that time on. Where
        clocks cannot be trusted, name a commit.
        """
        if isinstance(moment, Commit):
            if (moment.feature, moment.scope) == (feature, scope):
                return moment
            until = moment.made_at
        else:
            until = moment.astimezone(UTC).isoformat(timespec="microseconds")
        earlier = [commit for commit in self.chain(feature, scope) if commit.made_at <= until]
        return earlier[-1] if earlier else None

    def scopes(self, feature: str) -> list[str]:
        """Every scope of a feature that has a chain."""
        return self._objects.folders(f"ledger/{feature}")

    def stored(self, feature: str, scope: str) -> Chain:
        """Everything that lies in the store of one chain."""
        return self._stored(feature, scope, beside=True)

    def chains(self, feature: str) -> Iterator[tuple[str, Chain]]:
        """Scope and everything that lies in the store of its chain, for every chain of a feature; one listing."""
        number, table = read_newest(self._objects, feature)
        folded = {scope: list(rows) for scope, rows in groupby(rows_of(table, feature, number), lambda row: row.scope)}
        listings = self.listings(feature)
        for scope in sorted(listings.keys() | folded.keys()):
            chain = self._chain(feature, scope, folded.get(scope, []), listings.get(scope, Listing()), beside=True)
            # with a gap, a compaction may have gone on meanwhile
            yield scope, chain if _is_whole(chain) else self.stored(feature, scope)

    def listings(self, feature: str) -> dict[str, Listing]:
        """Scope -> names of the rows and witnesses that are no fold, of every chain of a feature."""
        found: dict[str, Listing] = {}
        for stored in self._objects.walk(f"ledger/{feature}"):
            found.setdefault(stored.name.split("/")[2], Listing()).add(stored.name)
        return found

    def read_rows(self, feature: str, names: Sequence[tuple[str, int, str]]) -> list[Row]:
        """The rows of (scope, seq, object), in that order, without those that are gone by now."""

        def read(one: tuple[str, int, str]) -> Row | None:
            try:
                return self._row(feature, *one)
            except NotStored:
                return None

        if len(names) <= READERS:
            return [row for row in map(read, names) if row is not None]
        with ThreadPoolExecutor(READERS) as pool:
            return [row for row in pool.map(read, names) if row is not None]

    def _stored(self, feature: str, scope: str, beside: bool) -> Chain:
        number, table = read_newest(self._objects, feature, scope)
        while True:
            root = f"ledger/{feature}/{scope}"
            chapters = [f"{root}/{chapter}" for chapter in self._objects.folders(root)]
            listing = _listing(f"{chapter}/{name}" for chapter in chapters for name in self._objects.names(chapter))
            chain = self._chain(feature, scope, rows_of(table, feature, number), listing, beside)
            if _is_whole(chain) or newest_fold(self._objects, feature) == number:
                return chain
            number, table = read_newest(self._objects, feature, scope)

    def _chain(self, feature: str, scope: str, folded: list[Row], listing: Listing, beside: bool) -> Chain:
        last = folded[-1].seq if folded else -1
        names = [(scope, seq, name) for seq, name in sorted(listing.rows.items()) if beside or seq > last]
        rows = self.read_rows(feature, names)
        above = [row for row in rows if row.seq > last]
        return Chain(folded + above, listing.witnesses, last, [row for row in rows if row.seq <= last])

    def _newest_chapter(self, feature: str, scope: str) -> Listing:
        root = f"ledger/{feature}/{scope}"
        for chapter in reversed(self._objects.folders(root)):
            listing = _listing(f"{root}/{chapter}/{name}" for name in self._objects.names(f"{root}/{chapter}"))
            # a chapter's folder is there a moment before its first commit, or for ever if its writer was killed then
            if listing.rows or listing.witnesses:
                return listing
        return Listing()

    def _stands(self, commit: Commit) -> bool:
        """Whether no fold holds another row in place of this one."""
        number, table = read_newest(self._objects, commit.feature, commit.scope)
        return all(row.seq != commit.seq or row.text == commit.text for row in rows_of(table, commit.feature, number))

    def _row(self, feature: str, scope: str, seq: int, name: str) -> Row:
        return Row(feature, scope, seq, name, self._objects.read(name))


def row_name(feature: str, scope: str, seq: int) -> str:
    """The object that holds a row of the ledger."""
    return f"ledger/{feature}/{scope}/{seq // CHAPTER:06d}/{seq:08d}.json"


def witness_name(row: str, digest: str) -> str:
    """The object that vouches for a row, given by its object's name, with this digest."""
    return f"{row.removesuffix('.json')}.{digest[:16]}"


def _chapter(commit: Commit) -> str:
    return f"ledger/{commit.feature}/{commit.scope}/{commit.seq // CHAPTER:06d}"


def _listing(names: Iterable[str]) -> Listing:
    found = Listing()
    for name in names:
        found.add(name)
    return found


def _is_whole(chain: Chain) -> bool:
    return all(row.seq == place for place, row in enumerate(chain.rows))
