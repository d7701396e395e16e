"""Scripts as lines of a kind: Fountain (https://fountain.io/syntax), and plain text that is laid out like one."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar, Self

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.files import MediaFile
from mediaml_assets.jasper.texts.cues import TableView
from mediaml_assets.jasper.texts.encoding import read_bytes, text_of

MOST_LINES = 200_000
"""Lines of a script, at most; a long screenplay has 10,000."""

KINDS = ("title", "scene", "action", "character", "parenthetical", "dialogue", "transition", "section")
"""What a line may be: a fact of the title page, a scene heading, and so on as Fountain calls them."""

_SCENE = re.compile(r"(?:INT|EXT|EST|INT\.?/EXT|EXT\.?/INT|I\.?/E)[. ].*", re.I)
_TITLE = re.compile(r"(?:Title|Credit|Authors?|Source|Draft date|Contact|Copyright|Notes|Revision):.*", re.I)


@dataclass(frozen=True)
class Line:
    """One line of a script.

    Attributes:
        index: its place among the lines, from 0.
        kind: one of `KINDS`.
        text: without the marks that made it this kind.
        scene: number of the scene it is in, from 1; 0 before the first.
        origin: of a stored line, which file it came from.
    """

    index: int
    kind: str
    text: str
    scene: int
    origin: str = ""


class Script(Sequence[Line]):
    """The lines of the stored scripts of a title, one file after the other."""

    columns: ClassVar[tuple[str, ...]] = ("index", "kind", "text", "scene", "origin")

    def __init__(self, lines: Sequence[Line]) -> None:
        """Args: the lines, in order."""
        self._lines = tuple(lines)

    @classmethod
    def from_value(cls, view: TableView) -> Self:
        """Read a stored value of `script`; files that were refused have no lines."""
        rows: list[dict[str, Any]] = view.table(cls.columns).to_pylist()
        return cls([Line(**one) for one in rows if one["text"] is not None])

    def __getitem__(self, index: Any) -> Any:
        """A line by its place, or several."""
        return self._lines[index]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._lines)


def read_script(file: MediaFile, language: str | None = None) -> tuple[Line, ...]:
    """Read a script that is text: Fountain, or plain text, in which the same rules find scenes and dialogue.

    Args:
        file: at most 16 MiB.
        language: of its text, where known; it helps to tell old encodings apart.

    Raises:
        MediaRefused: it is missing, empty, too large, a PDF or another file that is no text, or has more than
            `MOST_LINES` lines.
    """
    data = read_bytes(file)
    if data.lstrip()[:5] == b"%PDF-":
        raise MediaRefused(
            f"{file.name} is a PDF, which says where letters stand and not what a line is; export the script as "
            "Fountain or plain text"
        )
    text, _ = text_of(data, file.name, language)
    lines = list(islice(_lines(text), MOST_LINES + 1))
    if len(lines) > MOST_LINES:
        raise MediaRefused(f"{file.name} has more than {MOST_LINES:,} lines; deliver the script of one film")
    found, scene = [], 0
    for index, (kind, said) in enumerate(lines):
        scene += kind == "scene"
        found.append(Line(index, kind, said, scene))
    return tuple(found)


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Kind and text of every line that is not empty."""
    rows = [row.rstrip() for row in _without(_without(text, "/*", "*/"), "[[", "]]").split("\n")]
    at = 0
    if rows and _TITLE.fullmatch(rows[0]):
        while at < len(rows) and rows[at]:
            yield "title", rows[at].strip()
            at += 1
    # what Fountain wants around a heading or a name: a blank line, or the beginning or end
    before, speaking = True, False
    for place in range(at, len(rows)):
        row = rows[place].strip()
        if not row:
            before, speaking = True, False
            continue
        after = place + 1 >= len(rows) or not rows[place + 1]
        kind, said = _kind(row, before, after, speaking)
        before, speaking = False, kind in ("character", "dialogue", "parenthetical")
        if said:
            yield kind, said


def _kind(row: str, before: bool, after: bool, speaking: bool) -> tuple[str, str]:
    """Kind and text of one line, by itself and by whether blank lines stand before and after it."""
    if speaking:
        return ("parenthetical" if row.startswith("(") and row.endswith(")") else "dialogue"), _plain(row)
    if row.startswith("#"):
        return "section", row.lstrip("#").strip()
    if row.startswith(("=", "~", "!")):
        return ("section" if row[0] == "=" else "action"), _plain(row.lstrip("=~!").strip())
    if row.startswith(">"):
        return ("action" if row.endswith("<") else "transition"), _plain(row.strip("<> "))
    if row.startswith(".") and not row.startswith(".."):
        return "scene", _heading(row[1:])
    if row.startswith("@"):
        return "character", _name(row[1:])
    if before and _SCENE.fullmatch(row):
        return "scene", _heading(row)
    if before and after and row.isupper() and row.endswith("TO:"):
        return "transition", row
    name = _name(row)
    if before and not after and name.isupper():
        return "character", name
    return "action", _plain(row)


def _without(text: str, opening: str, closing: str) -> str:
    """A text without what stands between two marks; what is never closed stays."""
    kept, at = [], 0
    while (start := text.find(opening, at)) >= 0 and (end := text.find(closing, start + len(opening))) >= 0:
        kept.append(text[at:start])
        at = end + len(closing)
    return "".join([*kept, text[at:]])


def _heading(row: str) -> str:
    """A scene heading without its number, `#12A#` at its end."""
    before, mark, number = row.removesuffix("#").rpartition("#")
    is_numbered = bool(mark) and row.endswith("#") and 0 < len(number) <= 20 and not any(map(str.isspace, number))
    return (before if is_numbered else row).strip()


def _name(row: str) -> str:
    """Who speaks, without an extension such as `(O.S.)` and the mark of two who speak at once."""
    name = row.removesuffix("^").rstrip()
    return (name.rpartition("(")[0] if name.endswith(")") and "(" in name else name).strip()


def _plain(row: str) -> str:
    """Text without Fountain's emphasis: pairs of `*`, `**`, `***` and `_`."""
    for mark in ("***", "**", "*", "_"):
        quoted = re.escape(mark)
        row = re.sub(rf"(?<!\\){quoted}(?=\S)([^*_]+?)(?<=\S){quoted}", r"\1", row)
    return row.replace("\\*", "*").replace("\\_", "_")
