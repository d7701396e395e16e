"""SubRip (.srt) and WebVTT (.vtt): blocks of a time line and text, read as tolerantly as players do.

WebVTT follows https://www.w3.org/TR/webvtt1/ (sections 4 and 6), SubRip has no standard. Both are found by their time
lines, so that missing numbers and missing blank lines lose nothing.
"""

import re
from collections.abc import Iterator
from fractions import Fraction

from mediaml_assets.jasper.texts.cues import Cue
from mediaml_assets.jasper.texts.markup import from_tags

_TIME = r"(-?)(?:(\d{1,4}):)?(\d{1,3}):(\d{1,2})(?:[,.:](\d{1,9}))?"
_TIMES = re.compile(rf"\s*{_TIME}\s*-{{1,2}}>\s*{_TIME}(?:\s.*)?")
_BLOCKS = re.compile(r"(?:NOTE|STYLE|REGION)(?:[ \t].*)?")


def subrip_cues(text: str) -> Iterator[Cue]:
    """Read SubRip; a time line without text gives a cue that says nothing.

    The number above a time line belongs to it when a blank line stands before it, or when it goes on counting: so the
    numbers of a file without blank lines are no text, and a year in the last line of a cue is.
    """
    found: list[tuple[re.Match[str], list[str]]] = []
    counter: int | None = None
    payload: list[str] = []
    for line in text.split("\n"):
        times = _TIMES.fullmatch(line)
        if times is None:
            payload.append(line)
            continue
        counter = _take_counter(payload, counter)
        payload = []
        found.append((times, payload))
    yield from (_cue(times, "\n".join(lines), any_tag=False) for times, lines in found)


def _take_counter(before: list[str], last: int | None) -> int | None:
    """Take the number above a time line away from the text before it; the number, if there was one."""
    number = before[-1].strip() if before else ""
    if not (number.isascii() and number.isdigit() and len(number) <= 9):
        return last
    if len(before) == 1 or not before[-2].strip() or (last is not None and int(number) == last + 1):
        before.pop()
        return int(number)
    return last


def webvtt_cues(text: str) -> Iterator[Cue]:
    """Read WebVTT; notes, styles and regions are left out."""
    blocks: list[list[str]] = [[]]
    for line in text.split("\n"):
        if not line.strip():
            blocks.append([])
        elif _TIMES.fullmatch(line) and any(_TIMES.fullmatch(one) for one in blocks[-1]):
            # as the standard has it, a time line ends the cue before it
            blocks.append([line])
        else:
            blocks[-1].append(line)
    for block in blocks[1:] if not any(_TIMES.fullmatch(line) for line in blocks[0]) else blocks:
        if not block or _BLOCKS.fullmatch(block[0]):
            continue
        for place, line in enumerate(block):
            if times := _TIMES.fullmatch(line):
                yield _cue(times, "\n".join(block[place + 1 :]), any_tag=True)
                break


def has_time_line(text: str) -> bool:
    """Whether any line says from when to when something is shown."""
    return any(_TIMES.fullmatch(line) for line in text.split("\n"))


def _cue(times: re.Match[str], payload: str, any_tag: bool) -> Cue:
    groups = times.groups()
    styled, speaker, style = from_tags(payload, any_tag)
    return Cue(_seconds(groups[:5]), _seconds(groups[5:]), styled.plain, styled.markup, speaker, style)


def _seconds(parts: tuple[str | None, ...]) -> Fraction:
    """Seconds of sign, hours, minutes, seconds and decimals; exact."""
    sign, hours, minutes, seconds, decimals = (part or "" for part in parts)
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    value = whole + Fraction(int(decimals or 0), 10 ** len(decimals))
    return -value if sign else value
