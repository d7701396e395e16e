"""Whatever stands in whichever field: refused with a reason or kept as text, and nothing else happens.

On real SQL, real files and real servers.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.marken.embedded.engine import EmbeddedEngine
from mediaml_assets.marken.engine import Engine
from mediaml_assets.marken.faces.http import app
from mediaml_assets.marken.marken import Marken
from mediaml_assets.marken.postgres.engine import PostgresEngine

from . import attacks, served

DOCUMENT = app(served.filled(titles=1, count=1)).openapi()
POSTS = [(path, methods["post"]) for path, methods in DOCUMENT["paths"].items() if "post" in methods]
GETS = [(path, methods["get"]) for path, methods in DOCUMENT["paths"].items() if "get" in methods]


@pytest.fixture(params=["embedded", pytest.param("postgres", marks=pytest.mark.slow)])
def engine(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Beside which nothing may be written."""
    home = tmp_path / "a" / "b" / "home"
    home.mkdir(parents=True)
    monkeypatch.chdir(home)
    if request.param == "embedded":
        yield EmbeddedEngine(FolderObjects(home / "marken"))
        (home / "marken").rename(tmp_path / "marken")
    else:
        with (
            request.getfixturevalue("postgres_servers")[0].database() as database,
            closing(PostgresEngine([database], partitions=2)) as engine,
        ):
            yield engine
    assert list(home.iterdir()) == []
    assert [one for one in tmp_path.rglob("*") if attacks.MARK in one.name] == []
    assert list(Path("/tmp").glob(f"*{attacks.MARK}*")) == []


@pytest.fixture
def marken(engine: Engine) -> Marken:
    return served.filled(engine, titles=2, count=5)


@pytest.fixture
def client(marken: Marken) -> Iterator[TestClient]:
    with TestClient(app(marken), "http://127.0.0.1:8420", raise_server_exceptions=False) as client:
        yield client


def state(marken: Marken) -> object:
    return marken.engine.snapshot().moment, [(one.key, one.number, one.state) for one in marken.operations()]


def harmless(marken: Marken, client: TestClient, method: str, path: str, **what: Any) -> int:
    """Send a request; returns its status, once it is seen to have done nothing that it may not."""
    before = state(marken)
    answer = client.request(method, path, **what)
    told = f"{method} {path} {str(what)[:300]}: {answer.status_code} {answer.text[:300]}"
    assert answer.status_code < 500, told
    if answer.status_code >= 400:
        assert state(marken) == before, told
        error = answer.json()
        assert error["error"].endswith("Refused") or error["error"] == "NotStored", told
        assert error["message"] and len(error["message"]) < 2_000, told
        detail = {"QueryRefused": "place", "RequestRefused": "place", "AnnotationRefused": "property"}
        assert error["error"] not in detail or isinstance(error[detail[error["error"]]], str), told
    return answer.status_code


def test_the_examples_of_the_description_use_every_field() -> None:
    for path, operation in POSTS:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        used = {
            attacks.named(place) for body in attacks.examples(DOCUMENT, operation) for place in attacks.places(body)
        }
        # what a vector is near to is the same wherever it stands
        unused = {name.removeprefix("within.parts.") for name in attacks.fields(DOCUMENT, schema) - used}
        assert unused - used == set(), path


@pytest.mark.parametrize("share", [20, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("path", "operation"), POSTS, ids=[path for path, _ in POSTS])
def test_every_field_of_every_body_takes_no_attack(
    path: str, operation: Any, share: int, marken: Marken, client: TestClient
) -> None:
    """Of each field a twentieth of the attacks, so that twenty fields see all of them; when there is time, each all."""
    refused, sent = 0, 0
    for body in attacks.examples(DOCUMENT, operation):
        for number, place in enumerate(attacks.places(body)):
            for value in [*attacks.TEXTS, *attacks.OTHERS][number % share :: share]:
                content = json.dumps(attacks.replaced(body, place, value)).encode()
                status = harmless(
                    marken, client, "POST", path, content=content, headers={"Content-Type": "application/json"}
                )
                refused, sent = refused + (status >= 400), sent + 1
    assert refused > sent / 4


@pytest.mark.parametrize(("path", "operation"), POSTS, ids=[path for path, _ in POSTS])
def test_no_body_holds_what_is_no_json_or_cannot_be_kept(
    path: str, operation: Any, marken: Marken, client: TestClient
) -> None:
    for body in attacks.examples(DOCUMENT, operation):
        for number, place in enumerate(attacks.places(body)):
            content = json.dumps(attacks.replaced(body, place, "@here@")).encode()
            for raw in attacks.RAW[number % 3 :: 3]:
                broken = content.replace(b'"@here@"', raw)
                assert harmless(
                    marken, client, "POST", path, content=broken, headers={"Content-Type": "application/json"}
                ) in (400, 422)


@pytest.mark.parametrize(("path", "operation"), GETS, ids=[path for path, _ in GETS])
def test_every_parameter_of_every_address_takes_no_attack(
    path: str, operation: Any, marken: Marken, client: TestClient
) -> None:
    names = [one["name"] for one in operation.get("parameters", [])]
    for name in [*names, "unknown"]:
        for value in [*attacks.TEXTS[::2], "\0", "-1", "NaN", "1e999"]:
            if len(value) < 60_000:
                harmless(marken, client, "GET", path, params={**dict.fromkeys(names, "1"), name: value})
    for tail in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/%00", "/;drop", "/\u00e9"):
        assert harmless(marken, client, "GET", path + tail) == 404


@pytest.mark.parametrize("engine", ["embedded", "postgres"], indirect=True)
def test_a_text_that_is_compared_finds_nothing_but_itself(client: TestClient, marken: Marken) -> None:
    def found(filter: Any, kind: str = "SHOT") -> list[Any]:
        answer = client.post("/v1/search", json={"types": [kind], "filter": filter})
        assert answer.status_code == 200, answer.text
        return answer.json()["hits"]

    texts = [one for one in attacks.TEXTS if 0 < len(one) < 1_000]
    filters = ["algorithm_version = '{}'".format(text.replace("'", "''")) for text in texts]
    for text, filter in zip(texts, filters, strict=True):
        assert found(filter) == []
        assert found({"op": "=", "args": [{"property": "algorithm_version"}, text]}) == []
    with marken.operation("QUALITY_EVENT", texts[0], by=texts[0]) as operation:
        operation.upsert([{"row": row, "label": text, "reasons": [text]} for row, text in enumerate(texts)])
    for text in texts:
        with marken.operation("SHOT", text, by=text) as operation:
            operation.upsert([{"row": 0, "algorithm_version": text, "label": text}, {"row": 1, "label": "another"}])
    for text, filter in zip(texts, filters, strict=True):
        assert [one["properties"]["label"] for one in found(filter)] == [text]
        reasons = {"op": "a_contains", "args": [{"property": "reasons"}, [text]]}
        assert [one["properties"]["label"] for one in found(reasons, "QUALITY_EVENT")] == [text]
        answer = client.post("/v1/search", json={"types": ["SHOT"], "titles": [text]})
        assert [one["scope"] for one in answer.json()["hits"]] == [text] * 2


def test_a_body_that_is_too_large_or_of_another_kind_is_refused_before_it_is_read(
    marken: Marken, client: TestClient
) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * (1 << 20)

    kinds = {"Content-Type": "application/json"}
    assert harmless(marken, client, "POST", "/v1/search", content=endless(), headers=kinds) == 413
    assert (
        harmless(marken, client, "POST", "/v1/search", content=b"{}", headers={"Content-Length": str(10**12), **kinds})
        == 413
    )
    body = json.dumps({"type": "SHOT", "scope": "forged", "by": "page"}).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        # what a foreign page can send without being asked whether it may
        assert harmless(marken, client, "POST", "/v1/operations", content=body, headers={"Content-Type": kind}) == 422
    rows = {"operation": {"type": "SHOT", "type_version": 1, "scope": "x", "number": 1}, "annotations": [{}] * 10_001}
    assert harmless(marken, client, "POST", "/v1/operations/upsert", json=rows) == 422


def test_no_foreign_page_may_ask() -> None:
    client = TestClient(app(served.filled(titles=1, count=1)), "http://127.0.0.1:8420")
    asked = client.options(
        "/v1/search", headers={"Origin": "https://foreign.example", "Access-Control-Request-Method": "POST"}
    )
    told = client.get("/v1/types", headers={"Origin": "https://foreign.example"})
    assert not [name for answer in (asked, told) for name in answer.headers if name.startswith("access-control")]


def test_a_failure_of_ours_says_nothing_of_our_insides() -> None:
    def fail(_: object) -> None:
        raise RuntimeError("password=secret /home/us/file")

    broken: FastAPI = app(served.filled(titles=1, count=1))
    broken.add_api_route("/v1/broken", lambda: fail(None))
    answer = TestClient(broken, "http://127.0.0.1", raise_server_exceptions=False).get("/v1/broken")
    assert answer.status_code == 500 and answer.json()["error"] == "MarkenError"
    assert "secret" not in answer.text and "RuntimeError" not in answer.text
