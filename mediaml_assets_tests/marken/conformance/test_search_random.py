"""Random searches over random annotations: every engine's answer is the oracle's, id for id, page by page.

And it is the plain engine's to the last digit, so that engines are alike. Another seed of the annotations can be set in
the environment: SEED.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mediaml_assets.marken.marken import Marken
from mediaml_assets_tests.marken import search_oracle
from mediaml_assets_tests.marken.conformance.conftest import PLACES
from mediaml_assets_tests.marken.plain_engine import PlainEngine
from mediaml_assets_tests.marken.search_oracle import Scored
from mediaml_assets_tests.marken.search_strategies import MEANING, range_searches, searches
from mediaml_assets_tests.marken.stock import Stock, stocked

SEED = int(os.environ.get("SEED", "1"))
Json = Mapping[str, Any]

few = settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
many = settings(max_examples=1000, derandomize=False, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module", params=[name for name in PLACES if name != "bucket"])
def stock(request: pytest.FixtureRequest) -> Stock:
    """An engine with annotations, for all searches of this module."""
    return stocked(PLACES[request.param](request)(), SEED)


@pytest.fixture(scope="module")
def plain() -> Stock:
    """The same in lists."""
    return stocked(PlainEngine(), SEED)


def pages(marken: Marken, query: Json, most: int = 4) -> list[Json]:
    """All hits, page by page; after some pages the rest on one."""
    answer = marken.search(query)
    found, moment = list(answer.hits), answer.moment
    while answer.cursor is not None:
        most -= 1
        limit = query["limit"] if most else 10_000
        answer = marken.search({**query, "cursor": answer.cursor, "limit": limit})
        assert answer.moment == moment and 0 < len(answer.hits) <= limit
        found += answer.hits
    return found


def meant(query: Any) -> Any:
    """A search as the oracle reads it: types with their versions."""
    if isinstance(query, Mapping):
        return {
            name: [one for type in value for one in MEANING[type]] if name == "types" else meant(value)
            for name, value in query.items()
        }
    return [meant(one) for one in query] if isinstance(query, list) else query


def same_hit(hit: Json, wanted: Scored) -> bool:
    """Whether a hit is an annotation with a score."""
    annotation, score = wanted
    names = ("id", "version", "type", "type_version", "scope", "title", "entity", "by")
    near = hit.get("score") == pytest.approx(score, abs=1e-12) if score is not None else "score" not in hit
    return near and all(hit[name] == annotation[name] for name in names)


def check_hits(query: Json, stock: Stock, plain: Stock, at: int) -> None:
    """The oracle's answer, and the plain engine's."""
    moment, everything = stock.moments[at]
    found = pages(stock.marken, {**query, "as_of": moment})
    assert found == pages(plain.marken, {**query, "as_of": plain.moments[at][0]})
    if "collapse" not in query:
        wanted = search_oracle.hits(meant(query), everything)
        assert len(found) == len(wanted) and all(map(same_hit, found, wanted))
        return
    groups = search_oracle.groups(meant(query), everything)
    assert len(found) == len(groups)
    for hit, (_, members) in zip(found, groups, strict=True):
        assert same_hit(hit, members[0])
        assert len(hit["inner_hits"]) == len(members) and all(map(same_hit, hit["inner_hits"], members))


def check_ranges(query: Json, stock: Stock, plain: Stock, at: int) -> None:
    """The oracle's ranges, and the plain engine's; in order."""
    moment, everything = stock.moments[at]
    found = pages(stock.marken, {**query, "as_of": moment})
    assert found == pages(plain.marken, {**query, "as_of": plain.moments[at][0]})
    wanted = search_oracle.ranges(meant(query), everything)
    by_place = sorted(found, key=lambda one: (one["title"], one["start"]))
    assert len(by_place) == len(wanted)
    for one, other in zip(by_place, wanted, strict=True):
        assert (one["title"], one["start"], one["end"]) == (other["title"], other["start"], other["end"])
        assert [set(part) for part in one["members"]] == other["members"]
        assert one.get("score") == pytest.approx(other["score"], abs=1e-12)
    for key in reversed([*query["sort"], {"title": "asc"}, {"start": "asc"}]):
        [(name, direction)] = key.items()
        by_place.sort(key=lambda one, name=name: one[name], reverse=direction == "desc")  # type: ignore[misc]
    assert found == by_place


moments = st.integers(0, 3)


@few
@given(query=searches(), at=moments)
def test_hits_are_those_of_the_oracle(query: Json, at: int, stock: Stock, plain: Stock) -> None:
    check_hits(query, stock, plain, at)


@few
@given(query=range_searches(), at=moments)
def test_ranges_are_those_of_the_oracle(query: Json, at: int, stock: Stock, plain: Stock) -> None:
    check_ranges(query, stock, plain, at)


@pytest.mark.slow
@many
@given(query=st.one_of(searches(), searches(), range_searches()), at=moments)
def test_a_thousand_searches_are_those_of_the_oracle(query: Json, at: int, stock: Stock, plain: Stock) -> None:
    check: Callable[[Json, Stock, Stock, int], None] = check_ranges if "within" in query else check_hits
    check(query, stock, plain, at)
