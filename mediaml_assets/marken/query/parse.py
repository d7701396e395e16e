"""CQL2 text as CQL2 JSON, and bounds on both: what comes from outside must not cost more than it may."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import cql2

from mediaml_assets.errors import QueryRefused
from mediaml_assets.marken.query.source import Path, Source, refused_at

LONGEST = 65_536
"""Characters of a text, and of a string in JSON."""
DEEPEST_BRACKETS = 12
"""In a text: the parser takes twice as long with each open bracket before an error."""
MOST_OPERATORS = 16
"""In a text, between AND, OR and commas at one depth of brackets: each is a level of the parser's recursion."""
MOST_JOINED = 1_000
"""ANDs and ORs of a text: each is a level too, of a smaller one."""
DEEPEST = 64
"""Of the JSON."""
MOST = 10_000
"""Operators, properties and literals of a filter."""
MOST_ASKED = 50
"""Of them, conditions that ask what is searched for its words or regions before the search itself."""
EXACT = 2**53
"""From here on not every whole number is a double."""
_TOKEN = re.compile(r"'[^']*'|\"[^\"]*\"|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\w+|[<>=!]+|[-+*/^%(),]")
_SEPARATING = frozenset(["AND", "OR", ","])
_NESTING = frozenset(["NOT", "LIKE", "IN", "IS", "BETWEEN", "DIV", "-", "+", "*", "/", "^", "%"])
_NESTING |= frozenset(["=", "<>", "!=", "<", "<=", ">", ">="])


def parsed(filter: str | Mapping[str, Any] | bool) -> Source:
    """A filter as CQL2 JSON, with its places. What it means is checked elsewhere.

    The parser reads texts only: of JSON it rounds numbers wrongly, drops what it does not know, and tells no place.

    Raises:
        QueryRefused: it is no CQL2, or longer or deeper than the bounds above.
    """
    if not isinstance(filter, str):
        source = Source(filter)
        _bounded(source)
        return source
    if len(filter) > LONGEST:
        raise QueryRefused(f"filter: It has {len(filter):,} characters; at most {LONGEST:,}.", "filter")
    _bounded_text(filter)
    try:
        tree = cql2.parse_text(filter).to_json()
    except cql2.ParseError as error:
        raise _unreadable(filter, str(error)) from None
    source = Source(tree, filter)
    _bounded(source)
    return source


def _bounded_text(text: str) -> None:
    """Refuse what the parser must not see: it goes down by recursion, and ends the process where the stack ends."""
    half = re.search("[\ud800-\udfff]", text)
    if half is not None:
        raise refused_at(text, half.start(), "Half of a surrogate pair is no character.")
    open_at: list[int] = []
    # since the last AND, OR or comma, at each depth of brackets
    operators, joined = [0], 0
    for match in _TOKEN.finditer(text):
        token = match[0].upper()
        if token in _NESTING:
            operators[-1] += 1
            if operators[-1] > MOST_OPERATORS:
                message = f"Over {MOST_OPERATORS} operators in a row, without AND, OR or brackets around some."
                raise refused_at(text, match.start(), message)
        elif token in _SEPARATING:
            operators[-1] = 0
            joined += token != ","
            if joined > MOST_JOINED:
                message = f"Over {MOST_JOINED:,} ANDs and ORs in a text; use IN (...), or write the filter in JSON."
                raise refused_at(text, match.start(), message)
        elif token == "(":
            open_at.append(match.start())
            operators.append(0)
            if len(open_at) > DEEPEST_BRACKETS:
                message = f"Brackets are at most {DEEPEST_BRACKETS} deep in a text; JSON may go to {DEEPEST} levels."
                raise refused_at(text, match.start(), message)
        elif token == ")":
            if not open_at:
                raise refused_at(text, match.start(), "No bracket is open here.")
            open_at.pop()
            operators.pop()
    if open_at:
        raise refused_at(text, open_at[-1], "This bracket is not closed.")


def _unreadable(text: str, error: str) -> QueryRefused:
    place = re.search(r"--> (\d+):(\d+)", error)
    if place is None:
        return QueryRefused(f"filter: This is no CQL2: {error}", "filter")
    lines = text.split("\n")[: int(place[1]) - 1]
    offset = sum(len(line) + 1 for line in lines) + int(place[2]) - 1
    return refused_at(text, offset, "This is no CQL2 from here on; the docs have the grammar and examples.")


def _bounded(source: Source) -> None:
    """Refuse a tree that is too deep or too large, or whose numbers are; without going down it by recursion."""
    left: list[tuple[Any, Path]] = [(source.tree, ())]
    seen = asked = 0
    while left:
        tree, path = left.pop()
        seen += 1
        asked += _asks(tree)
        if asked > MOST_ASKED:
            raise source.refusal(path, f"At most {MOST_ASKED} of MATCH, IOU and the S_ functions go into a filter.")
        if seen > MOST:
            raise source.refusal((), f"The filter has over {MOST:,} parts; use fewer literals.")
        if len(path) > 2 * DEEPEST:
            raise source.refusal(path[:8], f"The filter is over {DEEPEST} levels deep.")
        if isinstance(tree, int | float) and not abs(tree) < EXACT:
            raise source.refusal(path, "Numbers are below 2^53 in magnitude, so that each is exact; this one is not.")
        if isinstance(tree, str) and len(tree) > LONGEST:
            raise source.refusal(path, f"Strings have at most {LONGEST:,} characters.")
        if isinstance(tree, Mapping):
            left += [(value, (*path, name)) for name, value in tree.items() if isinstance(name, str)]
        elif isinstance(tree, Sequence) and not isinstance(tree, str):
            left += [(one, (*path, number)) for number, one in enumerate(tree)]


def _asks(tree: Any) -> bool:
    op = tree.get("op") if isinstance(tree, Mapping) else None
    return isinstance(op, str) and (op[:5].lower() in ("match", "iou") or op[:2].lower() == "s_")
