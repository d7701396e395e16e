"""Conditions as SQL with bound parameters, in the two dialects that engines speak.

Nothing of a query ever becomes SQL text: literals are parameters, and columns come from the engine's own function.
The text follows three-valued logic as SQL has it; both dialects write lists, ranges and casts alike.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
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
from mediaml_assets.marken.schema import Kind

SMALLEST, LARGEST = 1e-20, 1e20
"""Numbers of a column take part in arithmetic when they are 0 or of this magnitude, else the result is unknown: so no
engine meets an overflow, which each of them answers in its own way."""


@dataclass(frozen=True)
class Dialect:
    """What differs between the two."""

    placeholder: str
    """Of a bound parameter."""
    by_code_points: str
    """Follows a string, to have it ordered by code points."""
    fold_by: str
    """Follows a string, to have `lower` use Unicode's simple mapping, one code point for one."""


DUCKDB = Dialect("?", "", "")
POSTGRES = Dialect("%s", ' COLLATE "C"', ' COLLATE "pg_c_utf8"')
"""For psycopg: the text holds no other percent sign."""


@dataclass(frozen=True)
class Sql:
    """A boolean expression and the values of its placeholders, in order."""

    text: str
    parameters: Sequence[Any]


def render(
    node: Node,
    dialect: Dialect,
    column: Callable[[Column], str],
    lists: Callable[[HasAny | HasOnly | HasRun], str] | None = None,
) -> Sql:
    """A node as a boolean expression; `column` writes a column of the canonical rows as the engine's SQL has it.

    An engine that keeps lists in another way writes conditions on them itself, by `lists`.
    """
    writer = _Writer(dialect, column, lists)
    return Sql(writer.node(node), tuple(writer.parameters))


class _Writer:
    """Writes from left to right, so that parameters fall in order."""

    def __init__(
        self,
        dialect: Dialect,
        column: Callable[[Column], str],
        lists: Callable[[HasAny | HasOnly | HasRun], str] | None,
    ) -> None:
        self.dialect, self.column, self.lists = dialect, column, lists
        self.parameters: list[Any] = []

    def node(self, node: Node) -> str:
        match node:
            case And(nodes) | Or(nodes):
                word = " AND " if isinstance(node, And) else " OR "
                return "(" + word.join(self.node(one) for one in nodes) + ")"
            case Not(inner):
                return f"(NOT {self.node(inner)})"
            case Always(value):
                return "TRUE" if value else "FALSE"
            case Compare(op, left, right):
                ordered = op not in ("=", "<>") and _is_text(left)
                order = self.dialect.by_code_points if ordered else ""
                return f"({self.operand(left)}{order} {op} {self.operand(right)}{order})"
            case OneOf(operand, values):
                kind = _sql_type(values[0].value)
                return f"({self.operand(operand)} = ANY({self.bind([one.value for one in values], kind + '[]')}))"
            case Like(operand, pattern):
                return f"({self.operand(operand)} LIKE {self.bind(pattern, 'TEXT')} ESCAPE '\\')"
            case IsNull(column):
                return f"({self.column(column)} IS NULL)"
            case HasAny() | HasOnly() | HasRun() if self.lists is not None:
                return self.lists(node)
            case HasAny(column, strings, every):
                return f"({self.column(column)} {'@>' if every else '&&'} {self.bind(list(strings), 'TEXT[]')})"
            case HasOnly(column, strings):
                return f"({self.column(column)} <@ {self.bind(list(strings), 'TEXT[]')})"
            case HasRun(column, stems):
                run = self.bind(f" {' '.join(stems)} ", "TEXT")
                return f"(strpos(' ' || array_to_string({self.column(column)}, ' ') || ' ', {run}) > 0)"

    def operand(self, operand: Operand) -> str:
        match operand:
            case Column():
                return self.column(operand)
            case Value(value):
                return self.bind(value, _sql_type(value))
            case CaseFolded(inner):
                return f"lower({self.operand(inner)}{self.dialect.fold_by})"
            case Arithmetic(op, left, right):
                first, second = self.number(left), self.number(right)
                return f"({first} {op} nullif({second}, 0))" if op == "/" else f"({first} {op} {second})"

    def number(self, operand: Operand) -> str:
        """A double that takes part in arithmetic."""
        if not isinstance(operand, Column):
            return f"CAST({self.operand(operand)} AS DOUBLE PRECISION)"
        # cast first: the least of all integers has no magnitude among integers
        number = f"CAST({self.column(operand)} AS DOUBLE PRECISION)"
        return f"CASE WHEN {number} = 0 OR abs({number}) BETWEEN {SMALLEST} AND {LARGEST} THEN {number} END"

    def bind(self, value: Any, kind: str) -> str:
        self.parameters.append(value)
        return f"CAST({self.dialect.placeholder} AS {kind})"


def _sql_type(value: Any) -> str:
    """What a parameter is cast to, so that no engine guesses; `bool` before `int`, which it is a kind of."""
    names = {bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE PRECISION", str: "TEXT", datetime: "TIMESTAMPTZ"}
    return names[type(value)]


def _is_text(operand: Operand) -> bool:
    if isinstance(operand, Column):
        return operand.kind in (Kind.STRING, Kind.TEXT) and operand.name != "created"
    return isinstance(operand, CaseFolded) or (isinstance(operand, Value) and isinstance(operand.value, str))
