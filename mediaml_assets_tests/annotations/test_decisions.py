"""Decisions of people: nobody's erase anybody's, they are found under both titles and survive new boundaries."""

from fractions import Fraction
from typing import Any

import pytest
from starlette.testclient import TestClient

from mediaml_assets.amber.store import Store
from mediaml_assets.annotations.decisions import decide, decided, orphaned, pair_of, rejected
from mediaml_assets.annotations.facts import Film, current_facts, present_films
from mediaml_assets.annotations.types import package_types
from mediaml_assets.errors import AnnotationRefused, NotKept
from mediaml_assets.marken.engine import Engine
from mediaml_assets.marken.faces.client import MarkenClient
from mediaml_assets.marken.faces.http import app
from mediaml_assets.marken.marken import Marken
from mediaml_assets.marken.types import Types
from mediaml_assets.matching.rejections import rejections
from mediaml_assets_tests.annotations.sinks import both_engines, copy
from mediaml_assets_tests.annotations.titles import DIMENSIONS, put_cuts, put_title, withdraw

RATE = Fraction(25)
CUTS = [0, 50, 100, 200]


@pytest.fixture
def marken(engine: Engine) -> Marken:
    return Marken(engine, Types(package_types(DIMENSIONS)))


@pytest.fixture
def titles(store: Store) -> None:
    for seed, slug in enumerate(("harbour", "dunes")):
        put_title(store, slug, seed, CUTS, RATE, offset=10 * seed)


def films(store: Store) -> list[Film]:
    return present_films(store, current_facts(store))


def hits(marken: Marken, **query: Any) -> list[dict[str, Any]]:
    return list(marken.search({"types": ["EDITOR_DECISION"], **query}).to_json()["hits"])


def verdicts(store: Store, marken: Marken) -> list[tuple[str, str, str | None]]:
    rows = decided(marken, films(store)).to_pylist()
    return sorted(((row["by"], row["verdict"], row["now"]) for row in rows), key=str)


@both_engines
@pytest.mark.usefixtures("titles")
def test_each_person_has_a_say_and_changes_only_that(store: Store, marken: Marken) -> None:
    pair = pair_of(current_facts(store), ("harbour", 1), ("dunes", 2))
    decide(marken, pair, "rejected", "ann", "too dark")
    decide(marken, pair, "accepted", "bob")
    again = decide(marken, pair, "undecided", "ann")
    now = "harbour:1 dunes:2"
    assert verdicts(store, marken) == [("ann", "undecided", now), ("bob", "accepted", now)]
    assert again.version == 2
    first = marken.get(again.id, 1)
    assert first is not None and first.properties["verdict"] == "rejected"
    # the way back is another decision, and the note of the first belongs to the first
    assert "note" not in again.properties or again.properties["note"] is None


@both_engines
@pytest.mark.usefixtures("titles")
def test_a_decision_is_found_under_both_titles(store: Store, marken: Marken) -> None:
    decide(marken, pair_of(current_facts(store), ("harbour", 1), ("dunes", 2)), "accepted", "ann")
    for title in ("harbour", "dunes"):
        [hit] = hits(marken, filter=f"title = '{title}'")
        assert (hit["title"], hit["other_title"], hit["by"]) == ("harbour", "dunes", "ann")
        assert len(hits(marken, titles=[title])) == 1
    assert hits(marken, filter="title = 'kettle'") == []


def test_a_found_match_cut_can_be_decided_about(store: Store, engine: Engine, marken: Marken) -> None:
    put_cuts(store, [put_title(store, slug, seed) for seed, slug in enumerate(("harbour", "dunes"))], 1)
    copy(store, engine, "match_cuts")
    found = marken.search({"types": ["MATCH_CUT_PAIR"], "sort": [{"rank": "asc"}]}).to_json()["hits"]
    kept = decide(marken, found[0], "rejected", "ann")
    assert kept.entity.id == found[0]["entity"]["id"]
    row = store.view("match_cuts", "_catalogue").table().to_pylist()[0]
    assert rejected(marken, films(store)) == (f"{row['title1']}:{row['shot1']} {row['title2']}:{row['shot2']}",)


@pytest.mark.usefixtures("titles")
def test_decisions_follow_their_shots_over_new_boundaries_or_are_listed_as_orphans(
    store: Store, marken: Marken
) -> None:
    facts = current_facts(store)
    decide(marken, pair_of(facts, ("harbour", 1), ("dunes", 2)), "rejected", "ann")
    decide(marken, pair_of(facts, ("harbour", 2), ("dunes", 0)), "rejected", "ann")
    # harbour's shot 1 is found five frames shorter and under another number; its shot 2 is two shots now
    put_title(store, "harbour", 0, [0, 25, 50, 95, 150, 200], RATE)
    assert rejected(marken, films(store)) == ("harbour:2 dunes:2",)
    [lost] = orphaned(marken, films(store)).to_pylist()
    assert (lost["title"], lost["other_title"], lost["verdict"], lost["by"]) == ("harbour", "dunes", "rejected", "ann")
    # back again: nothing was lost
    put_title(store, "harbour", 0, CUTS, RATE)
    assert rejected(marken, films(store)) == ("harbour:1 dunes:2", "harbour:2 dunes:0")
    assert orphaned(marken, films(store)).num_rows == 0


@pytest.mark.usefixtures("titles")
def test_a_title_of_another_name_keeps_its_decisions_and_other_content_does_not(store: Store, marken: Marken) -> None:
    decide(marken, pair_of(current_facts(store), ("harbour", 1), ("dunes", 2)), "rejected", "ann")
    withdraw(store, "harbour", "shots", "standard_encode", "essence")
    put_title(store, "harbour-final", 0, CUTS, RATE)
    assert rejected(marken, films(store)) == ("harbour-final:1 dunes:2",)
    put_title(store, "harbour-final", 7, CUTS, RATE)
    assert rejected(marken, films(store)) == () and orphaned(marken, films(store)).num_rows == 1


@pytest.mark.usefixtures("titles")
def test_who_decided_before_and_after_new_boundaries_decided_twice_on_one_pair(store: Store, marken: Marken) -> None:
    decide(marken, pair_of(current_facts(store), ("harbour", 1), ("dunes", 2)), "rejected", "ann")
    put_title(store, "harbour", 0, [0, 50, 98, 200], RATE)
    decide(marken, pair_of(current_facts(store), ("harbour", 1), ("dunes", 2)), "accepted", "ann")
    assert verdicts(store, marken) == [("ann", "accepted", "harbour:1 dunes:2")]
    decide(marken, pair_of(current_facts(store), ("harbour", 1), ("dunes", 2)), "undecided", "ann")
    decide(marken, pair_of(current_facts(store), ("harbour", 1), ("dunes", 2)), "rejected", "bob")
    assert rejected(marken, films(store)) == ("harbour:1 dunes:2",)
    decide(marken, pair_of(current_facts(store), ("harbour", 1), ("dunes", 2)), "accepted", "cleo")
    assert rejected(marken, films(store)) == ()


@pytest.mark.usefixtures("titles")
def test_a_decision_may_come_over_http(store: Store, marken: Marken) -> None:
    pair = pair_of(current_facts(store), ("harbour", 1), ("dunes", 2))
    here = decide(marken, pair, "accepted", "ann")
    with TestClient(app(marken), "http://127.0.0.1") as http:
        there = decide(MarkenClient(http=http), pair, "rejected", "ann")
    assert (there.id, there.version, there.entity) == (here.id, 2, here.entity)
    assert rejected(marken, films(store)) == ("harbour:1 dunes:2",)


@pytest.mark.usefixtures("titles")
def test_what_is_rejected_is_what_matching_takes(store: Store, marken: Marken) -> None:
    import numpy as np

    decide(marken, pair_of(current_facts(store), ("harbour", 1), ("dunes", 2)), "rejected", "ann")
    listed = [(slug, shot) for slug in ("dunes", "harbour") for shot in range(3)]
    excluded = rejections(listed, rejected(marken, films(store)))
    tail, head = listed.index(("harbour", 1)), listed.index(("dunes", 2))
    assert excluded(np.array([tail, head]), np.array([head, tail])).tolist() == [True, False]


@pytest.mark.usefixtures("titles")
def test_identity_is_by_the_clock_of_the_delivered_film(store: Store, marken: Marken) -> None:
    pair = pair_of(current_facts(store), ("harbour", 1), ("dunes", 2))
    # dunes has ten pictures before its first frame
    when = pair["properties"]["other_source_time"]
    assert (when["start"], when["end"]) == pytest.approx(((100 + 10) / 25, (200 + 10) / 25))
    assert pair["properties"]["other_time"] == {"start_frame": 100, "end_frame": 200, "rate": "25"}
    assert pair["entity"]["id"] == f"{0:064x}@2000-4000>{1:064x}@4400-8400"


@pytest.mark.usefixtures("titles")
def test_what_is_no_decision_is_refused(store: Store, marken: Marken) -> None:
    pair = pair_of(current_facts(store), ("harbour", 1), ("dunes", 2))
    with pytest.raises(AnnotationRefused, match="'maybe' is no verdict on a pair; it is one of accepted"):
        decide(marken, pair, "maybe", "ann")
    with pytest.raises(AnnotationRefused):
        decide(marken, {"title": "harbour", "entity": {"kind": "shot", "id": "harbour/1"}}, "accepted", "ann")
    with pytest.raises(NotKept, match="harbour has no shot 9; it has 3"):
        pair_of(current_facts(store), ("harbour", 9), ("dunes", 2))
    assert decided(marken, films(store)).num_rows == 0
