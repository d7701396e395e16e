"""What an annotation says in words, and its times as people read them."""

from collections.abc import Mapping
from typing import Any


def said(properties: Mapping[str, Any]) -> str:
    """The label of an algorithm, or the text of a cue; empty for neither."""
    return str(properties.get("label") or properties.get("text") or "")


def clock(milliseconds: int) -> str:
    """HH:MM:SS.mmm, as WebVTT writes it; hours go on beyond 99."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
