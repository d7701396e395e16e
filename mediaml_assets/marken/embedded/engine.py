"""The default engine: immutable Parquet in a folder or bucket, read by DuckDB in memory, by any number of processes.

    log/, checkpoints/      the chain of entries (`chain`), which says what there is (`state`)
    rows/                   the rows (`files`), merged as they pile up (`tidying`)

A reader holds the rows of the newest moment (`tables`), and looks for new entries whenever it is asked for a snapshot.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import TypeVar

import pyarrow as pa

from mediaml_assets.amber.objects import Objects
from mediaml_assets.errors import NotStored, QueryRefused
from mediaml_assets.marken.embedded import history, writing
from mediaml_assets.marken.embedded.chain import Chain, as_text, now
from mediaml_assets.marken.embedded.numbering import Numbering
from mediaml_assets.marken.embedded.snapshot import EmbeddedSnapshot
from mediaml_assets.marken.embedded.state import Folded, Part
from mediaml_assets.marken.embedded.tables import Tables
from mediaml_assets.marken.embedded.tidying import Tidying
from mediaml_assets.marken.operation import Operation
from mediaml_assets.marken.schema import AnnotationType

Answer = TypeVar("Answer")

KEEP = timedelta(days=1)
RECENT = 4
"""Moments whose snapshots are at hand, so that the pages of an answer need not be loaded again."""
ANEW = 200_000
"""Rows that must be gone before all are loaded anew, to have their memory back."""


class EmbeddedEngine:
    """An `Engine` over objects; threads may share it.

    Args:
        objects: a folder or bucket of its own.
        keep: how long files and entries that nothing refers to any more stay, for processes that still read them; a
            process that was stopped for longer begins again by itself.
    """

    def __init__(self, objects: Objects, keep: timedelta = KEEP) -> None:
        self.where = objects.where
        self._objects = objects
        self._chain = Chain(objects, keep)
        self._numbering = Numbering(objects)
        self._tidying = Tidying(self._chain, self._numbering)
        self._tables = Tables(objects)
        self._recent: OrderedDict[int, EmbeddedSnapshot] = OrderedDict()
        self._past = -1
        """Which of them is of a moment that was loaded from history."""
        self._lock = RLock()

    def start(self, kind: AnnotationType, scope: str, by: str, source: Mapping[str, str]) -> Operation:
        """Begin an operation; several may be under way, and the last to finish is active."""
        return writing.start(self._chain, kind, scope, by, dict(source))

    def upsert(self, operation: Operation, rows: pa.Table) -> None:
        """Add canonical rows to a started operation; a later row of an id replaces an earlier one; safe to repeat."""
        writing.upsert(self._chain, operation, rows)

    def finish(self, operation: Operation) -> Operation:
        """Make it active, whole, in place of the one before; finishing a finished one again changes nothing."""
        done, came = writing.finish(self._chain, operation)
        self._tidying.after((operation.type, operation.type_version), came)
        return done

    def cancel(self, operation: Operation) -> Operation:
        """Give up a started one; canceling a canceled one changes nothing."""
        return writing.end(self._chain, operation, "cancel")

    def roll_back(self, operation: Operation) -> Operation:
        """Withdraw a finished one; the newest finished one of its key is active again."""
        return writing.end(self._chain, operation, "roll_back")

    def append(self, kind: AnnotationType, rows: pa.Table) -> pa.Table:
        """Log mode: add canonical rows, each as the next version of its id; returns them with their versions."""
        if rows.num_rows == 0:
            return rows
        numbered = writing.append(self._chain, self._numbering, kind, rows)
        self._tidying.after((kind.name, kind.version), 1)
        return numbered

    def operations(self, kind: str | None = None, scope: str | None = None) -> Sequence[Operation]:
        """Operations by type, type version, scope and number."""
        with self._chain.lock:
            loads = self._chain.read_on().all_loads()
            wanted = (one for one in loads if kind in (None, one.type) and scope in (None, one.scope))
            return [one.operation() for one in wanted]

    def active(self, kind: AnnotationType) -> Mapping[str, Operation]:
        """Scope -> the active operation, of one type and version."""
        with self._chain.lock:
            state = self._chain.read_on()
            loads = state.actives((kind.name, kind.version), state.moment)
            return {scope: one.operation() for scope, one in sorted(loads.items())}

    def versions(self, id: str) -> pa.Table:
        """Every version of an annotation ever seen by readers, by version; empty when there is none."""
        return _settled(lambda: history.versions(self._objects, self._parts(), id))

    def snapshot(self, as_of: str | datetime | None = None, partial: bool = False) -> EmbeddedSnapshot:
        """The state at a moment, always whole: a `Snapshot.moment`, a time, or now.

        Raises QueryRefused for no such moment.
        """
        return _settled(lambda: self._at(as_of))

    def tidy(self) -> None:
        """Merge what became small, and remove what nothing has referred to for long."""
        self._tidying.everything()

    def _at(self, as_of: str | datetime | None) -> EmbeddedSnapshot:
        with self._lock, self._chain.lock:
            state = self._chain.read_on()
            moment = state.moment if as_of is None else _moment(state, as_of)
            if moment not in self._recent:
                tables = self._tables_at(state, moment)
                self._recent[moment] = EmbeddedSnapshot(str(moment), *tables.look())
                if tables is not self._tables:
                    # all of its rows were loaded for it: one such moment is enough
                    self._recent.pop(self._past, None)
                    self._past = moment
            self._recent.move_to_end(moment)
            if len(self._recent) > RECENT:
                self._recent.popitem(last=False)
            return self._recent[moment]

    def _tables_at(self, state: Folded, moment: int) -> Tables:
        if moment == self._tables.moment:
            return self._tables
        if moment < state.moment:
            past = Tables(self._objects)
            past.bring(state, moment)
            return past
        if self._tables.gone > max(ANEW, self._tables.rows):
            self._tables = Tables(self._objects)
        try:
            self._tables.bring(state, moment)
        except BaseException:
            # half brought on, they are of no use: all is loaded anew
            self._tables = Tables(self._objects)
            raise
        return self._tables

    def _parts(self) -> list[Part]:
        with self._chain.lock:
            return [part for parts in self._chain.read_on().parts.values() for part in parts.values()]


def _settled(ask: Callable[[], Answer]) -> Answer:
    """An answer that reads files of the newest state."""
    try:
        return ask()
    except NotStored:
        # the file was merged into another one and removed, after the chain was read: it says so by now
        return ask()


def _moment(state: Folded, as_of: str | datetime) -> int:
    """The entry that a moment means; raises QueryRefused."""
    if isinstance(as_of, datetime):
        time = as_text(as_of if as_of.tzinfo else as_of.replace(tzinfo=UTC))
        if time > max(now(), state.at):
            raise QueryRefused(f"as_of: {time} is still to come; give a time that has been", "as_of")
        return state.moment_of(time)
    if not (as_of.isascii() and as_of.isdecimal() and len(as_of) <= 18 and int(as_of) <= state.seq):
        raise QueryRefused(f"as_of: there was no moment {as_of!r}; give one that an answer named, or a time", "as_of")
    return state.moment_at(int(as_of))
