"""Canonical rows: how an annotation lies in columns, the same for every engine.

Every annotation has `FIXED`. A property adds columns by its kind (`columns_of`):

    string, integer, number, boolean, strings    <p>
    text         <p>, <p>_stems (list of strings: its stemmed words in order)
    time_range   <p>_start, <p>_end (seconds, float64); <p>_start_frame, <p>_end_frame (int64), <p>_rate_num,
                 <p>_rate_den (int32): null unless it was given in frames
    region       <p> (WKT as `regions.written` has it), <p>_x0, <p>_y0, <p>_x1, <p>_y1 (bounding box, float64),
                 <p>_is_box (whether it is that box, of an area above 0)
    vector       <p> (fixed-size list of float32, as it was given)

A property that an annotation has not is null in all its columns.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mediaml_assets.marken.schema import AnnotationType, Kind, Property

FIXED = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("version", pa.int32(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("type_version", pa.int32(), nullable=False),
        pa.field("scope", pa.string(), nullable=False),
        pa.field("title", pa.string(), nullable=False),
        pa.field("other_title", pa.string()),
        pa.field("entity_kind", pa.string(), nullable=False),
        pa.field("entity_id", pa.string(), nullable=False),
        pa.field("by", pa.string(), nullable=False),
        pa.field("created", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)
"""`version` is the operation's number in run mode, and counts from 1 for each id in log mode; `scope` is the
operation's, and the title in log mode; `entity_kind` is title, artwork, shot or pair; an annotation of a pair has both
titles and is found under each."""

_ARROW: Mapping[Kind, Sequence[pa.DataType]] = {
    Kind.STRING: [pa.string()],
    Kind.TEXT: [pa.string(), pa.list_(pa.string())],
    Kind.INTEGER: [pa.int64()],
    Kind.NUMBER: [pa.float64()],
    Kind.BOOLEAN: [pa.bool_()],
    Kind.STRINGS: [pa.list_(pa.string())],
    Kind.TIME_RANGE: [pa.float64(), pa.float64(), pa.int64(), pa.int64(), pa.int32(), pa.int32()],
    Kind.REGION: [pa.string(), *[pa.float64()] * 4, pa.bool_()],
}
"""Of the columns of a kind (`schema.SUFFIXES`), but for a vector's."""


def columns_of(one: Property) -> list[pa.Field]:
    """The columns that a property adds."""
    found = [pa.list_(pa.float32(), one.dimensions)] if one.kind is Kind.VECTOR else _ARROW[one.kind]
    return [pa.field(name, kind) for name, kind in zip(one.columns, found, strict=True)]


def row_schema(kind: AnnotationType) -> pa.Schema:
    """Of the canonical rows of a type: `FIXED`, then its properties."""
    return pa.schema([*FIXED, *(column for one in kind.properties.values() for column in columns_of(one))])


def with_versions(rows: pa.Table, versions: Sequence[int]) -> pa.Table:
    """Rows of these versions."""
    at = rows.schema.get_field_index("version")
    return rows.set_column(at, rows.schema.field(at), pa.array(versions, pa.int32()))


def last_of_each_id(rows: pa.Table) -> pa.Table:
    """Rows with the last of each id alone, in order."""
    places = last_places(rows["id"])
    return rows if len(places) == rows.num_rows else rows.take(pa.array(np.sort(places)))


def last_places(ids: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Where each distinct id stands for the last time, in no order."""
    numbered = pa.table({"id": ids, "place": np.arange(len(ids))})
    places: npt.NDArray[np.int64] = numbered.group_by("id").aggregate([("place", "max")])["place_max"].to_numpy()
    return places
