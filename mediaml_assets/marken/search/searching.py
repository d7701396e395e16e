"""From a search to its answer."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from mediaml_assets.errors import QueryRefused, SchemaRefused
from mediaml_assets.marken.engine import Engine, Nearest, Per, Selection, Snapshot
from mediaml_assets.marken.query.nodes import Node
from mediaml_assets.marken.schema import AnnotationType
from mediaml_assets.marken.search import within
from mediaml_assets.marken.search.answer import Answer
from mediaml_assets.marken.search.collapse import grouped
from mediaml_assets.marken.search.cursor import Place, cursor_of, place_of
from mediaml_assets.marken.search.envelope import Held, Query, common_to_pages
from mediaml_assets.marken.search.explain import explained
from mediaml_assets.marken.search.fields import columns, hits_of, properties_of
from mediaml_assets.marken.search.nearest import Encoder, nearest_of
from mediaml_assets.marken.search.order import SCORE, after, order_of, scalar
from mediaml_assets.marken.types import Types

_TIME = re.compile(r"\d{4}-\d\d-\d\dT")


@dataclass(frozen=True)
class Search:
    """One search, under way."""

    query: Query
    engine: Engine
    types: Types
    encoders: Mapping[str, Encoder]

    def answer(self) -> Answer:
        """The page that was asked for.

        Raises:
            QueryRefused: what is asked cannot be understood; names the place.
            TitlesUnreachable: a server does not answer, and a partial answer was not asked for.
        """
        return self._ranges(self.query.within.parts) if self.query.within else self._hits()

    def _hits(self) -> Answer:
        query = self.query
        types = self._named(query.types or (), "types")
        properties = properties_of(query.fields, types)
        keys = order_of(query.sort, types, nearest=query.nearest is not None)
        order = [key for key, _ in keys]
        group = scalar(types, query.collapse.field, "collapse.field") if query.collapse else None
        place = self._place([kind for _, kind in keys])
        snapshot = self._snapshot(place)
        where, nearest = self._asked(query, types, snapshot, "")
        extra = [key.column for key in order] + ([group.name] if group else []) + ([SCORE] if nearest else [])
        shown, inner = columns(properties, extra), query.collapse.inner_hits.size if query.collapse else 1
        best = Selection(
            types=types,
            columns=list(dict.fromkeys(extra)) if inner > 1 else shown,
            where=where,
            titles=query.titles,
            nearest=nearest,
            order=order,
            after=after(place.keys) if place else None,
            per=Per(group.name, 1) if group else None,
            limit=query.limit + 1,
        )
        rows = snapshot.select(best)
        page, selections = rows.slice(0, query.limit), [best]
        last = [page[key.column][-1].as_py() for key in order] if rows.num_rows > query.limit else None
        inside = page
        if group and inner > 1 and page.num_rows:
            # the best hit of a group is the first of its hits
            among = Per(group.name, inner, page[group.name].to_pylist())
            selections.append(replace(best, columns=shown, after=None, per=among, limit=None))
            inside = snapshot.select(selections[-1])
        hits = hits_of(inside, types, properties)
        if group:
            hits = grouped(page[group.name].to_pylist(), hits, inside[group.name].to_pylist())
        return self._answer(hits, last, snapshot, [("", query, one) for one in selections])

    def _ranges(self, parts: Sequence[Held]) -> Answer:
        query = self.query
        order = within.order_of(query.sort, scored=any(part.nearest for part in parts))
        place = self._place([within.KEYS[key.column] for key in order])
        snapshot = self._snapshot(place)
        selections, tables = [], []
        for at, part in enumerate(parts):
            prefix = f"within.parts[{at}]."
            types = self._named(part.types, f"{prefix}types")
            where, nearest = self._asked(part, types, snapshot, prefix)
            k = part.nearest.k if part.nearest else None
            one = within.selection_of(types, where, nearest, k, query.titles, f"{prefix}types")
            selections.append((prefix, part, one))
            tables.append(within.near_enough(snapshot.select(one), part.nearest))
        found = within.ranges(tables, query.titles, order)
        if place:
            found = within.after(found, place.keys, order)
        page = found[: query.limit]
        last = within.keys(page[-1], order) if len(found) > query.limit else None
        return self._answer(page, last, snapshot, selections)

    def _answer(
        self,
        hits: Sequence[Mapping[str, Any]],
        last: Sequence[Any] | None,
        snapshot: Snapshot,
        selections: Sequence[tuple[str, Query | Held, Selection]],
    ) -> Answer:
        """A page; `last` are the keys of its last hit when there is another page."""
        place = Place(snapshot.moment, tuple(last)) if last else None
        return Answer(
            hits,
            snapshot.moment,
            cursor_of(place, common_to_pages(self.query)) if place else None,
            explained(snapshot, selections) if self.query.explain else None,
            snapshot.missing if self.query.partial else None,
        )

    def _named(self, names: Sequence[str], place: str) -> list[AnnotationType]:
        """The types that are searched, each once."""
        found: dict[tuple[str, int], AnnotationType] = {}
        for at, name in enumerate(names):
            try:
                found |= {(kind.name, kind.version): kind for kind in self.types.searched(name)}
            except SchemaRefused as unknown:
                raise QueryRefused(f"{place}[{at}]: {unknown}", f"{place}[{at}]") from None
        return list(found.values())

    def _place(self, kinds: Sequence[pa.DataType]) -> Place | None:
        """Where the page before ended."""
        cursor = self.query.cursor
        return None if cursor is None else place_of(cursor, common_to_pages(self.query), kinds)

    def _snapshot(self, place: Place | None) -> Snapshot:
        """What is searched: the moment of the page before, or what was asked for."""
        if place is None:
            return self.engine.snapshot(moment_of(self.query.as_of), self.query.partial)
        try:
            return self.engine.snapshot(place.moment, self.query.partial)
        except QueryRefused as gone:
            raise QueryRefused(f"cursor: {gone}", "cursor") from None

    def _asked(
        self, one: Query | Held, types: Sequence[AnnotationType], snapshot: Snapshot, prefix: str
    ) -> tuple[Node | None, Nearest | None]:
        """A filter and a vector, as engines are asked for them; `prefix` is of their places in the search."""
        from mediaml_assets.marken.query.check import compiled  # the parser is not light

        try:
            where = compiled(one.filter, types, snapshot)
        except QueryRefused as wrong:
            raise QueryRefused(f"{prefix}{wrong}", f"{prefix}{wrong.place}") from None
        if one.nearest is None:
            return where, None
        return where, nearest_of(one.nearest, types, snapshot, self.encoders, f"{prefix}nearest")


def moment_of(as_of: str | None) -> str | datetime | None:
    """A moment's name, or a time; raises QueryRefused for a time without its offset from UTC."""
    if as_of is None or not _TIME.match(as_of):
        return as_of
    try:
        time = datetime.fromisoformat(as_of)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    told = "is no time with its offset: write it as 2026-05-01T12:00:00Z"
    raise QueryRefused(f"as_of: {as_of!r} {told}", "as_of")
