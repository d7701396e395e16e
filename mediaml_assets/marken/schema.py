"""Types of annotations: named, versioned, with typed properties, some of them inherited."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a property holds; it never changes over the versions of a type."""

    STRING = "string"
    TEXT = "text"
    """A string whose words can be searched with MATCH."""
    INTEGER = "integer"
    """64 bits, signed."""
    NUMBER = "number"
    """A finite double."""
    BOOLEAN = "boolean"
    STRINGS = "strings"
    """A list of strings; each counts once."""
    TIME_RANGE = "time_range"
    """Half-open [start, end), start < end: in seconds, or in frames at a rational rate, of the entity's own clock."""
    REGION = "region"
    """A WKT geometry in normalised picture coordinates: x and y in [0, 1], y downwards."""
    VECTOR = "vector"
    """Float32 numbers of a fixed count, finite, not all 0."""


class Mode(StrEnum):
    """How annotations of a type come and go."""

    RUN = "run"
    """In operations: a finished one replaces the last of its scope."""
    LOG = "log"
    """One by one, append-only: people's decisions."""


@dataclass(frozen=True)
class Property:
    """One property of a type."""

    name: str
    """`[a-z][a-z0-9_]*`, no name of a column that every annotation has."""
    kind: Kind
    about: str
    mandatory: bool = False
    dimensions: int = 0
    """Of a vector; 0 for every other kind."""
    encoder: str = ""
    """Of a vector: the feature whose encoder makes vectors like it of texts, pictures and shots; empty for none."""
    language: str = "en"
    """Of a text: BCP 47, whose stemmer reads it; a row's own `language`, where its type has that, goes first."""


@dataclass(frozen=True)
class Base:
    """Properties that types inherit."""

    name: str
    properties: tuple[Property, ...]


@dataclass(frozen=True)
class AnnotationType:
    """A type at one version."""

    name: str
    """`[A-Z][A-Z0-9_]*`."""
    version: int
    """From 1; a version may add and remove properties."""
    about: str
    own: tuple[Property, ...] = ()
    bases: tuple[Base, ...] = ()
    mode: Mode = Mode.RUN
    key: tuple[str, ...] = ()
    """Log mode: columns that say which annotation a row is the next version of, e.g. ("entity_id", "by")."""
    properties: Mapping[str, Property] = field(init=False, compare=False)
    """Own and inherited, by name, bases first."""

    def __post_init__(self) -> None:
        found = {one.name: one for base in self.bases for one in base.properties}
        object.__setattr__(self, "properties", found | {one.name: one for one in self.own})


TEMPORAL_SPATIAL = Base(
    "TEMPORAL_SPATIAL_BASE",
    (
        Property("time", Kind.TIME_RANGE, "When, on the title's own clock."),
        Property("region", Kind.REGION, "Where in the picture."),
    ),
)
ALGORITHM = Base(
    "BASE_ALGORITHM_ANNOTATION",
    (
        Property("label", Kind.TEXT, "What was found."),
        Property("confidence", Kind.NUMBER, "How sure the algorithm is, in [0, 1]."),
        Property("algorithm_version", Kind.STRING, "Which version of which algorithm said so."),
    ),
)
