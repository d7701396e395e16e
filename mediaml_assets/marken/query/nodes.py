"""A filter that was checked: a tree of conditions over typed columns, which any engine can be asked.

Three-valued, as SQL is: a condition over a property that a row has not is unknown, and a row is found when the whole
filter is true.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mediaml_assets.marken.schema import Kind

Comparison = Literal["=", "<>", "<", "<=", ">", ">="]
"""How two operands are compared."""


@dataclass(frozen=True)
class Column:
    """A column of the canonical rows; `property` says what it is a part of, for messages."""

    name: str
    kind: Kind
    property: str


@dataclass(frozen=True)
class Value:
    """A literal; becomes a bound parameter. A time goes with the column `created`, whose kind is string."""

    value: str | float | int | bool | datetime


@dataclass(frozen=True)
class Arithmetic:
    """Two numbers combined, as doubles.

    Unknown when divided by 0, or when a column's number is neither 0 nor of a magnitude in [1e-20, 1e20]: at most 8
    of them, as a filter may have, then stay within doubles.
    """

    op: Literal["+", "-", "*", "/"]
    left: "Operand"
    right: "Operand"


@dataclass(frozen=True)
class CaseFolded:
    """A string without regard to case: Unicode's simple lower case, one code point for one. Never of a `Value`."""

    operand: "Operand"


Operand = Column | Value | Arithmetic | CaseFolded


@dataclass(frozen=True)
class And:
    """All of them."""

    nodes: tuple["Node", ...]


@dataclass(frozen=True)
class Or:
    """Any of them."""

    nodes: tuple["Node", ...]


@dataclass(frozen=True)
class Not:
    """The contrary; unknown stays unknown."""

    node: "Node"


@dataclass(frozen=True)
class Always:
    """True or false for every row."""

    value: bool


@dataclass(frozen=True)
class Compare:
    """Two operands of one kind."""

    op: Comparison
    left: Operand
    right: Operand


@dataclass(frozen=True)
class OneOf:
    """A value among values of one type, at least one."""

    operand: Operand
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Like:
    """A string like a pattern: % any run, _ any character, backslash takes the next as it is."""

    operand: Operand
    pattern: str


@dataclass(frozen=True)
class IsNull:
    """Whether a row lacks it."""

    column: Column


@dataclass(frozen=True)
class HasAny:
    """Whether a column of strings (or stems) has any, or all, of some."""

    column: Column
    values: tuple[str, ...]
    all: bool = False


@dataclass(frozen=True)
class HasOnly:
    """Whether a column of strings has nothing but these."""

    column: Column
    values: tuple[str, ...]


@dataclass(frozen=True)
class HasRun:
    """Whether stems stand one after the other in a column of stems."""

    column: Column
    stems: tuple[str, ...]


Node = And | Or | Not | Always | Compare | OneOf | Like | IsNull | HasAny | HasOnly | HasRun
"""Time relations are comparisons of start and end columns. Regions: comparisons of box columns, and for what is no box
`OneOf` the WKTs that shapely says it holds for. MATCH: `HasAny` of the stems near each word, and `HasRun` of a phrase.
`title = x` asks title and other title."""
