"""Marken as a replica: a title's value is one operation, seen whole or not at all.

    held      the active operations, by what their `source` says: feature, digest, rows, and what they were made beside
    write     one operation; a withdrawn title is an empty one, which says nothing of a value
    rows      the annotations of a title, as the rows that they were

What an operation holds is turned back into rows before it is finished, and compared with the value by the digests of
its columns: what Marken cannot keep exactly is never shown.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

import pyarrow as pa

from mediaml_assets.amber.keys import column_digests, digest_of
from mediaml_assets.amber.ledger import Commit
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.replicas.replication import KEEP_SECONDS, Batch, Held, Incoming, Rows, current_heads
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.view import View
from mediaml_assets.annotations.facts import Facts
from mediaml_assets.annotations.pace import Pace
from mediaml_assets.annotations.rows import ROW, Rowed, same
from mediaml_assets.errors import AnnotationRefused, Damaged, MediamlError, NotKept, NotStored, ReplicaMoved
from mediaml_assets.marken.engine import Engine, Order, Selection
from mediaml_assets.marken.operation import Operation, State
from mediaml_assets.marken.query.nodes import Column, Compare, Value
from mediaml_assets.marken.rows import row_schema
from mediaml_assets.marken.schema import Kind
from mediaml_assets.marken.validation import validated

BATCH_ROWS = 20_000
"""Annotations that are handed over at once: a bound on memory, and on how long a server is kept busy."""

_BESIDE = "beside"
"""In an operation's source: digest of the facts that its annotations were made with."""


class MarkenSink:
    """The sink of one feature.

    Args:
        name: of the replica.
        engine: where annotations are kept.
        rowed: how the feature's rows become annotations.
        store: where the values are, and what is known of titles beside them.
    """

    keeps_empty = True

    def __init__(self, name: str, engine: Engine, rowed: Rowed, store: Store) -> None:
        self.name, self.where, self.schema = name, engine.where, rowed.schema
        self._engine, self._rowed, self._store = engine, rowed, store
        self._seen: dict[str, Operation] = {}
        self._heads: dict[str, dict[str, Commit]] = {}
        self._pace = Pace(self._search, engine.tidy)

    def held(self) -> Mapping[str, Held]:
        """What the active operations say; of no digest where the facts beside a value are others by now."""
        operations = self._operations()
        self._seen = dict(operations)
        self._heads = {feature: current_heads(self._store, feature)[0] for feature in self._rowed.beside}
        return {title: self._held(title, one) for title, one in operations.items() if "digest" in one.source}

    def batches(self, put: Sequence[Incoming], drop: Sequence[str]) -> Iterator[Batch]:
        """One for each title, in their order."""
        changes = {one.title: Batch(put=(one,)) for one in put} | {title: Batch(drop=(title,)) for title in drop}
        yield from (changes[title] for title in sorted(changes))

    def write(self, batch: Batch, rows: Rows) -> int:
        """Load a title's annotations; returns bytes handed over."""
        written = 0
        for one in batch.put:
            # read before: what was forgotten needs no rest
            table = rows(one)
            written += self._pace.write(partial(self._load, one, table))
        nothing = row_schema(self._rowed.kind).empty_table()
        for title in batch.drop:
            self._pace.write(partial(self._replace, title, self._source(), nothing))
        return written

    def tidy(self, keep_seconds: float) -> int:
        """Cancel what killed writers left, and have the engine merge what became small."""
        old = datetime.now(UTC) - timedelta(seconds=max(keep_seconds, KEEP_SECONDS))
        for one in self._engine.operations(self._rowed.kind.name):
            ours = one.source.get("feature") == self._rowed.feature and one.type_version == self._rowed.kind.version
            if ours and one.state is State.STARTED and one.started < old:
                self._engine.cancel(one)
        self._engine.tidy()
        return 0

    def rows(self, title: str) -> pa.Table:
        """The rows of a title, made of its annotations."""
        operation = self._operations().get(title)
        if operation is None or "digest" not in operation.source:
            raise NotStored(f"{self.name} holds nothing of {title}; run `mediaml ingest`, which copies what is missing")
        where = Compare("=", Column("scope", Kind.STRING, "scope"), Value(self._rowed.scope(title)))
        wanted = Selection([self._rowed.kind], [ROW, *self._rowed.columns], where, order=[Order(ROW)])
        try:
            return self._rowed.to_rows(self._engine.snapshot().select(wanted))
        except (OSError, ValueError, KeyError) as error:
            raise Damaged(
                f"{self.name} cannot give {title} ({error}) from {self.where}; `mediaml replicas --repair` copies it "
                "again"
            ) from error

    def _load(self, one: Incoming, rows: pa.Table) -> int:
        title, rowed = one.title, self._rowed
        try:
            batch = rowed.to_batch(rows, self._facts(one), title)
            if "algorithm_version" in rowed.kind.properties:
                said = f"{rowed.feature} {one.commit.version or one.commit.code[:8]}".strip()
                batch = batch.append_column("algorithm_version", same(said, batch.num_rows, pa.string()))
            found = validated(rowed.kind, batch, rowed.scope(title), rowed.feature, datetime.now(UTC))
        except AnnotationRefused as refused:
            raise NotKept(f"{self.name} cannot hold {title}: {refused}") from refused
        self._check(title, rows, found)
        source = {"digest": one.value.digest, "rows": str(one.value.rows), _BESIDE: self._beside(title)}
        return self._replace(title, self._source() | source, found)

    def _check(self, title: str, rows: pa.Table, found: pa.Table) -> None:
        """Raise NotKept when the annotations are not the rows, to the last bit."""
        again = self._rowed.to_rows(found.select([ROW, *self._rowed.columns]))
        wanted, had = column_digests(rows), column_digests(again)
        other = [name for name, digest in wanted.items() if had[name] != digest]
        if other or len(found.column("id").unique()) != found.num_rows:
            raise NotKept(
                f"{self.name} cannot hold {title}: {', '.join(other) or 'rows'} would be read back as something else"
            )

    def _replace(self, title: str, source: Mapping[str, str], rows: pa.Table) -> int:
        """Make an operation of these rows active, in place of the one that was seen."""
        self._check_alone(title, None)
        operation = self._engine.start(self._rowed.kind, self._rowed.scope(title), self._rowed.feature, source)
        try:
            for start in range(0, rows.num_rows, BATCH_ROWS):
                self._engine.upsert(operation, rows.slice(start, BATCH_ROWS))
            self._check_alone(title, None)
            operation = self._engine.finish(operation)
        except BaseException:
            # a reader never saw it; what cannot be canceled now is by `tidy`
            with suppress(MediamlError, OSError):
                self._engine.cancel(operation)
            raise
        # of two that finish at the same moment at least one finds the other here, and looks again
        self._check_alone(title, operation)
        self._seen[title] = operation
        return int(rows.nbytes)

    def _check_alone(self, title: str, ours: Operation | None) -> None:
        """Raise ReplicaMoved when another operation of the title finished since the one that was seen."""
        seen = self._seen.get(title)
        for one in self._engine.operations(self._rowed.kind.name, self._rowed.scope(title)):
            if (
                one.state is not State.FINISHED
                or one.type_version != self._rowed.kind.version
                or (ours and one.number == ours.number)
            ):
                continue
            if seen is None or (
                one.number != seen.number and (one.ended or one.started) >= (seen.ended or seen.started)
            ):
                raise ReplicaMoved(f"another process wrote {title} of {self.name} in {self.where} first; run it again")

    def _operations(self) -> dict[str, Operation]:
        """Title -> the active operation of this feature."""
        active = self._engine.active(self._rowed.kind).items()
        end = len(self._rowed.scope(""))
        ours = {scope: one for scope, one in active if one.source.get("feature") == self._rowed.feature}
        return {scope[: len(scope) - end]: one for scope, one in ours.items()}

    def _held(self, title: str, operation: Operation) -> Held:
        source = operation.source
        count = operation.rows // self._rowed.per_row
        return Held(source["digest"] if source.get(_BESIDE) == self._beside(title) else "", count)

    def _source(self) -> dict[str, str]:
        return {"feature": self._rowed.feature}

    def _beside(self, title: str) -> str:
        """Digest of all that is known beside the rows: of the title, or of every title where the rows are of many."""
        titles = sorted({one for heads in self._heads.values() for one in heads}) if title == CATALOGUE else [title]
        known = {
            feature: {one: self._digests(feature, one, columns) for one in titles}
            for feature, columns in self._rowed.beside.items()
        }
        return digest_of(known)

    def _digests(self, feature: str, title: str, columns: Sequence[str]) -> list[str | None]:
        commit = self._heads[feature].get(title)
        value = commit.current if commit else None
        return [value.columns.get(name) if value else None for name in columns]

    def _facts(self, one: Incoming) -> Facts:
        """What is known beside a value, which must have been made from it."""
        facts = Facts(self._store, lambda feature, title: self._heads[feature].get(title))
        view = View(self._store, self._rowed.feature, one.title, one.commit)
        for feature in self._rowed.beside if one.title != CATALOGUE else ():
            if not view.was_made_from(facts.view(feature, one.title)):
                raise NotKept(
                    f"{self._rowed.feature} of {one.title} is not made from its {feature} of now; it is made again"
                )
        return facts

    def _search(self) -> None:
        """The smallest search: one annotation of this type."""
        self._engine.snapshot().select(Selection([self._rowed.kind], ["id"], limit=1))
