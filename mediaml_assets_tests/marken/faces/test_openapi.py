"""The description of the API is true and whole, also for who sends whatever it allows."""

import json
from typing import Any

import hypothesis
import pytest
import schemathesis
from pydantic import BaseModel
from schemathesis.checks import CHECKS
from starlette.testclient import TestClient

from mediaml_assets.marken.faces import models
from mediaml_assets.marken.faces.http import app
from mediaml_assets.marken.faces.routes import router

from . import attacks, served

TOKEN = {"Authorization": "Bearer the-token-of-these-tests"}
SERVICE = app(served.filled(titles=2, count=5), TOKEN["Authorization"].split()[1])
DOCUMENT = SERVICE.openapi()
SCHEMA = schemathesis.openapi.from_asgi("/v1/openapi.json", SERVICE, headers=TOKEN)
TRUE = CHECKS.get_by_names(
    ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]
)


def test_every_route_is_described_with_its_answers_and_every_error() -> None:
    described = {(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods}
    routes = {(one.path, method.lower()) for one in router.routes for method in one.methods}
    assert described == routes and len(described) == 12
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            assert operation["summary"] and operation["description"], path
            for status, answer in operation["responses"].items():
                schema = attacks.resolved(DOCUMENT, answer["content"]["application/json"]["schema"])
                assert schema["type"] == "object" and schema["properties"], (path, status)
                assert int(status) < 400 or schema["title"] == "Error"
            assert {"400", "401", "403", "404", "409", "413", "422", "500", "503"} <= operation["responses"].keys()
    assert DOCUMENT["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"


def test_every_example_that_needs_no_answer_before_it_is_taken() -> None:
    client = TestClient(app(served.filled(titles=2, count=20)), "http://127.0.0.1:8420")
    for path, methods in sorted(DOCUMENT["paths"].items()):
        for body in attacks.examples(DOCUMENT, methods["post"]) if "post" in methods else []:
            if "cursor" in body or path.startswith("/v1/operations/"):
                continue
            answer = client.post(path, json=body)
            assert answer.status_code < 300, (path, body, answer.text)
    key = {"operation": {"type": "SHOT", "type_version": 1, "scope": "harbour-film", "number": 2}}
    (batch,) = attacks.examples(DOCUMENT, DOCUMENT["paths"]["/v1/operations/upsert"]["post"])
    assert client.post("/v1/operations/upsert", json=batch | key).status_code == 200
    assert client.post("/v1/operations/finish", json=key).json()["rows"] == 2


def test_every_model_with_an_example_is_what_the_example_is() -> None:
    shown = [model for model in vars(models).values() if isinstance(model, type) and issubclass(model, BaseModel)]
    told = [
        (model, one)
        for model in shown
        for one in (model.model_config.get("json_schema_extra") or {}).get("examples", ())
    ]
    assert len(told) == 10
    for model, one in told:
        model.model_validate(one)


def ask(case: Any) -> None:
    case.call_and_validate(headers=TOKEN, checks=TRUE)


@SCHEMA.parametrize()
@hypothesis.settings(max_examples=5)
def test_nothing_that_the_description_allows_or_forbids_is_a_server_error(case: Any) -> None:
    ask(case)


@pytest.mark.slow
@SCHEMA.parametrize()
@hypothesis.settings(max_examples=300, derandomize=False, print_blob=True)
def test_nothing_is_a_server_error_for_long(case: Any) -> None:
    ask(case)


def test_the_description_is_plain_json() -> None:
    assert json.loads(json.dumps(DOCUMENT, allow_nan=False)) == DOCUMENT
