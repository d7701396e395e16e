"""Batches become canonical rows, or are refused with the property, the row and what to do."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.errors import AnnotationRefused
from mediaml_assets.marken.annotation import annotations
from mediaml_assets.marken.rows import FIXED, row_schema
from mediaml_assets.marken.schema import AnnotationType, Kind, Property
from mediaml_assets.marken.validation import validated
from mediaml_assets_tests.marken.every_kind import DECISION, EVERY_KIND, bodies

WHEN = datetime(2026, 11, 27, 12, 30, 0, 250, tzinfo=UTC)
FULL = {
    "time": {"start": 1.5, "end": 2},
    "region": [0.1, 0.2, 0.5, 0.6],
    "label": "Red Curtains",
    "confidence": 1,
    "algorithm_version": "faces 3",
    "count": -4,
    "sharp": True,
    "tags": ["b", "a", "b"],
    "embedding": [1, 0.5, 0],
}


def rows(batch: Any, kind: AnnotationType = EVERY_KIND, scope: str = "tt1") -> list[dict[str, Any]]:
    found = validated(kind, batch, scope, "faces@7", WHEN)
    assert found.schema == row_schema(kind)
    found.validate(full=True)
    listed: list[dict[str, Any]] = found.to_pylist()
    return listed


def row(given: Mapping[str, Any], kind: AnnotationType = EVERY_KIND) -> dict[str, Any]:
    (found,) = rows([given], kind)
    return found


def test_a_row_says_all_that_was_given_and_what_follows_from_it() -> None:
    found = row(FULL)
    assert len(found.pop("id")) == 32
    assert found == {
        "version": 0,
        "type": "EVERY_KIND",
        "type_version": 2,
        "scope": "tt1",
        "title": "tt1",
        "other_title": None,
        "entity_kind": "title",
        "entity_id": "tt1",
        "by": "faces@7",
        "created": WHEN,
        "time_start": 1.5,
        "time_end": 2.0,
        **dict.fromkeys(["time_start_frame", "time_end_frame", "time_rate_num", "time_rate_den"]),
        "region": "POLYGON ((0.5 0.2, 0.5 0.6, 0.1 0.6, 0.1 0.2, 0.5 0.2))",
        "region_x0": 0.1,
        "region_y0": 0.2,
        "region_x1": 0.5,
        "region_y1": 0.6,
        "region_is_box": True,
        "label": "Red Curtains",
        "label_stems": ["red", "curtain"],
        "confidence": 1.0,
        "algorithm_version": "faces 3",
        "count": -4,
        "sharp": True,
        "tags": ["b", "a"],
        "embedding": [1.0, 0.5, 0.0],
        "language": None,
    }


def test_a_row_that_says_nothing_is_null_in_every_property() -> None:
    found = row({})
    assert {name for name, value in found.items() if value is not None} == set(FIXED.names) - {"other_title"}


def test_no_rows_are_no_rows() -> None:
    assert rows([]) == []
    assert rows(pa.table({"label": pa.array([], pa.string())})) == []


def test_properties_stand_in_their_object_or_beside_the_rest() -> None:
    entity = {"kind": "shot", "id": "tt1/12"}
    nested = {"title": "tt2", "entity": entity, "properties": FULL}
    assert row(nested) == row({"title": "tt2", "entity": entity, **FULL})
    assert row(nested) == row({"title": "tt2", "entity_kind": "shot", "entity_id": "tt1/12", **FULL})
    with pytest.raises(AnnotationRefused, match=r"'label' of row 0 .*is given twice"):
        row({"label": "x", "properties": {"label": "x"}})


def test_a_table_says_what_mappings_say() -> None:
    n, rng = 500, np.random.default_rng()
    start, corner = rng.random(n) * 5000, rng.random((n, 2)) * 0.5
    label, vector = rng.choice(["a red curtain", "running"], n), rng.standard_normal((n, 3), np.float32)
    there = rng.random(n) < 0.5
    table = pa.table(
        {
            "time_start": start,
            "time_end": start + 1,
            "region_x0": corner[:, 0],
            "region_y0": corner[:, 1],
            "region_x1": corner[:, 0] + 0.25,
            "region_y1": corner[:, 1] + 0.25,
            "label": pa.array(label).dictionary_encode(),
            "embedding": pa.FixedSizeListArray.from_arrays(vector.reshape(-1), 3, mask=pa.array(~there)),
        }
    )
    listed = [
        {
            "time": {"start": start[i], "end": start[i] + 1},
            "region": [*corner[i], *(corner[i] + 0.25)],
            "label": str(label[i]),
            "embedding": vector[i] if there[i] else None,
        }
        for i in range(n)
    ]
    assert rows(table) == rows(listed)
    # a table in pieces, of other types that hold the same
    pieces = pa.concat_tables([table[:100], table[100:]])
    wide = pieces.set_column(6, "label", pieces["label"].cast(pa.large_string()))
    assert rows(wide) == rows(table)


def test_canonical_rows_are_a_batch_that_gives_them_again() -> None:
    batch = [
        {**FULL, "title": "tt2"},
        {"time": {"start_frame": 1, "end_frame": 9, "rate": "25"}, "region": "POINT(1 0)"},
    ]
    once = validated(EVERY_KIND, batch, "tt1", "x", WHEN)
    assert validated(EVERY_KIND, once, "tt1", "x", WHEN).equals(once)


@given(st.lists(bodies, max_size=3))
def test_json_goes_in_and_comes_out_whole(batch: list[dict[str, Any]]) -> None:
    found = validated(EVERY_KIND, batch, "tt1", "faces@7", WHEN)
    said = [one.to_json() for one in annotations(EVERY_KIND, found)]
    again = validated(EVERY_KIND, json.loads(json.dumps(said)), "tt1", "faces@7", WHEN)
    assert again.equals(found)
    assert [one.to_json() for one in annotations(EVERY_KIND, again)] == said
    if len(said) < len(batch):
        return
    for one, told in zip(batch, said, strict=True):
        assert told["title"] == one.get("title", "tt1")
        assert told.get("other_title") == one.get("other_title")
        assert told["entity"] == one.get("entity", {"kind": "title", "id": told["title"]})
        assert told["properties"].keys() == one["properties"].keys()
        for name, value in one["properties"].items():
            if name == "time":
                assert value.items() <= told["properties"]["time"].items()
            elif name == "tags":
                assert told["properties"]["tags"] == list(dict.fromkeys(value))
            elif name != "region":
                assert told["properties"][name] == value


def test_the_same_said_twice_is_kept_once_and_anything_else_has_another_id() -> None:
    assert len(rows([FULL, dict(FULL), {**FULL, "count": 5}])) == 2
    ids = {row(FULL)["id"]}
    for name in FULL:
        ids.add(row({key: value for key, value in FULL.items() if key != name})["id"])
    ids.add(row({**FULL, "title": "tt9"})["id"])
    ids.add(row({**FULL, "entity": {"kind": "shot", "id": "tt1"}})["id"])
    ids.add(rows([FULL], scope="tt2")[0]["id"])
    ids.add(row({**FULL, "label": "red curtains"})["id"])
    ids |= {row({**FULL, "tags": tags})["id"] for tags in ([], [""], ["b", ""], ["", "b"], ["b,a"])}
    assert len(ids) == 1 + len(FULL) + 4 + 5


@settings(max_examples=30)
@given(st.lists(bodies, min_size=1, max_size=4), st.data())
def test_an_id_is_the_same_in_any_batch(batch: list[dict[str, Any]], data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(batch))
    assert row(one)["id"] in {found["id"] for found in rows(batch)}


def test_a_property_called_like_stems_counts_as_any_other() -> None:
    kind = AnnotationType(
        "WORDS", 1, "x", (Property("word_stems", Kind.STRINGS, "x"), Property("text", Kind.TEXT, "x"))
    )
    assert row({"word_stems": ["a"]}, kind)["id"] != row({"word_stems": ["b"]}, kind)["id"]


def test_an_operation_has_a_scope_and_somebody_who_says_it() -> None:
    for scope, by, property in (("", "x", "scope"), ("tt1", "", "by"), ("a\0", "x", "scope"), ("tt1", "\ud83d", "by")):
        with pytest.raises(AnnotationRefused) as refused:
            validated(EVERY_KIND, [{"title": "tt1"}], scope, by, WHEN)
        assert refused.value.property == property


def test_ids_that_are_given_stay() -> None:
    assert [found["id"] for found in rows([{"id": "b"}, {"id": "a"}])] == ["b", "a"]
    with pytest.raises(AnnotationRefused, match=r"'id' of row 2 .*is that of another row"):
        rows([{"id": "a"}, {"id": "b"}, {"id": "a"}])
    with pytest.raises(AnnotationRefused, match=r"'id' of row 1 .*is missing, and other rows have one"):
        rows([{"id": "a"}, {"label": "x"}])


def test_a_decision_is_known_by_its_key_and_belongs_to_its_title() -> None:
    pair = {"title": "tt1", "other_title": "tt2", "entity": {"kind": "pair", "id": "p"}, "accepted": True}
    first, second = (
        validated(DECISION, [pair | change], "", "ann", WHEN).to_pylist()[0] for change in ({}, {"accepted": False})
    )
    assert first["id"] == second["id"] and first["scope"] == "tt1" and first["accepted"] is not second["accepted"]
    (other,) = validated(DECISION, [pair], "", "bob", WHEN).to_pylist()
    assert other["id"] != first["id"]
    with pytest.raises(AnnotationRefused, match=r"'id' of row 1 .*both have the same entity_id, by"):
        validated(DECISION, [pair, pair], "", "ann", WHEN)
    with pytest.raises(AnnotationRefused, match=r"'title' of row 0 .*is missing"):
        validated(DECISION, [{"accepted": True}], "", "ann", WHEN)
    with pytest.raises(AnnotationRefused, match=r"'accepted' of row 0 .*is missing"):
        validated(DECISION, [{"title": "tt1"}], "", "ann", WHEN)
    with pytest.raises(AnnotationRefused, match=r"'id' of row 0 .*not the one of its entity_id, by"):
        validated(DECISION, [{**pair, "id": "mine"}], "", "ann", WHEN)


def test_a_row_has_its_own_language_where_the_type_has_one() -> None:
    assert row({"label": "les fenêtres", "language": "fr"})["label_stems"] == ["le", "fenêtr"]
    assert row({"label": "windows"})["label_stems"] == ["window"]
    both = rows([{"label": "windows", "language": "xx"}, {"label": "windows"}, {"language": "fr"}])
    assert [found["label_stems"] for found in both] == [["windows"], ["window"], None]


def test_a_moment_is_kept_in_universal_time() -> None:
    there = timezone(timedelta(hours=5, minutes=30))
    for moment in (WHEN, WHEN.astimezone(there), WHEN.replace(tzinfo=None)):
        assert validated(EVERY_KIND, [{}], "tt1", "x", moment)["created"][0].as_py() == WHEN


LONG = "é" * 1001
REFUSED = [
    ({"lable": "x"}, "lable", "no property of this type; leave it out; did you mean 'label'?"),
    ({"foo": "x"}, "foo", "no property of this type; leave it out; what can stand there is .*label, "),
    ({"time": {"start": 1, "end": 2, "stop": 3}}, "time", "no part 'stop'"),
    ({"time": [1, 2]}, "time", r"is \[1, 2\], no range"),
    ({"time": {"start": 1}}, "time", "start and no end"),
    ({"time": {"start": 2, "end": 2}}, "time", "does not start before it ends"),
    ({"time": {"start": -1, "end": 2}}, "time", "starts before 0"),
    ({"time": {"start": 1, "end": 2e9}}, "time", "ends after"),
    ({"time": {"start": math.nan, "end": 2}}, "time_start", "no finite number"),
    ({"time": {"start": "1", "end": 2}}, "time_start", "is '1'"),
    ({"time": {"start_frame": 1, "end_frame": 2}}, "time", "lacks a part of its frames"),
    ({"time": {"start_frame": 1.5, "end_frame": 2, "rate": "25"}}, "time_start_frame", "is 1.5"),
    ({"time": {"start_frame": -1, "end_frame": 2, "rate": "25"}}, "time", "before frame 0"),
    ({"time": {"start_frame": 3, "end_frame": 2, "rate": "25"}}, "time", "does not start before it ends"),
    ({"time": {"start_frame": 1, "end_frame": 2, "rate": "0/1"}}, "time", "has the rate '0/1'"),
    ({"time": {"start_frame": 1, "end_frame": 2, "rate": 23.976}}, "time", "has the rate 23.976"),
    ({"time": {"start_frame": 1, "end_frame": 2, "rate": "9999999999"}}, "time", "beyond 32 bits"),
    ({"time": {"start": 1, "end": 2, "start_frame": 1, "end_frame": 2, "rate": "25"}}, "time", "other seconds"),
    ({"region": [0.1, 0.2, 0.5]}, "region", "list of 3"),
    ({"region": [0.1, 0.2, 0.1, 0.5]}, "region", "no area"),
    ({"region": [0.1, 0.2, 1.1, 0.5]}, "region", "beyond the picture"),
    ({"region": ["a", 0.2, 1.1, 0.5]}, "region_x0", "is 'a'"),
    ({"region": [0.1, 0.2, math.inf, 0.5]}, "region_x1", "no finite number"),
    ({"region": [1, 0, 1.0000005, 1]}, "region", "no area"),
    ({"region": "POLYGON((1 0, 1.0000005 0, 1.0000005 1, 1 0))"}, "region", "beyond the picture"),
    ({"region": [0.1, None, 0.2, 0.5]}, "region", "lacks a side"),
    ({"region": "POINT(2 0)"}, "region", "beyond the picture"),
    ({"region": "CIRCLE(0 0 1)"}, "region", "no WKT geometry"),
    ({"region": "POINT EMPTY"}, "region", "is empty"),
    ({"region": "POINT Z(0 0 0)"}, "region", "more than two dimensions"),
    ({"region": "POLYGON((0 0, 1 1, 1 0, 0 1, 0 0))"}, "region", "not valid .*Self-intersection"),
    ({"region": 5}, "region", "is 5"),
    ({"label": 5}, "label", "is 5"),
    ({"label": "a\0b"}, "label", "NUL"),
    ({"label": "\ud83d"}, "label", "half a character"),
    ({"label": "x" * 100_001}, "label", "longer than 100,000 bytes"),
    ({"algorithm_version": LONG}, "algorithm_version", "longer than 2,000 bytes"),
    ({"confidence": math.inf}, "confidence", "no finite number"),
    ({"confidence": True}, "confidence", "is True"),
    ({"confidence": "0.5"}, "confidence", "is '0.5'"),
    ({"confidence": 2**53 + 1}, "confidence", "beyond what a double holds"),
    ({"count": 2**63}, "count", "beyond what 64 signed bits"),
    ({"count": 0.5}, "count", "is 0.5"),
    ({"count": 1e300}, "count", r"is 1e\+300"),
    ({"count": math.nan}, "count", "is nan"),
    ({"count": True}, "count", "is True"),
    ({"sharp": 1}, "sharp", "is 1"),
    ({"tags": "one"}, "tags", "is 'one'"),
    ({"tags": ["a", 5]}, "tags", "is 5"),
    ({"tags": ["a", None]}, "tags", "null"),
    ({"tags": ["\ud83d"]}, "tags", "half a character"),
    ({"tags": ["x"] * 1001}, "tags", "over 1,000 entries"),
    ({"embedding": [1, 2]}, "embedding", "has 2 numbers"),
    ({"embedding": [1, 2, "3"]}, "embedding", "no number"),
    ({"embedding": [1, 2, [3]]}, "embedding", "no number"),
    ({"embedding": [1, 2, math.nan]}, "embedding", "no float32 holds"),
    ({"embedding": [1, 2, 1e39]}, "embedding", "no float32 holds"),
    ({"embedding": [0, 0, 0]}, "embedding", "all 0"),
    ({"embedding": "abc"}, "embedding", "is 'abc'"),
    ({"title": ""}, "title", "is empty"),
    ({"title": LONG}, "title", "longer than 512 bytes"),
    ({"entity": {"name": "shot"}}, "name", "what can stand there is id, kind"),
    ({"entity": {"kind": "shot"}}, "entity_id", "is missing"),
    ({"entity": {"kind": "show", "id": "x"}}, "entity_kind", "no kind of entity"),
    ({"entity": "tt1"}, "entity", "is 'tt1'"),
    ({"properties": ["x"]}, "properties", "is .*give a JSON object"),
    ({"type": "SHOT"}, "type", "is not EVERY_KIND"),
    ({"type_version": 1}, "type_version", "is not 2"),
    ({"scope": "tt2"}, "scope", "is not tt1"),
    ({"by": "me"}, "by", "is not faces@7"),
]


@pytest.mark.parametrize(("wrong", "property", "why"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_is_wrong_is_named_with_its_row(wrong: dict[str, Any], property: str, why: str) -> None:
    with pytest.raises(AnnotationRefused, match=why) as refused:
        rows([{}, FULL, wrong, FULL | {"label": "another"}])
    assert refused.value.property == property
    assert f"EVERY_KIND@2: {property!r}" in str(refused.value)
    assert "of row 2 " in str(refused.value)
    assert str(refused.value).endswith("Nothing of the batch was kept")


@pytest.mark.parametrize("name", ["x" * 10_000, "\ud83d", "a\0b", "'; drop table x; --", 5, None, ("a", 1)])
def test_a_refusal_can_be_shown_whatever_was_given(name: Any) -> None:
    for wrong in ({name: 1}, {"label": {name: 1}}, {"time": {name: 1}}, {"sharp": [name]}, {"count": 10**5000}):
        with pytest.raises(AnnotationRefused) as refused:
            rows([{}, wrong])
        told = json.dumps([str(refused.value), refused.value.property], ensure_ascii=False)
        assert len(told.encode()) < 1000 and refused.value.property


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(AnnotationRefused, match=r"row 1 \(from 0\) is 'x'; give a JSON object"):
        rows([{}, "x"])


TABLES = [
    ({"label": pa.array([1, 2])}, "label", "column of int64"),
    ({"confidence": pa.array(["1", "2"])}, "confidence", "column of string"),
    ({"confidence": pa.array([1, 2**60])}, "confidence", "row 1 .*beyond 2"),
    ({"confidence": pa.array([1.0, math.nan])}, "confidence", "row 1 .*no finite number"),
    ({"confidence": pa.array([2**53, 2**53 + 1])}, "confidence", "row 1 .*beyond 2"),
    ({"count": pa.array([1, 2**63], pa.uint64())}, "count", "row 1 .*64 signed bits"),
    ({"count": pa.array([1, 0.5])}, "count", "row 1 .*is 0.5"),
    ({"sharp": pa.array([1, 0])}, "sharp", "column of int64"),
    ({"tags": pa.array(["a", "b"])}, "tags", "column of string"),
    ({"embedding": pa.array([[1.0, 2, 3], [1.0, 2]])}, "embedding", "row 1 .*has 2 numbers"),
    ({"embedding": pa.array([[1.0, 2, 3], [1.0, 2, None]])}, "embedding", "row 1 .*no float32 holds"),
    ({"embedding": pa.array([["a"] * 3, None])}, "embedding", "column of list<"),
    ({"time_start": pa.array([1.0, 2]), "time_end": pa.array([2.0, None])}, "time", "row 1 .*start and no end"),
    ({"region_x0": pa.array([None, 0.5])}, "region", "row 1 .*lacks a side"),
    (
        {
            "region": ["POINT(0 0)"] * 2,
            "region_x0": [0.0, 1],
            "region_y0": [0.0, 1],
            "region_x1": [0.0, 1],
            "region_y1": [0, 1.0],
        },
        "region",
        "row 1 .*another box",
    ),
    ({"label_stemmed": pa.array(["a", "b"])}, "label_stemmed", "no property of this type"),
]


@pytest.mark.parametrize(("columns", "property", "why"), TABLES, ids=lambda value: str(value)[:30])
def test_columns_of_a_table_are_held_to_the_same(columns: dict[str, Any], property: str, why: str) -> None:
    with pytest.raises(AnnotationRefused, match=why) as refused:
        rows(pa.table(columns))
    assert refused.value.property == property


def test_a_property_is_given_whole_or_in_parts() -> None:
    for twice in ({"time": {"start": 1, "end": 2}, "time_start": 1}, {"region": [0, 0, 1, 1], "region_x0": 0}):
        with pytest.raises(AnnotationRefused, match="is given whole and in parts"):
            rows([twice])


def test_zero_has_no_sign() -> None:
    found = row({"confidence": -0.0, "time": {"start": -0.0, "end": 1}, "region": "POINT(-0.0 0)"})
    assert found["region"] == "POINT (0 0)"
    assert row({"region": [-0.0, 0, 0.5, 1]})["region"] == "POLYGON ((0.5 0, 0.5 1, 0 1, 0 0, 0.5 0))"
    assert [math.copysign(1, found[name]) for name in ("confidence", "time_start")] == [1, 1]
    assert found["id"] == row({"confidence": 0, "time": {"start": 0, "end": 1}, "region": "POINT(0 0)"})["id"]


def test_a_table_that_is_not_what_it_says_is_refused() -> None:
    broken = pa.StringArray.from_buffers(1, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff"))
    with pytest.raises(AnnotationRefused, match="'label' is not UTF-8"):
        rows(pa.table({"label": broken}))
    with pytest.raises(AnnotationRefused, match="'label' is there twice"):
        rows(pa.table([["a"], ["b"]], ["label", "label"]))


def test_of_many_bad_rows_the_first_is_named_and_the_others_counted() -> None:
    with pytest.raises(AnnotationRefused, match=r"of row 1 \(from 0\) is no finite number \(and 2 more rows\)"):
        rows([{"confidence": value} for value in (1.0, math.inf, 1.0, -math.inf, math.nan)])


def test_a_mandatory_property_is_there() -> None:
    kind = AnnotationType(
        "STRICT",
        1,
        "x",
        tuple(Property(f"p{number}", one, "x", True, 2 * (one is Kind.VECTOR)) for number, one in enumerate(Kind)),
    )
    good = {
        "p0": "",
        "p1": "",
        "p2": 0,
        "p3": 0,
        "p4": False,
        "p5": [],
        "p6": {"start": 0, "end": 1},
        "p7": "POINT(0 0)",
    }
    good |= {"p8": [1, 0]}
    assert len(rows([good], kind)) == 1
    for name in good:
        for bad in ({key: value for key, value in good.items() if key != name}, {**good, name: None}):
            with pytest.raises(AnnotationRefused, match=f"'{name}' of row 1 .*is missing"):
                rows([good, bad], kind)
