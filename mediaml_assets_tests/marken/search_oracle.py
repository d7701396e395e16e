"""What a search means, in plain Python over all annotations in their JSON form: the truth that engines must meet.

A query here names types with their versions. Knows no engine, no rows and no compiled filter: filters are asked of
`oracle.truth`, likeness is added up by `fsum`, and ranges in which several parts hold are put together from the pieces
between all their bounds.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cmp_to_key
from itertools import pairwise
from typing import Any

from mediaml_assets_tests.marken.oracle import Annotation, truth

Query = Mapping[str, Any]
Scored = tuple[Annotation, float | None]


def hits(query: Query, annotations: Iterable[Annotation]) -> list[Scored]:
    """Every hit of a search without `collapse` and `within`, in order, with its score; `limit` is not looked at."""
    found = _found(query, annotations)
    return _sorted(found, query.get("sort") or ([{"score": "desc"}] if query.get("nearest") else []))


def groups(query: Query, annotations: Iterable[Annotation]) -> list[tuple[Any, list[Scored]]]:
    """Every group of a search with `collapse`, in order: its value, and as many of its hits as are asked for."""
    found: dict[Any, list[Scored]] = {}
    for one in hits(query, annotations):
        found.setdefault(_value(query["collapse"]["field"], *one), []).append(one)
    size = query["collapse"].get("inner_hits", {}).get("size", 1)
    return [(value, members[:size]) for value, members in found.items()]


def ranges(query: Query, annotations: Sequence[Annotation]) -> list[dict[str, Any]]:
    """Every range of a search with `within`, by title and start."""
    parts = []
    for part in query["within"]["parts"]:
        timed = [one for one in annotations if "time" in one["properties"]]
        found = _found(part | {"titles": query.get("titles")}, timed)
        if near := part.get("nearest"):
            if "k" in near and query.get("titles") is not None:
                found = [one for one in found if one[0]["title"] in query["titles"]]
            found = _sorted(found, [{"score": "desc"}])
            found = found[: near["k"]] if "k" in near else [one for one in found if one[1] >= near["min_score"]]
        parts.append(found)
    titles = {one["title"] for part in parts for one, _ in part}
    if query.get("titles") is not None:
        titles &= set(query["titles"])
    found_ranges = []
    for title in sorted(titles):
        mine = [[(one, score) for one, score in part if one["title"] == title] for part in parts]
        found_ranges += _together(title, mine)
    return found_ranges


def _together(title: str, parts: Sequence[Sequence[Scored]]) -> Iterable[dict[str, Any]]:
    bounds = sorted({end for part in parts for one, _ in part for end in _span(one)})
    pieces: list[list[float]] = []
    for start, end in pairwise(bounds):
        if all(any(_meets(one, start, end) for one, _ in part) for part in parts):
            if pieces and pieces[-1][1] == start:
                pieces[-1][1] = end
            else:
                pieces.append([start, end])
    for start, end in pieces:
        members = [[scored for scored in part if _meets(scored[0], start, end)] for part in parts]
        best = [max(score for _, score in part) for part in members if part[0][1] is not None]
        yield {
            "title": title,
            "start": start,
            "end": end,
            "members": [{one["id"] for one, _ in part} for part in members],
            "score": min(best) if best else None,
        }


def _span(one: Annotation) -> tuple[float, float]:
    return one["properties"]["time"]["start"], one["properties"]["time"]["end"]


def _meets(one: Annotation, start: float, end: float) -> bool:
    return _span(one)[0] < end and start < _span(one)[1]


def _found(query: Query, annotations: Iterable[Annotation]) -> list[Scored]:
    kept: list[Scored] = []
    near = query.get("nearest")
    for one in annotations:
        if f"{one['type']}@{one['type_version']}" not in query["types"]:
            continue
        if query.get("titles") is not None and not {one["title"], one.get("other_title")} & set(query["titles"]):
            continue
        if query.get("filter") is not None and truth(query["filter"], one) is not True:
            continue
        if near is None:
            kept.append((one, None))
        elif (vector := one["properties"].get(near["field"])) is not None:
            kept.append((one, cosine(vector, near["to"]["vector"])))
    return kept


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Likeness of two vectors."""
    product = math.fsum(a * b for a, b in zip(one, other, strict=True))
    return product / math.sqrt(math.fsum(a * a for a in one) * math.fsum(b * b for b in other))


def _sorted(found: Iterable[Scored], sort: Sequence[Mapping[str, str]]) -> list[Scored]:
    keys = [next(iter(key.items())) for key in sort]
    keys += [(name, "asc") for name in ("id", "version", "type", "type_version", "scope")]

    def compare(one: Scored, other: Scored) -> int:
        for name, direction in keys:
            a, b = _value(name, *one), _value(name, *other)
            if a == b or (name == "score" and math.isclose(a, b, rel_tol=0, abs_tol=1e-12)):
                continue
            if a is None or b is None:
                return 1 if a is None else -1
            return (1 if a > b else -1) * (-1 if direction == "desc" else 1)
        return 0

    return sorted(found, key=cmp_to_key(compare))


def _value(name: str, one: Annotation, score: float | None) -> Any:
    if name == "score":
        return score
    if name in ("entity_kind", "entity_id"):
        return one["entity"][name.removeprefix("entity_")]
    if name in one["properties"]:
        return one["properties"][name]
    name = f"time_{name}" if name in ("start", "end") else name
    if name.endswith(("_start", "_end")):
        range, _, part = name.rpartition("_")
        return one["properties"].get(range, {}).get(part)
    return datetime.fromisoformat(one[name]) if name == "created" else one.get(name)
