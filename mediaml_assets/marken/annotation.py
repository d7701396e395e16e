"""Annotations one by one, and their JSON form: what clients write and read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pyarrow as pa

from mediaml_assets.marken.schema import AnnotationType, Kind


@dataclass(frozen=True)
class Entity:
    """What an annotation is about."""

    kind: str
    """title, artwork, shot or pair."""
    id: str


@dataclass(frozen=True)
class TimeRange:
    """Half-open [start, end) on the title's own clock; frames and their rate where it was given in frames."""

    start: float
    """Seconds."""
    end: float
    start_frame: int | None = None
    end_frame: int | None = None
    rate: Fraction | None = None
    """Frames per second."""

    def to_json(self) -> dict[str, Any]:
        """As in an annotation's JSON form."""
        found: dict[str, Any] = {"start": self.start, "end": self.end}
        if self.rate is not None:
            found |= {"start_frame": self.start_frame, "end_frame": self.end_frame}
            found["rate"] = f"{self.rate.numerator}/{self.rate.denominator}"
        return found


@dataclass(frozen=True)
class Annotation:
    """A statement about an entity of a title, at one of its versions; it never changes."""

    id: str
    version: int
    type: str
    type_version: int
    scope: str
    title: str
    other_title: str | None
    entity: Entity
    by: str
    created: datetime
    """UTC."""
    properties: Mapping[str, Any]
    """Those that it has, by name: str, int, float, bool, list[str], TimeRange, WKT, list[float]."""

    def to_json(self) -> dict[str, Any]:
        """The JSON form; given to `validated` it makes the same row again, but for version and created."""
        found: dict[str, Any] = {
            "id": self.id,
            "version": self.version,
            "type": self.type,
            "type_version": self.type_version,
            "scope": self.scope,
            "title": self.title,
        }
        if self.other_title is not None:
            found["other_title"] = self.other_title
        found |= {
            "entity": {"kind": self.entity.kind, "id": self.entity.id},
            "by": self.by,
            "created": self.created.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        }
        found["properties"] = {
            name: value.to_json() if isinstance(value, TimeRange) else value for name, value in self.properties.items()
        }
        return found


def annotations(kind: AnnotationType, rows: pa.Table) -> Iterator[Annotation]:
    """The annotations of canonical rows of a type, in order.

    Args:
        kind: the type at the rows' version.
        rows: `FIXED` and any of the type's columns; what else there is, such as `score`, is not looked at.
    """
    return (annotation_of(kind, row) for row in rows.to_pylist())


def annotation_of(kind: AnnotationType, row: Mapping[str, Any]) -> Annotation:
    """The annotation of one canonical row of a type, by the same rules."""
    return Annotation(
        **{name: row[name] for name in ("id", "version", "type", "type_version", "scope", "title", "other_title")},
        entity=Entity(row["entity_kind"], row["entity_id"]),
        by=row["by"],
        created=row["created"],
        properties=properties_of(kind, row),
    )


def properties_of(kind: AnnotationType, row: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that a canonical row has, by name."""
    found = {
        name: _time(name, row) if one.kind is Kind.TIME_RANGE else row.get(name)
        for name, one in kind.properties.items()
    }
    return {name: value for name, value in found.items() if value is not None}


def _time(name: str, row: Mapping[str, Any]) -> TimeRange | None:
    start, end = row.get(f"{name}_start"), row.get(f"{name}_end")
    if start is None or end is None:
        return None
    num, den = row.get(f"{name}_rate_num"), row.get(f"{name}_rate_den")
    rate = Fraction(num, den) if num is not None and den is not None else None
    return TimeRange(start, end, row.get(f"{name}_start_frame"), row.get(f"{name}_end_frame"), rate)
