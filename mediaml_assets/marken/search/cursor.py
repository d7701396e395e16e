"""Cursors: where the next page of an answer begins, and of which moment and which search.

base64url(JSON {"moment", "query": digest of the search, "keys": values of the last hit}), with a digest of its own in
front. The digest finds what was cut or changed; it is no signature: a cursor says nothing but a place in an answer.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any

import pyarrow as pa

from mediaml_assets.errors import QueryRefused

_DIGEST = 12


@dataclass(frozen=True)
class Place:
    """Where a page ended."""

    moment: str
    keys: tuple[Any, ...]
    """Of the last hit, one value for each key of the order; times in UTC."""


def cursor_of(place: Place, query: str) -> str:
    """The cursor of the page after a place.

    Args:
        place: of the last hit.
        query: what all pages of the search have in common.
    """
    keys = [{"time": one.isoformat()} if isinstance(one, datetime) else one for one in place.keys]
    body = json.dumps({"moment": place.moment, "query": _digest(query.encode()).hex(), "keys": keys}).encode()
    return base64.urlsafe_b64encode(_digest(body) + body).decode().rstrip("=")


def place_of(cursor: str, query: str, kinds: Sequence[pa.DataType]) -> Place:
    """What a cursor says.

    Args:
        cursor: of `cursor_of`.
        query: as it was given there.
        kinds: of the keys' values.

    Raises:
        QueryRefused: the cursor was changed, or is of another search.
    """
    try:
        whole = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        digest, body = whole[:_DIGEST], whole[_DIGEST:]
        if digest != _digest(body):
            raise ValueError
        said = json.loads(body)
        moment, of, keys = said["moment"], said["query"], said["keys"]
        found = tuple(_time(one["time"]) if isinstance(one, dict) else one for one in keys)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise QueryRefused("cursor: no answer gave this one, or it was changed: begin anew", "cursor") from None
    if of != _digest(query.encode()).hex():
        raise QueryRefused("cursor: is of another search: give it with the same search, or begin anew", "cursor")
    if len(found) != len(kinds) or not all(map(_fits, found, kinds)) or not isinstance(moment, str):
        raise QueryRefused("cursor: its keys are not those of this search: begin anew", "cursor")
    return Place(moment, found)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _fits(value: Any, kind: pa.DataType) -> bool:
    """Whether a value can stand in a column: whoever reads this package can make up a cursor, but not do harm."""
    if value is None:
        return True
    python = {pa.string(): str, pa.float64(): float, pa.bool_(): bool, pa.int32(): int, pa.int64(): int}
    if type(value) is not python.get(kind, datetime):
        return False
    try:
        pa.scalar(value, kind)
    except (ValueError, OverflowError):
        return False
    return "\0" not in value if isinstance(value, str) else not isinstance(value, float) or isfinite(value)


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST).digest()
