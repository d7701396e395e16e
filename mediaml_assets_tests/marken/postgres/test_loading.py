"""Rows come back as they were given, whatever stands in them."""

import secrets
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.errors import AnnotationRefused, SchemaRefused
from mediaml_assets.marken.engine import Nearest, Order, Per, Selection
from mediaml_assets.marken.schema import AnnotationType, Kind, Property
from mediaml_assets_tests.marken.canonical import SPOT, SPOT_2, canonical, spots

from .conftest import Opener

TEXTS = [
    "",
    " ",
    '"',
    "\\",
    "\\.",
    "NULL",
    "a,b",
    "{}",
    '{"a"}',
    "[1]",
    "\n",
    "\r\n",
    "\t",
    "é",
    "日本",
    "😀",
    "'; --",
    "%s",
]


def kept(engine: Any, kind: AnnotationType, rows: pa.Table, **more: Any) -> list[dict[str, Any]]:
    """Rows as they are read after an operation."""
    operation = engine.start(kind, "alpha", "tester", {})
    engine.upsert(operation, rows)
    engine.finish(operation)
    columns = [*rows.schema.names, *(["score"] if "nearest" in more else [])]
    found: list[dict[str, Any]] = engine.snapshot().select(Selection([kind], columns, **more)).to_pylist()
    return found


def test_any_text_comes_back(opened: Opener, database: str) -> None:
    rows = [
        {"id": f"{at:03d}", "label": text, "label_stems": [text, "x"], "tags": [text], "by": text or "nobody"}
        for at, text in enumerate(TEXTS)
    ]
    rows += [{"id": "n1", "label": None, "tags": None}, {"id": "n2", "tags": [], "label_stems": []}]
    given_rows = canonical(SPOT, "alpha", rows)
    assert kept(opened([database]), SPOT, given_rows) == [row | {"version": 1} for row in given_rows.to_pylist()]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8), max_size=4))
def test_lists_are_written_as_arrays_are_read(words: list[str]) -> None:
    """By the rules of PostgreSQL's array_in: in quotes, with a backslash before quotes and backslashes."""
    from mediaml_assets.marken.postgres.loading import _column

    [text] = _column(pa.array([words], pa.list_(pa.string()))).to_pylist()
    found, inside, at = [], False, 1
    while at < len(text) - 1:
        if text[at] == '"':
            inside = not inside
            if inside:
                found.append("")
        elif inside:
            at += text[at] == "\\"
            found[-1] += text[at]
        at += 1
    assert found == words and text[0] + text[-1] == "{}"


def test_numbers_come_back_to_the_last_bit(opened: Opener, database: str) -> None:
    floats = [0.1, -0.0, 1e-308, 1.7976931348623157e308, 5e-324, 1 / 3]
    integers = [0, 2**63 - 1, -(2**63), 2**53 + 1, 1, -1]
    rows = [
        {"id": str(at), "confidence": one, "count": count}
        for at, (one, count) in enumerate(zip(floats, integers, strict=True))
    ]
    given_rows = canonical(SPOT, "alpha", rows)
    found = kept(opened([database]), SPOT, given_rows)
    assert [row["count"] for row in found] == integers
    assert [row["confidence"] for row in found] == floats


def test_vectors_of_any_length_come_back_and_are_scored(opened: Opener, database: str) -> None:
    """Float32 products of these overflow or vanish."""
    given_vectors = [[3e38, 3e38, 0, 0], [1e-40, 0, 1e-45, 0], [1e25, -1e25, 1, 2], [1.0, 2.0, 3.0, 4.0]]
    vectors = np.array(given_vectors, np.float32)
    rows = [{"id": str(at), "look": one.tolist()} for at, one in enumerate(vectors)] + [{"id": "none"}]
    asked = Nearest("look", np.array([1e-30, 1e-30, 0, 0], np.float32))
    order = [Order("score", descending=True)]
    found = kept(opened([database]), SPOT, canonical(SPOT, "alpha", rows), nearest=asked, order=order, limit=9)
    assert [row["id"] for row in found] == ["0", "1", "3", "2"]
    # the best of a group is not one whose likeness is no number
    rows = [{"id": "far", "look": [-3e38, -3e38, 0, 0], "count": 1}, {"id": "near", "look": [1, 1, 0, 0], "count": 1}]
    best = {"nearest": asked, "order": order, "per": Per("count", 1)}
    assert [row["id"] for row in kept(opened([database]), SPOT, canonical(SPOT, "alpha", rows), **best)] == ["near"]
    for row in found:
        assert np.array_equal(np.array(row["look"], np.float32), vectors[int(row["id"])])
    exact = [(one @ [1, 1, 0, 0]) / np.linalg.norm(one) / np.sqrt(2) for one in vectors.astype(np.float64)]
    assert np.allclose([row["score"] for row in found], [exact[int(row["id"])] for row in found], atol=1e-12)


def test_names_that_every_table_has_can_be_properties(opened: Opener, database: str) -> None:
    names = ("xmin", "ctid", "tableoid", "user", "select", "order")
    kind = AnnotationType("ODD", 1, "Odd.", tuple(Property(name, Kind.INTEGER, "x") for name in names))
    rows = canonical(kind, "alpha", [{"id": "a", **{name: at for at, name in enumerate(names)}}])
    assert kept(opened([database]), kind, rows, order=[Order("xmin")]) == [rows.to_pylist()[0] | {"version": 1}]


def test_what_the_server_cannot_keep_is_refused_and_nothing_is_kept(opened: Opener, database: str) -> None:
    engine = opened([database])
    operation = engine.start(SPOT, "alpha", "tester", {})
    engine.upsert(operation, spots("alpha", 2))
    with pytest.raises(AnnotationRefused, match="SPOT@1"):
        engine.upsert(operation, canonical(SPOT, "alpha", [{"id": "a", "label": "x\0y"}, {"id": "b"}]))
    with pytest.raises(AnnotationRefused, match="SPOT@1"):
        engine.upsert(operation, canonical(SPOT, "alpha", [{"id": secrets.token_hex(20_000)}]))
    assert engine.finish(operation).rows == 2
    with pytest.raises(SchemaRefused, match="dimensions"):
        engine.start(AnnotationType("BIG", 1, "x", (Property("v", Kind.VECTOR, "x", dimensions=16_001),)), "a", "b", {})


def test_a_column_that_no_type_has_is_null_and_no_rows_are_no_rows(opened: Opener, database: str) -> None:
    engine = opened([database])
    assert kept(engine, SPOT, spots("alpha", 0)) == []
    found = engine.snapshot().select(Selection([SPOT, SPOT_2], ["size", "nothing"]))
    assert found.num_rows == 0 and found.schema.names == ["size", "nothing"]
    kept(engine, SPOT, spots("alpha", 2))
    found = engine.snapshot().select(
        Selection([SPOT, SPOT_2], ["id", "size", "nothing"], order=[Order("size")], limit=5)
    )
    assert found.to_pylist() == [{"id": f"alpha-{n}", "size": None, "nothing": None} for n in range(2)]
