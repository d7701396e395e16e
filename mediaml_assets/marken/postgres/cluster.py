"""Several servers as one: each holds a part, tasks go to all at once, and what does not answer has a name."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TypeVar

from mediaml_assets.errors import TitlesUnreachable
from mediaml_assets.marken.postgres import directory, layout
from mediaml_assets.marken.postgres.layout import Rows, Tables
from mediaml_assets.marken.postgres.servers import Connection, Down, Server
from mediaml_assets.marken.schema import AnnotationType

T = TypeVar("T")


class Cluster:
    """The servers in their order; a place is the position of one, from 0."""

    def __init__(self, servers: Sequence[str], partitions: int, readers: Sequence[str]) -> None:
        """Nothing is connected yet.

        Args:
            servers: DSNs to write to.
            partitions: of each new table of rows.
            readers: DSNs to read from, one for each of `servers`; none to read where is written.

        Raises:
            SettingsError: a DSN is none.
        """
        self._writers = [Server(dsn, number) for number, dsn in enumerate(servers, 1)]
        self._readers = [Server(dsn, number) for number, dsn in enumerate(readers, 1)] or self._writers
        self._partitions = partitions
        self._made: set[int] = set()
        self._checked: set[int] = set()
        self._tables: dict[int, Tables] = {place: {} for place in range(len(servers))}
        self._threads = ThreadPoolExecutor(8 * len(servers), thread_name_prefix="marken")

    @property
    def where(self) -> str:
        """Hosts and databases, for people."""
        return "PostgreSQL " + ", ".join(one.where for one in self._writers)

    @property
    def places(self) -> range:
        """Of all servers."""
        return range(len(self._writers))

    def home(self, name: str) -> int:
        """Where something of this name lies whole."""
        digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") % len(self._writers)

    @contextmanager
    def writing(self, place: int) -> Iterator[Connection]:
        """A connection to write by; the first one makes the tables.

        Raises:
            Down: the server does not answer.
            MarkenError: the server is a read replica, has no pgvector, or holds another part.
        """
        with self._writers[place].connection() as connection:
            if place not in self._made:
                layout.ensure(connection, place, len(self._writers))
                self._made.add(place)
            yield connection

    @contextmanager
    def reading(self, place: int) -> Iterator[Connection]:
        """A connection to read by; raises Down when the server does not answer."""
        with self._readers[place].connection() as connection:
            yield connection

    def is_made(self, connection: Connection, place: int) -> bool:
        """Whether a server that is read has the tables that every server has; raises as `layout.check` does."""
        if place not in self._checked and layout.is_there(connection):
            layout.check(connection, place, len(self._writers))
            self._checked.add(place)
        return place in self._checked

    def tables(
        self, connection: Connection, place: int, wanted: tuple[str, int] | None = None, newest: int | None = None
    ) -> Tables:
        """The tables of rows of a server, as they were known before if `wanted` or number `newest` is among them."""
        known = self._tables[place]
        if wanted in known or newest in {rows.type_id for rows in known.values()} or newest == 0:
            return known
        self._tables[place] = layout.tables(connection)
        return self._tables[place]

    def made(self, connection: Connection, place: int, kind: AnnotationType) -> Rows:
        """The table of a type, which is made where there is none; raises SchemaRefused."""
        known = self.tables(connection, place, (kind.name, kind.version))
        return layout.rows_of(kind, known) or layout.create(connection, kind, self._partitions)

    def on_all(self, task: Callable[[int], T]) -> list[T | Down]:
        """What a task gives for each place, in order; Down for those that do not answer."""

        def tried(place: int) -> T | Down:
            try:
                return task(place)
            except Down as down:
                return down

        if len(self.places) == 1:
            return [tried(0)]
        return list(self._threads.map(tried, self.places))

    def announce(self, place: int, type: str, titles: Sequence[str]) -> None:
        """Write down on every server that one is about to show annotations about titles, before it does.

        Raises:
            Down: a server does not answer that is not known to have it; where all have it, it is not asked.
        """
        with self.writing(place) as connection:
            new = directory.unknown(connection, place, type, titles)
        if not new:
            return

        def add(to: int) -> None:
            with self.writing(to) as connection:
                directory.add(connection, place, type, new)

        for down in self.on_all(lambda other: None if other == place else add(other)):
            if down is not None:
                raise down
        # last: what stands here stands everywhere
        add(place)

    def unreachable(
        self, found: Sequence[object], types: Sequence[str] | None, titles: Sequence[str] | None
    ) -> TitlesUnreachable | None:
        """What is to be said where something is missing: the titles, of some types and titles, or of all.

        Args:
            found: what `on_all` gave.
            types: names of types that were asked.
            titles: that were asked.
        """
        down = {place: one for place, one in enumerate(found) if isinstance(one, Down)}
        if not down:
            return None
        reasons = "; ".join(map(str, down.values()))
        missing = self._titles_at(down, types, titles)
        if missing is None:
            return TitlesUnreachable(f"{reasons}. No server is left to name the titles that are missing", titles or ())
        if not missing:
            return None
        advice = "try again when it answers, or ask for a partial answer or for other titles"
        return TitlesUnreachable(f"{reasons}. Missing are annotations about {some(missing)}: {advice}", missing)

    def _titles_at(
        self, places: Collection[int], types: Sequence[str] | None, titles: Sequence[str] | None
    ) -> list[str] | None:
        """The titles that some servers hold annotations of these types about; None when no other server answers."""
        for place in self.places:
            if place in places:
                continue
            with suppress(Down), self.reading(place) as connection:
                is_made = self.is_made(connection, place)
                return directory.titles_of(connection, places, types, titles) if is_made else []
        return None

    def close(self) -> None:
        """Let go of connections and threads."""
        self._threads.shutdown()
        for server in {*self._writers, *self._readers}:
            server.close()


def some(titles: Sequence[str]) -> str:
    """Titles for a message: a few by name."""
    return ", ".join(titles[:5]) + (f" and {len(titles) - 5} more" if len(titles) > 5 else "")
