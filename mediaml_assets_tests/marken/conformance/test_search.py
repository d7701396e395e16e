"""Searches with known answers, of every engine: what is easily got wrong."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from mediaml_assets.errors import QueryRefused
from mediaml_assets.marken.engine import Engine
from mediaml_assets.marken.marken import Marken
from mediaml_assets_tests.marken.conformance.conftest import PLACES
from mediaml_assets_tests.marken.stock import ODD, TYPES

Json = Mapping[str, Any]


class Sound:
    """An encoder that hears a length in a text, and bytes in a picture."""

    def vectors(self, to: Mapping[str, Any]) -> np.ndarray[Any, np.dtype[np.float32]]:
        number = len(to["text"]) if "text" in to else sum(to["image"])
        return np.array([number, 1, 0], np.float32)


def scene(id: str, start: float | None = None, end: float | None = None, **properties: Any) -> dict[str, Any]:
    """In JSON form."""
    time = {} if start is None else {"time": {"start": start, "end": end}}
    return {"id": id, "properties": {**time, **properties}}


def of(shot: str) -> dict[str, Any]:
    """What an annotation is about, in JSON form."""
    return {"entity": {"kind": "shot", "id": shot}}


def load(marken: Marken, type: str, title: str, batch: Sequence[Json]) -> None:
    with marken.operation(type, title, "tester") as operation:
        operation.upsert(batch)


@pytest.fixture(scope="module", params=[name for name in PLACES if name != "bucket"])
def film(request: pytest.FixtureRequest) -> Marken:
    """Two films, their scenes, faces and remarks; read only."""
    marken = Marken(PLACES[request.param](request)(), TYPES, {"shot_sound": Sound()})
    scenes = [
        scene("s1", 0, 10, place="bar", label="drinking wine", count=1, look=[1.0, 0.0, 0.0, 0.0]),
        scene("s2", 10, 20, place="bar", label="red curtains", count=2, look=[1.0, 1.0, 0.0, 0.0]),
        scene("s3", 20, 30, place="street", label="a house", look=[0.0, 1.0, 0.0, 0.0]),
        scene("s4", 40, 50, label="drinks", look=[2.0, 2.0, 0.0, 0.0]),
        scene("s5"),
    ]
    load(marken, "SCENE", "a-film", [one | of(f"a-film/{one['id']}") for one in scenes])
    load(marken, "SCENE", "b-film", [scene("s1", 5, 6, place="bar", look=[0.0, 0.0, 1.0, 0.0])])
    faces = [
        scene("f1", 5, 25, label="James", look=[0.0, 1.0, 0.0, 0.0], sound=[0.0, 1.0, 0.0]),
        scene("f2", 24, 26, label="James"),
        scene("f3", 45, 60, label="Kim", sound=[3.0, 1.0, 0.0]),
        scene("s1", 100, 101, label="the id of a scene"),
    ]
    load(marken, "FACE", "a-film", faces)
    load(marken, "FACE@1", "a-film", [scene("old", 0, 1, label="an old version")])
    pair = {"title": "a-film", "other_title": "b-film", "entity": {"kind": "pair", "id": "a-film/1+b-film/1"}}
    marken.append("REMARK", [{**pair, "properties": {"remark": "they match", "stars": 5}}], "ann")
    three = [[3.0, 0.0, 0.0, 0.0], [0.0, 0.0, 5.0, 0.0], [0.0, 0.0, 1.0, 0.0]]
    load(marken, "SCENE", "c-film", [scene(f"m{at}", look=look) | of("c-film/1") for at, look in enumerate(three)])
    opposed = [[0.0, 0.0, 0.1, 0.3], [0.0, 0.0, -0.1, -0.3]]
    load(marken, "SCENE", "d-film", [scene(f"o{at}", look=look) | of("d-film/1") for at, look in enumerate(opposed)])
    faces = [scene("c+d", 0, 1, look=[1.0, 0.0, 0.0, 0.0]), scene("d+c", 1, 4, look=[1.0, 1.0, 0.0, 0.0])]
    pairs = [{"title": "c-film", "other_title": "d-film"}, {"title": "d-film", "other_title": "c-film"}]
    load(marken, "FACE", "c-film", [face | two for face, two in zip(faces, pairs, strict=True)])
    for title in ODD:
        load(marken, "SCENE", title, [scene(f"odd-{title}", 1, 2, look=[0.0, 0.0, 0.0, 1.0])])
    return marken


def ids(marken: Marken, **query: Any) -> list[str]:
    """Of the hits."""
    return [hit["id"] for hit in marken.search(query).hits]


def test_an_empty_store_has_nothing(engine: Engine) -> None:
    marken = Marken(engine, TYPES)
    near = {"field": "look", "to": {"vector": [1, 0, 0, 0]}}
    for query in (
        {"types": ["SCENE", "REMARK"]},
        {"types": ["SCENE"], "filter": "MATCH(label, 'curtian') AND S_INTERSECTS(region, BBOX(0, 0, 1, 1))"},
        {"types": ["SCENE"], "nearest": near, "collapse": {"field": "title"}},
        {"within": {"parts": [{"types": ["SCENE"], "nearest": {**near, "k": 3}}, {"types": ["FACE"]}]}},
    ):
        answer = marken.search(query)
        assert (list(answer.hits), answer.cursor) == ([], None)
        assert list(marken.search({**query, "as_of": answer.moment, "explain": True}).hits) == []
    assert marken.get("s1") is None and marken.get("s1", 1) is None
    with pytest.raises(QueryRefused, match=r"no annotation of 'a-film/1' has 'look'"):
        marken.search({"types": ["SCENE"], "nearest": {"field": "look", "to": {"shot": "a-film/1"}}})


def test_loads_without_rows_have_nothing(engine: Engine) -> None:
    marken = Marken(engine, TYPES)
    load(marken, "SCENE", "a-film", [])
    before = marken.search({"types": ["SCENE"]})
    load(marken, "SCENE", "b-film", [scene("s1", 1, 2, label="a cup")])
    assert before.hits == marken.search({"types": ["SCENE"], "as_of": before.moment}).hits == []
    assert ids(marken, types=["SCENE"], filter="MATCH(label, 'cup')") == ["s1"]
    load(marken, "SCENE", "b-film", [])
    assert ids(marken, types=["SCENE"], filter="MATCH(label, 'cup')") == ids(marken, types=["SCENE"]) == []


def test_more_than_exist_gives_all_that_exist(film: Marken) -> None:
    near = {"field": "look", "to": {"vector": [1, 0, 0, 0]}}
    found = film.search({"types": ["SCENE"], "titles": ["a-film"], "nearest": near, "limit": 10_000})
    # rows without a vector drop out; of equal ones the id decides
    assert [(hit["id"], round(hit["score"], 6)) for hit in found.hits] == [
        ("s1", 1.0),
        ("s2", 0.707107),
        ("s4", 0.707107),
        ("s3", 0.0),
    ]
    assert found.cursor is None
    part = {"types": ["SCENE"], "titles": ["a-film"]}
    assert ids(film, **part, nearest=near, sort=[{"score": "asc"}]) == ["s3", "s2", "s4", "s1"]
    assert ids(film, **part, nearest={**near, "exact": True}, limit=3) == ["s1", "s2", "s4"]
    assert ids(film, types=["SCENE"], nearest=near, filter="label = 'a house'", limit=3) == ["s3"]


def test_nulls_come_last_and_ids_decide_among_them(film: Marken) -> None:
    part = {"types": ["SCENE"], "titles": ["a-film"]}
    assert ids(film, **part, sort=[{"count": "desc"}]) == ["s2", "s1", "s3", "s4", "s5"]
    assert ids(film, **part, sort=[{"count": "asc"}]) == ["s1", "s2", "s3", "s4", "s5"]
    # nobody has it
    assert ids(film, **part, sort=[{"indoor": "desc"}]) == ["s1", "s2", "s3", "s4", "s5"]
    first = film.search({**part, "sort": [{"indoor": "desc"}], "limit": 2})
    rest = ids(film, **part, sort=[{"indoor": "desc"}], cursor=first.cursor)
    assert [hit["id"] for hit in first.hits] + rest == ["s1", "s2", "s3", "s4", "s5"]


def test_what_is_unknown_is_not_found_by_its_contrary(film: Marken) -> None:
    # no label is like this word, and s5 has no label
    for unlike in ("NOT MATCH(label, 'xylophone')", "NOT MATCH(label, '\"not said\"')", "label <> 'xylophone'"):
        assert ids(film, types=["SCENE"], titles=["a-film"], filter=unlike) == ["s1", "s2", "s3", "s4"]


def test_one_id_of_several_types_and_titles_is_several_hits(film: Marken) -> None:
    query = {"types": ["FACE", "SCENE"], "filter": "id = 's1'", "limit": 1}
    found, answer = [], film.search(query)
    found += answer.hits
    while answer.cursor:
        answer = film.search({**query, "cursor": answer.cursor})
        found += answer.hits
    assert [(hit["type"], hit["title"]) for hit in found] == [
        ("FACE", "a-film"),
        ("SCENE", "a-film"),
        ("SCENE", "b-film"),
    ]


def test_a_type_without_a_version_is_its_newest(film: Marken) -> None:
    part = {"titles": ["a-film"]}
    assert ids(film, types=["FACE@1"], **part) == ["old"]
    assert ids(film, types=["FACE"], **part) == ids(film, types=["FACE@2"], **part) == ["f1", "f2", "f3", "s1"]
    assert ids(film, types=["FACE", "FACE@1", "FACE"], **part) == ["f1", "f2", "f3", "old", "s1"]


def test_a_pair_is_found_under_both_titles(film: Marken) -> None:
    [one] = ids(film, types=["REMARK"])
    assert ids(film, types=["REMARK"], titles=["a-film"]) == ids(film, types=["REMARK"], titles=["b-film"]) == [one]
    assert ids(film, types=["REMARK"], filter="title = 'b-film'") == [one]
    assert ids(film, types=["REMARK"], titles=["0"]) == ids(film, types=["REMARK"], titles=[]) == []
    hit = film.search({"types": ["REMARK"]}).hits[0]
    assert (hit["title"], hit["other_title"], hit["by"]) == ("a-film", "b-film", "ann")


@pytest.mark.parametrize("title", ODD)
def test_odd_titles_are_titles(film: Marken, title: str) -> None:
    assert ids(film, types=["SCENE"], titles=[title]) == [f"odd-{title}"]
    assert ids(film, types=["SCENE"], filter=f"title = '{title}'") == [f"odd-{title}"]


def test_groups_in_the_order_of_their_best_hit(film: Marken) -> None:
    query = {
        "types": ["SCENE"],
        "titles": ["a-film"],
        "nearest": {"field": "look", "to": {"shot": "a-film/s3"}},
        "collapse": {"field": "place", "inner_hits": {"size": 2}},
    }
    hits = film.search(query).hits
    assert [(hit["group"], [one["id"] for one in hit["inner_hits"]]) for hit in hits] == [
        ("street", ["s3"]),
        ("bar", ["s2", "s1"]),
        (None, ["s4"]),
    ]
    first = film.search({**query, "limit": 1})
    second = film.search({**query, "limit": 1, "cursor": first.cursor})
    third = film.search({**query, "limit": 1, "cursor": second.cursor})
    assert [*first.hits, *second.hits, *third.hits] == hits and third.cursor is None


def test_ranges_in_which_all_parts_hold(film: Marken) -> None:
    bar = {"types": ["SCENE"], "filter": "place IN ('bar', 'street')"}
    james = {"types": ["FACE"], "filter": "MATCH(label, 'james')"}
    # scenes that touch hold together; a half-open end is no part of a range
    assert film.search({"within": {"parts": [bar, james]}}).hits == [
        {"title": "a-film", "start": 5.0, "end": 26.0, "members": [["s1", "s2", "s3"], ["f1", "f2"]]}
    ]
    # b-film has no James, and a part of which nothing is found leaves nothing
    nobody = {"types": ["FACE"], "filter": "label = 'nobody'"}
    assert film.search({"within": {"parts": [bar, james, nobody]}}).hits == []
    assert film.search({"within": {"parts": [bar, james]}, "titles": ["b-film"]}).hits == []
    near = {"field": "look", "to": {"vector": [0, 1, 0, 0]}}
    wine = {"types": ["SCENE"], "nearest": {**near, "min_score": 0.7}}
    hits = film.search({"within": {"parts": [wine, {"types": ["FACE"]}]}, "sort": [{"score": "desc"}]}).hits
    assert [(hit["start"], hit["end"], round(hit["score"], 6)) for hit in hits] == [
        (10.0, 26.0, 1.0),
        (45.0, 50.0, 0.707107),
    ]
    nearest = {"types": ["SCENE"], "nearest": {**near, "k": 1}}
    assert [hit["members"] for hit in film.search({"within": {"parts": [nearest]}}).hits] == [[["s3"]]]


def test_of_the_nearest_of_a_part_all_are_of_the_titles(film: Marken) -> None:
    # what is nearest is of d-film too, but has its time in c-film
    part = {"types": ["FACE"], "nearest": {"field": "look", "to": {"vector": [1, 0, 0, 0]}, "k": 1}}
    [found] = film.search({"within": {"parts": [part]}, "titles": ["d-film"]}).hits
    assert (found["start"], found["end"], found["members"]) == (1.0, 4.0, [["d+c"]])


def test_a_shot_of_several_vectors_is_their_mean_direction(film: Marken) -> None:
    def near(to: Json) -> dict[str, float]:
        found = film.search({"types": ["SCENE"], "nearest": {"field": "look", "to": to}, "limit": 100}).hits
        return {f"{hit['title']}/{hit['id']}": round(hit["score"], 6) for hit in found}

    found = near({"shot": "c-film/1"})
    # of its unit vectors, however long they were; itself is not its nearest
    assert found["c-film/m0"] == 0.447214 and found["c-film/m1"] == found["b-film/s1"] == 0.894427
    assert found == near({"vector": [1, 0, 2, 0]})
    with pytest.raises(QueryRefused, match=r"nearest.to.shot: the vectors of 'd-film/1' point in opposite directions"):
        near({"shot": "d-film/1"})


def test_words_are_read_in_the_language_of_each_annotation(engine: Engine) -> None:
    marken = Marken(engine, TYPES)
    said = [("de", "Die Häuser am See"), ("en", "drinking houses"), ("fr", "les chevaux noirs"), (None, "the houses")]
    for language, remark in said:
        own = {} if language is None else {"language": language}
        marken.append("REMARK", [{"title": "a-film", "properties": {"remark": remark, **own}}], f"says {language}")

    def who(filter: str) -> list[str]:
        return sorted(hit["by"] for hit in marken.search({"types": ["SCENE", "REMARK"], "filter": filter}).hits)

    for text in ("Häuser", "HAUSES", '"die Haus"'):
        # the stem is haus, of which English knows nothing
        assert "says de" in who(f"MATCH(remark, '{text}')"), text
    assert who("MATCH(remark, 'haus')") == ["says None", "says de", "says en"]
    assert who("MATCH(remark, '\"drinks houses\"')") == ["says en"]
    assert who("MATCH(remark, '\"cheval noir\"')") == who("MATCH(remark, '\"chevaux noirs\"')") == ["says fr"]
    assert who("NOT MATCH(remark, 'houses')") == ["says fr"]
    # a language that is named counts for all of them
    assert who("MATCH(remark, '\"chevaux noirs\"', 'en')") == []


def test_only_what_was_asked_for_comes(film: Marken) -> None:
    query = {"types": ["SCENE"], "titles": ["a-film"], "limit": 1}
    assert set(film.search(query).hits[0]["properties"]) == {"time", "place", "label", "count"}
    assert film.search({**query, "fields": ["look"]}).hits[0]["properties"] == {"look": [1.0, 0.0, 0.0, 0.0]}
    assert film.search({**query, "fields": [], "sort": [{"place": "asc"}]}).hits[0]["properties"] == {}


def test_words_and_pictures_go_through_the_encoder(film: Marken) -> None:
    part = {"types": ["FACE"], "limit": 1}
    assert ids(film, **part, nearest={"field": "sound", "to": {"text": "abc"}}) == ["f3"]
    assert ids(film, **part, nearest={"field": "sound", "to": {"image": "AA=="}}) == ["f1"]


def test_how_an_answer_was_found_is_said(film: Marken) -> None:
    near = {"field": "look", "to": {"vector": [1, 0, 0, 0]}}
    asked = {
        "types": ["SCENE"],
        "filter": "count>=1",
        "nearest": near,
        "collapse": {"field": "title", "inner_hits": {"size": 2}},
        "explain": True,
    }
    answer = film.search(asked)
    assert answer.explain is not None
    best, inner = answer.explain
    assert best["types"] == ["SCENE@1"] and best["filter"] == inner["filter"] == "count >= 1"
    assert best["order"][0] == "score desc" and best["survivors"] == 2 and best["exact"] is True
    json = answer.to_json()
    assert json["explain"] == [best, inner] and "missing" not in json
    assert film.search({**asked, "partial": True}).to_json()["missing"] == []


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"types": ["SCENES"]}, "types[0]"),
        ({"types": ["SCENE", "SCENE@9"]}, "types[1]"),
        ({"types": ["SCENE"], "filter": "lable = 'x'"}, "filter:1:1"),
        ({"types": ["SCENE"], "filter": {"op": "=", "args": [{"property": "count"}, "x"]}}, "filter.args[1]"),
        ({"types": ["SCENE"], "sort": [{"lable": "asc"}]}, "sort[0].lable"),
        ({"types": ["SCENE"], "sort": [{"label": "asc"}, {"time": "asc"}]}, "sort[1].time"),
        ({"types": ["SCENE"], "sort": [{"score": "asc"}]}, "sort[0].score"),
        ({"types": ["SCENE"], "collapse": {"field": "tags"}}, "collapse.field"),
        ({"types": ["SCENE"], "fields": ["label", "lable"]}, "fields[1]"),
        ({"types": ["SCENE"], "as_of": "yesterday"}, "as_of"),
        ({"types": ["SCENE"], "as_of": "2026-01-01T00:00:00"}, "as_of"),
        ({"types": ["SCENE"], "cursor": "abc"}, "cursor"),
        ({"types": ["REMARK"], "nearest": {"field": "look", "to": {"vector": [1, 0, 0, 0]}}}, "nearest.field"),
        ({"types": ["SCENE"], "nearest": {"field": "look", "to": {"vector": [1, 0, 0]}}}, "nearest.to.vector"),
        ({"types": ["SCENE"], "nearest": {"field": "look", "to": {"vector": [0, 0, 0, 0]}}}, "nearest.to.vector"),
        ({"types": ["SCENE"], "nearest": {"field": "look", "to": {"vector": [1e300, 0, 0, 0]}}}, "nearest.to.vector"),
        ({"types": ["SCENE"], "nearest": {"field": "look", "to": {"shot": "a-film/s9"}}}, "nearest.to.shot"),
        ({"types": ["SCENE"], "nearest": {"field": "look", "to": {"text": "wine"}}}, "nearest.to.text"),
        ({"types": ["FACE"], "nearest": {"field": "sound", "to": {"image": "no base64!"}}}, "nearest.to.image"),
        (
            {"within": {"parts": [{"types": ["SCENE"]}, {"types": ["FACE"], "filter": "x=1"}]}},
            "within.parts[1].filter:1:1",
        ),
        ({"within": {"parts": [{"types": ["SCENE"]}]}, "sort": [{"label": "asc"}]}, "sort[0].label"),
        ({"within": {"parts": [{"types": ["SCENE"]}]}, "sort": [{"score": "asc"}]}, "sort[0].score"),
    ],
)
def test_what_cannot_be_asked_is_refused_at_its_place(film: Marken, query: Json, place: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        film.search(query)
    assert refused.value.place == place and str(refused.value)


def test_pages_are_of_one_moment_whatever_is_written(engine: Engine) -> None:
    marken = Marken(engine, TYPES)
    load(marken, "SCENE", "a-film", [scene(f"s{at}", at, at + 1, count=at % 3) for at in range(9)])
    marken.append("REMARK", [{"title": "a-film", "properties": {"stars": 2, "time": {"start": 0, "end": 8}}}], "ann")
    ranges = {"within": {"parts": [{"types": ["SCENE"], "filter": "count > 0"}, {"types": ["REMARK"]}]}}
    query = {"types": ["SCENE", "REMARK"], "sort": [{"count": "desc"}], "collapse": {"field": "start"}}
    asked = [{**query, "limit": 4}, {**ranges, "limit": 2}]
    whole = [list(marken.search({**one, "limit": 100}).hits) for one in asked]
    pages = [marken.search(one) for one in asked]
    moment = pages[0].moment
    found = [list(page.hits) for page in pages]
    for turn in range(3):
        load(marken, "SCENE", "a-film", [scene(f"s{at}", at, at + 2, count=turn) for at in range(4)])
        marken.append("REMARK", [{"title": "a-film", "properties": {"stars": turn}}], "ann")
        engine.tidy()
        for at, one in enumerate(asked):
            if pages[at].cursor is not None:
                pages[at] = marken.search({**one, "cursor": pages[at].cursor})
                assert pages[at].moment == moment
                found[at] += pages[at].hits
    assert found == whole and [page.cursor for page in pages] == [None, None]
    assert list(marken.search({**asked[0], "limit": 100, "as_of": moment}).hits) == whole[0]
    assert list(marken.search({**asked[0], "limit": 100}).hits) != whole[0]


def test_a_cursor_is_of_one_search(film: Marken) -> None:
    query = {"types": ["SCENE"], "limit": 1}
    cursor = film.search(query).cursor
    assert cursor is not None
    for other in ({"types": ["FACE"]}, {**query, "sort": [{"label": "asc"}]}, {**query, "filter": "count = 1"}):
        with pytest.raises(QueryRefused, match="of another search"):
            film.search({**other, "cursor": cursor})
