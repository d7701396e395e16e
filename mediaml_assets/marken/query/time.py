"""Relations of time ranges: Allen's thirteen (J. F. Allen, CACM 26:11, 1983) and the two that CQL2 adds.

Ranges are half-open, [a, b). So exactly one of the thirteen holds of two ranges, and ranges that meet share no instant:
T_INTERSECTS is false for them and T_DISJOINT true. An open end, '..', lies beyond everything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from mediaml_assets.marken.query.asking import Asking
from mediaml_assets.marken.query.nodes import And, Column, Compare, Comparison, Node, Not, Operand, Value
from mediaml_assets.marken.query.source import Path
from mediaml_assets.marken.schema import Kind


@dataclass(frozen=True)
class _Range:
    start: Operand
    end: Operand
    unit: str
    """seconds or frames; empty for a property, which has seconds always and frames if it was given so."""


RELATIONS: Mapping[str, tuple[str, ...]] = {
    # of [a, b) to [c, d)
    "t_before": ("b<c",),
    "t_after": ("a>d",),
    "t_meets": ("b=c",),
    "t_metby": ("a=d",),
    "t_overlaps": ("a<c", "b>c", "b<d"),
    "t_overlappedby": ("a>c", "a<d", "b>d"),
    "t_starts": ("a=c", "b<d"),
    "t_startedby": ("a=c", "b>d"),
    "t_during": ("a>c", "b<d"),
    "t_contains": ("a<c", "b>d"),
    "t_finishes": ("a>c", "b=d"),
    "t_finishedby": ("a<c", "b=d"),
    "t_equals": ("a=c", "b=d"),
    "t_intersects": ("a<d", "b>c"),
}
"""All of the comparisons; T_DISJOINT is the contrary of T_INTERSECTS."""


def related(op: str, args: Sequence[Any], path: Path, asking: Asking) -> Node:
    """One of the fifteen, between time ranges: properties, INTERVAL(a, b) in seconds or FRAMES(a, b)."""
    asking.arguments(op, args, path, 2)
    if op == "t_disjoint":
        return Not(related("t_intersects", args, path, asking))
    one, other = (_range(tree, (*path, "args", number), asking) for number, tree in enumerate(args))
    if {one.unit, other.unit} == {"seconds", "frames"}:
        raise asking.refusal(
            (*path, "args", 1), "INTERVAL counts seconds and FRAMES frames; compare either with itself."
        )
    if "frames" in (one.unit, other.unit):
        one, other = _in_frames(one), _in_frames(other)
    ends = {"a": one.start, "b": one.end, "c": other.start, "d": other.end}
    compared = [Compare(cast(Comparison, said[1]), ends[said[0]], ends[said[2]]) for said in RELATIONS[op]]
    return compared[0] if len(compared) == 1 else And(tuple(compared))


def _range(tree: Any, path: Path, asking: Asking) -> _Range:
    column = asking.column(tree, path)
    if column is not None:
        if column.kind is not Kind.TIME_RANGE:
            raise asking.refusal(path, f"T_ functions take time ranges; {column.name!r} is of kind {column.kind}.")
        return _Range(_end(column.name, "start"), _end(column.name, "end"), "")
    if isinstance(tree, Mapping) and "interval" in tree:
        return _Range(*_ends(tree["interval"], (*path, "interval"), asking, "seconds"), "seconds")
    if isinstance(tree, Mapping) and str(tree.get("op")).lower() == "frames":
        return _Range(*_ends(asking.operation(tree, path)[1], (*path, "args"), asking, "frames"), "frames")
    message = "T_ functions take a time range property, INTERVAL(a, b) in seconds or FRAMES(a, b)"
    raise asking.refusal(path, f"{message}; `created` is compared with <, = and >.")


def _ends(args: Any, path: Path, asking: Asking, unit: str) -> tuple[Value, Value]:
    if not isinstance(args, Sequence) or isinstance(args, str) or len(args) != 2:
        raise asking.refusal(path, "A range has a start and an end.")
    ends = []
    for number, (tree, endless) in enumerate(zip(args, (float("-inf"), float("inf")), strict=True)):
        end = endless if tree == ".." else asking.number(tree, (*path, number), f"An end in {unit}, or '..'")
        if unit == "frames" and tree != "..":
            if not end.is_integer():
                raise asking.refusal((*path, number), f"Frames are whole; {end} is none.")
            ends.append(Value(int(end)))
        else:
            ends.append(Value(end))
    if not ends[0].value < ends[1].value:  # type: ignore[operator]
        raise asking.refusal((*path, 0), "A range starts before it ends: [a, b) with a < b.")
    return ends[0], ends[1]


def _end(name: str, part: str) -> Column:
    return Column(f"{name}_{part}", Kind.INTEGER if part.endswith("frame") else Kind.NUMBER, name)


def _in_frames(range: _Range) -> _Range:
    if not isinstance(range.start, Column):
        return range
    name = range.start.property
    return _Range(_end(name, "start_frame"), _end(name, "end_frame"), "frames")
