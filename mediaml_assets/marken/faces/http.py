"""Marken over HTTP: an application that serves a `Marken`, for this machine or for whoever has the token.

    uvicorn.run(app(marken), host="127.0.0.1", port=8420)          # this machine alone
    uvicorn.run(app(marken, token), host="0.0.0.0", port=8420)     # or `serve(marken, host, port, token)`

The routes are a router (`routes.router`), and whoever builds on the application includes more of them: all are behind
the same guard and give errors in the same form.
"""

import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from mediaml_assets.errors import MarkenError, MediamlError, RequestRefused, SettingsError
from mediaml_assets.marken.faces.guard import LARGEST_BODY, Guard, check_token, is_loopback
from mediaml_assets.marken.faces.refusals import status_of, to_json
from mediaml_assets.marken.faces.routes import router
from mediaml_assets.marken.marken import Marken

_SAFE = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
_log = logging.getLogger(__name__)


def app(marken: Marken, token: str | None = None) -> FastAPI:
    """The application.

    Args:
        marken: what it serves; called from several threads.
        token: asked of every request (Authorization: Bearer); None serves this machine alone, whatever it listens on.

    Raises:
        SettingsError: the token can be guessed or cannot be sent.
    """
    if token is not None:
        check_token(token)
    found = FastAPI(
        title="Marken",
        version="1",
        summary="Typed, versioned statements about titles, searched by time, space, text and vector.",
        openapi_url="/v1/openapi.json",
        docs_url=None,  # these pages would load scripts of strangers
        redoc_url=None,
    )
    found.state.marken = marken
    found.include_router(router)
    # for bodies that do not say how long they are
    found.add_middleware(RequestBodyLimitMiddleware, max_body_size=LARGEST_BODY)
    found.add_middleware(Guard, token=token)
    found.add_exception_handler(MediamlError, _refused)
    found.add_exception_handler(RequestValidationError, _invalid)
    found.add_exception_handler(HTTPException, _of_http)
    found.add_exception_handler(Exception, _unexpected)
    return found


def serve(marken: Marken, host: str, port: int, token: str | None) -> None:
    """Serve until stopped.

    Raises:
        SettingsError: others than this machine could call, and there is no token.
    """
    import uvicorn

    if token is None and not is_loopback(host):
        raise SettingsError(
            f"other machines can reach {host}: set MEDIAML_TOKEN to a token of your own, or listen on 127.0.0.1"
        )
    uvicorn.run(app(marken, token), host=host, port=port, log_level="info", server_header=False)


def _answer(error: MediamlError, status: int, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(to_json(error), status, {**_SAFE, **(headers or {})})


def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, MediamlError)
    return _answer(error, status_of(error))


def _invalid(_: Request, error: Exception) -> JSONResponse:
    """What FastAPI says of a request that is not as the API describes it: the first fault and its place."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where, *path = first["loc"]
    place = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in path).lstrip(".")
    named = place or "body" if where == "body" else f"{where}.{place}"
    return _answer(RequestRefused(f"{named}: {first['msg']}", named), 422)


def _of_http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, RequestRefused):
        return _answer(error.__cause__, error.status_code)
    places = {404: "path", 405: "method", 413: "body"}
    return _answer(
        RequestRefused(str(error.detail), places.get(error.status_code, "body")), error.status_code, error.headers
    )


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    """What nobody foresaw: the log has it, the caller is told nothing of our insides."""
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _answer(MarkenError("the annotation service failed; its log says why"), 500)
