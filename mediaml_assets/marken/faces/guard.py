"""Who may speak to the service: pages of this machine, or who has the token.

Without a token only this machine may call, and only under its own names: a foreign web page whose name was made to
point here (DNS rebinding) sends its own name as Host. With a token the name does not matter, because a browser sends
no token by itself.
"""

import hmac
import re
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mediaml_assets.errors import RequestRefused, SettingsError
from mediaml_assets.marken.faces.refusals import to_json

LARGEST_BODY = 32 << 20
"""Bytes of a request's body, at most."""
SHORTEST = 16
"""Characters of a token, at least."""


class Guard:
    """ASGI middleware that answers 401 or 403 before anything else looks at a request."""

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        """Args: what it guards; a token that `check_token` found good, None for this machine alone."""
        self._app = app
        self._token = None if token is None else token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if self._token is not None:
            scheme, _, given = headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode("latin-1"), self._token):
                refused = RequestRefused("this service needs its token: Authorization: Bearer <token>", AUTHORIZATION)
                await _answer(401, refused, {"WWW-Authenticate": "Bearer"})(scope, receive, send)
                return
        elif not (_is_here(scope) and is_loopback(_name(headers.get("host", "")))):
            refused = RequestRefused(
                "without a token this service speaks only to this machine, as localhost, 127.0.0.1 or [::1]",
                "header.host",
            )
            await _answer(403, refused)(scope, receive, send)
            return
        length = headers.get("content-length", "")
        if length.isdecimal() and (len(length) > 15 or int(length) > LARGEST_BODY):
            await _answer(413, RequestRefused(f"a body has at most {LARGEST_BODY:,} bytes; send less at once", "body"))(
                scope, receive, send
            )
            return
        await self._app(scope, receive, send)


_HOST = re.compile(r"(?:\[([^\[\]]+)\]|([^:\[\]]+))(?::\d{1,5})?")
AUTHORIZATION = "header.authorization"


def check_token(token: str) -> None:
    """Raise SettingsError for a token that can be guessed or cannot be sent."""
    if len(token) < SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        raise SettingsError(
            f"a token has at least {SHORTEST} printable ASCII characters and no blanks; make one with "
            '`python -c "import secrets; print(secrets.token_urlsafe(32))"`'
        )


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _name(host: str) -> str:
    """A Host header without its port and brackets; empty for what is none."""
    found = _HOST.fullmatch(host)
    return "" if found is None else found[1] or found[2]


def _is_here(scope: Scope) -> bool:
    """Whether the connection came in on loopback; a Unix socket has no address, and is of this machine."""
    server = scope.get("server")
    return server is None or server[1] is None or is_loopback(server[0])


def _answer(status: int, refused: RequestRefused, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(to_json(refused), status, headers)
