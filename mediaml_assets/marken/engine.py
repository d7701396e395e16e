"""The one seam between Marken and where annotations are kept: what an engine does.

Rows are canonical (`rows.py`): validated, one column for each part of a property. An engine validates nothing, parses
no query and knows no annotation type but through `AnnotationType`; two engines give the same answers, row for row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mediaml_assets.marken.operation import Operation
from mediaml_assets.marken.query.nodes import And, Column, IsNull, Node, OneOf, Or, Value
from mediaml_assets.marken.schema import AnnotationType, Kind


@dataclass(frozen=True)
class Order:
    """One sort key. Nulls come last either way; text is compared by code points."""

    column: str
    """Of the canonical rows, or `score`."""
    descending: bool = False


@dataclass(frozen=True)
class Nearest:
    """Order by likeness to a vector: adds the column `score`, the cosine in [-1, 1]; rows without a vector drop out."""

    property: str
    """A vector property."""
    vector: npt.NDArray[np.float32]
    """[d], any length but 0."""
    exact: bool = True
    """Whether every survivor of the filter must be scored; else an index may answer beyond the exact bound."""


@dataclass(frozen=True)
class Per:
    """At most `size` rows of each distinct value of a column, the first by the order; null is a value."""

    column: str
    size: int
    among: Sequence[Any] | None = None
    """Only these values, of which None is one; None for all. The rows of one that is left out do not count at all."""


@dataclass(frozen=True)
class Selection:
    """What rows are wanted of a snapshot, in a total order: the engine adds id and version as the last sort keys.

    First `per` is applied, to all rows that `where`, `titles` and `nearest` leave; then `after`; then `limit`.
    """

    types: Sequence[AnnotationType]
    columns: Sequence[str]
    """Of the canonical rows, and `score` with `nearest`. A column that a type has not is null."""
    where: Node | None = None
    titles: Sequence[str] | None = None
    """Rows whose title or other title is one of these; None for all."""
    nearest: Nearest | None = None
    order: Sequence[Order] = ()
    after: Sequence[Any] | None = None
    """Only rows after this place in the order: a value for each of `order`, then id and version."""
    per: Per | None = None
    limit: int | None = None

    @property
    def condition(self) -> Node | None:
        """`where`, and that a row is of one of the groups that are wanted."""
        if self.per is None or self.per.among is None:
            return self.where
        column = Column(self.per.column, Kind.STRING, self.per.column)
        ways: list[Node] = [IsNull(column)] if None in self.per.among else []
        if values := tuple(Value(one) for one in self.per.among if one is not None):
            ways.append(OneOf(column, values))
        among = Or(tuple(ways))
        return among if self.where is None else And((self.where, among))


class Snapshot(Protocol):
    """All current annotations at one moment; whole operations only, whatever is written meanwhile."""

    @property
    def moment(self) -> str:
        """Names it: `Engine.snapshot(moment)` gives the same rows later."""
        ...

    @property
    def missing(self) -> Sequence[str]:
        """Titles whose server did not answer what was asked so far; none but where `partial` was asked for."""
        ...

    def select(self, selection: Selection) -> pa.Table:
        """The rows, in order."""
        ...

    def count(self, types: Sequence[AnnotationType], where: Node | None, titles: Sequence[str] | None = None) -> int:
        """How many rows there are."""
        ...

    def words(self, types: Sequence[AnnotationType], property: str) -> Sequence[str]:
        """Every stem of a text property of these types; a superset of those in sight is fine."""
        ...

    def distinct(
        self, types: Sequence[AnnotationType], property: str, box: tuple[float, float, float, float] | None = None
    ) -> Sequence[str]:
        """Distinct values of a string or region property; with a box, regions whose bounding box meets it.

        The box is (x0, y0, x1, y1), closed.
        """
        ...

    def explain(self, selection: Selection) -> Mapping[str, Any]:
        """How `select` would answer: statements with their parameters, survivors, exact or index."""
        ...


class Engine(Protocol):
    """Where annotations are kept.

    Writing raises OperationRefused when the operation is not in a state for it.
    """

    @property
    def where(self) -> str:
        """For people: folder, bucket or servers; no password."""
        ...

    def start(self, kind: AnnotationType, scope: str, by: str, source: Mapping[str, str]) -> Operation:
        """Begin an operation; several may be under way, and the last to finish is active."""
        ...

    def upsert(self, operation: Operation, rows: pa.Table) -> None:
        """Add canonical rows to a started operation; a later row of an id replaces an earlier one; safe to repeat."""
        ...

    def finish(self, operation: Operation) -> Operation:
        """Make it active, whole, in place of the one before; finishing a finished one again changes nothing."""
        ...

    def cancel(self, operation: Operation) -> Operation:
        """Give up a started one; canceling a canceled one changes nothing."""
        ...

    def roll_back(self, operation: Operation) -> Operation:
        """Withdraw a finished one; the newest finished one of its key is active again."""
        ...

    def append(self, kind: AnnotationType, rows: pa.Table) -> pa.Table:
        """Log mode: add canonical rows, each as the next version of its id; returns them with their versions.

        All or nothing. What was there stays readable under its version; the newest of an id is current.
        """
        ...

    def operations(self, kind: str | None = None, scope: str | None = None) -> Sequence[Operation]:
        """Operations by type, type version, scope and number."""
        ...

    def active(self, kind: AnnotationType) -> Mapping[str, Operation]:
        """Scope -> the active operation, of one type and version."""
        ...

    def versions(self, id: str) -> pa.Table:
        """Every version of an annotation ever seen by readers, by version; empty when there is none.

        All columns that its types have.
        """
        ...

    def snapshot(self, as_of: str | datetime | None = None, partial: bool = False) -> Snapshot:
        """The state at a moment: a `Snapshot.moment`, a time, or now.

        Raises:
            QueryRefused: there was no such moment.
            TitlesUnreachable: a server does not answer; with `partial` what it has is `missing` instead.
        """
        ...

    def tidy(self) -> None:
        """Merge what became small; nothing that a reader can ask for is lost."""
        ...
