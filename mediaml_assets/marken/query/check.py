"""The way from a filter to a condition that engines can be asked: `compiled`."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from mediaml_assets.marken.engine import Snapshot
from mediaml_assets.marken.query import fulltext, lists, scalars, space, time
from mediaml_assets.marken.query.asking import Asking
from mediaml_assets.marken.query.nodes import Always, And, Compare, Node, Not, Or, Value
from mediaml_assets.marken.query.parse import parsed
from mediaml_assets.marken.query.source import Path
from mediaml_assets.marken.regions import RELATIONS
from mediaml_assets.marken.schema import AnnotationType, Kind

CONDITIONS = (
    *("and", "or", "not", *scalars.COMPARISONS, "between", "in", "like", "isnull"),
    *(*time.RELATIONS, "t_disjoint", *RELATIONS, *lists.RELATIONS, "match"),
)
"""Operators and functions that are true or false."""
_VALUES = ("casei", "iou", "frames", "interval", "bbox")


def compiled(
    filter: str | Mapping[str, Any] | bool | None, types: Sequence[AnnotationType], snapshot: Snapshot
) -> Node | None:
    """What a filter asks of the canonical rows of some types; None when there is no filter.

    Args:
        filter: CQL2, text or JSON, of the profile that the docs describe.
        types: the searched ones. A property need not be of each; it is null in those that have it not.
        snapshot: what is searched: MATCH asks for its words, and conditions on regions for those that are near.

    Raises:
        QueryRefused: it cannot be understood; points at the place.
    """
    if filter is None:
        return None
    source = parsed(filter)
    return _condition(source.tree, (), Asking(source, types, snapshot))


def _condition(tree: Any, path: Path, asking: Asking) -> Node:
    if isinstance(tree, bool):
        return Always(tree)
    column = asking.column(tree, path)
    if column is not None:
        if column.kind is not Kind.BOOLEAN:
            raise asking.refusal(path, f"{column.name!r} is of kind {column.kind}, neither true nor false; compare it.")
        return Compare("=", column, Value(True))
    op, args = asking.operation(tree, path)
    match op:
        case "and" | "or":
            if not args:
                raise asking.refusal(path, f"{op.upper()} needs conditions.")
            nodes = tuple(_condition(one, (*path, "args", number), asking) for number, one in enumerate(args))
            return And(nodes) if op == "and" else Or(nodes)
        case "not":
            asking.arguments(op, args, path, 1)
            return Not(_condition(args[0], (*path, "args", 0), asking))
        case _ if op in scalars.COMPARISONS:
            if any(map(space.is_iou, args)):
                return space.compared_iou(op, args, path, asking)
            return scalars.compared(op, args, path, asking)
        case "between":
            return scalars.between(args, path, asking)
        case "in":
            return scalars.one_of(args, path, asking)
        case "like":
            return scalars.like(args, path, asking)
        case "isnull":
            return scalars.is_null(args, path, asking)
        case _ if op == "t_disjoint" or op in time.RELATIONS:
            return time.related(op, args, path, asking)
        case _ if op in RELATIONS:
            return space.related(op, args, path, asking)
        case _ if op in lists.RELATIONS:
            return lists.related(op, args, path, asking)
        case "match":
            return fulltext.matched(args, path, asking)
    raise _unknown(op, path, asking)


def _unknown(op: str, path: Path, asking: Asking) -> Exception:
    if op in _VALUES or op in scalars.ARITHMETIC:
        return asking.refusal(path, f"{op.upper()} is a value, which is neither true nor false; compare it.")
    op = op[:60]
    near = difflib.get_close_matches(op, CONDITIONS, 1, 0.6)
    hint = f"did you mean {near[0].upper()}?" if near else "the docs list those of the profile."
    return asking.refusal(path, f"There is no condition {op.upper()!r}; {hint}")
