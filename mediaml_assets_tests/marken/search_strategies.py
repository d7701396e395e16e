"""Random searches over the types of `stock`, none of which is refused."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from mediaml_assets.marken.schema import AnnotationType, Kind
from mediaml_assets_tests.marken.stock import ODD, TYPES
from mediaml_assets_tests.marken.strategies import TITLES, filters

MEANING = {
    name: [str(kind) for kind in TYPES.searched(name)] for name in ("SCENE", "REMARK", "FACE", "FACE@1", "FACE@2")
}
LEAST = 0.4321
"""No two vectors of the stock and of searches have just this cosine: where it is met, rounding alone would decide."""
SCALAR = (Kind.STRING, Kind.TEXT, Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN)
FIXED = ("id", "version", "type", "type_version", "scope", "title", "other_title", "entity_kind", "entity_id", "by")

_types = st.lists(st.sampled_from(sorted(MEANING)), min_size=1, max_size=3, unique=True)
_titles = st.one_of(st.none(), st.lists(st.sampled_from([*TITLES, *ODD, "nowhere"]), max_size=4))


def kinds(names: Sequence[str]) -> list[AnnotationType]:
    """The types that names mean."""
    return [kind for name in names for kind in TYPES.searched(name)]


def _near(types: Sequence[str]) -> st.SearchStrategy[dict[str, Any] | None]:
    sizes = {name: one.dimensions for kind in kinds(types) for name, one in kind.properties.items() if one.dimensions}
    if not sizes:
        return st.none()

    def of(field: str) -> st.SearchStrategy[dict[str, Any]]:
        numbers = st.lists(st.integers(-3, 3), min_size=sizes[field], max_size=sizes[field]).filter(any)
        return numbers.map(lambda vector: {"field": field, "to": {"vector": vector}})

    return st.one_of(st.none(), st.sampled_from(sorted(sizes)).flatmap(of))


@st.composite
def searches(draw: st.DrawFn) -> dict[str, Any]:
    """With a filter, titles, likeness, an order and groups, or without any of them."""
    types = draw(_types)
    query: dict[str, Any] = {"types": types, "titles": draw(_titles), "nearest": draw(_near(types))}
    query["filter"] = draw(st.one_of(st.none(), filters(kinds(types))))
    properties = {name: one.kind for kind in kinds(types) for name, one in kind.properties.items()}
    columns = [*FIXED, "created", "start", "end", *(name for name, kind in properties.items() if kind in SCALAR)]
    orders = st.sampled_from([*columns, *(["score"] * 3 if query["nearest"] else [])])
    ways = st.sampled_from(["asc", "desc"])
    query["sort"] = [{name: draw(ways)} for name in draw(st.lists(orders, max_size=2, unique=True))]
    if draw(st.booleans()):
        query["collapse"] = {
            "field": draw(st.sampled_from(columns)),
            "inner_hits": {"size": draw(st.sampled_from([1, 2, 5]))},
        }
    return query | {"limit": draw(st.sampled_from([1, 3, 10, 1000])), "fields": draw(st.sampled_from([None, []]))}


@st.composite
def range_searches(draw: st.DrawFn) -> dict[str, Any]:
    """With `within`."""
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        types = draw(_types)
        part: dict[str, Any] = {"types": types, "filter": draw(st.one_of(st.none(), filters(kinds(types))))}
        if near := draw(_near(types)):
            bound = draw(st.sampled_from([{"k": 1}, {"k": 5}, {"k": 1000}, {"min_score": LEAST}, {"min_score": -1}]))
            part["nearest"] = near | bound
        parts.append(part)
    sort = draw(st.sampled_from([[], [{"start": "desc"}], [{"title": "desc"}, {"end": "asc"}]]))
    if any("nearest" in part for part in parts):
        sort = draw(st.sampled_from([sort, [{"score": "desc"}]]))
    return {
        "within": {"parts": parts},
        "titles": draw(_titles),
        "sort": sort,
        "limit": draw(st.sampled_from([1, 3, 10, 1000])),
    }
