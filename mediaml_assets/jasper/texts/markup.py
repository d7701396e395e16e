"""The text of a cue out of its markup: plain, and as HTML of `<b>`, `<i>` and `<u>` alone."""

import html
import re
from collections import Counter

_TAG = re.compile(r"<([^<>]*)>")
_IN_TAG = re.compile(r"(/?)([A-Za-z]+)((?:\.[^\s.]+)*)\s*(.*?)/?", re.S)
"""A tag's name, classes and annotation."""
_IN_TIME = re.compile(r"\d[\d:.]*")
"""A time inside a WebVTT cue."""
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_BRACES = re.compile(r"\{[\\=][^{}]*\}|\{[YyCcFfSsPp]:[^{}]*\}")
"""Overrides of ASS and of MicroDVD, which players also find in SRT."""

KNOWN_TAGS = frozenset({"b", "i", "u", "s", "font", "c", "v", "lang", "ruby", "rt", "span", "br", "em", "strong", "tt"})
_STYLES = {"b": "b", "strong": "b", "i": "i", "em": "i", "u": "u"}


class Styled:
    """Text that is put together piece by piece, each piece bold, italic and underlined or not."""

    def __init__(self) -> None:
        self._pieces: list[tuple[str, str]] = []

    def add(self, text: str, styles: str) -> None:
        """Add text that has these of the styles "b", "i" and "u"."""
        if text:
            self._pieces.append((text, "".join(one for one in "biu" if one in styles)))

    def ends_in_space(self) -> bool:
        """Whether the last thing that was added ends in a space or a line feed."""
        return bool(self._pieces) and self._pieces[-1][0].endswith((" ", "\n"))

    @property
    def plain(self) -> str:
        """All lines, without spaces at either end of a line and without empty lines around them."""
        text = "".join(piece for piece, _ in self._pieces)
        return "\n".join(line.strip() for line in text.split("\n")).strip()

    @property
    def markup(self) -> str:
        """The same as HTML; empty when nothing is bold, italic or underlined."""
        if not any(styles and text.strip() for text, styles in self._pieces):
            return ""
        made = "".join(_wrapped(html.escape(text, quote=False), styles) for text, styles in self._pieces)
        for one in "uib":
            made = made.replace(f"</{one}><{one}>", "")
        return "\n".join(line.strip() for line in made.split("\n")).strip()


def _wrapped(text: str, styles: str) -> str:
    """Text in its tags; spaces and line feeds at its ends stay outside."""
    if not styles or not text.strip():
        return text
    inner = text.strip()
    before, after = text[: text.index(inner[0])], text[len(text.rstrip()) :]
    opened, closed = "".join(f"<{one}>" for one in styles), "".join(f"</{one}>" for one in reversed(styles))
    return f"{before}{opened}{inner}{closed}{after}"


def unescaped(text: str) -> str:
    """Text with its HTML entities replaced, those that end in a semicolon; a bare `&` stays."""
    return _ENTITY.sub(lambda found: html.unescape(found[0]), text)


def from_tags(payload: str, any_tag: bool) -> tuple[Styled, str | None, str | None]:
    """Read the payload of an SRT or WebVTT cue.

    Args:
        payload: its lines.
        any_tag: whether everything that looks like a tag is one (WebVTT); otherwise only tags that are known (SRT),
            so that `<sighs>` stays.

    Returns:
        The text, the voice (speaker) and the first class, if there are any.
    """
    # how many tags of each style are open: tags that cross each other do no harm
    styled, on = Styled(), Counter[str]()
    speaker: str | None = None
    style: str | None = None
    at = 0
    payload = _BRACES.sub("", payload)
    for found in _TAG.finditer(payload):
        inside = _IN_TAG.fullmatch(found[1])
        closing, name, classes, annotation = inside.groups() if inside else ("", "", "", "")
        tag = name.lower()
        if tag not in KNOWN_TAGS and not (any_tag and tag) and not _IN_TIME.fullmatch(found[1]):
            continue
        styled.add(unescaped(payload[at : found.start()]), _styles(on))
        at = found.end()
        if tag == "br":
            styled.add("\n", "")
        elif closing:
            on[_STYLES.get(tag, "")] -= on[_STYLES.get(tag, "")] > 0
        elif tag:
            on[_STYLES.get(tag, "")] += 1
            style = style or classes.lstrip(".") or None
            if tag == "v":
                speaker = speaker or unescaped(annotation).strip() or None
    styled.add(unescaped(payload[at:]), _styles(on))
    return styled, speaker, style


def _styles(on: Counter[str]) -> str:
    return "".join(style for style, count in on.items() if count)
