"""Advanced SubStation Alpha (.ass) and SubStation Alpha (.ssa): events of lines with overrides in braces.

Also what FFmpeg makes of every subtitle stream that is text: one event a cue.
"""

import re
from collections.abc import Iterator
from fractions import Fraction

from mediaml_assets.jasper.texts.cues import Cue
from mediaml_assets.jasper.texts.markup import Styled

_FIELDS = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")
"""Fields of an event that comes before any `Format:` line."""
_TIME = re.compile(r"\s*(-?)(\d{1,4}):(\d{1,2}):(\d{1,2})(?:[.:,](\d{1,9}))?\s*")
_BRACES = re.compile(r"\{([^{}]*)\}")
_SWITCH = re.compile(r"\\([biup])(\d{1,4})(?![\d.])|\\r(?![a-z])")
_BREAKS = re.compile(r"\\[Nnh]")


def ass_cues(text: str) -> Iterator[Cue]:
    """Read the dialogue of an .ass or .ssa file; comments, drawings and what is not dialogue are left out."""
    fields: tuple[str, ...] = _FIELDS
    inside = False
    for line in text.split("\n"):
        line = line.strip()
        if line.startswith("["):
            inside = line.lower() == "[events]"
        elif inside and line.lower().startswith("format:"):
            fields = tuple(name.strip().lower() for name in line[7:].split(","))
        elif inside and line.lower().startswith("dialogue:"):
            values = dict(zip(fields, line[9:].lstrip().split(",", len(fields) - 1), strict=False))
            start, end = _seconds(values.get("start", "")), _seconds(values.get("end", ""))
            if start is not None and end is not None:
                yield _cue(start, end, values)


def event_text(event: str) -> tuple[Styled, str | None, str | None]:
    """Text, speaker and style of an event as FFmpeg gives it: order, layer, style, name, margins, effect, text."""
    values = [*event.split(",", 8), *[""] * 9]
    return styled(values[8]), values[3].strip() or None, _named(values[2])


def _cue(start: Fraction, end: Fraction, values: dict[str, str]) -> Cue:
    said = styled(values.get("text", ""))
    speaker = (values.get("name") or values.get("actor") or "").strip() or None
    return Cue(start, end, said.plain, said.markup, speaker, _named(values.get("style", "")))


def _named(style: str) -> str | None:
    """The name of a style; the one that everything has says nothing."""
    name = style.strip().lstrip("*")
    return None if name in ("", "Default") else name


def styled(text: str) -> Styled:
    """The text of an event: overrides read for bold, italic and underlined, drawings left out, breaks made."""
    said, on, drawing, at = Styled(), set[str](), False, 0
    for found in _BRACES.finditer(text):
        if not drawing:
            said.add(_broken(text[at : found.start()]), "".join(on))
        at = found.end()
        for switch in _SWITCH.finditer(found[1]):
            name, value = switch[1], int(switch[2] or 0)
            if name is None:
                on.clear()
            elif name == "p":
                drawing = value > 0
            elif value:
                on.add(name)
            else:
                on.discard(name)
    if not drawing:
        said.add(_broken(text[at:]), "".join(on))
    return said


def _broken(text: str) -> str:
    return _BREAKS.sub(lambda found: " " if found[0] == r"\h" else "\n", text)


def _seconds(text: str) -> Fraction | None:
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    sign, hours, minutes, seconds, decimals = found.groups()
    value = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    exact = value + Fraction(int(decimals or 0), 10 ** len(decimals or ""))
    return -exact if sign else exact
