"""Cursors: what was put in comes out, for the same search alone."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.errors import QueryRefused
from mediaml_assets.marken.search import cursor
from mediaml_assets.marken.search.cursor import Place, cursor_of, place_of

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.datetimes(timezones=st.just(UTC)),
)
KEYS = (0.1 + 0.2, "it's é", None, datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), 7, True)
TIME = pa.timestamp("us", "UTC")
KINDS = (pa.float64(), pa.string(), pa.string(), TIME, pa.int32(), pa.bool_())
GOOD = cursor_of(Place("12", KEYS), "query")


@given(st.lists(values, max_size=5), st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_put_in_comes_out(keys: list[Any], moment: str) -> None:
    made = cursor_of(Place(moment, tuple(keys)), "query")
    assert made.isascii() and all(one.isalnum() or one in "-_" for one in made)
    kinds = {datetime: TIME, float: pa.float64(), str: pa.string(), bool: pa.bool_(), int: pa.int64()}
    assert place_of(made, "query", [kinds.get(type(key), TIME) for key in keys]) == Place(moment, tuple(keys))


def test_no_other_search_takes_it() -> None:
    assert place_of(GOOD, "query", KINDS) == Place("12", KEYS)
    with pytest.raises(QueryRefused, match="another search") as refused:
        place_of(GOOD, "other query", KINDS)
    assert refused.value.place == "cursor"


def test_what_was_changed_is_refused() -> None:
    for at, one in enumerate(GOOD[:-1]):
        with pytest.raises(QueryRefused, match="cursor"):
            place_of(GOOD[:at] + ("A" if one != "A" else "B") + GOOD[at + 1 :], "query", KINDS)
        with pytest.raises(QueryRefused, match="cursor"):
            place_of(GOOD[:at], "query", KINDS)
    for bad in ("", "é", "!", GOOD + "AAAA", "A" * 10_000):
        with pytest.raises(QueryRefused, match="cursor"):
            place_of(bad, "query", KINDS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("keys", []),
        ("keys", ["0.3", *KEYS[1:3], {"time": "2026-01-02T00:00:00+00:00"}, 7, True]),
        ("keys", [0.3, "a", None, {"time": "2026-01-02T00:00:00+00:00"}, True, True]),
        ("keys", [0.3, "a", None, {"time": "today"}, 7, True]),
        ("keys", [0.3, "a", None, {"time": "0001-01-01T00:00:00+23:59"}, 7, True]),
        ("keys", [0.3, "a", None, {"day": 1}, 7, True]),
        ("keys", [float("nan"), "a", None, None, 7, True]),
        ("keys", [0.3, "a\0", None, None, 7, True]),
        ("keys", [0.3, "\ud800", None, None, 7, True]),
        ("keys", [0.3, "a", None, None, 2**31, True]),
        ("keys", 3),
        ("moment", 3),
    ],
)
def test_a_forged_one_is_refused(name: str, value: Any) -> None:
    body = json.loads(base64.urlsafe_b64decode(GOOD + "=" * (-len(GOOD) % 4))[12:])
    with pytest.raises(QueryRefused, match="cursor"):
        place_of(forged(json.dumps({**body, name: value}).encode()), "query", KINDS)


def test_one_that_is_too_deep_is_refused() -> None:
    with pytest.raises(QueryRefused, match="cursor"):
        place_of(forged(b"[" * 7_000), "query", KINDS)


def forged(body: bytes) -> str:
    """A cursor of any body: whoever reads this package can make the digest as well."""
    return base64.urlsafe_b64encode(cursor._digest(body) + body).decode().rstrip("=")
