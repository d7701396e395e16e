"""A filter as it was given, and where each part of it stands: a refusal points there."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mediaml_assets.errors import QueryRefused

Path = tuple[str | int, ...]
"""From the root of the CQL2 JSON: `("args", 0, "property")`."""

_NAMELESS = ("=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "^")
INFIX = frozenset(["and", "or", "not", "like", "in", "between", "isNull", "div", *_NAMELESS])
"""Operators whose name does not stand before their arguments in a text."""
_WORDS = {"and", "or", "not", "like", "in", "between", "is", "div"}
_TOKEN = re.compile(
    r"'(?P<string>(?:[^']|'')*)'"
    r'|"(?P<quoted>(?:[^"]|"")*)"'
    r"|(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[^\W\d][\w.:]*)"
)
_AROUND = 60


@dataclass(frozen=True)
class Source:
    """A filter and its tree."""

    tree: Any
    """CQL2 JSON."""
    text: str | None = None
    """The CQL2 text that it was read from."""

    def refusal(self, path: Path, message: str) -> QueryRefused:
        """An error that points at a part: by line, column and a caret in a text, else by its path."""
        offset = self._offset(path)
        if self.text is None or offset is None:
            written = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
            return QueryRefused(f"filter{written}: {message}", f"filter{written}")
        return refused_at(self.text, offset, message)

    def _offset(self, path: Path) -> int | None:
        if self.text is None:
            return None
        known = offsets(self.text, self.tree)
        below = [offset for one, offset in known.items() if one[: len(path)] == path]
        return known[path] if path in known else min(below, default=None)


def refused_at(text: str, offset: int, message: str) -> QueryRefused:
    """An error that shows a place in a text."""
    before = text[:offset]
    number = before.count("\n") + 1
    column = offset - (before.rfind("\n") + 1)
    line = text.split("\n")[number - 1]
    first = max(0, column - _AROUND)
    excerpt = "".join(character if character.isprintable() else " " for character in line[first : column + _AROUND])
    place = f"filter:{number}:{column + 1}"
    gutter = f"  {number} | "
    caret = " " * (len(gutter) - 2) + "| " + " " * (column - first) + "^"
    return QueryRefused(f"{place}: {message}\n{gutter}{excerpt}\n{caret}", place)


def offsets(text: str, tree: Any) -> Mapping[Path, int]:
    """Where the parts of a tree stand in the text that it was read from.

    The parser keeps no places, but the order: names and literals follow each other alike in both. Should a text be read
    in a way that this does not know, the parts from there on have no offset.
    """
    found: dict[Path, int] = {}
    tokens = _tokens(text)
    token = next(tokens, None)
    for path, value in _parts(tree, ()):
        if token is None:
            break
        if token[0] != value:
            if value == 1.0 and path[-1] == 0:
                # a sign before a name or a bracket is read as -1 times it
                continue
            break
        found[path] = token[1]
        token = next(tokens, None)
    return found


def _tokens(text: str) -> Iterator[tuple[str | float | tuple[str, str], int]]:
    """What stands in a text, and where: numbers without a sign, names in lower case, strings apart from names."""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "number":
            yield float(match["number"]), match.start()
        elif kind == "string":
            yield ("string", match["string"].replace("''", "'")), match.start()
        elif kind == "quoted":
            yield match["quoted"].replace('""', '"').lower(), match.start()
        elif match["name"].lower() not in _WORDS and not _of_is_null(text, match):
            yield match["name"].lower(), match.start()


def _of_is_null(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - _AROUND) : match.start()]
    return match["name"].lower() == "null" and re.search(r"\bIS(\s+NOT)?\s+$", before, re.I) is not None


def _parts(tree: Any, path: Path) -> Iterator[tuple[Path, str | float | tuple[str, str]]]:
    """What a tree holds, in the order of a text, spelled as `_tokens` does."""
    if isinstance(tree, bool) or tree is None:
        yield path, {True: "true", False: "false", None: "null"}[tree]
    elif isinstance(tree, int | float):
        yield path, abs(float(tree))
    elif isinstance(tree, str):
        yield path, ("string", tree)
    elif isinstance(tree, Sequence):
        for number, one in enumerate(tree):
            yield from _parts(one, (*path, number))
    elif "property" in tree:
        yield path, str(tree["property"]).lower()
    elif "op" in tree:
        if tree["op"] not in INFIX:
            yield path, tree["op"].lower()
        yield from _parts(tree["args"], (*path, "args"))
    elif "type" in tree:
        yield path, tree["type"].lower()
        inside = "geometries" if "geometries" in tree else "coordinates"
        yield from _parts(tree[inside], (*path, inside))
    else:
        for name, value in tree.items():
            # interval, bbox, date, timestamp
            yield path, name
            yield from _parts(value, (*path, name))
