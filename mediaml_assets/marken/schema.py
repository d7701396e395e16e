"""Types of annotations: named, versioned, with typed properties, some of them inherited.

A type is checked when it is declared; how it may change from version to version is checked where the versions meet
(`types.Types`).
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mediaml_assets.errors import SchemaRefused


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


FIXED_NAMES = (
    *("id", "version", "type", "type_version", "scope", "title", "other_title", "entity_kind", "entity_id", "by"),
    "created",
)
"""Columns that every annotation has."""
RESERVED = frozenset({*FIXED_NAMES, "entity", "properties", "start", "end", "score"})
"""What no column of a property is called: fixed columns, parts of the JSON form, short names in queries."""
SUFFIXES: Mapping[Kind, tuple[str, ...]] = {
    **{kind: ("",) for kind in Kind},
    Kind.TEXT: ("", "_stems"),
    Kind.TIME_RANGE: ("_start", "_end", "_start_frame", "_end_frame", "_rate_num", "_rate_den"),
    Kind.REGION: ("", "_x0", "_y0", "_x1", "_y1", "_is_box"),
}
"""What follows a property's name in the names of its columns."""
MOST_DIMENSIONS = 16_000
"""Of a vector: as many as a server keeps."""
_TYPE_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,47}")
_PROPERTY_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_NO_KEY = {"id", "version", "type", "type_version", "scope", "created"}


@dataclass(frozen=True)
class Property:
    """One property of a type."""

    name: str
    """`[a-z][a-z0-9_]*`, at most 48 characters; none of its columns is `RESERVED` or a column of another property."""
    kind: Kind
    about: str
    mandatory: bool = False
    dimensions: int = 0
    """Of a vector; 0 for every other kind."""
    encoder: str = ""
    """Of a vector: the feature whose encoder makes vectors like it of texts, pictures and shots; empty for none."""
    language: str = "en"
    """Of a text: BCP 47, whose stemmer reads it; a row's own `language`, where its type has that, goes first."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its columns in canonical rows."""
        return tuple(f"{self.name}{suffix}" for suffix in SUFFIXES[self.kind])

    @property
    def holds(self) -> str:
        """Its kind, and its dimensions where it has some, for messages."""
        return f"{self.kind} of {self.dimensions} dimensions" if self.dimensions else str(self.kind)


@dataclass(frozen=True)
class Base:
    """Properties that types inherit."""

    name: str
    properties: tuple[Property, ...]


@dataclass(frozen=True)
class AnnotationType:
    """A type at one version.

    It has the properties of all its bases, and its own. Two bases may bring the same property; where they differ, the
    type itself declares it. Its own property takes the place of an inherited one of the same kind and dimensions, for
    another description or to make it mandatory.

    Raises:
        SchemaRefused: it is declared wrongly; names type, version and property.
    """

    name: str
    """`[A-Z][A-Z0-9_]*`, at most 48 characters."""
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
        object.__setattr__(self, "properties", _inherited(self) | {one.name: one for one in self.own})
        _check(self)

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


def _inherited(kind: AnnotationType) -> dict[str, Property]:
    """The properties of the bases, by name; refuses those that contradict each other or the type's own."""
    found: dict[str, Property] = {}
    origin: dict[str, str] = {}
    own = {one.name: one for one in kind.own}
    for base in kind.bases:
        for one in base.properties:
            other = found.setdefault(one.name, one)
            said = f"{base.name} and {origin.setdefault(one.name, base.name)}"
            if other.holds != one.holds:
                raise _refused(kind, one, f"is {one.holds} and {other.holds} in {said}; a type cannot have both bases")
            if other != one and one.name not in own:
                raise _refused(kind, one, f"differs between {said}; declare it in the type itself")
            mine = own.get(one.name, one)
            if mine.holds != one.holds or (one.mandatory and not mine.mandatory):
                wanted = f"{'mandatory ' if one.mandatory else ''}{one.holds}"
                raise _refused(kind, mine, f"is {wanted} in {base.name}; keep that, or give it another name")
    return found


def _check(kind: AnnotationType) -> None:
    """Refuse names that cannot be, columns that collide, and attributes that do not belong to a kind."""
    if not _TYPE_NAME.fullmatch(kind.name):
        raise SchemaRefused(f"annotation type {kind.name!r}: write its name as [A-Z][A-Z0-9_]*, at most 48 characters")
    if type(kind.version) is not int or kind.version < 1:
        raise SchemaRefused(f"annotation type {kind.name}: its version is {kind.version!r}; count versions from 1")
    twice = [name for name, count in Counter(one.name for one in kind.own).items() if count > 1]
    if twice:
        raise SchemaRefused(f"{kind}: property {twice[0]!r} is declared twice; leave one out")
    holder: dict[str, str] = {}
    for one in kind.properties.values():
        _check_property(kind, one)
        for column in one.columns:
            other = holder.setdefault(column, one.name)
            if column in RESERVED:
                raise _refused(kind, one, f"would have the column {column!r}, which Marken needs; give it another name")
            if other != one.name:
                raise _refused(kind, one, f"and {other!r} would both have the column {column!r}; rename one")
    if (kind.mode is Mode.LOG) != bool(kind.key):
        raise SchemaRefused(
            f"{kind}: a log type needs a key and a run type has none; the key says which annotation a row is the next "
            'version of, such as ("entity_id", "by")'
        )
    vectors = {one.name for one in kind.properties.values() if one.kind is Kind.VECTOR}
    usable = ({*FIXED_NAMES} - _NO_KEY) | holder.keys() - vectors
    for column in kind.key:
        if column not in usable:
            raise SchemaRefused(f"{kind}: its key has {column!r}; take it of {', '.join(sorted(usable))}")


def _check_property(kind: AnnotationType, one: Property) -> None:
    if not _PROPERTY_NAME.fullmatch(one.name):
        raise _refused(kind, one, "is no name; write it as [a-z][a-z0-9_]*, at most 48 characters")
    least, most = (1, MOST_DIMENSIONS) if one.kind is Kind.VECTOR else (0, 0)
    if not least <= one.dimensions <= most:
        raise _refused(kind, one, f"is {one.holds}; a vector has 1 to {MOST_DIMENSIONS:,}, every other kind 0")
    if one.encoder and one.kind is not Kind.VECTOR:
        raise _refused(kind, one, f"has an encoder and is {one.kind}; only vectors have one")
    if not _LANGUAGE.fullmatch(one.language):
        raise _refused(kind, one, f"has the language {one.language!r}; give a BCP 47 tag such as en or pt-BR")


def _refused(kind: AnnotationType, one: Property, what: str) -> SchemaRefused:
    return SchemaRefused(f"{kind}: property {one.name!r} {what}")


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
