"""A search as it is asked: a filter, and everything a filter language is not.

Checked here: names, types and sizes. What needs the types of annotations (do they have the property?) is checked where
it is used. Either way what is wrong raises `QueryRefused` with its place, such as `collapse.inner_hits.size`.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
)
from pydantic import model_validator as checked
from pydantic_core import PydanticCustomError

from mediaml_assets.errors import QueryRefused

MOST_HITS = 100_000
"""Hits that one page may bring, inner hits counted."""

DEEPEST = 200
"""Of a filter in JSON, lists and objects counted; what CQL2 may be is less."""

Name = Annotated[StrictStr, Field(min_length=1, max_length=200)]
Text = Annotated[StrictStr, Field(min_length=1, max_length=100_000)]
Number = Annotated[StrictFloat, Field(allow_inf_nan=False)]
Size = Annotated[StrictInt, Field(ge=1, le=10_000)]
Types = Annotated[tuple[Name, ...], Field(min_length=1, max_length=100)]
Titles = Annotated[tuple[Name, ...], Field(max_length=10_000)]


def _refused(place: str, what: str) -> PydanticCustomError:
    """What pydantic shall say of a place inside of the model that it checks."""
    return PydanticCustomError("refused", "{what}", {"what": what, "place": place})


def _shallow(filter: Any) -> Any:
    """A filter that is no deeper than `DEEPEST`."""
    level: list[Any] = [filter] if isinstance(filter, dict) else []
    for _ in range(DEEPEST):
        held = (inner for one in level for inner in (one.values() if isinstance(one, dict) else one))
        level = [inner for inner in held if isinstance(inner, dict | list)]
        if not level:
            return filter
    raise _refused("", f"is more than {DEEPEST} deep")


Filter = Annotated[Text | StrictBool | dict[StrictStr, Any], AfterValidator(_shallow)]


class _Part(BaseModel):
    """Frozen; an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class To(_Part):
    """What to be near to: one of these."""

    vector: Annotated[tuple[Number, ...], Field(min_length=1, max_length=65_536)] | None = None
    shot: Name | None = None
    """An entity, such as `title/12`: its own stored vector, of several the mean direction."""
    text: Text | None = None
    """Goes through the encoder of the vector property."""
    image: Annotated[StrictStr, Field(min_length=1, max_length=50_000_000)] | None = None
    """A picture file in base64; goes through the encoder."""

    @checked(mode="after")
    def _one(self) -> Self:
        if sum(one is not None for one in (self.vector, self.shot, self.text, self.image)) != 1:
            raise _refused("", "give one of vector, shot, text, image")
        return self


class Near(_Part):
    """Order by likeness to a vector."""

    field: Name
    """A vector property of one of the types."""
    to: To
    exact: StrictBool = False
    """Score every survivor of the filter, however many there are."""


class NearFew(Near):
    """The nearest ones alone: by how many, or by how near."""

    k: Size | None = None
    min_score: Annotated[Number, Field(ge=-1, le=1)] | None = None

    @checked(mode="after")
    def _bounded(self) -> Self:
        if (self.k is None) == (self.min_score is None):
            raise _refused("", "give one of k, min_score")
        return self


class InnerHits(_Part):
    """The hits of a group."""

    size: Annotated[StrictInt, Field(ge=1, le=1_000)] = 1


class Collapse(_Part):
    """One group for each value of a column, in the order of their best hits."""

    field: Name
    inner_hits: InnerHits = InnerHits()


class Held(_Part):
    """One part of `within`: annotations whose time ranges count."""

    types: Types
    filter: Filter | None = None
    nearest: NearFew | None = None


class Within(_Part):
    """Ranges of time of a title in which every part holds."""

    parts: Annotated[tuple[Held, ...], Field(min_length=1, max_length=16)]


Key = Annotated[dict[Name, Literal["asc", "desc"]], Field(min_length=1, max_length=1)]


class Query(_Part):
    """A search."""

    types: Types | None = None
    """`SHOT`: of a type of runs its newest version, of a type of a log every version; `SHOT@1`: version 1."""
    filter: Filter | None = None
    """CQL2, as text or as JSON."""
    titles: Titles | None = None
    """Only of these; an annotation of a pair is of two titles."""
    nearest: Near | None = None
    collapse: Collapse | None = None
    within: Within | None = None
    """Instead of types, filter, nearest, collapse and fields: each part has its own."""
    sort: Annotated[tuple[Key, ...], Field(max_length=8)] = ()
    """By columns and `score`; then by id and version. Without it the nearest come first."""
    fields: Annotated[tuple[Name, ...], Field(max_length=1_000)] | None = None
    """Properties to bring; without it all but vectors."""
    limit: Size = 50
    """Hits of a page; groups with `collapse`, ranges with `within`."""
    cursor: Annotated[StrictStr, Field(max_length=10_000)] | None = None
    """Of the page before, whose moment it carries."""
    as_of: Name | None = None
    """The moment of an answer, or a time in ISO 8601 with its offset; without it now."""
    explain: StrictBool = False
    """Say how the answer was found."""
    partial: StrictBool = False
    """When a server does not answer, answer without its titles and name them, instead of an error."""

    @checked(mode="after")
    def _whole(self) -> Self:
        if self.within:
            for name in ("types", "filter", "nearest", "collapse", "fields"):
                if getattr(self, name) is not None:
                    raise _refused(name, "not beside `within`, whose parts have their own")
        elif self.types is None:
            raise _refused("types", "is missing: name the types to search")
        if self.collapse and self.limit * self.collapse.inner_hits.size > MOST_HITS:
            place = "collapse.inner_hits.size"
            raise _refused(place, f"limit times size is over {MOST_HITS:,}: ask for less, and for more pages")
        return self


def read(query: Mapping[str, Any]) -> Query:
    """A search from its JSON form.

    Raises:
        QueryRefused: a field is unknown, missing, of a wrong type, too large or too long; names its place.
    """
    try:
        return Query.model_validate(dict(query))
    except ValidationError as wrong:
        first = wrong.errors(include_url=False)[0]
        place = path(first["loc"] + tuple(filter(None, [first.get("ctx", {}).get("place")])))
        what = _WORDS.get(first["type"], first["msg"][0].lower() + first["msg"][1:])
        raise QueryRefused(f"{place}: {what}", place) from None


_WORDS = {
    "extra_forbidden": "there is no such field",
    "missing": "is missing",
    "string_type": "should be a text",
    "tuple_type": "should be a list",
    "too_short": "is empty",
}
"""Where pydantic speaks of Python."""


def path(places: tuple[str | int, ...]) -> str:
    """`a.b[1]` of ("a", "b", 1); names that pydantic gives to the members of a union are left out."""
    named = [one for one in places if not str(one).startswith(("constrained-str", "bool", "dict["))]
    return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in named).removeprefix(".")


def common_to_pages(query: Query) -> str:
    """What all pages of a search have in common, as canonical JSON."""
    asked = query.model_dump(mode="json", exclude={"cursor", "limit", "explain"})
    return json.dumps(asked, sort_keys=True)
