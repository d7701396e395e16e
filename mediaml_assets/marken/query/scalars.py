"""Conditions over plain values: comparisons, BETWEEN, IN, LIKE, IS NULL, CASEI and arithmetic."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Literal, cast

from mediaml_assets.marken.query.asking import Asking
from mediaml_assets.marken.query.nodes import (
    And,
    Arithmetic,
    CaseFolded,
    Column,
    Compare,
    Comparison,
    IsNull,
    Like,
    Node,
    Not,
    OneOf,
    Operand,
    Or,
    Value,
)
from mediaml_assets.marken.query.source import Path
from mediaml_assets.marken.query.sql import SMALLEST
from mediaml_assets.marken.schema import Kind

COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")
ARITHMETIC = ("+", "-", "*", "/")
MOST_NUMBERS = 8
"""In one arithmetic expression: so that it stays within doubles (`sql.SMALLEST`)."""
_KINDS = {
    Kind.STRING: "string",
    Kind.TEXT: "string",
    Kind.INTEGER: "number",
    Kind.NUMBER: "number",
    Kind.BOOLEAN: "boolean",
}
_TITLE, _OTHER_TITLE = Column("title", Kind.STRING, "title"), Column("other_title", Kind.STRING, "other_title")


def compared(op: str, args: Sequence[Any], path: Path, asking: Asking) -> Node:
    """`=`, `<>`, `<`, `<=`, `>`, `>=`."""
    asking.arguments(op, args, path, 2)
    left, right = _alike(args, path, asking)
    if op not in ("=", "<>") and (_kind(left) == "boolean" or _kind(right) == "boolean"):
        raise asking.refusal(path, f"Booleans have no order; use = or <>, not {op}.")
    if op == "<>":
        # of two titles, neither
        return Not(_either_title(Compare("=", left, right)))
    return _either_title(Compare(cast(Comparison, op), left, right))


def between(args: Sequence[Any], path: Path, asking: Asking) -> Node:
    """`a BETWEEN low AND high`, both included."""
    asking.arguments("between", args, path, 3)
    operand, low, high = _alike(args, path, asking)
    if _kind(operand) == "boolean":
        raise asking.refusal(path, "Booleans have no order; use =, not BETWEEN.")
    return _either_title(And((Compare(">=", operand, low), Compare("<=", operand, high))))


def one_of(args: Sequence[Any], path: Path, asking: Asking) -> Node:
    """`a IN (literal, ...)`."""
    asking.arguments("in", args, path, 2)
    inside = (*path, "args", 1)
    if not isinstance(args[1], Sequence) or isinstance(args[1], str) or not args[1]:
        raise asking.refusal(inside, "IN takes a list of literals, at least one.")
    paths = [(*path, "args", 0), *((*inside, number) for number in range(len(args[1])))]
    operand, *values = _alike([args[0], *args[1]], path, asking, paths)
    literals = []
    for place, value in zip(paths[1:], values, strict=True):
        if not isinstance(value, Value):
            raise asking.refusal(place, "IN takes literals only; compare with = OR =.")
        literals.append(value)
    if len({type(one.value) for one in literals}) > 1:
        # 1.5 among whole numbers
        literals = [Value(float(one.value)) for one in literals if not isinstance(one.value, str | datetime)]
    return _either_title(OneOf(operand, tuple(dict.fromkeys(literals))))


def like(args: Sequence[Any], path: Path, asking: Asking) -> Node:
    """`a LIKE 'pattern'`; with CASEI on both sides, without regard to case."""
    asking.arguments("like", args, path, 2)
    (operand,) = _alike(args[:1], path, asking)
    if _kind(operand) != "string":
        raise asking.refusal((*path, "args", 0), f"LIKE reads strings; here stands a {_kind(operand)}.")
    (pattern,) = _alike(args[1:], path, asking, [(*path, "args", 1)])
    if not isinstance(pattern, Value) or not isinstance(pattern.value, str):
        raise asking.refusal((*path, "args", 1), "LIKE takes a pattern in single quotes: % any run, _ any character.")
    parts = re.findall(r"\\.|[^\\]|\\\Z", pattern.value, re.DOTALL)
    if parts and parts[-1] == "\\":
        raise asking.refusal((*path, "args", 1), "The pattern ends in a backslash with nothing to take as it is.")
    plain = "".join(part[-1] if part[0] == "\\" and part[-1] not in "%_\\" else part for part in parts)
    return _either_title(Like(operand, plain))


def is_null(args: Sequence[Any], path: Path, asking: Asking) -> Node:
    """`a IS NULL`, of any property."""
    asking.arguments("is null", args, path, 1)
    column = asking.column(args[0], (*path, "args", 0))
    if column is None:
        raise asking.refusal((*path, "args", 0), "IS NULL asks for a property.")
    if column.kind is Kind.TIME_RANGE:
        return IsNull(Column(f"{column.name}_start", Kind.NUMBER, column.name))
    return IsNull(column)


def operand(tree: Any, path: Path, asking: Asking) -> Operand:
    """A property of one value, a literal, CASEI or arithmetic."""
    column = asking.column(tree, path)
    if column is not None:
        if column.kind not in _KINDS:
            ways = {Kind.TIME_RANGE: "T_ functions, or _start and _end", Kind.REGION: "S_ functions and IOU"}
            ways |= {Kind.STRINGS: "A_ functions", Kind.VECTOR: "`nearest` of the search"}
            raise asking.refusal(path, f"{column.name!r} is of kind {column.kind}, asked by {ways[column.kind]}.")
        return column
    if isinstance(tree, bool):
        return Value(tree)
    if isinstance(tree, int | float):
        return Value(asking.number(tree, path, "A literal"))
    if isinstance(tree, str):
        return Value(asking.string(tree, path, "A literal"))
    if tree is None:
        raise asking.refusal(path, "Nothing equals NULL; use IS NULL.")
    if isinstance(tree, Mapping) and ("timestamp" in tree or "date" in tree):
        name = "timestamp" if "timestamp" in tree else "date"
        return Value(_moment(tree[name], (*path, name), asking))
    op, args = asking.operation(tree, path)
    if op == "casei":
        return _folded(args, path, asking)
    if op in ARITHMETIC:
        return _arithmetic(op, args, path, asking)
    raise asking.refusal(path, f"{op[:60].upper()} gives no value to compare.")


def fold(text: str) -> str:
    """Unicode's simple lower case, one code point for one: what both dialects' `lower` does."""
    return "".join(character.lower()[0] for character in text)


def _alike(args: Sequence[Any], path: Path, asking: Asking, paths: Sequence[Path] = ()) -> list[Operand]:
    """Operands of one kind: literals as their columns have it."""
    places = paths or [(*path, "args", number) for number in range(len(args))]
    found = [operand(tree, place, asking) for tree, place in zip(args, places, strict=True)]
    if any(_kind(one) == "time" for one in found):
        found = [
            Value(_moment(one.value, place, asking)) if isinstance(one, Value) and isinstance(one.value, str) else one
            for one, place in zip(found, places, strict=True)
        ]
    for one, place in zip(found, places, strict=True):
        if _kind(one) != _kind(found[0]):
            first = f"{_named(found[0])} is a {_kind(found[0])}"
            raise asking.refusal(place, f"Only like is compared with like: {first}, {_named(one)} is a {_kind(one)}.")
    whole = any(isinstance(one, Column) and one.kind is Kind.INTEGER for one in found)
    return [_as_whole(one) for one in found] if whole else found


def _as_whole(operand: Operand) -> Operand:
    """A whole number as an integer, to be compared exactly with a column of integers."""
    if isinstance(operand, Value) and isinstance(operand.value, float) and operand.value.is_integer():
        return Value(int(operand.value))
    return operand


def _kind(operand: Operand) -> str:
    match operand:
        case Column():
            return "time" if operand.name == "created" else _KINDS[operand.kind]
        case Value(value):
            if isinstance(value, bool):
                return "boolean"
            return "string" if isinstance(value, str) else "time" if isinstance(value, datetime) else "number"
        case Arithmetic():
            return "number"
        case CaseFolded():
            return "string"


def _named(operand: Operand) -> str:
    if isinstance(operand, Column):
        return repr(operand.name)
    return repr(operand.value)[:60] if isinstance(operand, Value) else "this side"


def _moment(value: Any, path: Path, asking: Asking) -> datetime:
    """An ISO 8601 date or time; without a zone it is UTC, and a date is its first moment."""
    text = asking.string(value, path, "A time")
    try:
        if len(text) == len("2026-01-01"):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        message = f"{text[:60]!r} is no time; write '2026-01-31' or '2026-01-31T12:00:00Z'."
        raise asking.refusal(path, message) from None


def _folded(args: Sequence[Any], path: Path, asking: Asking) -> Operand:
    asking.arguments("casei", args, path, 1)
    inner = operand(args[0], (*path, "args", 0), asking)
    if _kind(inner) != "string":
        raise asking.refusal((*path, "args", 0), f"CASEI reads strings; here stands a {_kind(inner)}.")
    if isinstance(inner, Value):
        return Value(fold(str(inner.value)))
    return inner if isinstance(inner, CaseFolded) else CaseFolded(inner)


def _arithmetic(op: str, args: Sequence[Any], path: Path, asking: Asking) -> Operand:
    asking.arguments(op, args, path, 2)
    places = [(*path, "args", number) for number in range(2)]
    found = [operand(tree, place, asking) for tree, place in zip(args, places, strict=True)]
    for one, place in zip(found, places, strict=True):
        if _kind(one) != "number":
            raise asking.refusal(place, f"{op} takes numbers; here stands a {_kind(one)}.")
        if isinstance(one, Value) and isinstance(one.value, float) and 0 < abs(one.value) < SMALLEST:
            raise asking.refusal(place, f"Numbers to calculate with are 0 or at least {SMALLEST} in magnitude.")
    made = Arithmetic(cast(Literal["+", "-", "*", "/"], op), *found)
    if _numbers(made) > MOST_NUMBERS:
        raise asking.refusal(path, f"At most {MOST_NUMBERS} numbers go into one calculation.")
    return made


def _numbers(operand: Operand) -> int:
    return _numbers(operand.left) + _numbers(operand.right) if isinstance(operand, Arithmetic) else 1


def _either_title(node: Node) -> Node:
    """A condition on `title` holds when it holds for one of the two titles that a pair has."""
    other = _with_other_title(node)
    return node if other == node else Or((node, And((Not(IsNull(_OTHER_TITLE)), other))))


def _with_other_title(part: Any) -> Any:
    if part == _TITLE:
        return _OTHER_TITLE
    if isinstance(part, tuple):
        return tuple(_with_other_title(one) for one in part)
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        names = [one.name for one in dataclasses.fields(part)]
        return dataclasses.replace(part, **{name: _with_other_title(getattr(part, name)) for name in names})
    return part
