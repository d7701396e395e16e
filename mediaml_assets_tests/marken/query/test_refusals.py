"""What cannot be understood is refused, with the reason and the place; nothing else is ever raised."""

import re
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.errors import QueryRefused
from mediaml_assets.marken.query.check import CONDITIONS, compiled
from mediaml_assets.marken.query.sql import DUCKDB, POSTGRES, render
from mediaml_assets.marken.schema import Kind, Property
from mediaml_assets_tests.marken.query.table import TableSnapshot, quoted
from mediaml_assets_tests.marken.strategies import REMARK, SCENE, annotation

P = {"property": "label"}


@pytest.fixture(scope="module")
def snapshot() -> Iterator[TableSnapshot]:
    random = Random(5)
    with TableSnapshot({kind: [annotation(kind, random) for _ in range(9)] for kind in (SCENE, REMARK)}) as made:
        yield made


def refusal(filter: Any, snapshot: TableSnapshot) -> QueryRefused:
    with pytest.raises(QueryRefused) as refused:
        snapshot.node(filter)
    return refused.value


TEXTS = [
    ("lable = 'x'", "1:1", "did you mean 'label'?"),
    ("indoor AND\n  (count = 1 OR lable = 'x')", "2:17", "did you mean 'label'?"),
    ("label = 'lable' AND lable = 'x'", "1:21", "did you mean 'label'?"),
    ("label > 5", "1:9", "'label' is a string, 5.0 is a number"),
    ("place = 'a' OR place = 5", "1:24", "'place' is a string, 5.0 is a number"),
    ("-count = 'a'", "1:10", "this side is a number, 'a' is a string"),
    ("count = label", "1:9", "'count' is a number, 'label' is a string"),
    ("count LIKE 'x%'", "1:1", "LIKE reads strings"),
    ("label LIKE 5", "1:12", "LIKE takes a pattern"),
    ("label LIKE 'x\\'", "1:12", "ends in a backslash"),
    ("CASEI(count) = 'x'", "1:7", "CASEI reads strings"),
    ("indoor > FALSE", "1:1", "Booleans have no order"),
    ("indoor BETWEEN FALSE AND TRUE", "1:1", "Booleans have no order"),
    ("count", "1:1", "neither true nor false"),
    ("count + 1", "1:1", "is a value"),
    ("label = NULL", "1:9", "use IS NULL"),
    ("count = 9007199254740993", "1:9", "below 2^53"),
    ("count + 1e-30 > 1", "1:9", "at least 1e-20"),
    ("count+1+2+3+4+5+6+7+8 > 1", "1:1", "At most 8 numbers"),
    ("count IN (1, 'x')", "1:14", "'x' is a string"),
    ("count IN (1, stars)", "1:14", "literals only"),
    ("created > 'yesterday'", "1:11", "is no time"),
    ("created > TIMESTAMP('2026-13-01T00:00:00Z')", "1:21", "is no time"),
    ("T_DURNG(time, INTERVAL(1, 2))", "1:1", "did you mean T_DURING?"),
    ("T_DURING(time, INTERVAL(2, 2))", "1:25", "starts before it ends"),
    ("T_DURING(time, INTERVAL('2026-01-01', '..'))", "1:25", "is a number"),
    ("T_DURING(time, FRAMES(1.5, 2))", "1:23", "Frames are whole"),
    ("T_DURING(time, FRAMES(1))", "1:23", "a start and an end"),
    ("T_DURING(FRAMES(1, 2), INTERVAL(1, 2))", "1:24", "either with itself"),
    ("T_DURING(label, INTERVAL(1, 2))", "1:10", "of kind text"),
    ("T_AFTER(created, DATE('2026-01-01'))", "1:9", "of kind string"),
    ("T_DURING(time)", "1:1", "takes 2 arguments; here are 1"),
    ("time = 5", "1:1", "asked by T_ functions"),
    ("region = 'x'", "1:1", "asked by S_ functions"),
    ("tags = 'red'", "1:1", "asked by A_ functions"),
    ("look = 1", "1:1", "asked by `nearest`"),
    ("S_WITHIN(region, region)", "1:18", "two of one sort"),
    ("S_WITHIN(label, POINT(0 0))", "1:10", "of kind text"),
    ("S_WITHIN(region, BBOX(1, 0, 0, 1))", "1:18", "x0 < x1"),
    ("S_WITHIN(region, BBOX(0, 0, 0, 1, 1, 1))", "1:18", "x0, y0, x1, y1"),
    ("S_WITHIN(region, POINT Z(0 0 1))", "1:18", "more than two dimensions"),
    ("S_WITHIN(region, POLYGON((0 0, 1 1, 0 1, 1 0, 0 0)))", "1:18", "not valid"),
    ("S_WITHIN(region, 'x')", "1:18", "a geometry is wanted"),
    ("IOU(region, BBOX(0, 0, 1, 1)) > 'x'", "1:33", "is a number"),
    ("IOU(region, BBOX(0, 0, 1, 1))", "1:1", "is a value"),
    ("MATCH(place, 'x')", "1:7", "of kind string"),
    ("MATCH(label, '?!')", "1:14", "1 to 20 words"),
    ("MATCH(label, 5)", "1:14", "in single quotes"),
    ("MATCH(label, 'x', '%')", "1:19", "such as 'en'"),
    ("A_CONTAINS(tags, (1))", "1:19", "in single quotes"),
    ("A_CONTAINS(label, ('x'))", "1:12", "of kind text"),
    ("A_CONTAINS(tags, tags)", "1:18", "two of one sort"),
    ("ACCENTI(label) = 'x'", "1:1", "no value to compare"),
    ("label = 'x", "1:9", "no CQL2 from here on"),
    ("label = 'x' AND", "1:16", "no CQL2 from here on"),
    ("(label = 'x'", "1:1", "not closed"),
    ("label = 'x')", "1:12", "No bracket is open"),
    ("(" * 40 + "label", "1:13", "at most 12 deep"),
    ("", "1:1", "no CQL2 from here on"),
    ("label = '\ud800'", "1:10", "surrogate"),
]


@pytest.mark.parametrize(("text", "place", "reason"), TEXTS)
def test_a_text_is_refused_with_line_and_column(snapshot: TableSnapshot, text: str, place: str, reason: str) -> None:
    error = refusal(text, snapshot)
    assert error.place == f"filter:{place}"
    assert reason in str(error)
    # the caret stands below the place
    line, column = map(int, place.split(":"))
    *_, excerpt, caret = str(error).split("\n")
    assert excerpt == f"  {line} | {text.split(chr(10))[line - 1]}"[: len(excerpt)].replace("\ud800", " ")
    assert caret.index("^") == len(f"  {line} | ") + column - 1


TREES = [
    ({"op": "=", "args": [{"property": "lable"}, "x"]}, "filter.args[0]", "did you mean 'label'?"),
    ({"op": "and", "args": [True, {"op": "like", "args": [P]}]}, "filter.args[1]", "takes 2 arguments"),
    ({"op": "=", "args": [P, 5]}, "filter.args[1]", "is a number"),
    ({"op": "=", "args": [P, {"foo": 1}]}, "filter.args[1]", "an object of foo"),
    ({"op": "=", "args": [P, None]}, "filter.args[1]", "use IS NULL"),
    ({"op": "=", "args": [P, "\0"]}, "filter.args[1]", "zero character"),
    ({"op": "=", "args": [P, "\ud800"]}, "filter.args[1]", "surrogate"),
    ({"op": "=", "args": [{"property": "count"}, 2**53]}, "filter.args[1]", "below 2^53"),
    ({"op": "=", "args": [{"property": "count"}, float("nan")]}, "filter.args[1]", "below 2^53"),
    ({"op": "=", "args": [{"property": "count"}, 10**5000]}, "filter.args[1]", "below 2^53"),
    ({"op": "like", "args": [P, "x" * 65_537]}, "filter.args[1]", "at most 65,536"),
    ({"op": "x" * 60_000, "args": []}, "filter", "no condition"),
    ({"property": "x" * 60_000}, "filter", "no property"),
    ({"op": "=", "args": "ab"}, "filter", "in a list"),
    ({"op": "and", "args": []}, "filter", "needs conditions"),
    ({"op": "in", "args": [P, []]}, "filter.args[1]", "at least one"),
    ({"op": "foo", "args": []}, "filter", "no condition 'FOO'"),
    ({"op": 5, "args": []}, "filter", "where a condition is wanted"),
    ({"property": ["label"]}, "filter", "no property"),
    ([], "filter", "where a condition is wanted"),
    (5, "filter", "where a condition is wanted"),
    (
        {"op": "s_within", "args": [{"property": "region"}, {"type": "Point", "coordinates": "x"}]},
        "filter.args[1]",
        "geo",
    ),
    (
        {"op": "t_during", "args": [{"property": "time"}, {"interval": 5}]},
        "filter.args[1].interval",
        "start and an end",
    ),
]


@pytest.mark.parametrize(("tree", "place", "reason"), TREES)
def test_a_tree_is_refused_with_its_path(snapshot: TableSnapshot, tree: Any, place: str, reason: str) -> None:
    error = refusal(tree, snapshot)
    assert error.place == place
    assert str(error).startswith(f"{place}: ")
    assert reason in str(error)


def test_a_property_of_two_kinds_is_refused_naming_both(snapshot: TableSnapshot) -> None:
    other = replace(SCENE, name="OTHER", own=(Property("place", Kind.INTEGER, "A number."),), bases=())
    with pytest.raises(QueryRefused, match="'place' is of kind string in SCENE@1 and integer in OTHER@1"):
        compiled("place = 'x'", [SCENE, other], snapshot)  # type: ignore[arg-type]


def test_a_property_of_one_type_is_null_in_the_others(snapshot: TableSnapshot) -> None:
    remarks = sorted(one["id"] for one in snapshot.annotations if one["type"] == "REMARK")
    assert set(remarks) <= set(snapshot.matching("count IS NULL"))
    assert not set(remarks) & set(snapshot.matching("count = 1 OR count <> 1"))


def test_what_is_too_large_is_refused_soon(snapshot: TableSnapshot) -> None:
    deep: Any = True
    for _ in range(5000):
        deep = {"op": "not", "args": [deep]}
    assert "64 levels" in str(refusal(deep, snapshot))
    assert "10,000 parts" in str(refusal({"op": "in", "args": [P, ["x"] * 10_000]}, snapshot))
    assert "At most 50 of MATCH" in str(
        refusal({"op": "or", "args": [{"op": "match", "args": [P, "x"]}] * 51}, snapshot)
    )
    assert "65,536" in str(refusal("label = '" + "x" * 65_536 + "'", snapshot))


CHAINS = [
    "NOT {}",
    "- {}",
    "a = {}",
    "a LIKE {}",
    "{} NOT IN (1)",
    "{} NOT LIKE 'x'",
    "{} NOT BETWEEN 1 AND 1",
    "1 ^ {}",
]


@pytest.mark.parametrize("chain", CHAINS)
def test_a_chain_that_would_end_the_parser_is_refused(snapshot: TableSnapshot, chain: str) -> None:
    before, after = chain.split("{}")
    refusal(before * 3000 + "indoor" + after * 3000, snapshot)


@pytest.mark.parametrize("join", [" AND ", " OR "])
def test_many_conditions_fit_and_too_many_are_refused(snapshot: TableSnapshot, join: str) -> None:
    assert snapshot.matching(join.join(["indoor"] * 1001)) == snapshot.matching("indoor")
    assert "Over 1,000 ANDs and ORs" in str(refusal(join.join(["indoor"] * 1002), snapshot))


HOSTILE = [
    "'; DROP TABLE annotations; --",
    "x' OR '1'='1",
    '"',
    '"; SELECT 1; --',
    "%s",
    "%(a)s",
    "?",
    "$1",
    "\\",
    "/*",
    "’",
    "{}",
]


_OWN = re.compile(
    r"CAST\((?:\?|%s) AS (?:TEXT|DOUBLE PRECISION|BIGINT|BOOLEAN|TIMESTAMPTZ)(?:\[\])?\)"
    r'|"(?:place|tags|title|other_title|created|label_stems|region\w*|time_\w+)"'
    r"|\b(?:AND|OR|NOT|IS NULL|LIKE|ANY|lower|strpos|array_to_string|TRUE|FALSE)\b"
    r"|ESCAPE '\\'|COLLATE \"(?:C|pg_c_utf8)\"|' '|> 0|\|\||[=<>&@(), ]"
)
"""All that the conditions below may be made of."""


def _everywhere(hostile: str) -> list[Any]:
    """Filters with a string in each place that takes one."""
    place, literals = {"property": "place"}, [hostile, "x"]
    trees: list[Any] = [{"op": op, "args": [place, hostile]} for op in ("=", "<>", "<", "like")]
    trees += [{"op": op, "args": [{"property": "tags"}, literals]} for op in ("a_contains", "a_equals")]
    trees += [
        {"op": "in", "args": [place, literals]},
        {"op": "between", "args": [place, hostile, hostile]},
        {"op": "=", "args": [{"op": "casei", "args": [place]}, {"op": "casei", "args": [hostile]}]},
        {"op": "=", "args": [{"property": "title"}, hostile]},
        {"op": "=", "args": [{"property": hostile}, "x"]},
        {"op": "isNull", "args": [{"property": hostile}]},
        {"op": "=", "args": [{"property": "created"}, {"timestamp": hostile}]},
        {"op": hostile, "args": [place, "x"]},
        {"op": "=", "args": [{"op": hostile, "args": [place]}, "x"]},
        {"op": "match", "args": [P, hostile]},
        {"op": "match", "args": [P, f'word "{hostile}"', "en"]},
        {"op": "match", "args": [P, "word", hostile]},
        {"op": "t_during", "args": [{"property": "time"}, {"interval": [hostile, 5]}]},
        {"op": "t_during", "args": [{"property": "time"}, {"op": "FRAMES", "args": [1, hostile]}]},
        {"op": "s_within", "args": [{"property": "region"}, {"type": hostile, "coordinates": [0, 0]}]},
        {"op": "s_within", "args": [{"property": "region"}, {"bbox": [0, 0, 1, hostile]}]},
    ]
    return trees


@given(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=20)))
@settings(max_examples=25, deadline=None)
def test_strings_are_parameters_or_refused(snapshot: TableSnapshot, hostile: str) -> None:
    for tree in _everywhere(hostile):
        try:
            node = snapshot.node(tree)
        except QueryRefused:
            continue
        for dialect in (DUCKDB, POSTGRES):
            sql = render(node, dialect, quoted)
            assert _OWN.sub("", sql.text).strip() == ""
            assert sql.text.count(dialect.placeholder) == len(sql.parameters)
        snapshot.ids(node)
    assert len(snapshot.ids(snapshot.node(True))) == len(snapshot.annotations)


JUNK = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=5),
        st.sampled_from(
            [*({"property": name} for name in ("label", "time", "region", "tags", "count", "x")), "..", "en"]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.fixed_dictionaries(
            {"op": st.sampled_from([*CONDITIONS, "casei", "+", "iou", "FRAMES"]), "args": st.lists(inner, max_size=3)}
        ),
        st.dictionaries(st.sampled_from(["interval", "bbox", "type", "coordinates", "date", "timestamp", "op"]), inner),
    ),
    max_leaves=8,
)


@given(JUNK)
@settings(max_examples=200, deadline=None)
def test_a_tree_of_anything_is_compiled_or_refused(snapshot: TableSnapshot, tree: Any) -> None:
    if isinstance(tree, str) or tree is None:
        return
    try:
        snapshot.ids(snapshot.node(tree))
    except QueryRefused as error:
        assert error.place.startswith("filter")


PIECES = [
    "label",
    "count",
    "time",
    "region",
    "(",
    ")",
    ",",
    "'x'",
    "'",
    '"',
    "5",
    "-",
    "1e9",
    "AND",
    "OR",
    "NOT",
    "=",
    "IN",
]
PIECES += [
    "LIKE",
    "BETWEEN",
    "IS",
    "NULL",
    "TRUE",
    "T_DURING",
    "INTERVAL",
    "S_WITHIN",
    "BBOX",
    "POINT",
    "MATCH",
    "\n",
    "é",
    "..",
    "DATE",
]


@given(st.one_of(st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join), st.text(max_size=30)))
@settings(max_examples=200, deadline=None)
def test_a_text_of_anything_is_compiled_or_refused(snapshot: TableSnapshot, text: str) -> None:
    try:
        snapshot.ids(snapshot.node(text))
    except QueryRefused as error:
        assert error.place.startswith("filter")
