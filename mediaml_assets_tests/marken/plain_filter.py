"""Checked filters, for one row of plain Python values."""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from mediaml_assets.marken.query.nodes import (
    Always,
    And,
    Arithmetic,
    CaseFolded,
    Column,
    Compare,
    HasAny,
    HasOnly,
    HasRun,
    IsNull,
    Like,
    Node,
    Not,
    OneOf,
    Operand,
    Or,
    Value,
)

COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def holds(node: Node, row: Mapping[str, Any]) -> bool | None:
    """Whether a filter is true of a row; None for unknown."""
    match node:
        case And(nodes):
            found = [holds(one, row) for one in nodes]
            return False if False in found else None if None in found else True
        case Or(nodes):
            found = [holds(one, row) for one in nodes]
            return True if True in found else None if None in found else False
        case Not(inner):
            truth = holds(inner, row)
            return None if truth is None else not truth
        case Always(value):
            return value
        case IsNull(column):
            return value_of(column, row) is None
        case Compare(op, left, right):
            one, other = value_of(left, row), value_of(right, row)
            return None if one is None or other is None else COMPARED[op](one, other)
        case OneOf(operand, values):
            one = value_of(operand, row)
            return None if one is None else one in [value.value for value in values]
        case Like(operand, pattern):
            one = value_of(operand, row)
            return None if one is None else expression(pattern).fullmatch(one) is not None
        case HasAny(column, values, every):
            words = value_of(column, row)
            return None if words is None else (all if every else any)(value in words for value in values)
        case HasOnly(column, values):
            words = value_of(column, row)
            return None if words is None else all(word in values for word in words)
        case HasRun(column, stems):
            words = value_of(column, row)
            if words is None:
                return None
            return any(tuple(words[at : at + len(stems)]) == stems for at in range(len(words) - len(stems) + 1))


def value_of(operand: Operand, row: Mapping[str, Any]) -> Any:
    """What an operand is in a row; None for null."""
    match operand:
        case Column(name):
            return row.get(name)
        case Value(value):
            return value
        case CaseFolded(inner):
            text = value_of(inner, row)
            # one code point for one
            return None if text is None else "".join(one.lower()[0] for one in text)
        case Arithmetic(op, left, right):
            one, other = number_of(left, row), number_of(right, row)
            if one is None or other is None or (op == "/" and other == 0):
                return None
            return {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}[op](one, other)


def number_of(operand: Operand, row: Mapping[str, Any]) -> float | None:
    """A number that takes part in arithmetic; one of a row is unknown where engines could leave the doubles."""
    value = value_of(operand, row)
    far = isinstance(operand, Column) and value and not 1e-20 <= abs(value) <= 1e20
    return None if value is None or far else float(value)


def expression(pattern: str) -> re.Pattern[str]:
    """A LIKE pattern as a regular expression."""
    parts = re.findall(r"\\.|.", pattern, re.S)
    joined = "".join({"%": ".*", "_": "."}.get(part, re.escape(part[-1])) for part in parts)
    return re.compile(joined, re.S)


def box_of(row: Mapping[str, Any], property: str) -> tuple[float, float, float, float]:
    """The bounding box of a region."""
    x0, y0, x1, y1 = (row[f"{property}_{part}"] for part in ("x0", "y0", "x1", "y1"))
    return x0, y0, x1, y1
