"""Relations of a list of strings to a literal list: each string counts once, and in no order."""

from collections.abc import Sequence
from typing import Any

from mediaml_assets.marken.query.asking import Asking
from mediaml_assets.marken.query.nodes import And, Column, HasAny, HasOnly, Node
from mediaml_assets.marken.query.source import Path
from mediaml_assets.marken.schema import Kind

RELATIONS = ("a_contains", "a_containedby", "a_overlaps", "a_equals")
_TURNED = {"a_contains": "a_containedby", "a_containedby": "a_contains"}


def related(op: str, args: Sequence[Any], path: Path, asking: Asking) -> Node:
    """A_CONTAINS, A_CONTAINEDBY, A_OVERLAPS or A_EQUALS of a property and a literal list, either first."""
    asking.arguments(op, args, path, 2)
    places = [(*path, "args", number) for number in range(2)]
    columns = [asking.column(tree, place) for tree, place in zip(args, places, strict=True)]
    for column, place in zip(columns, places, strict=True):
        if column is not None and column.kind is not Kind.STRINGS:
            raise asking.refusal(
                place, f"{op.upper()} takes a list of strings; {column.name!r} is of kind {column.kind}."
            )
    if (columns[0] is None) == (columns[1] is None):
        raise asking.refusal(
            places[1], f"{op.upper()} takes a property and a list such as ('a', 'b'); not two of one sort."
        )
    at = 0 if columns[0] is not None else 1
    column = columns[at]
    assert column is not None
    strings = _strings(args[1 - at], places[1 - at], asking)
    return _node(op if at == 0 else _TURNED.get(op, op), column, strings)


def _node(op: str, column: Column, strings: tuple[str, ...]) -> Node:
    match op:
        case "a_contains":
            return HasAny(column, strings, all=True)
        case "a_containedby":
            return HasOnly(column, strings)
        case "a_overlaps":
            return HasAny(column, strings)
        case _:
            return And((HasAny(column, strings, all=True), HasOnly(column, strings)))


def _strings(tree: Any, path: Path, asking: Asking) -> tuple[str, ...]:
    if not isinstance(tree, Sequence) or isinstance(tree, str):
        raise asking.refusal(path, "Here a list of strings is wanted, such as ('a', 'b').")
    return tuple(asking.string(one, (*path, number), "An item of the list") for number, one in enumerate(tree))
