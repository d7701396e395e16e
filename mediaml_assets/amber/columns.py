"""Columns of a feature's rows: what they hold, and which of them the store treats in a way of their own.

    SHOTS = pa.schema([column("start", pa.int32(), "First frame, of the standard encode."), blob("clip", "The film.")])

A description is shown in the Dagster UI and stored in the Parquet files; it is no part of the feature's code.
"""

from collections.abc import Mapping

import pyarrow as pa

ABOUT = b"about"
"""Metadata of a field: its description."""
AMBER = b"amber"
"""Metadata of a field: what it is to the store."""
PICTURE = b"picture"
"""Metadata of a field: whether its files are pictures to be shown."""


def column(name: str, kind: pa.DataType, about: str = "", nullable: bool = False) -> pa.Field:
    """A column that is described, and that holds no nulls unless it is declared to."""
    return _field(name, kind, about, {}, nullable)


def blob(name: str, about: str = "") -> pa.Field:
    """A column of files: the function gives paths below `scratch`, the store keeps the files by content."""
    return _field(name, pa.string(), about, {AMBER: b"blob"}, nullable=True)


def picture(name: str, about: str = "") -> pa.Field:
    """A column of files that are small JPEG or PNG pictures: the Dagster UI shows those of a one-row value."""
    return _field(name, pa.string(), about, {AMBER: b"blob", PICTURE: b"yes"}, nullable=True)


def is_picture(field: pa.Field) -> bool:
    """Whether a column holds pictures that are shown."""
    return PICTURE in _marks(field)


def is_blob(field: pa.Field) -> bool:
    """Whether a column holds names of stored files."""
    return _marks(field).get(AMBER) == b"blob"


def about(field: pa.Field) -> str:
    """The description of a column; empty when it has none."""
    return _marks(field).get(ABOUT, b"").decode()


def declaration(schema: pa.Schema) -> list[str]:
    """What a schema says of the rows, one line a column: not how people are shown it."""
    return [_line(field) for field in schema]


def _line(field: pa.Field) -> str:
    marks = [
        f"{key.decode()} {value.decode()}"
        for key, value in sorted(_marks(field).items())
        if key not in (ABOUT, PICTURE)
    ]
    return ", ".join([f"{field.name}: {field.type}", *([] if field.nullable else ["no nulls"]), *marks])


def _field(name: str, kind: pa.DataType, about: str, marks: Mapping[bytes, bytes], nullable: bool) -> pa.Field:
    metadata = {**marks, **({ABOUT: about.encode()} if about else {})}
    return pa.field(name, kind, nullable=nullable, metadata=metadata or None)


def _marks(field: pa.Field) -> Mapping[bytes, bytes]:
    return field.metadata or {}
