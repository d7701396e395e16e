"""Canonical rows: how an annotation lies in columns, the same for every engine.

Every annotation has `FIXED`. A property adds columns by its kind (`columns_of`):

    string, integer, number, boolean, strings    <p>
    text         <p>, <p>_stems (list of strings: its stemmed words in order)
    time_range   <p>_start, <p>_end (seconds, float64); <p>_start_frame, <p>_end_frame (int64), <p>_rate_num,
                 <p>_rate_den (int32): null unless it was given in frames
    region       <p> (WKT as shapely writes it), <p>_x0, <p>_y0, <p>_x1, <p>_y1 (bounding box, float64), <p>_is_box
                 (whether it is that box, of an area above 0)
    vector       <p> (fixed-size list of float32, as it was given)

A property that an annotation has not is null in all its columns.
"""

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

_SIMPLE = {
    Kind.STRING: pa.string(),
    Kind.TEXT: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.STRINGS: pa.list_(pa.string()),
}


def columns_of(one: Property) -> list[pa.Field]:
    """The columns that a property adds."""
    name = one.name
    if one.kind is Kind.TIME_RANGE:
        parts = {"start": pa.float64(), "end": pa.float64(), "start_frame": pa.int64(), "end_frame": pa.int64()}
        parts |= {"rate_num": pa.int32(), "rate_den": pa.int32()}
        return [pa.field(f"{name}_{part}", kind) for part, kind in parts.items()]
    if one.kind is Kind.REGION:
        box = [pa.field(f"{name}_{part}", pa.float64()) for part in ("x0", "y0", "x1", "y1")]
        return [pa.field(name, pa.string()), *box, pa.field(f"{name}_is_box", pa.bool_())]
    if one.kind is Kind.VECTOR:
        return [pa.field(name, pa.list_(pa.float32(), one.dimensions))]
    found = [pa.field(name, _SIMPLE[one.kind])]
    return found + ([pa.field(f"{name}_stems", pa.list_(pa.string()))] if one.kind is Kind.TEXT else [])


def row_schema(kind: AnnotationType) -> pa.Schema:
    """Of the canonical rows of a type: `FIXED`, then its properties."""
    return pa.schema([*FIXED, *(column for one in kind.properties.values() for column in columns_of(one))])
