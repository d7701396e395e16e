"""The examples of the grammar page find what the page says."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import cql2
import pytest

from mediaml_assets.errors import QueryRefused
from mediaml_assets.marken.query.check import compiled
from mediaml_assets.marken.schema import ALGORITHM, TEMPORAL_SPATIAL, AnnotationType, Kind, Property
from mediaml_assets_tests.marken.oracle import found
from mediaml_assets_tests.marken.query.table import TableSnapshot
from mediaml_assets_tests.marken.strategies import SCENE

PAGE = Path(__file__).parents[3] / "docs" / "marken" / "query.md"
TEXT = PAGE.read_text()
OBJECT = AnnotationType(
    "OBJECT", 1, "Seen.", own=(Property("tags", Kind.STRINGS, "Of it."),), bases=(TEMPORAL_SPATIAL, ALGORITHM)
)
CAPTION = AnnotationType(
    "CAPTION", 1, "Said.", own=(Property("words", Kind.TEXT, "What is said."),), bases=(TEMPORAL_SPATIAL,)
)
PAIR = AnnotationType("PAIR", 1, "Two shots.", own=(Property("likeness", Kind.NUMBER, "How alike."),))
EXAMPLES = re.findall(r"^\d+\. .*?Finds (.*?)\.\n\n *```sql\n(.*?)```", TEXT, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def snapshot() -> Iterator[TableSnapshot]:
    stock = json.loads(TEXT.split("## Ten examples")[1].split("```json")[1].split("```")[0])
    for one in stock:
        kind = "pair" if one["type"] == "PAIR" else "title"
        one |= {"version": 1, "type_version": 1, "scope": one["title"], "by": "docs", "created": "2026-01-01T00:00:00Z"}
        one["entity"] = {"kind": kind, "id": one["id"] if kind == "pair" else one["title"]}
    with TableSnapshot(
        {kind: [one for one in stock if one["type"] == kind.name] for kind in (OBJECT, CAPTION, PAIR)}
    ) as made:
        yield made


def test_there_are_ten() -> None:
    assert len(EXAMPLES) == 10


@pytest.mark.parametrize(("ids", "filter"), EXAMPLES)
def test_an_example_finds_what_the_page_says(snapshot: TableSnapshot, ids: str, filter: str) -> None:
    wanted = sorted(re.findall(r"`(\w+)`", ids))
    assert wanted
    assert snapshot.matching(filter) == wanted
    tree = cql2.parse_text(filter).to_json()
    assert snapshot.matching(tree) == wanted
    assert sorted(one["id"] for one in found(tree, snapshot.annotations)) == wanted


def test_the_two_forms_on_top_are_the_same(snapshot: TableSnapshot) -> None:
    head = TEXT.split("## What a filter may name")[0]
    text, tree = head.split("```sql")[1].split("```")[0], json.loads(head.split("```json")[1].split("```")[0])
    assert compiled(text, [OBJECT], snapshot) == compiled(tree, [OBJECT], snapshot)  # type: ignore[arg-type]


def test_the_error_on_the_page_is_the_error(snapshot: TableSnapshot) -> None:
    shown = TEXT.split("```text\n")[1].split("\n```")[0]
    filter = shown.split("| ")[1].split("\n")[0]
    with pytest.raises(QueryRefused) as refused:
        compiled(filter, [SCENE], snapshot)  # type: ignore[arg-type]
    assert str(refused.value) == shown
