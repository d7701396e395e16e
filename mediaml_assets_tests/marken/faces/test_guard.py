"""Who may speak to the service; asked of a service that says yes to whoever comes through."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from mediaml_assets.errors import SettingsError
from mediaml_assets.marken.faces.guard import Guard, check_token, is_loopback

TOKEN = "a-token-of-this-test-alone"


def client(token: str | None, address: str = "http://127.0.0.1:8420") -> TestClient:
    async def yes(request: Request) -> Response:
        return PlainTextResponse("yes")

    inner = Starlette(routes=[Route("/{path:path}", yes, methods=["GET", "POST", "OPTIONS"])])
    return TestClient(Guard(inner, token), address)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8420", "localhost:1", "LOCALHOST", "[::1]:8420", "127.8.9.1"])
def test_without_a_token_this_machine_may_ask_by_its_own_names(host: str) -> None:
    assert client(None).get("/", headers={"Host": host}).text == "yes"


@pytest.mark.parametrize(
    "host",
    [
        "rebound.example",
        "rebound.example:8420",
        "localhost.rebound.example",
        "127.0.0.1.rebound.example",
        "localhost@rebound.example",
        "127.0.0.1:8420.rebound.example",
        "10.0.0.1",
        "0.0.0.0",
        "[::]",
        "[::ffff:10.0.0.1]",
        "2130706433",
        "",
        "\xff",
    ],
)
def test_another_name_is_refused_though_it_leads_here(host: str) -> None:
    answer = client(None).get("/", headers={"Host": host.encode("latin-1")})
    assert answer.status_code == 403
    assert (answer.json()["error"], answer.json()["place"]) == ("RequestRefused", "header.host")


def test_without_a_token_nothing_that_came_in_from_outside_is_answered_whatever_it_names() -> None:
    outside = client(None, "http://10.0.0.5:8420")
    assert outside.get("/", headers={"Host": "localhost"}).status_code == 403
    assert client(TOKEN, "http://10.0.0.5:8420").get("/", headers={"Authorization": f"Bearer {TOKEN}"}).text == "yes"


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        TOKEN,
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN.upper()}",
        f"Basic {TOKEN}",
        f"Bearer {TOKEN} {TOKEN}",
        "Bearer \xff\xfe",
    ],
)
def test_with_a_token_nothing_else_opens(given: str | None) -> None:
    headers = {} if given is None else {"Authorization": given.encode("latin-1")}
    answer = client(TOKEN).get("/", headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["place"] == "header.authorization" and TOKEN not in answer.text
    assert client(TOKEN).options("/", headers=headers).status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_with_the_token_any_name_is_served(scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {TOKEN}", "Host": "annotations.example"}
    assert client(TOKEN).get("/", headers=headers).text == "yes"


@pytest.mark.parametrize("weak", ["", "short", "x" * 15, "with a blank in the midst", "line\nfeed-line-feed", "ü" * 20])
def test_a_token_that_can_be_guessed_or_not_be_sent_is_refused(weak: str) -> None:
    with pytest.raises(SettingsError, match="at least 16 printable ASCII"):
        check_token(weak)


def test_loopback_is_this_machine() -> None:
    assert all(map(is_loopback, ["127.0.0.1", "::1", "localhost", "127.1.2.3"]))
    assert not any(map(is_loopback, ["0.0.0.0", "::", "10.0.0.1", "example.org", "", "127.0.0.1.nip.io"]))
