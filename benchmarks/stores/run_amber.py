"""The feature store of this project: each commit is an ask that is not known yet, answered and written down."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from benchmarks.stores.handed_out import FEATURE, deliver, handing_out
from benchmarks.stores.shots import ROWS, TABLE, with_title
from benchmarks.stores.worker import Kept, serve
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.view import View

VERSIONS = 10_000


class Amber(Kept):
    """A title's number is in its name, its version is the delivery's."""

    def open(self) -> None:
        """Open the store."""
        self.store = Store(self.root)
        self.mesh = handing_out(lambda one: self.ready[_number(one.title), one.generation - 1], ROWS)

    def prepare(self, title: int, version: int) -> None:
        """Deliver the source as well: it is another feature's commit."""
        super().prepare(title, version)
        deliver(self.store, _name(title), title * VERSIONS + version)

    def add(self, title: int, version: int) -> None:
        """One commit."""
        self.mesh.compute(self.store, FEATURE, [_name(title)])

    replace = add

    def contend(self, title: int, version: int) -> None:
        """Another delivery of the same title: an append to one chain, where every writer must be kept."""
        deliver(self.store, _name(title), title * VERSIONS + version)

    def maintain(self) -> None:
        """Nothing: folding the ledger (`mediaml compact`) is for chains longer than the one or two rows of these."""

    def read(self, title: int) -> pa.Table:
        """By feature and title."""
        return self.store.view(FEATURE, _name(title)).table()

    def read_all(self) -> pa.Table:
        """All titles."""
        return _joined(self.store.views(FEATURE, self.store.ledger.scopes(FEATURE)))

    def read_at(self, moment: Any) -> pa.Table:
        """All titles as of a time."""
        titles = self.store.ledger.scopes(FEATURE)
        return _joined(self.store.views(FEATURE, titles, as_of=datetime.fromisoformat(moment)))

    def moment(self) -> Any:
        """The time."""
        return datetime.now(UTC).isoformat()

    def commits(self) -> int:
        """Deliveries of title 0."""
        return len(self.store.ledger.chain("source", _name(0)))


def _name(title: int) -> str:
    return f"title_{title:05}"


def _number(name: str) -> int:
    return int(name.removeprefix("title_"))


def _joined(views: dict[str, View]) -> pa.Table:
    parts = [with_title(_number(title), view.table()) for title, view in views.items() if not view.withdrawn]
    return pa.concat_tables([TABLE.empty_table(), *parts])


if __name__ == "__main__":
    serve(Amber)
