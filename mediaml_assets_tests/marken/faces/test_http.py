"""The API as a caller without our client sees it."""

from collections.abc import Iterator

import pytest
from fastapi import APIRouter
from starlette.testclient import TestClient

from mediaml_assets.errors import SettingsError, StoreError
from mediaml_assets.marken.faces.http import app, serve
from mediaml_assets.marken.faces.routes import StrictRoute

from . import served

TOKEN = "the-token-of-these-tests"


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(app(served.filled(titles=2, count=5)), "http://127.0.0.1:8420") as client:
        yield client


def test_health_names_the_newest_moment(client: TestClient) -> None:
    told = client.get("/v1/health").json()
    found = client.post("/v1/search", json={"types": ["SHOT"], "limit": 1}).json()
    assert told == {"status": "ok", "moment": found["moment"]}


def test_an_id_and_its_versions_are_stable(client: TestClient) -> None:
    for said in ("rejected", "accepted"):
        (kept,) = client.post(
            "/v1/annotations", json={"type": "EDITOR_DECISION", "by": "a/b?c=&", "annotations": [served.decision(said)]}
        ).json()["annotations"]
    assert kept["version"] == 2
    newest = client.get("/v1/annotations", params={"id": kept["id"]}).json()
    first = client.get("/v1/annotations", params={"id": kept["id"], "version": 1}).json()
    assert newest == kept and newest["by"] == "a/b?c=&"
    assert (first["properties"]["verdict"], newest["properties"]["verdict"]) == ("rejected", "accepted")


def test_an_id_may_hold_any_character(client: TestClient) -> None:
    key = client.post("/v1/operations", json={"type": "SHOT", "scope": "../x", "by": "one"}).json()
    named = {"operation": {name: key[name] for name in ("type", "type_version", "scope", "number")}}
    ids = ["../../etc/passwd", "a b&c=d#e?f", "\u00e4\U0001f3ac", "."]
    rows = [{"id": id, "row": row} for row, id in enumerate(ids)]
    assert client.post("/v1/operations/upsert", json={**named, "annotations": rows}).status_code == 200
    assert client.post("/v1/operations/finish", json=named).json()["rows"] == 4
    for id in ids:
        assert client.get("/v1/annotations", params={"id": id}).json()["id"] == id


def test_a_cursor_stays_good_while_others_write(client: TestClient) -> None:
    query = {"types": ["SHOT"], "sort": [{"start": "desc"}], "limit": 4}
    first = client.post("/v1/search", json=query).json()
    again = client.post("/v1/search", json=query).json()
    assert first == again
    client.post(
        "/v1/annotations", json={"type": "EDITOR_DECISION", "by": "x", "annotations": [served.decision("accepted")]}
    )
    pages = [client.post("/v1/search", json={**query, "cursor": first["cursor"]}).json() for _ in range(2)]
    assert pages[0] == pages[1] and pages[0]["moment"] == first["moment"]


@pytest.mark.parametrize(
    ("method", "path", "what", "status", "error"),
    [
        ("GET", "/v1/annotations?id=nobody", {}, 404, {"error": "NotStored"}),
        ("GET", "/v1/annotations?id=night-film-1&version=9", {}, 404, {"error": "NotStored"}),
        ("GET", "/v1/annotations?id=x&version=0", {}, 422, {"error": "RequestRefused", "place": "query.version"}),
        ("GET", "/v1/annotations", {}, 422, {"error": "RequestRefused", "place": "query.id"}),
        ("GET", "/v1/nowhere", {}, 404, {"error": "RequestRefused", "place": "path"}),
        ("DELETE", "/v1/search", {}, 405, {"error": "RequestRefused", "place": "method"}),
        ("GET", "/v1/operations/active?type=SHOOT", {}, 404, {"error": "SchemaRefused"}),
        ("POST", "/v1/search", {"json": {"types": ["SHOOT"]}}, 400, {"error": "QueryRefused", "place": "types[0]"}),
        (
            "POST",
            "/v1/search",
            {"json": {"types": ["SHOT"], "as_of": "0001-01-01T00:00:00+23:59"}},
            400,
            {"error": "QueryRefused", "place": "as_of"},
        ),
        (
            "POST",
            "/v1/search",
            {"json": {"types": ["SHOT_EMBEDDING"], "nearest": {"field": "vector", "to": {"image": "\u00e9"}}}},
            400,
            {"error": "QueryRefused", "place": "nearest.to.image"},
        ),
        ("POST", "/v1/search", {"json": []}, 422, {"error": "RequestRefused", "place": "body"}),
        ("POST", "/v1/search", {"content": b"{"}, 422, {"error": "RequestRefused", "place": "body"}),
        (
            "POST",
            "/v1/operations",
            {"json": {"type": 3, "scope": "a", "by": "b"}},
            422,
            {"error": "RequestRefused", "place": "type"},
        ),
        ("POST", "/v1/operations", {"json": {"typ": "SHOT"}}, 422, {"error": "RequestRefused", "place": "type"}),
        (
            "POST",
            "/v1/annotations",
            {"json": {"type": "EDITOR_DECISION", "by": "a", "annotations": [{"title": "x", "colour": 1}]}},
            422,
            {"error": "AnnotationRefused", "property": "colour"},
        ),
    ],
)
def test_a_fault_of_the_caller_has_its_status_kind_and_place(
    method: str, path: str, what: dict, status: int, error: dict, client: TestClient
) -> None:
    headers = {"Content-Type": "application/json"} if "content" in what else {}
    answer = client.request(method, path, headers=headers, **what)
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert told.pop("message") and told == error
    assert answer.headers["cache-control"] == "no-store" and answer.headers["x-content-type-options"] == "nosniff"


def test_a_finished_operation_takes_no_more(client: TestClient) -> None:
    named = {"operation": {"type": "SHOT", "type_version": 1, "scope": "night-film", "number": 1}}
    late = client.post("/v1/operations/upsert", json={**named, "annotations": [{"row": 0}]})
    assert (late.status_code, late.json()["error"]) == (409, "OperationRefused")
    nobody = {"operation": {**named["operation"], "number": 7}}
    assert client.post("/v1/operations/finish", json=nobody).status_code == 409


def test_more_routes_stand_behind_the_same_guard_and_give_errors_in_the_same_form() -> None:
    more = APIRouter(route_class=StrictRoute)

    @more.post("/page")
    def page(body: dict) -> None:
        raise StoreError("no picture is stored")

    service = app(served.filled(titles=1, count=1), TOKEN)
    service.include_router(more)
    client = TestClient(service, raise_server_exceptions=False)
    assert client.post("/page", json={}).status_code == 401
    answer = client.post("/page", json={}, headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer.json()) == (500, {"error": "MarkenError", "message": "no picture is stored"})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "films.example"])
def test_nothing_listens_for_others_without_a_token(host: str) -> None:
    with pytest.raises(SettingsError, match="set MEDIAML_TOKEN"):
        serve(served.filled(titles=1, count=1), host, 8420, None)


def test_a_token_that_can_be_guessed_serves_nobody() -> None:
    with pytest.raises(SettingsError, match="at least 16"):
        app(served.filled(titles=1, count=1), "secret")
