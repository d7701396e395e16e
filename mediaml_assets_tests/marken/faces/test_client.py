"""The client is `Marken` from afar: one story told to both, with the same answers and the same errors."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pyarrow as pa
import pytest
from starlette.testclient import TestClient

from mediaml_assets.errors import (
    AnnotationRefused,
    MarkenError,
    MediamlError,
    OperationRefused,
    QueryRefused,
    RequestRefused,
    SchemaRefused,
    TitlesUnreachable,
    Unreachable,
)
from mediaml_assets.marken.annotation import Annotation
from mediaml_assets.marken.faces.client import MarkenClient
from mediaml_assets.marken.faces.http import app
from mediaml_assets.marken.marken import Marken
from mediaml_assets.marken.operation import Operation
from mediaml_assets.marken.search.envelope import read

from . import served
from .service import running

TOKEN = "the-token-of-these-tests"


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[Marken, str]]:
    marken = served.filled()
    with running(app(marken, TOKEN)) as address:
        yield marken, address


@pytest.fixture
def client(service: tuple[Marken, str]) -> Iterator[MarkenClient]:
    with MarkenClient(service[1], TOKEN) as client:
        yield client


def plain(told: Any) -> Any:
    """What was told, but for when it was and under which moment."""
    if isinstance(told, MediamlError):
        return type(told), str(told), {name: value for name, value in vars(told).items() if name != "_message"}
    if isinstance(told, Operation):
        return replace(told, started=served.NOW, ended=told.ended and served.NOW)
    if isinstance(told, Annotation):
        return replace(told, created=served.NOW)
    if isinstance(told, dict):
        return {name: plain(value) for name, value in told.items() if name not in ("created", "moment", "cursor")}
    return [plain(one) for one in told] if isinstance(told, (list, tuple)) else told


def story(marken: Any) -> Iterator[Any]:
    """Everything that one can do, and everything that is refused."""

    def refused(kind: type[MediamlError], verb: Any, *what: Any, **named: Any) -> MediamlError:
        with pytest.raises(kind) as error:
            verb(*what, **named)
        return error.value

    yield sorted(str(kind) for kind in marken.types)
    with marken.operation("SHOT", "new-film", by="one", source={"feature": "shots"}) as load:
        load.upsert(served.shots("new-film", 4))
        load.upsert(
            pa.table({"id": ["t"], "row": [9], "time_start": [1.0], "time_end": [2.5], "label": ["the curtains"]})
        )
        assert marken.search({"types": ["SHOT"], "titles": ["new-film"]}).hits == []
    yield marken.search({"types": ["SHOT"], "titles": ["new-film"], "sort": [{"start": "asc"}]}).to_json()
    yield marken.search({"types": ["SHOT"], "filter": "MATCH(label, 'curtian')", "sort": [{"title": "desc"}]}).to_json()
    near = {"field": "vector", "to": {"text": "drinking wine"}}
    yield marken.search({"types": ["SHOT_EMBEDDING"], "nearest": near, "limit": 5}).to_json()
    yield marken.search({"types": ["SHOT_EMBEDDING"], "nearest": near, "collapse": {"field": "title"}}).to_json()
    parts = [{"types": ["SHOT"], "filter": "MATCH(label, 'wine')"}, {"types": ["SHOT"], "filter": "confidence > 0.1"}]
    yield marken.search({"within": {"parts": parts}, "titles": ["new-film"]}).to_json()
    yield marken.get("new-film-1")
    yield marken.get("new-film-1", 1)
    with pytest.raises(ZeroDivisionError), marken.operation("SHOT", "new-film", by="two") as load:
        load.upsert([{"row": 0, "label": "lost"}])
        _ = 1 / 0
    with marken.operation("SHOT", "new-film", by="three") as load:
        load.upsert([{"id": "new-film-1", "row": 0, "label": "another"}])
    third = load.operation
    yield marken.get("new-film-1"), marken.get("new-film-1", 1)
    yield marken.roll_back(third)
    yield marken.operations("SHOT", "new-film")
    yield dict(marken.active("SHOT"))
    yield len(marken.operations("SHOT")), len(marken.operations(scope="new-film")), len(marken.operations())
    started = marken.start("SHOT@1", "new-film", by="four")
    marken.upsert(started, [{"id": "x", "row": 0, "label": "never seen"}])
    yield started, marken.cancel(started), marken.cancel(started)
    for said in ("rejected", "accepted"):
        yield marken.append("EDITOR_DECISION", [served.decision(said)], by="lou")
    yield marken.search({"types": ["EDITOR_DECISION"], "titles": ["night-film"], "sort": [{"by": "asc"}]}).to_json()

    yield refused(OperationRefused, marken.upsert, started, [{"row": 0, "label": "late"}])
    refused(OperationRefused, marken.roll_back, replace(third, number=99))  # engines say so in their own words
    yield refused(AnnotationRefused, marken.append, "EDITOR_DECISION", [{"title": "x"}], by="lou")
    yield refused(OperationRefused, marken.start, "SHOOT", "new-film", by="one")
    yield refused(SchemaRefused, marken.active, "SHOOT")
    yield refused(AnnotationRefused, marken.append, "SHOOT", [{}], by="one")
    load = marken.start("SHOT", "new-film", by="five")
    for wrong in (
        {"confidence": "high"},
        {"time": {"start": 2, "end": 1}},
        {"colour": "red"},
        {"region": "POINT (2 2)"},
    ):
        yield refused(AnnotationRefused, marken.upsert, load, [{"row": 0, "label": "a"}, {"row": 1, **wrong}])
    for query in (
        {"types": ["SHOT"], "filter": "lable = 'x'"},
        {"types": ["SHOT"], "filter": "label = 'x' AND"},
        {"types": ["SHOT"], "filter": {"op": "=", "args": [{"property": "index"}, "x"]}},
        {"types": ["SHOOT"]},
        {"types": ["SHOT"], "limit": 0},
        {"types": ["SHOT"], "colapse": {}},
        {"types": ["SHOT"], "cursor": "forged"},
        {"types": ["SHOT"], "as_of": "../../etc"},
        {"types": ["SHOT_EMBEDDING"], "nearest": {"field": "vector", "to": {"vector": [1.0]}}},
        {},
    ):
        yield refused(QueryRefused, marken.search, query)


def test_one_story_told_to_both_has_the_same_answers_and_the_same_errors() -> None:
    here = served.filled()
    with running(app(served.filled(), TOKEN)) as address, MarkenClient(address, TOKEN) as client:
        for number, (one, other) in enumerate(zip(story(here), story(client), strict=True)):
            assert plain(one) == plain(other), number


def test_pages_are_of_one_moment_whatever_is_written_between(service: tuple[Marken, str], client: MarkenClient) -> None:
    query = {"types": ["SHOT"], "titles": ["night-film"], "sort": [{"confidence": "desc"}], "limit": 4}
    whole = client.search({**query, "limit": 100})
    hits = client.hits(query)
    first = next(hits)
    with client.operation("SHOT", "night-film", by="again") as load:
        load.upsert([{"row": 0, "label": "all that is left"}])
    assert [first["id"], *(one["id"] for one in hits)] == [one["id"] for one in whole.hits]
    assert len(client.search(query).hits) == 1
    assert client.search({**query, "as_of": whole.moment, "limit": 100}).hits == whole.hits
    client.roll_back(load.operation)


def test_a_type_from_afar_is_the_type_with_all_properties_its_own(client: MarkenClient) -> None:
    there = client.types
    assert [str(kind) for kind in there] == [str(kind) for kind in served.TYPES]
    for kind in served.TYPES:
        told = there.one(str(kind))
        assert (told.properties, told.mode, told.key) == (kind.properties, kind.mode, kind.key)


def test_a_query_that_was_read_is_asked_as_it_was_written(client: MarkenClient) -> None:
    written = {"types": ["SHOT"], "filter": "MATCH(label, 'wine')", "sort": [{"start": "desc"}], "limit": 3}
    assert client.search(read(written)) == client.search(written)


def test_a_wrong_token_and_a_service_that_is_not_there_are_told(service: tuple[Marken, str]) -> None:
    with (
        MarkenClient(service[1], "the-token-of-others") as client,
        pytest.raises(RequestRefused, match="needs its token"),
    ):
        client.operations()
    with MarkenClient(service[1]) as client, pytest.raises(RequestRefused) as refused:
        client.search({"types": ["SHOT"]})
    assert refused.value.place == "header.authorization"
    with MarkenClient("http://127.0.0.1:9", timeout=5) as client, pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
        client.operations()


def test_what_json_cannot_say_is_refused_before_it_is_sent(client: MarkenClient) -> None:
    for value in (float("nan"), float("inf"), object(), {1, 2}, datetime(2026, 1, 1, tzinfo=UTC), b"x"):
        with pytest.raises(RequestRefused, match="cannot be sent as JSON"):
            client.append("EDITOR_DECISION", [{"verdict": value}], by="kim")


def test_titles_that_are_missing_are_named_on_the_other_side(monkeypatch: pytest.MonkeyPatch) -> None:
    marken = served.filled(titles=1, count=1)

    def gone(*_: object) -> None:
        raise TitlesUnreachable("server 2 does not answer", ["b-film", "c-film"])

    monkeypatch.setattr(Marken, "search", gone)
    with TestClient(app(marken), "http://127.0.0.1") as here:
        answer = here.post("/v1/search", json={"types": ["SHOT"]})
    assert (answer.status_code, answer.json()["titles"]) == (503, ["b-film", "c-film"])


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(502, text="<html>Bad Gateway</html>"),
        httpx.Response(500, json=["x"]),
        httpx.Response(200, text="<html>a login page</html>"),
    ],
)
def test_what_stands_between_and_answers_by_itself_is_a_marken_error(answer: httpx.Response) -> None:
    between = httpx.Client(base_url="http://x", transport=httpx.MockTransport(lambda _: answer))
    with MarkenClient(http=between) as client, pytest.raises(MarkenError, match="no answer that can be read"):
        client.search({"types": ["SHOT"]})
