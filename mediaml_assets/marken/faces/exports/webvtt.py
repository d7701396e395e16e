"""WebVTT: cues on the clock of one title, for players and caption tools.

https://www.w3.org/TR/webvtt1/: metadata cues carry each annotation's JSON form; text cues carry what it says in words.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, BinaryIO, Literal

from mediaml_assets.marken.faces.said import clock, said

Cues = Literal["metadata", "text"]
_BREAKS = re.compile(r"[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")
_IN_JSON = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
_IN_TEXT = str.maketrans({"<": "&lt;", ">": "&gt;", "&": "&amp;", "\0": "\ufffd"})


def write_webvtt(
    pages: Iterable[Sequence[Mapping[str, Any]]], out: BinaryIO, title: str, cues: Cues = "metadata"
) -> int:
    """Write the annotations of a title that have a time; returns how many.

    Args:
        pages: by start, as the format wants cues; those of another title's clock, those without a time and, in text,
            those without words, are no cues and are left out.
        out: bytes; UTF-8.
        title: whose clock it is.
        cues: what each holds. Nothing in it can end a cue, begin another or be markup: JSON has `<`, `>` and `&` as
            escapes, text has them as character references and line breaks as blanks.
    """
    out.write(b"WEBVTT\n")
    count = 0
    for page in pages:
        for one in page:
            time = one["properties"].get("time")
            payload = json.dumps(one).translate(_IN_JSON) if cues == "metadata" else _text(one)
            if time is None or not payload or one["title"] != title:
                continue
            name = _one_line(f"{one['id']}@{one['version']}").replace("-->", "--\u203a")
            start, end = _milliseconds(time)
            out.write(f"\n{name}\n{clock(start)} --> {clock(end)}\n{payload}\n".encode())
            count += 1
    return count


def _text(form: Mapping[str, Any]) -> str:
    return _one_line(said(form["properties"])).translate(_IN_TEXT)


def _one_line(text: str) -> str:
    return _BREAKS.sub(" ", text).strip()


def _milliseconds(time: Mapping[str, float]) -> tuple[int, int]:
    """Start and end, rounded; a cue is shown for at least 1 ms."""
    start = round(time["start"] * 1000)
    return start, max(round(time["end"] * 1000), start + 1)
