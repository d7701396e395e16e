"""Whole searches as files, here and over HTTP."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from mediaml_assets.errors import QueryRefused
from mediaml_assets.marken.faces.client import MarkenClient
from mediaml_assets.marken.faces.exports import export as module
from mediaml_assets.marken.faces.exports.export import FORMATS, export
from mediaml_assets.marken.faces.http import app
from mediaml_assets.marken.search.answer import Answer

from .. import served
from ..service import running

QUERY = {"types": ["SHOT"], "titles": ["night-film"], "sort": [{"confidence": "desc"}]}


@pytest.mark.parametrize("format", FORMATS)
def test_over_http_the_file_is_the_same(format: Any, tmp_path: Path) -> None:
    marken = served.filled(titles=2, count=7)
    with running(app(marken)) as address, MarkenClient(address) as client:
        assert export(marken, QUERY, format, tmp_path / "here") == 7
        assert export(client, QUERY, format, tmp_path / "there") == 7
    here, there = (tmp_path / name for name in ("here", "there"))
    if format == "jsonld":  # each page has an identity of its own
        assert here.read_text().partition("items")[2] == there.read_text().partition("items")[2]
    else:
        assert here.read_bytes() == there.read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def test_all_pages_are_of_one_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marken, asked = served.filled(titles=2, count=7), []

    class WrittenMeanwhile:
        types = marken.types

        def search(self, query: Mapping[str, Any]) -> Answer:
            asked.append(query)
            answer = marken.search(query)
            with marken.operation("SHOT", "night-film", by="again") as load:
                load.upsert([{"row": 0, "time": {"start": 0, "end": 1}}])
            return answer

    monkeypatch.setattr(module, "_PAGE", 3)
    assert export(WrittenMeanwhile(), QUERY, "parquet", tmp_path / "out") == 7
    assert len(asked) == 3
    assert sorted(pq.read_table(tmp_path / "out")["id"].to_pylist()) == [f"night-film-{number}" for number in range(7)]


def test_vectors_are_written_where_they_are_asked_for(tmp_path: Path) -> None:
    marken = served.filled(titles=1, count=2)
    query = {"types": ["SHOT_EMBEDDING"], "sort": [{"row": "asc"}]}
    export(marken, query, "parquet", tmp_path / "without")
    export(marken, {**query, "fields": ["vector"]}, "parquet", tmp_path / "with")
    assert pq.read_table(tmp_path / "without")["vector"].to_pylist() == [None, None]
    stored = [one["vector"] for one in served.embeddings("harbour-film", 2)]
    assert pq.read_table(tmp_path / "with")["vector"].to_pylist() == stored


@pytest.mark.parametrize(
    ("query", "format", "place"),
    [
        ({"limit": 3}, "jsonl", "limit"),
        ({"cursor": "x"}, "jsonl", "cursor"),
        ({"collapse": {"field": "title"}}, "jsonl", "collapse"),
        ({"within": {"parts": []}}, "parquet", "within"),
        ({"titles": None}, "vtt", "titles"),
        ({"titles": ["a", "b"]}, "vtt", "titles"),
        ({"filter": "lable = 1"}, "jsonld", "filter:1:1"),
        ({"types": ["SHOOT"]}, "parquet", "types[0]"),
    ],
)
def test_what_a_file_has_no_place_for_leaves_none(query: Any, format: Any, place: str, tmp_path: Path) -> None:
    with pytest.raises(QueryRefused) as refused:
        export(served.filled(titles=1, count=1), QUERY | query, format, tmp_path / "out")
    assert refused.value.place == place
    assert list(tmp_path.iterdir()) == []


def test_a_failed_export_leaves_the_file_before(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("before")
    with pytest.raises(QueryRefused):
        export(served.filled(titles=1, count=1), QUERY | {"filter": "lable = 1"}, "jsonl", tmp_path / "out")
    assert [one.read_text() for one in tmp_path.iterdir()] == ["before"]
