"""The bodies of requests and answers, as the API describes them."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, StrictInt, StrictStr
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from mediaml_assets.marken.faces import examples

MOST_ROWS = 10_000
"""Annotations of one batch."""

Name = Annotated[StrictStr, Field(min_length=1, max_length=512)]
Version = Annotated[StrictInt, Field(ge=1, le=2**31 - 1)]
Rows = Annotated[list[dict[StrictStr, Any]], Field(min_length=1, max_length=MOST_ROWS)]


class DescribedBy:
    """Annotates a type that something else checks: in the API it is described as a model is."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._model = model

    def __get_pydantic_json_schema__(self, _: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(self._model.__pydantic_core_schema__)


class _Told(BaseModel):
    """What is written under a field here is in the API's description too."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class _Body(_Told):
    """A body with an unknown field is an error."""

    model_config = ConfigDict(extra="forbid")


class Start(_Body):
    """Begin an operation."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.START]})
    type: Name
    """A type of mode run: its newest version, or one version as `SHOT@1`."""
    scope: Name
    """Mostly a title."""
    by: Name
    source: Annotated[dict[Name, Annotated[StrictStr, Field(max_length=1_000)]], Field(max_length=100)] = {}
    """Where the annotations come from, in the writer's words."""


class Key(_Body):
    """Which operation."""

    type: Name
    type_version: Version
    scope: Name
    number: Version

    model_config = ConfigDict(json_schema_extra={"examples": [examples.KEY]})


class Named(_Body):
    """What to do it to."""

    operation: Key

    model_config = ConfigDict(json_schema_extra={"examples": [{"operation": examples.KEY}]})


class Batch(_Body):
    """Annotations to add to an operation."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.BATCH]})
    operation: Key
    annotations: Rows
    """Properties of each; `id`, `title`, `other_title` and `entity` where they are not those of the operation."""


class Append(_Body):
    """Annotations to add to a log."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.APPEND]})
    type: Name
    """A type of mode log."""
    by: Name
    annotations: Rows


class Operation(_Told):
    """An operation."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.OPERATION]})
    type: str
    type_version: int
    scope: str
    number: int
    state: str
    by: str
    started: str
    ended: str | None
    rows: int
    source: dict[str, str]


class Operations(_Told):
    """Operations, by type, version, scope and number."""

    operations: list[Operation]


class Property(_Told):
    """A property of a type."""

    name: str
    kind: str
    about: str
    mandatory: bool
    dimensions: int
    encoder: str
    language: str


class Type(_Told):
    """A type at one version; properties with inherited ones."""

    name: str
    version: int
    about: str
    mode: str
    key: list[str]
    bases: list[str]
    properties: list[Property]


class Types(_Told):
    """Types, by name and version."""

    types: list[Type]


class Entity(_Told):
    """What an annotation is about."""

    kind: str
    id: str


class Annotation(_Told):
    """An annotation: immutable, known by id and version."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ANNOTATION]})
    id: str
    version: int
    type: str
    type_version: int
    scope: str
    title: str
    other_title: str | None = None
    entity: Entity
    by: str
    created: str
    properties: dict[str, Any]


class Annotations(_Told):
    """Annotations, in the order they were given."""

    annotations: list[Annotation]


class Hit(Annotation):
    """An annotation that a search found."""

    model_config = ConfigDict(json_schema_extra={"examples": examples.ANSWER["hits"]})
    score: float | None = None
    """With `nearest`: the cosine, in [-1, 1]."""
    group: Any = None
    """With `collapse`: the value that its group has in common."""
    inner_hits: list[Annotation] | None = None
    """With `collapse`: the best of the group."""


class Range(_Told):
    """With `within`: a stretch of a title in which every part holds."""

    title: str
    start: float
    """Seconds; the stretch is half-open."""
    end: float
    members: list[list[str]]
    """For each part the ids of its annotations."""
    score: float | None = None


class Answer(_Told):
    """One page of a search."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ANSWER]})
    hits: list[Hit | Range]
    moment: str
    """What was searched; as `as_of` it gives the same again."""
    cursor: str | None = None
    """Asks for the next page, of the same moment; missing on the last one."""
    explain: list[dict[str, Any]] | None = None
    missing: list[str] | None = None
    """With `partial`: titles whose server did not answer."""


class Health(_Told):
    """The service answers, and so does what it stands on."""

    status: str
    moment: str
    """Of the newest whole state."""


class Error(_Told):
    """What went wrong, and what to do next."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ERROR]})
    error: str
    """The class of the error."""
    message: str
    place: str | None = None
    """Of QueryRefused and RequestRefused: where in the request."""
    property: str | None = None
    """Of AnnotationRefused: the property that is wrong."""
    titles: list[str] | None = None
    """Of TitlesUnreachable: the titles that are missing."""
