"""Range intersection: where in each title every one of several parts holds.

As Netflix does it ("Scalable Annotation Service - Marken", 2023): each part is searched by itself, and the time ranges
of what it found are intersected, title by title.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cmp_to_key
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.errors import QueryRefused
from mediaml_assets.marken.engine import Nearest, Order, Selection
from mediaml_assets.marken.query.nodes import And, Column, IsNull, Node, Not, OneOf, Value
from mediaml_assets.marken.schema import AnnotationType, Kind
from mediaml_assets.marken.search.envelope import NearFew
from mediaml_assets.marken.search.order import LAST
from mediaml_assets.marken.search.sweep import Member, common

KEYS = {"title": pa.string(), "start": pa.float64(), "end": pa.float64(), "score": pa.float64()}
"""What ranges can be sorted by."""
TIME = "time"
"""The property whose ranges are intersected: on the clock of the annotation's title."""
_TIMED = Not(IsNull(Column(f"{TIME}_start", Kind.NUMBER, TIME)))


def order_of(sort: Sequence[Mapping[str, str]], scored: bool) -> list[Order]:
    """The keys of ranges; title and start are the last.

    Raises:
        QueryRefused: ranges have no such key, or there is no score without a part that has `nearest`.
    """
    keys = []
    for at, key in enumerate(sort):
        [(name, direction)] = key.items()
        if name not in KEYS or (name == "score" and not scored):
            known = ", ".join(one for one in KEYS if scored or one != "score")
            raise QueryRefused(f"sort[{at}].{name}: ranges are sorted by {known}", f"sort[{at}].{name}")
        keys.append(Order(name, direction == "desc"))
    return [*keys, Order("title"), Order("start")]


def selection_of(
    types: Sequence[AnnotationType],
    where: Node | None,
    nearest: Nearest | None,
    k: int | None,
    titles: Sequence[str] | None,
    place: str,
) -> Selection:
    """The annotations of a part that have a time, all or the `k` nearest.

    Raises:
        QueryRefused: none of its types, at `place`, can have a time.
    """
    if not any(one.properties[TIME].kind is Kind.TIME_RANGE for one in types if TIME in one.properties):
        raise QueryRefused(f"{place}: none of them has a {TIME}: name types that do", place)
    held: list[Node] = [_TIMED] if where is None else [_TIMED, where]
    if k and titles:
        # a pair is selected by its other title too, has no range there, and must not be one of so many
        held.append(OneOf(Column("title", Kind.STRING, "title"), tuple(map(Value, titles))))
    return Selection(
        types=types,
        columns=["id", "title", f"{TIME}_start", f"{TIME}_end", *(["score"] if nearest else [])],
        where=And(tuple(held)),
        titles=titles,
        nearest=nearest,
        # the order matters where only so many are wanted
        order=[Order("score", descending=True), *LAST] if k else [],
        limit=k,
    )


def near_enough(rows: pa.Table, asked: NearFew | None) -> pa.Table:
    """The rows whose score is at least what a part asks for."""
    if asked is None or asked.min_score is None:
        return rows
    return rows.filter(pc.greater_equal(rows["score"], asked.min_score))


def ranges(parts: Sequence[pa.Table], titles: Sequence[str] | None, order: Sequence[Order]) -> list[dict[str, Any]]:
    """The maximal ranges in which all parts hold, in order.

    Args:
        parts: rows of each part, as `selection_of` has them.
        titles: only of these; an annotation of a pair has the clock of its first title alone.
        order: of `order_of`.

    Returns:
        title, start, end (seconds, half-open), members (ids for each part, by their start) and, where parts have
        scores, score: of each such part its best member's, and of these the least.
    """
    shared = set.intersection(*(set(rows["title"].unique().to_pylist()) for rows in parts))
    wanted = pa.array(sorted(shared if titles is None else shared & set(titles)), pa.string())
    members = [_by_title(rows.filter(pc.is_in(rows["title"], wanted))) for rows in parts]
    found = [one for title in wanted.to_pylist() for one in _of_title(title, [part[title] for part in members])]
    descending = [one.descending for one in order]
    found.sort(key=cmp_to_key(lambda one, other: _compared(keys(one, order), keys(other, order), descending)))
    return found


def after(found: Sequence[dict[str, Any]], place: Sequence[Any], order: Sequence[Order]) -> list[dict[str, Any]]:
    """The ranges after a place in the order."""
    descending = [one.descending for one in order]
    return [one for one in found if _compared(keys(one, order), place, descending) > 0]


def keys(one: Mapping[str, Any], order: Sequence[Order]) -> list[Any]:
    """Where a range stands in an order."""
    return [one[key.column] for key in order]


def _compared(one: Sequence[Any], other: Sequence[Any], descending: Sequence[bool]) -> int:
    """Below, at or above 0 as the one comes before, with or after the other; nothing here is null."""
    for a, b, down in zip(one, other, descending, strict=True):
        if a != b:
            return 1 if (a > b) != down else -1
    return 0


def _by_title(rows: pa.Table) -> dict[str, list[Member]]:
    scores = rows["score"].to_pylist() if "score" in rows.column_names else [None] * rows.num_rows
    columns = (rows[name].to_pylist() for name in ("title", f"{TIME}_start", f"{TIME}_end", "id"))
    found: dict[str, list[Member]] = {}
    for title, start, end, id, score in zip(*columns, scores, strict=True):
        found.setdefault(title, []).append(Member(start, end, id, score))
    return found


def _of_title(title: str, parts: Sequence[Sequence[Member]]) -> Iterator[dict[str, Any]]:
    for start, end, members in common(parts):
        one: dict[str, Any] = {"title": title, "start": start, "end": end}
        best = [max(m.score for m in part if m.score is not None) for part in members if part[0].score is not None]
        if best:
            one["score"] = min(best)
        # one id may stand for annotations of several types
        yield one | {"members": [list(dict.fromkeys(member.id for member in part)) for part in members]}
