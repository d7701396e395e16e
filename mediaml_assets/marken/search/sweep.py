"""Ranges of one title in which several parts hold at once; every range is half-open, [start, end) in seconds."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

Span = tuple[float, float]


class Member(NamedTuple):
    """A range that makes a part hold."""

    start: float
    end: float
    id: str
    score: float | None = None


def common(parts: Sequence[Sequence[Member]]) -> Iterator[tuple[float, float, list[list[Member]]]]:
    """The maximal ranges in which every part holds: start, end, and of each part the members that meet the range.

    A part holds wherever one of its members does, so members that overlap or touch hold together. Ranges and members
    come by start, then by end and id.
    """
    sorted_parts = [sorted(part, key=lambda one: (one.start, one.end, one.id)) for part in parts]
    found = _merged(sorted_parts[0])
    for part in sorted_parts[1:]:
        found = _intersected(found, _merged(part))
    starts = [[one.start for one in part] for part in sorted_parts]
    # the latest end so far tells where members that reach into a range can begin
    reach = [list(accumulate((one.end for one in part), max)) for part in sorted_parts]
    for start, end in found:
        members = [
            [one for one in part[bisect_right(reaches, start) : bisect_left(begins, end)] if one.end > start]
            for part, begins, reaches in zip(sorted_parts, starts, reach, strict=True)
        ]
        yield start, end, members


def _merged(members: Sequence[Member]) -> list[Span]:
    """Where any of some members, sorted by start, holds."""
    spans: list[Span] = []
    for one in members:
        if spans and one.start <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], one.end)
        else:
            spans.append((one.start, one.end))
    return spans


def _intersected(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """Where both hold; each is disjoint and sorted."""
    found, i, j = [], 0, 0
    while i < len(one) and j < len(other):
        start, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if start < end:
            found.append((start, end))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return found
