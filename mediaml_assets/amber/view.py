"""A stored value that is not yet read: what a parameter's type is made from, and what is had on demand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from mediaml_assets.amber.ledger import Commit, Value
from mediaml_assets.amber.objects import Blob
from mediaml_assets.errors import Damaged, InputMoved, NotStored

if TYPE_CHECKING:
    from mediaml_assets.amber.store import Store


@dataclass(frozen=True)
class View:
    """The current value of a feature for one title, not yet read: what a parameter's type is made from."""

    store: "Store"
    feature: str
    title: str
    commit: Commit

    @property
    def withdrawn(self) -> bool:
        """Whether there is no value on purpose: the title was taken away (or, among `views`, never had a good one)."""
        return self.commit.current is None

    @property
    def value(self) -> Value:
        """The stored value; raises NotStored for a withdrawn title."""
        if self.commit.current is None:
            raise NotStored(f"{self.feature} has no value for {self.title}: its last commit is {self.commit.event}")
        return self.commit.current

    @property
    def generation(self) -> int:
        """The landing generation that this value stands for."""
        return self.commit.generation

    def table(self, columns: Sequence[str] | None = None, threads: bool = True) -> pa.Table:
        """The rows, or some of their columns, decoded by several threads or by the caller's alone.

        Raises:
            Damaged: they cannot be read.
            NotStored: they were forgotten meanwhile, or the title is withdrawn.
        """
        try:
            return self.store.read_rows(self.feature, self.value, columns, threads)
        except Damaged:
            if why := self.store.let_go(self.commit, ("forgotten", "repaired")):
                raise NotStored(why) from None
            raise

    def row(self, columns: Sequence[str] | None = None) -> dict[str, Any]:
        """The only row of a one-row value, as a dict."""
        rows: list[dict[str, Any]] = self.table(columns).to_pylist()
        if len(rows) != 1:
            raise Damaged(f"{self.feature} of {self.title} has {len(rows)} rows where one was expected")
        return rows[0]

    def was_made_from(self, upstream: "View") -> bool:
        """Whether what this value read of an upstream value is what that holds now; so if it read nothing of it."""
        read = self.value.reads.get(upstream.feature, {})
        return all(upstream.value.columns.get(column) == digest for column, digest in read.items())

    def origin(self, name: str) -> "View":
        """The upstream value that this one was made from; raises InputMoved when that is no longer the current one.

        For what must be found through an input without being part of any key, such as where a file lies.
        """
        upstream = self.store.view(name, self.title)
        if upstream.withdrawn or name not in self.value.reads or not self.was_made_from(upstream):
            raise InputMoved(f"{name} of {self.title} changed after {self.feature} was made; run {self.feature} again")
        return upstream

    def blobs(self, column: str) -> list[Blob | None]:
        """The stored files that a column names, one for each row; raises Damaged when one is gone."""
        names = self.table([column]).column(column).to_pylist()
        return [None if name is None else self._file(column, name) for name in names]

    def blob(self, column: str) -> Blob:
        """The stored file that a column of a one-row value names; raises Damaged when it is gone."""
        return self._file(column, self.row([column])[column])

    def _file(self, column: str, name: str) -> Blob:
        file = self.store.objects.blob(name)
        if not self.store.holds_blob(file.name):
            raise Damaged(
                f"{file.name}, the {column} of {self.feature} of {self.title}, is gone; run `mediaml repair "
                f"{self.feature}`"
            )
        return file
