"""A search as it is asked: what is unknown, missing, of a wrong type or too large is refused at its place."""

from typing import Any

import pytest

from mediaml_assets.errors import QueryRefused
from mediaml_assets.marken.search.envelope import MOST_HITS, Query, common_to_pages, read

NEAR = {"field": "look", "to": {"vector": [1, 2.5]}}


def test_what_is_not_said_has_its_default() -> None:
    query = read({"types": ["SHOT"]})
    assert (query.types, query.limit, query.sort, query.filter) == (("SHOT",), 50, (), None)
    assert not (query.explain or query.partial) and query.fields is None
    assert read({"types": ["SHOT"], "filter": None, "nearest": None}) == query == Query(types=("SHOT",))
    near = read({"types": ["SHOT"], "nearest": NEAR}).nearest
    assert near is not None and near.to.vector == (1.0, 2.5) and not near.exact


@pytest.mark.parametrize(
    ("query", "place", "said"),
    [
        ({}, "types", "is missing"),
        ({"types": ["SHOT"], "collaps": {}}, "collaps", "no such field"),
        ({"types": "SHOT"}, "types", "a list"),
        ({"types": []}, "types", "is empty"),
        ({"types": ["SHOT", 3]}, "types[1]", "a text"),
        ({"types": ["SHOT", ""]}, "types[1]", "at least 1"),
        ({"types": ["\ud800"]}, "types[0]", "unicode"),
        ({"types": ["SHOT"], "limit": 0}, "limit", "greater"),
        ({"types": ["SHOT"], "limit": 10_001}, "limit", "less"),
        ({"types": ["SHOT"], "limit": True}, "limit", "integer"),
        ({"types": ["SHOT"], "limit": "5"}, "limit", "integer"),
        ({"types": ["SHOT"], "filter": ["a"]}, "filter", "text"),
        ({"types": ["SHOT"], "titles": ["t"] * 10_001}, "titles", "10000"),
        ({"types": ["SHOT"], "sort": {"label": "asc"}}, "sort", "a list"),
        ({"types": ["SHOT"], "sort": [{"label": "up"}]}, "sort[0].label", "'asc' or 'desc'"),
        ({"types": ["SHOT"], "sort": [{"a": "asc", "b": "asc"}]}, "sort[0]", "at most 1"),
        (
            {"types": ["SHOT"], "collapse": {"field": "title", "inner_hits": {"size": 0}}},
            "collapse.inner_hits.size",
            "1",
        ),
        ({"types": ["SHOT"], "collapse": {"inner_hits": {}}}, "collapse.field", "is missing"),
        ({"types": ["SHOT"], "nearest": {"field": "look", "to": {}}}, "nearest.to", "one of"),
        ({"types": ["SHOT"], "nearest": {"field": "look", "to": {"text": "a", "shot": "b"}}}, "nearest.to", "one of"),
        ({"types": ["SHOT"], "nearest": {"field": "look", "to": {"vector": "abc"}}}, "nearest.to.vector", "a list"),
        (
            {"types": ["SHOT"], "nearest": {"field": "look", "to": {"vector": [1, True]}}},
            "nearest.to.vector[1]",
            "number",
        ),
        (
            {"types": ["SHOT"], "nearest": {"field": "look", "to": {"vector": [float("nan")]}}},
            "nearest.to.vector[0]",
            "finite",
        ),
        ({"types": ["SHOT"], "nearest": {**NEAR, "k": 3}}, "nearest.k", "no such field"),
        ({"within": {"parts": []}}, "within.parts", "is empty"),
        ({"within": {"parts": [{"types": ["SHOT"], "nearest": NEAR}]}}, "within.parts[0].nearest", "k, min_score"),
        (
            {"within": {"parts": [{"types": ["SHOT"], "nearest": {**NEAR, "k": 0}}]}},
            "within.parts[0].nearest.k",
            "greater",
        ),
        ({"within": {"parts": [{"types": ["SHOT"]}]}, "filter": "a = 1"}, "filter", "not beside `within`"),
        ({"within": {"parts": [{"types": ["SHOT"]}]}, "types": ["SHOT"]}, "types", "not beside `within`"),
        (
            {"types": ["SHOT"], "limit": 1_000, "collapse": {"field": "title", "inner_hits": {"size": 101}}},
            "collapse.inner_hits.size",
            f"{MOST_HITS:,}",
        ),
    ],
)
def test_what_is_wrong_is_refused_at_its_place(query: dict[str, Any], place: str, said: str) -> None:
    with pytest.raises(QueryRefused, match=said) as refused:
        read(query)
    assert refused.value.place == place and str(refused.value).startswith(f"{place}: ")


def test_a_filter_too_deep_is_refused_wherever_it_is_read() -> None:
    deep: dict[str, Any] = {"property": "seen"}
    for _ in range(5_000):
        deep = {"op": "not", "args": [deep]}
    for query in ({"types": ["SHOT"], "filter": deep}, {"within": {"parts": [{"types": ["SHOT"], "filter": deep}]}}):
        with pytest.raises(QueryRefused, match="deep") as refused:
            read(query)
        assert refused.value.place.endswith("filter")
    shallow = {"op": "not", "args": [{"op": "not", "args": [{"property": "seen"}]}]}
    assert common_to_pages(read({"types": ["SHOT"], "filter": shallow}))


def test_pages_have_all_in_common_but_their_place_and_size() -> None:
    query = {"types": ["SHOT"], "filter": {"op": "isNull", "args": [{"property": "label"}]}, "nearest": NEAR}
    common = common_to_pages(read(query))
    assert common == common_to_pages(read({**query, "cursor": "abc", "limit": 3, "explain": True}))
    for other in ({"as_of": "7"}, {"filter": None}, {"titles": []}, {"partial": True}, {"sort": [{"score": "asc"}]}):
        assert common != common_to_pages(read({**query, **other}))
