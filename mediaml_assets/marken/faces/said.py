"""What an annotation says in words."""

from collections.abc import Mapping
from typing import Any


def said(properties: Mapping[str, Any]) -> str:
    """The label of an algorithm, or the text of a cue; empty for neither."""
    return str(properties.get("label") or properties.get("text") or "")
