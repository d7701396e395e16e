"""TTML (.ttml, .dfxp, .itt, IMSC text): timed paragraphs, their times nested in those of what they stand in.

Follows TTML2 (https://www.w3.org/TR/ttml2/), 12.3 for times (clock, offset, frames, ticks; `par` and `seq`). Regions
and layout are left out, of styles only bold, italic and underlined are kept.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from xml.etree.ElementTree import Element

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.texts.cues import Cue
from mediaml_assets.jasper.texts.markup import Styled
from mediaml_assets.jasper.texts.safe_xml import parsed

_XML = "{http://www.w3.org/XML/1998/namespace}"
_CLOCK = re.compile(r"(\d{2,4}):(\d{2}):(\d{2})(?:\.(\d{1,9})|:(\d{2,4})(?:\.(\d{1,4}))?)?")
_OFFSET = re.compile(r"(\d{1,12})(?:\.(\d{1,9}))?(h|ms|m|s|f|t)")
_UNITS = {"h": Fraction(3600), "m": Fraction(60), "s": Fraction(1), "ms": Fraction(1, 1000)}
_STYLES = {"fontWeight": ("b", "bold"), "fontStyle": ("i", "italic"), "textDecoration": ("u", "underline")}
_SILENT = frozenset({"metadata", "title", "desc", "copyright", "set", "head", "layout", "agent"})
_MOST_RATE = 1_000_000_000


def ttml_cues(text: str, name: str) -> Iterator[Cue]:
    """Read timed text; paragraphs and spans without an end of their own end with what they stand in.

    Raises:
        MediaRefused: it is no XML that is allowed, no timed text, holds pictures of text only, or has a time or rate
            that cannot be.
    """
    root = parsed(text, name)
    if _tag(root) != "tt":
        raise MediaRefused(f"{name} is XML but no timed text (its root is {_tag(root)!r}, not 'tt'); deliver subtitles")
    document = _Document(_Clock.of(root, name), _styles_of(root), _agents_of(root))
    body = next((one for one in root if _tag(one) == "body"), None)
    if body is None:
        return
    if not any(_tag(one) == "p" for one in body.iter()) and any(_tag(one) == "image" for one in root.iter()):
        raise MediaRefused(f"{name} holds pictures of text (the image profile), no text; deliver the text profile")
    language = root.get(f"{_XML}lang") or None
    yield from document.cues(body, _Context(Fraction(0), None, "", None, None, language, False))


@dataclass(frozen=True)
class _Context:
    """What an element takes over from what it stands in."""

    begin: Fraction
    end: Fraction | None
    """None where nothing ends it."""
    marks: str
    """Of "b", "i" and "u"."""
    style: str | None
    speaker: str | None
    language: str | None
    preserve: bool
    """Whether white space is kept as it is."""


@dataclass(frozen=True)
class _Document:
    clock: "_Clock"
    styles: Mapping[str, Mapping[str, bool]]
    """Id of a style -> mark -> whether it is on."""
    agents: Mapping[str, str]

    def cues(self, element: Element, outer: _Context) -> Iterator[Cue]:
        """The cues of an element that may hold paragraphs."""
        inner = self._within(element, outer)
        if _tag(element) == "p":
            yield from self._paragraph(element, inner)
            return
        for child, context in self._children(element, inner):
            yield from self.cues(child, context)

    def _children(self, element: Element, inner: _Context) -> Iterator[tuple[Element, _Context]]:
        """The children that show something, each with what it takes over: one after the other where they are `seq`."""
        begin = inner.begin
        for child in element:
            if _tag(child) in _SILENT:
                continue
            context = replace(inner, begin=begin)
            yield child, context
            if element.get("timeContainer") == "seq":
                end = self._within(child, context).end
                # what has no end is never over
                if end is None:
                    return
                begin = end

    def _within(self, element: Element, outer: _Context) -> _Context:
        """What holds inside an element."""
        begin = outer.begin + self.clock.seconds(element.get("begin"), Fraction(0))
        ends = [outer.end] if outer.end is not None else []
        if (end := element.get("end")) is not None:
            ends.append(outer.begin + self.clock.seconds(end))
        if (duration := element.get("dur")) is not None:
            ends.append(begin + self.clock.seconds(duration))
        names = (element.get("style") or "").split()
        on = dict.fromkeys(outer.marks, True)
        for marks in (*(self.styles.get(one, {}) for one in names), _marks(element)):
            on.update(marks)
        agent = (_attribute(element, "agent") or "").split()
        space = element.get(f"{_XML}space")
        return _Context(
            begin=begin,
            end=min(ends) if ends else None,
            marks="".join(one for one in "biu" if on.get(one)),
            style=names[0] if names else outer.style,
            speaker=self.agents.get(agent[0], agent[0]) if agent else outer.speaker,
            language=element.get(f"{_XML}lang") or outer.language,
            preserve=outer.preserve if space is None else space == "preserve",
        )

    def _paragraph(self, element: Element, inner: _Context) -> Iterator[Cue]:
        """One cue for each time in a paragraph: its own, and those of its spans."""
        parts: dict[tuple[Fraction, Fraction | None], tuple[Styled, _Context]] = {}
        for text, context in self._pieces(element, inner):
            said, _ = parts.setdefault((context.begin, context.end), (Styled(), context))
            # white space is one space, also across elements
            said.add(text.lstrip(" ") if said.ends_in_space() and not context.preserve else text, context.marks)
        for (begin, end), (said, context) in parts.items():
            if said.plain:
                yield Cue(
                    begin, begin if end is None else end, said.plain, said.markup, context.speaker, context.style,
                    context.language,
                )  # fmt: skip

    def _pieces(self, element: Element, inner: _Context) -> Iterator[tuple[str, _Context]]:
        yield _spaced(element.text, inner.preserve), inner
        timed = dict(self._children(element, inner))
        for child in element:
            if child in timed:
                if _tag(child) == "br":
                    yield "\n", inner
                else:
                    yield from self._pieces(child, self._within(child, timed[child]))
            yield _spaced(child.tail, inner.preserve), inner


@dataclass(frozen=True)
class _Clock:
    """How a document's time expressions are counted."""

    frames: Fraction
    """Frames a second as they are shown."""
    base: int
    """Frames that a timecode's second has."""
    sub_frames: int
    ticks: Fraction
    """Ticks a second."""
    by_frames: bool
    """Whether clock times count frames (SMPTE) and not seconds."""
    drops: bool
    """Whether the timecode is drop-frame: two numbers a minute are left out, but not every tenth minute."""
    name: str

    @classmethod
    def of(cls, root: Element, name: str) -> "_Clock":
        """Read the parameters of a document."""
        base = _whole(_attribute(root, "frameRate"), 30, name)
        multiplier = (_attribute(root, "frameRateMultiplier") or "1 1").replace(":", " ").split()
        top, bottom = (_whole(one, 1, name) for one in (multiplier * 2)[:2])
        sub = _whole(_attribute(root, "subFrameRate"), 1, name)
        frames = Fraction(base * top, bottom)
        ticks = frames * sub if _attribute(root, "frameRate") else Fraction(1)
        if (said := _attribute(root, "tickRate")) is not None:
            ticks = Fraction(_whole(said, 1, name))
        smpte = _attribute(root, "timeBase") == "smpte"
        return cls(frames, base, sub, ticks, smpte, (_attribute(root, "dropMode") or "") == "dropNTSC", name)

    def seconds(self, text: str | None, unsaid: Fraction | None = None) -> Fraction:
        """Seconds of a time expression, exact; raises MediaRefused for what is none."""
        if text is None and unsaid is not None:
            return unsaid
        said = (text or "").strip()
        if clock := _CLOCK.fullmatch(said):
            return self._clock_seconds(clock)
        if offset := _OFFSET.fullmatch(said):
            whole, decimals, unit = offset.groups()
            amount = int(whole) + Fraction(int(decimals or 0), 10 ** len(decimals or ""))
            return (
                amount / self.frames if unit == "f" else amount / self.ticks if unit == "t" else amount * _UNITS[unit]
            )
        raise MediaRefused(f"{self.name} has a time that cannot be read ({said[:40]!r}); correct it")

    def _clock_seconds(self, clock: re.Match[str]) -> Fraction:
        hours, minutes, seconds, decimals, frames, sub_frames = clock.groups()
        whole = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
        part = int(frames or 0) + Fraction(int(sub_frames or 0), self.sub_frames)
        if not self.by_frames:
            return whole + Fraction(int(decimals or 0), 10 ** len(decimals or "")) + part / self.frames
        passed = whole // 60
        left_out = 2 * (passed - passed // 10) if self.drops else 0
        return (whole * self.base + part - left_out) / self.frames


def _whole(text: str | None, unsaid: int, name: str) -> int:
    """A rate: a whole number above zero."""
    if text is None:
        return unsaid
    if not re.fullmatch(r"\d{1,10}", text.strip()) or not 0 < int(text) <= _MOST_RATE:
        raise MediaRefused(f"{name} has a rate that cannot be ({text[:40]!r}); correct it")
    return int(text)


def _styles_of(root: Element) -> dict[str, dict[str, bool]]:
    """Id -> marks of each style in the head, with those of the styles that it refers to."""
    elements = {one.get(f"{_XML}id", ""): one for one in root.iter() if _tag(one) == "style"}
    found: dict[str, dict[str, bool]] = {}
    for name, element in elements.items():
        marks: dict[str, bool] = {}
        for other in (element.get("style") or "").split():
            if other in elements:
                marks.update(_marks(elements[other]))
        found[name] = {**marks, **_marks(element)}
    return found


def _agents_of(root: Element) -> dict[str, str]:
    """Id -> name of each agent in the head."""
    found = {}
    for agent in (one for one in root.iter() if _tag(one) == "agent"):
        said = next(("".join(one.itertext()).strip() for one in agent if _tag(one) == "name"), "")
        found[agent.get(f"{_XML}id", "")] = said or agent.get(f"{_XML}id", "")
    return found


def _marks(element: Element) -> dict[str, bool]:
    """Marks that an element's own attributes set or clear."""
    said = {mark: (_attribute(element, name), value) for name, (mark, value) in _STYLES.items()}
    # oblique is shown like italic
    return {mark: one.split()[:1] in ([value], ["oblique"]) for mark, (one, value) in said.items() if one}


def _spaced(text: str | None, preserve: bool) -> str:
    """Character data: white space as it is, or each run of it one space."""
    return (text or "") if preserve else re.sub(r"[ \t\r\n]+", " ", text or "")


def _attribute(element: Element, name: str) -> str | None:
    """An attribute by its local name, in whatever edition of the namespaces."""
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), None)


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]
