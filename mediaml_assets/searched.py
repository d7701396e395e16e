"""Answers of searches as people read them: tables with timecodes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from mediaml_assets.jasper.timecode import Timecode
from mediaml_assets.marken.faces.said import clock, said
from mediaml_assets.marken.search.answer import Answer

Json = Mapping[str, Any]
_SAID_APART = ("time", "other_time", "region", "label", "text", "confidence")
_FOR_PROGRAMS = (
    "row",
    "index",
    "algorithm_version",
    "markup",
    *(f"{side}{one}" for side in ("", "other_") for one in ("essence", "source_time")),
)
"""Properties that say nothing to a person; `--json` has them."""
_LONGEST = 80


def answer_table(answer: Answer) -> Group:
    """One page: a line for each hit, and what else there is to know."""
    grouped = any("group" in one and one["group"] not in (one["title"], one["type"]) for one in answer.hits)
    ranges = any("members" in one for one in answer.hits)
    lines: list[Table | Text] = [_ranges(answer.hits) if ranges else _hits(answer.hits, grouped)]
    if not answer.hits:
        lines = [Text("Nothing was found.")]
    if answer.missing:
        lines.append(Text(f"Without {', '.join(map(printable, answer.missing))}: a server does not answer."))
    if answer.cursor is not None:
        lines.append(Text("There is more: raise --limit, or narrow the search."))
    lines.append(Text(f"As of {answer.moment}"))
    return Group(*lines)


def timecode(time: Json, edge: str) -> str:
    """`start` or `end` of a time range: HH:MM:SS:FF where it was given in frames, else HH:MM:SS.mmm."""
    if time.get("rate") is not None:
        nominal = round(Fraction(time["rate"]))
        if time[f"{edge}_frame"] < Timecode(0, nominal).day:
            return str(Timecode(time[f"{edge}_frame"], nominal))
    return clock(round(time[edge] * 1000))


def printable(text: str) -> str:
    """Text that does nothing to a terminal: whatever is no printable character is shown as one that is."""
    return "".join(one if one.isprintable() else " " if one.isspace() else "\ufffd" for one in text)


def _hits(hits: Sequence[Json], grouped: bool) -> Table:
    shown = [one for hit in hits for one in hit.get("inner_hits") or [hit]]
    scored = any("score" in one for one in hits)
    # what is the same of all hits tells nothing
    telling = [name for name in ("type", "by") if len({one[name] for one in shown}) > 1]
    table = Table(*(["group"] if grouped else []), *telling)
    for name in ("title", "from", "to"):
        table.add_column(name, no_wrap=True)
    table.add_column("what", min_width=20)
    if scored:
        table.add_column("score", no_wrap=True)
    table.add_column("annotation", overflow="fold", style="dim")
    for hit in hits:
        for place, one in enumerate(hit.get("inner_hits") or [hit]):
            cells = [printable(str(hit["group"])) if place == 0 else ""] if grouped else []
            cells += [*(printable(one[name]) for name in telling), *_cells(one), *([_score(one)] if scored else [])]
            table.add_row(*map(Text, [*cells, printable(f"{one['id']}@{one['version']}")]))
    return table


def _cells(hit: Json) -> list[str]:
    """Title, start, end and what is said; of a pair a line for each side."""
    said_of = hit["properties"]
    sides = [(hit["title"], said_of.get("time"))]
    if hit.get("other_title"):
        sides.append((hit["other_title"], said_of.get("other_time")))
    titles = [printable(title) for title, _ in sides]
    edges = [["" if time is None else timecode(time, edge) for _, time in sides] for edge in ("start", "end")]
    return [*("\n".join(lines) for lines in (titles, *edges)), printable(_what(said_of))]


def _what(properties: Json) -> str:
    """Its words and how sure it is; then what else it says, as far as there is room."""
    words, confidence = said(properties), properties.get("confidence")
    parts = [*([words] if words else []), *([] if confidence is None else [f"({confidence:.2f})"])]
    parts += [
        f"{name}={_short(value)}"
        for name, value in properties.items()
        if name not in (*_SAID_APART, *_FOR_PROGRAMS) and value not in (None, "", [])
    ]
    told = " ".join(parts)
    return told if len(told) <= _LONGEST else f"{told[: _LONGEST - 1]}…"


def _short(value: Any) -> str:
    if isinstance(value, Mapping):  # another time
        return f"{timecode(value, 'start')}-{timecode(value, 'end')}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _ranges(hits: Sequence[Json]) -> Table:
    scored = any("score" in one for one in hits)
    table = Table("title", "from", "to", "annotations of each part", *(["score"] if scored else []))
    for hit in hits:
        members = " + ".join(str(len(part)) for part in hit["members"])
        cells = [printable(hit["title"]), timecode(hit, "start"), timecode(hit, "end"), members]
        table.add_row(*(Text(cell) for cell in cells + ([_score(hit)] if scored else [])))
    return table


def _score(hit: Json) -> str:
    score = hit.get("score")
    return "" if score is None else f"{score:.3f}"


def explained(explain: Sequence[Json]) -> Iterator[str]:
    """How an answer was found, a line for each fact."""
    for part in explain:
        for name, value in part.items():
            if value in ("", None):
                continue
            yield f"{name}: {printable(value if isinstance(value, str) else json.dumps(value, default=str))}"
