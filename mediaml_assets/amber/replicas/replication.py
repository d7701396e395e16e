"""Replication: copies of a feature's current values in other stores, each for another way of reading.

    replicate(store, "shot_embedding", sink)      write what is missing or superseded, take away what is not current
    parity(store, "shot_embedding", sink)         how far behind it is, and whether it holds what it should

The ledger says what is current, the sink says what it holds (title -> digest of the value), and only the difference is
written, in batches that become visible whole. So a run that was killed is gone on with by the next one, and a run
where nothing changed writes nothing. A sink accepts a batch only on top of the state that it last reported: of two
writers at once the second is told so, looks again, and finds little left to do.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from mediaml_assets.amber.keys import schema_digest
from mediaml_assets.amber.ledger import Commit, Value
from mediaml_assets.amber.staleness import say_damaged
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.view import View
from mediaml_assets.errors import Damaged, FeatureError, NotKept, NotStored, ReplicaMoved

log = logging.getLogger("mediaml")


LOST = -1
"""As a count of rows: fewer than there should be."""


@dataclass(frozen=True)
class Held:
    """What a sink holds of one title."""

    digest: str
    """Digest of the value, as it was recorded with the rows."""
    rows: int
    """Rows that are there; `LOST` when some are known to be gone."""


@dataclass(frozen=True)
class Incoming:
    """A value on its way into a sink."""

    title: str
    value: Value
    commit: Commit
    """The newest one of the title, by which the value is current."""


@dataclass(frozen=True)
class Batch:
    """What one commit of a sink changes."""

    put: tuple[Incoming, ...] = ()
    """Values to hold from now on, in place of whatever is held of their titles; sorted by title."""
    drop: tuple[str, ...] = ()
    """Titles to hold nothing of."""

    @property
    def titles(self) -> set[str]:
        """Every title that this batch changes."""
        return {one.title for one in self.put} | set(self.drop)


Rows = Callable[[Incoming], pa.Table]
"""Reads the rows of a value, in the feature's schema."""


@dataclass(frozen=True)
class Difference:
    """What a sink lacks."""

    put: tuple[Incoming, ...]
    """Values that it must still write, sorted by title."""
    drop: tuple[str, ...]
    """Titles that it holds and should not, sorted."""
    left_out: tuple[str, ...]
    """Titles whose value has other columns than the feature declares now, or whose newest commit is damaged, sorted:
    they stay as they are until they are computed again or repaired."""
    held: Mapping[str, Held]
    """What the sink holds."""
    wanted: Mapping[str, Value]
    """What it should hold, sorted by title."""

    @property
    def titles(self) -> list[str]:
        """Every title that is not in the sink what it is in the store, sorted."""
        return sorted([*(one.title for one in self.put), *self.drop, *self.left_out])


class Sink(Protocol):
    """Where values are copied to. `replicate` asks these five things of it, and nothing of it is shared otherwise."""

    name: str
    """Of the replica and of its Dagster asset: `<feature>__<kind>`."""
    where: str
    """For people: the folder or address."""
    schema: pa.Schema
    keeps_empty: bool
    """Whether a title whose value has no rows can be told from one that is not held; a plain table cannot."""

    def held(self) -> Mapping[str, Held]:
        """What is held now, by title; the next `write` stands on this state."""
        ...

    def batches(self, put: Sequence[Incoming], drop: Sequence[str]) -> Iterator[Batch]:
        """Divide a change (both sorted by title) into batches that are cheap to write, each of bounded size."""
        ...

    def write(self, batch: Batch, rows: Rows) -> int:
        """Make one batch visible, whole or not at all; returns bytes written.

        Raises:
            ReplicaMoved: another writer was there since `held`, or since our last `write`.
            NotKept: it cannot be held, or not yet; a sink that raises this makes a batch of each title.
        """
        ...

    def tidy(self, keep_seconds: float) -> int:
        """Merge what became small, remove what was replaced so long ago; returns bytes written.

        Files that no state names may be another writer's: whatever `keep_seconds`, they stay for `KEEP_SECONDS`.
        """
        ...

    def rows(self, title: str) -> pa.Table:
        """The rows really held of a title, in order and in the feature's schema; raises Damaged, NotStored."""
        ...


READERS = 8
"""Rows of the ledger that are read at once."""

KEEP_SECONDS = 3600.0
"""How long readers of an older state of a replica find its files, and a writer its unfinished ones."""


@dataclass
class Copied:
    """What one `replicate` did."""

    put: list[str] = field(default_factory=list)
    """Titles written."""
    drop: list[str] = field(default_factory=list)
    """Titles taken away."""
    left: dict[str, str] = field(default_factory=dict)
    """Title -> why the sink cannot hold its value; it stays as it was in there."""
    bytes: int = 0
    """Bytes written, all together."""

    @property
    def said(self) -> str:
        """In words."""
        left = f", {len(self.left)} left behind" if self.left else ""
        said = f"{len(self.put)} titles copied, {len(self.drop)} taken away{left}, {self.bytes / 1e6:,.1f} MB written"
        return "; ".join([said, *self.left.values()])


def replicate(
    store: Store,
    feature: str,
    sink: Sink,
    again: Sequence[str] = (),
    watch: Callable[[int, int], None] = lambda done, total: None,
    keep_seconds: float = KEEP_SECONDS,
) -> Copied:
    """Bring a sink up to date with the current values of a feature; one process at a time does the work.

    Args:
        store: where the values are.
        feature: name of the feature.
        sink: where they are copied to.
        again: titles to write whatever the sink's record says: those whose rows were found damaged.
        watch: told how many of all changed titles are done.
        keep_seconds: how long an older state stays readable; 0 removes what was replaced at once.
    """
    copied = Copied()
    lost = set(again)
    with store.claim(feature, sink.name):
        while True:
            try:
                _copy(store, feature, sink, lost, copied, watch)
                copied.bytes += sink.tidy(keep_seconds)
                say(sink.name, "copied", copied.said)
                return copied
            except ReplicaMoved:
                say(sink.name, "copying", "another writer was first, or a value was forgotten: looking again")


def _copy(
    store: Store, feature: str, sink: Sink, lost: set[str], copied: Copied, watch: Callable[[int, int], None]
) -> None:
    def rows(one: Incoming) -> pa.Table:
        try:
            table = View(store, feature, one.title, one.commit).table()
        except NotStored as why:
            raise ReplicaMoved(str(why)) from None
        # Parquet has its own names for the members of lists
        return table.cast(sink.schema)

    change = difference(store, feature, sink, lost)
    done, total = 0, len(change.put) + len(change.drop)
    for batch in sink.batches(change.put, change.drop):
        done += len(batch.titles)
        try:
            copied.bytes += sink.write(batch, rows)
        except NotKept as why:
            copied.left |= dict.fromkeys(sorted(batch.titles), str(why))
            say(sink.name, "copying", str(why), logging.WARNING)
            continue
        copied.put += [one.title for one in batch.put]
        copied.drop += batch.drop
        copied.left = {title: why for title, why in copied.left.items() if title not in batch.titles}
        lost -= batch.titles
        watch(done, total)
        say(sink.name, "copying", f"{done} of {total} titles")


def difference(
    store: Store, feature: str, sink: Sink, lost: Collection[str] = (), titles: Sequence[str] | None = None
) -> Difference:
    """What a sink must still write and drop, of all titles or of some; titles that are `lost` count as not held."""
    # asked before the ledger: whatever the sink holds is then no newer than what we know
    held = sink.held()
    if titles is not None:
        held = {title: held[title] for title in titles if title in held}
    heads, damaged = current_heads(store, feature, titles)
    wanted = {
        title: head.current
        for title, head in sorted(heads.items())
        if head.current is not None and (head.current.rows or sink.keeps_empty)
    }
    declared = schema_digest(sink.schema)
    readable = {title: value for title, value in wanted.items() if value.schema == declared}
    put = (
        Incoming(title, value, heads[title])
        for title, value in readable.items()
        if title in lost or held.get(title) != Held(value.digest, value.rows)
    )
    drop = sorted(held.keys() - readable.keys() - damaged)
    left_out = sorted(wanted.keys() - readable.keys() | damaged)
    return Difference(tuple(put), tuple(drop), tuple(left_out), held, wanted)


def current_heads(
    store: Store, feature: str, titles: Sequence[str] | None = None
) -> tuple[dict[str, Commit], set[str]]:
    """Title -> its newest commit, of all titles that the feature ever looked at or of some; no ad-hoc answers.

    And the titles whose newest commit is damaged: the log names them.
    """
    scopes = [scope for scope in (store.ledger.scopes(feature) if titles is None else titles) if "@" not in scope]
    damaged: set[str] = set()

    def head(title: str) -> Commit | None:
        try:
            return store.ledger.head(feature, title)
        except Damaged as damage:
            say_damaged(feature, title, damage)
            damaged.add(title)
            return None

    # on a bucket each takes three round trips
    with ThreadPoolExecutor(READERS) as readers:
        return {one.scope: one for one in readers.map(head, scopes) if one is not None}, damaged


def in_batches(put: Sequence[Incoming], drop: Sequence[str], limit_bytes: int, limit_titles: int) -> Iterator[Batch]:
    """Divide a change into batches of at most so many bytes (as stored) and titles, in the order of titles."""
    changes: list[Incoming | str] = sorted([*put, *drop], key=lambda one: one if isinstance(one, str) else one.title)
    batch: list[Incoming | str] = []
    size = 0
    for one in changes:
        weight = 0 if isinstance(one, str) else one.value.bytes
        if batch and (size + weight > limit_bytes or len(batch) == limit_titles):
            yield _batch(batch)
            batch, size = [], 0
        batch.append(one)
        size += weight
    if batch:
        yield _batch(batch)


def _batch(changes: Sequence[Incoming | str]) -> Batch:
    put = tuple(one for one in changes if not isinstance(one, str))
    return Batch(put, tuple(one for one in changes if isinstance(one, str)))


def say(name: str, event: str, text: str, level: int = logging.INFO) -> None:
    """Say what happens to a replica, as it is said of features: the record carries `feature`, `title`, `event`."""
    log.log(level, "%s: %s", name, text, extra={"feature": name, "title": name, "event": event})


def check_free(schema: pa.Schema, taken: Sequence[str], name: str) -> None:
    """Raise FeatureError when a feature has a column of a name that the replica needs for itself."""
    both = sorted(set(schema.names) & set(taken))
    if both:
        raise FeatureError(
            f"{name} cannot be made: the feature has a column named {', '.join(both)}, which the replica adds itself; "
            "rename that column"
        )
