"""How the rows of one feature become annotations and back, whatever the feature: what a `Rowed` declares.

    batch = rowed.to_batch(rows, facts, title)     columns for `validated`
    rowed.to_rows(annotations)                     the feature's rows again, bit for bit

Both are columnar. What the rows do not say (the rate of the frames, where a shot is in the delivered film) is in
`Facts`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.annotations.facts import Facts
from mediaml_assets.marken.schema import AnnotationType

ROW = "row"


@dataclass(frozen=True)
class Rowed:
    """A feature whose values are annotations."""

    feature: str
    schema: pa.Schema
    """The feature's."""
    kind: AnnotationType
    """What a row becomes."""
    to_batch: Callable[[pa.Table, Facts, str], pa.Table]
    """The rows of the value of a title as a batch: `id`, `entity_kind`, `entity_id`, and what the type has."""
    to_rows: Callable[[pa.Table], pa.Table]
    """Annotations, sorted by their row and then by id, as the rows of a value: columns of the feature's schema."""
    columns: tuple[str, ...]
    """Canonical columns of annotations that `to_rows` reads beside `row`."""
    beside: Mapping[str, tuple[str, ...]]
    """Upstream feature -> those of its columns that `Facts` reads."""
    per_row: int = 1
    """Annotations a row."""
    shared: bool = False
    """Whether other features make annotations of this type of the same titles too."""

    def scope(self, title: str) -> str:
        """The scope of the operations that load what the feature says of a title."""
        return f"{title}/{self.feature}" if self.shared else title


def numbered(rows: pa.Table) -> pa.Array:
    """The number of each row, from 0."""
    return pa.array(np.arange(rows.num_rows))


def joined(*parts: object) -> pa.Array:
    """Texts, numbers and columns of them, one after the other in each row."""
    texts = [part.cast(pa.string()) if isinstance(part, (pa.Array, pa.ChunkedArray)) else str(part) for part in parts]
    return pc.binary_join_element_wise(*texts, "")


def same(value: object, count: int, kind: pa.DataType) -> pa.Array:
    """A column of one value."""
    return pa.repeat(pa.scalar(value, kind), count)


def about(title: str, kind: str, ids: pa.Array | str, count: int) -> dict[str, pa.Array]:
    """The columns that say of whom rows are: of a title, and of an entity of some kind."""
    text = pa.string()
    entity = same(ids, count, text) if isinstance(ids, str) else ids
    return {"title": same(title, count, text), "entity_kind": same(kind, count, text), "entity_id": entity}


def frames(
    name: str, start: pa.ChunkedArray, end: pa.ChunkedArray, num: pa.Array, den: pa.Array
) -> dict[str, pa.Array]:
    """The columns of a time range in frames [start, end) at a rate."""
    return {
        f"{name}_start_frame": start.cast(pa.int64()),
        f"{name}_end_frame": end.cast(pa.int64()),
        f"{name}_rate_num": num,
        f"{name}_rate_den": den,
    }


def of_schema(columns: Mapping[str, pa.ChunkedArray | pa.Array], schema: pa.Schema) -> pa.Table:
    """Columns as those of a feature's schema; narrowed where an annotation's are wider."""
    return pa.table([columns[one.name].cast(one.type) for one in schema], schema=schema)
