"""Annotations in their JSON form, to export."""

from typing import Any

from hypothesis import strategies as st

HOSTILE = [
    "00:00:00.000 --> 99:00:00.000",
    "a\n\n00:00:01.000 --> 00:00:02.000\nb",
    "<script>alert(1)</script>",
    "</v><c.red>&lt;b&gt; &amp; & < >",
    "WEBVTT\r\rNOTE x\r\n\r\nSTYLE",
    "a\u2028b\u2029c\x85d\x0be\x0cf",
    "\0 \ufeff \ufffd",
    "' or 1=1; drop table annotations; --",
    "../../etc/passwd",
    '"}]}\n{"id": "forged"}',
    "]]></svg><x onload=alert(1)>",
]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(HOSTILE)


def form(number: int = 1, **properties: Any) -> dict[str, Any]:
    """An annotation of the harbour film."""
    return {
        "id": f"one-{number}",
        "version": 3,
        "type": "FACE",
        "type_version": 1,
        "scope": "harbour-film",
        "title": "harbour-film",
        "entity": {"kind": "title", "id": "harbour-film"},
        "by": "detector",
        "created": "2026-11-27T18:00:00.123456+00:00",
        "properties": properties,
    }
