"""The rows of one moment in an in-memory DuckDB, brought on from moment to moment in one transaction each.

There is a table for each type and version. It has the canonical columns but `type` and `type_version`, which its name
says. In the place of a vector stands its number among the blocks of vectors beside the table, in the place of a
list of strings its number among all lists.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.amber.objects import Objects
from mediaml_assets.marken.embedded import files
from mediaml_assets.marken.embedded.blocks import Blocks, added
from mediaml_assets.marken.embedded.lists import Lists
from mediaml_assets.marken.embedded.picking import newest, of_loads, of_range
from mediaml_assets.marken.embedded.state import Folded, Key, Load, Part

READERS = 8
"""Files that are read at once."""
NOT_KEPT = {"type", "type_version", files.SEQ}


@dataclass
class Table:
    """What is known of a table beside its rows."""

    name: str
    """Quoted."""
    columns: set[str] = field(default_factory=set)
    held: dict[str, int] = field(default_factory=dict)
    """Scope -> number of the operation whose rows are in it."""
    two_titles: bool = False
    """Whether a row ever had another title."""
    words: dict[str, frozenset[str]] = field(default_factory=dict)
    """Column of lists -> every string that was ever in one of it."""
    vectors: dict[str, Blocks] = field(default_factory=dict)
    """Vector property -> what its numbers count."""


@dataclass(frozen=True)
class Seen:
    """A table at one moment."""

    name: str
    columns: frozenset[str]
    two_titles: bool
    words: Mapping[str, frozenset[str]]
    vectors: Mapping[str, Blocks]


class Tables:
    """The rows that readers see at one moment.

    Args:
        objects: where files of rows are.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self.moment = 0
        self.rows = self.gone = 0
        """In sight, and removed since these tables were made."""
        self.lists = Lists()
        self._tables: dict[Key, Table] = {}
        self._connection = duckdb.connect()
        self._connection.execute("CREATE TABLE moment AS SELECT 0::BIGINT AS seq")

    def bring(self, state: Folded, moment: int) -> None:
        """Make them those of a later moment, all at once. After an error these tables are of no use.

        Raises:
            NotStored: a file was merged into another one and removed: read on and begin again.
        """
        touched: dict[Key, set[str]] = {}
        for one in state.changed(self.moment, moment):
            touched.setdefault((one.type, one.type_version), set()).add(one.scope)
        self._connection.begin()
        for key in touched:
            if not state.is_log(key):
                self._bring_operations(state, key, touched[key], moment)
        for name in sorted({key[0] for key in touched if state.is_log(key)}):
            self._bring_log(state, name, moment)
        self._connection.execute("UPDATE moment SET seq = ?", [moment])
        self._connection.commit()
        self.moment = moment
        # what the files were read into
        pa.default_memory_pool().release_unused()

    def look(self) -> tuple[duckdb.DuckDBPyConnection, dict[Key, Seen], Lists]:
        """A connection that sees this moment until it is closed, whatever is brought on; its tables and lists."""
        cursor = self._connection.cursor()
        cursor.begin()
        # a transaction sees what there is when it first reads
        found = cursor.execute("SELECT seq FROM moment").fetchall()
        assert found == [(self.moment,)]
        return cursor, {key: _seen(table) for key, table in self._tables.items() if table.columns}, self.lists

    def _bring_operations(self, state: Folded, key: Key, scopes: Iterable[str], moment: int) -> None:
        """Exchange whole operations of a type."""
        table = self._tables.setdefault(key, Table(quoted(f"{key[0]}@{key[1]}")))
        gone: list[tuple[str, int]] = []
        wanted: dict[str, list[Load]] = {}
        for scope in scopes:
            load, held = state.active(key, scope, moment), table.held.pop(scope, None)
            if load is not None:
                table.held[scope] = load.number
            if (load.number if load else None) == held:
                continue
            if held is not None:
                gone.append((scope, held))
            for name in load.files if load else ():
                wanted.setdefault(name, []).append(load)  # type: ignore[arg-type]
        if gone and table.columns:
            places = pa.table({"scope": [scope for scope, _ in gone], "version": [number for _, number in gone]})
            self._remove(table, "(scope, version) IN (SELECT (scope, version) FROM arrived)", places)
        parts = state.parts.get(key, {})
        for part, rows in self._read(parts[name] for name in wanted):
            self._insert(table, of_loads(rows, part, wanted[part.name]))

    def _bring_log(self, state: Folded, name: str, moment: int) -> None:
        """Replace annotations by their newer versions, whichever version of the type those are of."""
        keys = [key for key in state.parts if key[0] == name and state.is_log(key)]
        arrived: dict[Key, pa.Table] = {}
        for key in keys:
            parts = [one for one in state.parts[key].values() if one.last > self.moment and not 0 < one.until <= moment]
            found = [of_range(rows, self.moment, moment) for _, rows in self._read(parts)]
            if rows := [one for one in found if one.num_rows]:
                arrived[key] = pa.concat_tables(rows, promote_options="default")
        for key, rows in newest(arrived).items():
            for other in keys:
                if other in self._tables:
                    self._remove(self._tables[other], "id IN (SELECT id FROM arrived)", rows.select(["id"]))
            self._insert(self._tables.setdefault(key, Table(quoted(f"{key[0]}@{key[1]}"))), rows)

    def _read(self, parts: Iterable[Part]) -> Iterator[tuple[Part, pa.Table]]:
        """Parts with their rows, a few of them at a time in memory."""
        several = list(parts)
        for start in range(0, len(several), READERS):
            some = several[start : start + READERS]
            with ThreadPoolExecutor(len(some)) as pool:
                yield from zip(some, pool.map(lambda one: files.read(self._objects, one), some), strict=True)

    def _remove(self, table: Table, condition: str, arrived: pa.Table) -> None:
        self._connection.register("arrived", arrived)
        found = self._connection.execute(f"DELETE FROM {table.name} WHERE {condition}").fetchall()
        self._connection.unregister("arrived")
        count = found[0][0]
        self.gone, self.rows = self.gone + count, self.rows - count

    def _insert(self, table: Table, rows: pa.Table) -> None:
        rows = rows.select([name for name in rows.column_names if name not in NOT_KEPT])
        for at, column in enumerate(rows.schema):
            if pa.types.is_fixed_size_list(column.type):
                rows = rows.set_column(at, column.name, _into(table, column.name, rows[column.name]))
            elif pa.types.is_list(column.type):
                _note_words(table, column.name, rows[column.name])
                rows = rows.set_column(at, column.name, self.lists.add(rows[column.name]))
        table.two_titles = table.two_titles or rows["other_title"].null_count < rows.num_rows
        self._connection.register("arrived", rows)
        if not table.columns:
            self._connection.execute(f"CREATE TABLE {table.name} AS SELECT * FROM arrived LIMIT 0")
        elif more := [name for name in rows.column_names if name not in table.columns]:
            for name, kind, *_ in self._connection.execute("DESCRIBE arrived").fetchall():
                if name in more:
                    self._connection.execute(f"ALTER TABLE {table.name} ADD COLUMN {quoted(name)} {kind}")
        table.columns.update(rows.column_names)
        self._connection.execute(f"INSERT INTO {table.name} BY NAME SELECT * FROM arrived")
        self._connection.unregister("arrived")
        self.rows += rows.num_rows


def _into(table: Table, name: str, vectors: pa.ChunkedArray) -> pa.Array:
    """Add vectors to their blocks; returns the number of each, null for none."""
    flat = vectors.combine_chunks().flatten().to_numpy().reshape(-1, vectors.type.list_size)
    blocks = table.vectors.get(name, ())
    first = blocks[-1].stop if blocks else 0
    if len(flat):
        table.vectors[name] = added(blocks, flat)
    there = vectors.is_valid().to_numpy()
    return pa.array(first + np.cumsum(there) - 1, pa.int64(), mask=~there)


def _note_words(table: Table, name: str, stems: pa.ChunkedArray) -> None:
    found = pc.unique(pc.list_flatten(stems)).drop_null().to_pylist()
    known = table.words.get(name, frozenset())
    # a new set only when there is a new word, for snapshots share it
    table.words[name] = known if known.issuperset(found) else known.union(found)


def _seen(table: Table) -> Seen:
    return Seen(table.name, frozenset(table.columns), table.two_titles, dict(table.words), dict(table.vectors))


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'
