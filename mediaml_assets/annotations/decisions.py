"""What people decided about pairs of shots: said once, kept for ever, and found again after new shot boundaries.

decide(marken, pair, "rejected", by="ann")      a version more of ann's decision on that pair; nobody else's changes
decided(marken, films)                          everybody's newest decision, and which shots of now it is about
rejected(marken, films)                         the pairs that nobody wants to see, as `match_cuts` is configured
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.annotations.facts import Facts, Film
from mediaml_assets.annotations.pairs import attached, pair_ids
from mediaml_assets.annotations.rows import joined
from mediaml_assets.annotations.types import EDITOR_DECISION, PAIR
from mediaml_assets.errors import AnnotationRefused, NotKept
from mediaml_assets.marken.annotation import Annotation
from mediaml_assets.marken.engine import Selection
from mediaml_assets.marken.marken import Marken

VERDICTS = ("accepted", "rejected", "undecided")

_COLUMNS = (
    "id", "version", "by", "created", "entity_id", "verdict", "note", "title", "other_title",
    *(f"{side}{one}" for side in ("", "other_") for one in ("essence", "source_time_start", "source_time_end")),
)  # fmt: skip


class Appends(Protocol):
    """A Marken, here or over HTTP."""

    def append(self, type: str, batch: Sequence[Mapping[str, Any]], by: str) -> Sequence[Annotation]:
        """Add to a log."""
        ...


def decide(marken: Appends, pair: Mapping[str, Any], verdict: str, by: str, note: str | None = None) -> Annotation:
    """Record what a person says of a pair; an earlier decision of the same person on it stays as an earlier version.

    Args:
        marken: where it is kept: a `Marken`, or a `MarkenClient` of a service.
        pair: a `MATCH_CUT_PAIR` in its JSON form, as a search gives it, or what `pair_of` makes.
        verdict: "accepted", "rejected" or "undecided", which takes back the one before.
        by: the person.
        note: what else is said.

    Raises:
        AnnotationRefused: there is no such verdict, or that is no pair.
    """
    if verdict not in VERDICTS:
        raise AnnotationRefused(f"{verdict!r} is no verdict on a pair; it is one of {', '.join(VERDICTS)}", "verdict")
    names = {"time", *(one.name for one in PAIR.properties)}
    said = {name: value for name, value in pair.get("properties", {}).items() if name in names and value is not None}
    about = {name: pair[name] for name in ("title", "other_title", "entity") if name in pair}
    noted = {} if note is None else {"note": note}
    [kept] = marken.append(EDITOR_DECISION.name, [{**about, "properties": {**said, **noted, "verdict": verdict}}], by)
    return kept


def pair_of(facts: Facts, tail: tuple[str, int], head: tuple[str, int]) -> dict[str, Any]:
    """The cut from one shot to another (titles and shot indices of now), to be decided about.

    Raises:
        NotKept: a title is being made again, or has no such shot.
    """
    (title, shot), (other_title, other_shot) = tail, head
    ends = {"": _end(facts.film(title), shot), "other_": _end(facts.film(other_title), other_shot)}
    properties = {f"{side}{name}": value for side, end in ends.items() for name, value in end.items()}
    identity = []
    for side in ends:
        source = properties[f"{side}source_time"]
        values = (properties[f"{side}essence"], float(source["start"]), float(source["end"]))
        identity += [pa.array([value]) for value in values]
    entity = {"kind": "pair", "id": pair_ids(*identity)[0].as_py()}
    return {"title": title, "other_title": other_title, "entity": entity, "properties": properties}


def _end(film: Film, shot: int) -> dict[str, Any]:
    """What a pair says of one of its shots."""
    [place] = np.flatnonzero(film.index == shot).tolist() or [-1]
    if place < 0:
        raise NotKept(f"{film.title} has no shot {shot}; it has {len(film.index)}")
    return {
        "shot": shot,
        "time": {"start_frame": int(film.start[place]), "end_frame": int(film.end[place]), "rate": str(film.rate)},
        "essence": film.essence,
        "source_time": {"start": float(film.source_start[place]), "end": float(film.source_end[place])},
    }


def decided(marken: Marken, films: Sequence[Film]) -> pa.Table:
    """The newest decision of every person on every pair.

    Args:
        marken: where decisions are.
        films: the titles of now, see `facts.present_films`.

    Returns:
        A row a decision, the oldest first: `id`, `version`, `by`, `created`, `entity_id`, `verdict`, `note`, `title`
        and `other_title` as they were called; and `now`, the pair as "title:shot title:shot", null when it is orphaned.
        A person who decided before and after new boundaries has decided twice about one pair; the later one counts.
    """
    types = list(marken.types.searched(EDITOR_DECISION.name))
    found = marken.engine.snapshot().select(Selection(types, list(_COLUMNS))).sort_by("created")
    where = attached(found, films)
    now = joined(where.title, ":", pa.array(where.shot), " ", where.other_title, ":", pa.array(where.other_shot))
    now = pc.if_else(pa.array(where.orphaned), pa.scalar(None, pa.string()), now)
    table = found.append_column("now", now).select([*_COLUMNS[:9], "now"])
    whose = joined(pc.coalesce(now, joined("orphan ", found.column("id"))), "\n", found.column("by"))
    last = dict(zip(whose.to_pylist(), range(table.num_rows), strict=True))
    return table.take(pa.array(sorted(last.values()), pa.int64()))


def orphaned(marken: Marken, films: Sequence[Film]) -> pa.Table:
    """The decisions of `decided` whose pair is not there any more: a film or a shot of it is another one by now."""
    found = decided(marken, films)
    return found.filter(pc.is_null(found.column("now")))


def rejected(marken: Marken, films: Sequence[Film]) -> tuple[str, ...]:
    """The pairs that somebody rejected and nobody accepts, each as "title:shot title:shot", sorted.

    What `[features.match_cuts] rejected` takes; the reverse of a pair is another one.
    """
    found = decided(marken, films)
    said = {
        verdict: set(found.filter(pc.equal(found.column("verdict"), verdict)).column("now").drop_null().to_pylist())
        for verdict in VERDICTS
    }
    return tuple(sorted(said["rejected"] - said["accepted"]))
