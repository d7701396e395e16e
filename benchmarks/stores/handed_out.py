"""A feature that costs nothing itself: it hands out tables made before, so that all that is measured is the store."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pyarrow as pa

from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.amber.keys import column_digests
from mediaml_assets.amber.ledger import Commit
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.store import Store

FEATURE = "made"
SOURCE = pa.schema([("n", pa.int64())])


@dataclass(frozen=True)
class Delivery:
    """The upstream value: which delivery of which title; each holds another number, so that it asks for another key."""

    title: str
    generation: int
    """1 for the first."""
    columns: ClassVar[tuple[str, ...]] = ("n",)

    @classmethod
    def from_value(cls, view: Any) -> Self:
        """Made without reading a file: a bare write reads none."""
        return cls(view.title, view.generation)


def handing_out(tables: Callable[[Delivery], pa.Table], schema: pa.Schema) -> Mesh:
    """A mesh of one feature, whose value is the table of a delivery."""

    def made(source: Delivery) -> pa.Table:
        return tables(source)

    return Mesh([amber_feature(version="1", schema=schema)(made)], sources=["source"])


def deliver(store: Store, title: str, number: int) -> None:
    """Another value of a title's source, as a landed file would be."""
    rows = pa.table({"n": [number]}, schema=SOURCE)
    value = store.write_rows("source", rows, f"{number:064}", column_digests(rows))
    while True:
        head = store.ledger.head("source", title)
        generation = head.generation + 1 if head else 1
        row = Commit("source", title, "computed", value, value, value.key, generation)
        if store.ledger.append(row, head) is not None:
            return
