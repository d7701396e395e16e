import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.errors import RequestRefused
from mediaml_assets.marken.faces.strict_json import DEEPEST, strict_json

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_it_reads_what_the_standard_library_writes(value: object) -> None:
    assert strict_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"filter": NaN}', "body"),
        (b'{"filter": Infinity}', "body"),
        (b'{"filter": "\\ud800"}', "body"),
        (b'{"filter": "\xed\xa0\x80"}', "body"),
        (b'{"filter": "\xff"}', "body"),
        (b"", "body"),
        (b"{", "body"),
        (b"[" * 100_000, "body"),
        (b"1" * 100_000, "body"),
        (b'{"nearest": {"to": {"vector": [0.5, 1e999]}}}', "nearest.to.vector[1]"),
        (b'{"limit": 9223372036854775808}', "limit"),
        (b'{"annotations": [{"label": "a"}, {"label": "b\\u0000"}]}', "annotations[1].label"),
        (b'{"annotations": [{"la\\u0000bel": 1}]}', "annotations[0].la\0bel"),
        (b'{"filter": ' + b"[" * DEEPEST + b"1" + b"]" * DEEPEST + b"}", "filter" + "[0]" * (DEEPEST - 1)),
    ],
    ids=range(14),
)
def test_what_no_store_can_hold_is_refused_with_its_place(body: bytes, place: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        strict_json(body)
    assert refused.value.place == place


def test_an_escaped_backslash_is_no_nul() -> None:
    assert strict_json(b'"\\\\u0000"') == "\\u0000"
