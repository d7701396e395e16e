"""All current annotations at one moment of each server."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import pyarrow as pa

from mediaml_assets.marken.engine import Selection
from mediaml_assets.marken.postgres import layout, searching, statements
from mediaml_assets.marken.postgres.cluster import Cluster
from mediaml_assets.marken.postgres.layout import Rows
from mediaml_assets.marken.postgres.merging import arranged
from mediaml_assets.marken.postgres.moments import ABSENT, Part
from mediaml_assets.marken.postgres.servers import Connection, Down
from mediaml_assets.marken.postgres.statements import Sight
from mediaml_assets.marken.query.nodes import Node
from mediaml_assets.marken.query.sql import Sql
from mediaml_assets.marken.schema import AnnotationType

T = TypeVar("T")


class PostgresSnapshot:
    """A moment of each server; a statement sees whole operations of it, whatever is written meanwhile."""

    def __init__(self, cluster: Cluster, parts: Sequence[Part | Down], allow_missing: bool) -> None:
        self._cluster, self._parts, self._allow_missing = cluster, parts, allow_missing
        self._missing: set[str] = set()
        self.moment = ".".join(ABSENT if isinstance(one, Down) else str(one.moment) for one in parts)

    @property
    def missing(self) -> Sequence[str]:
        """Titles that answers so far lack because their server does not answer."""
        return sorted(self._missing)

    def select(self, selection: Selection) -> pa.Table:
        """The rows, in order; raises TitlesUnreachable."""
        fields = searching.fields_of(selection.types, selection.columns)
        alone = sum(len(self._tables(place, selection.types)) for place in self._cluster.places) == 1

        def rows(place: int, connection: Connection) -> list[pa.Table]:
            sights = self._sights(place, selection.types, selection.condition, selection.titles, selection.columns)
            return [searching.found(connection, one, selection, alone) for one in sights]

        found = [table for tables in self._gathered(selection.types, selection.titles, rows) for table in tables]
        if not found:
            return pa.schema([fields[name] for name in selection.columns]).empty_table()
        return arranged(pa.concat_tables(found), selection).select(list(selection.columns))

    def count(self, types: Sequence[AnnotationType], where: Node | None, titles: Sequence[str] | None = None) -> int:
        """How many rows there are; raises TitlesUnreachable."""

        def counts(place: int, connection: Connection) -> int:
            return sum(
                _values(connection, statements.counted(one))[0] for one in self._sights(place, types, where, titles)
            )

        return sum(self._gathered(types, titles, counts))

    def words(self, types: Sequence[AnnotationType], property: str) -> Sequence[str]:
        """Every stem of a text property that was ever given; raises TitlesUnreachable."""

        def stems(place: int, connection: Connection) -> list[str]:
            numbers = [rows.type_id for rows in self._tables(place, types)]
            if not numbers:
                # nothing was ever written there, and there may be no table either
                return []
            text = "SELECT DISTINCT stem FROM marken.stems WHERE type_id = ANY(CAST(%s AS integer[])) AND property = %s"
            return _values(connection, Sql(text, [numbers, property]))

        return sorted(set().union(*self._gathered(types, None, stems)))

    def distinct(
        self, types: Sequence[AnnotationType], property: str, box: tuple[float, float, float, float] | None = None
    ) -> Sequence[str]:
        """Distinct values of a string or region property, of regions near a box; raises TitlesUnreachable."""
        types = [kind for kind in types if property in kind.properties]

        def values(place: int, connection: Connection) -> list[str]:
            sights = self._sights(place, types, None, None)
            return [one for sight in sights for one in _values(connection, statements.distinct(sight, property, box))]

        return sorted(set().union(*self._gathered(types, None, values)))

    def explain(self, selection: Selection) -> Mapping[str, Any]:
        """The statements of each server with their parameters and plans, survivors of the filter, exact or index."""

        def told(place: int, connection: Connection) -> list[dict[str, Any]]:
            sights = self._sights(place, selection.types, selection.condition, selection.titles, selection.columns)
            return [{"server": place + 1, **searching.explained(connection, one, selection)} for one in sights]

        found = [one for several in self._gathered(selection.types, selection.titles, told) for one in several]
        survivors = self.count(selection.types, selection.condition, selection.titles)
        exact = not searching.by_index(selection)
        return {"engine": "postgres", "statements": found, "survivors": survivors, "exact": exact}

    def _tables(self, place: int, types: Sequence[AnnotationType]) -> list[Rows]:
        part = self._parts[place]
        if isinstance(part, Down):
            return []
        return [rows for kind in types if (rows := layout.rows_of(kind, part.tables))]

    def _sights(
        self,
        place: int,
        types: Sequence[AnnotationType],
        where: Node | None,
        titles: Sequence[str] | None,
        names: Sequence[str] = (),
    ) -> list[Sight]:
        part = self._parts[place]
        assert not isinstance(part, Down)
        fields = searching.fields_of(types, names)
        return [statements.sight(rows, fields, part.moment, where, titles) for rows in self._tables(place, types)]

    def _gathered(
        self, types: Sequence[AnnotationType], titles: Sequence[str] | None, task: Callable[[int, Connection], T]
    ) -> list[T]:
        """What a task gives for each server.

        Raises:
            TitlesUnreachable: a server does not answer which holds annotations of these types about these titles, and
                nobody allowed that they are missing.
        """

        def on_one(place: int) -> T:
            part = self._parts[place]
            if isinstance(part, Down):
                raise part
            with self._cluster.reading(place) as connection:
                return task(place, connection)

        found = self._cluster.on_all(on_one)
        if missing := self._cluster.unreachable(found, [kind.name for kind in types], titles):
            if not self._allow_missing or len(self._cluster.places) == sum(isinstance(one, Down) for one in found):
                raise missing
            self._missing.update(missing.titles)
        return [one for one in found if not isinstance(one, Down)]


def _values(connection: Connection, statement: Sql) -> list[Any]:
    return [value for (value,) in connection.execute(statement.text, statement.parameters).fetchall()]
