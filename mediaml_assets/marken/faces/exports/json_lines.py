"""JSON lines: one annotation a line, in its JSON form."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, BinaryIO


def write_json_lines(pages: Iterable[Sequence[Mapping[str, Any]]], out: BinaryIO) -> int:
    """Write annotations, ASCII only, so that no line holds a line break of any alphabet; returns how many."""
    count = 0
    for page in pages:
        for one in page:
            out.write(json.dumps(one, allow_nan=False).encode("ascii") + b"\n")
        count += len(page)
    return count
