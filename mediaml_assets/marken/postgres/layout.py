"""What lies on a server: the tables that every server has, and a table of rows for each version of a type.

    layout       which part of how many this server holds; version of these tables
    types        types at their versions; the rows of number 7 lie in rows_7
    operations   of run types
    stints       when which operation was in sight: from moment `since`, before moment `until`
    moments      one for each change of what readers see, in order, with its time
    stems        the words of each text property
    titles       of the whole installation: which part holds annotations of a type about a title

A table of rows has the columns of `row_schema`, partitioned by hash of the scope. A run type's rows name their
operation (`_op`), a log type's the moments between which they are the newest of their id (`_since`, `_until`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from psycopg.types.json import Jsonb

from mediaml_assets.errors import MarkenError, SchemaRefused, SettingsError
from mediaml_assets.marken.postgres.servers import Connection
from mediaml_assets.marken.rows import FIXED, row_schema
from mediaml_assets.marken.schema import AnnotationType, Mode

VERSION = 1
FOREVER = 2**63 - 1
"""The moment before which something stands that was not superseded."""
_MOST_DIMENSIONS = 16_000  # of pgvector
_LOCK = 0x6D61726B656E  # of creating tables
# columns that every table of PostgreSQL has; no property is spelt in capitals
_TAKEN = {"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"}
_SQL_TYPES = {
    pa.string(): 'text COLLATE "C"',
    pa.list_(pa.string()): 'text[] COLLATE "C"',
    pa.int64(): "bigint",
    pa.int32(): "integer",
    pa.float64(): "double precision",
    pa.bool_(): "boolean",
    pa.timestamp("us", tz="UTC"): "timestamptz",
}
_TABLES = f"""
CREATE EXTENSION IF NOT EXISTS vector;
CREATE SCHEMA marken;
CREATE TYPE marken.seconds AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE TABLE marken.layout (version integer NOT NULL, place integer NOT NULL, places integer NOT NULL);
CREATE TABLE marken.types (
    type_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL, version integer NOT NULL, mode text NOT NULL, columns jsonb NOT NULL,
    UNIQUE (name, version)
);
CREATE TABLE marken.operations (
    op bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    type_id integer NOT NULL REFERENCES marken.types, scope text COLLATE "C" NOT NULL, number integer NOT NULL,
    state text NOT NULL, by text NOT NULL, started timestamptz NOT NULL, ended timestamptz,
    rows bigint NOT NULL DEFAULT 0, source jsonb NOT NULL, finished bigint,
    UNIQUE (type_id, scope, number)
);
CREATE TABLE marken.stints (
    type_id integer NOT NULL, scope text COLLATE "C" NOT NULL, op bigint NOT NULL REFERENCES marken.operations,
    since bigint NOT NULL, until bigint NOT NULL DEFAULT {FOREVER},
    PRIMARY KEY (type_id, scope, since)
);
CREATE INDEX ON marken.stints (type_id, until);
CREATE TABLE marken.moments (moment bigint PRIMARY KEY, at timestamptz NOT NULL);
CREATE INDEX ON marken.moments (at);
CREATE TABLE marken.stems (
    type_id integer NOT NULL, property text COLLATE "C" NOT NULL, stem text COLLATE "C" NOT NULL,
    PRIMARY KEY (type_id, property, stem)
);
CREATE TABLE marken.titles (
    type text COLLATE "C" NOT NULL, title text COLLATE "C" NOT NULL, place integer NOT NULL,
    PRIMARY KEY (type, title, place)
);
"""


@dataclass(frozen=True)
class Rows:
    """The table of one version of a type."""

    type_id: int
    name: str
    version: int
    is_log: bool
    """Whether annotations come one by one."""
    fields: Mapping[str, pa.Field]
    """The columns of `row_schema`, by name."""

    @property
    def table(self) -> str:
        """Its name in statements."""
        return f"marken.rows_{self.type_id}"

    @property
    def vectors(self) -> Sequence[str]:
        """Its vector properties."""
        return [name for name, field in self.fields.items() if pa.types.is_fixed_size_list(field.type)]

    @property
    def time_ranges(self) -> Sequence[str]:
        """Its time ranges."""
        return [name.removesuffix("_start_frame") for name in self.fields if name.endswith("_start_frame")]

    @property
    def texts(self) -> Sequence[str]:
        """Its properties whose words can be searched."""
        return [name for name in self.fields if f"{name}_stems" in self.fields]


Tables = Mapping[tuple[str, int], Rows]
"""By name and version of the type."""


def quoted(column: str) -> str:
    """The name of a column in statements."""
    # of letters, digits and underscores: types are declared with no other names
    return f'"{column.upper() if column in _TAKEN else column}"'


def sql_type(kind: pa.DataType) -> str:
    """What holds a column of the canonical rows."""
    return f"vector({kind.list_size})" if pa.types.is_fixed_size_list(kind) else _SQL_TYPES[kind]


def _arrow_type(held: str) -> pa.DataType:
    if held.startswith("vector"):
        return pa.list_(pa.float32(), int(held[len("vector(") : -1]))
    return next(kind for kind, name in _SQL_TYPES.items() if name == held)


def seconds(time_range: str) -> str:
    """A time range as a value: what its index is made of."""
    return f"marken.seconds({quoted(f'{time_range}_start')}, {quoted(f'{time_range}_end')})"


def raw(column: str) -> str:
    """Beside a vector: the numbers as given, where they are so large or small that their squares leave float32."""
    return quoted(f"{column}_RAW")


def ensure(connection: Connection, place: int, places: int) -> None:
    """Make what every server has, once, also when several processes come at the same time.

    Raises:
        SettingsError: the server holds another part than its place in the list of servers says.
        MarkenError: its tables are of a later version of this package.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        if not is_there(connection):
            connection.execute(_TABLES)
            connection.execute("INSERT INTO marken.layout VALUES (%s, %s, %s)", [VERSION, place, places])
    check(connection, place, places)


def is_there(connection: Connection) -> bool:
    """Whether `ensure` was here."""
    return connection.execute("SELECT to_regclass('marken.layout')").fetchone() != (None,)


def check(connection: Connection, place: int, places: int) -> None:
    """Raises as `ensure` does; changes nothing."""
    [(version, held, of)] = connection.execute("SELECT version, place, places FROM marken.layout").fetchall()
    if version > VERSION:
        raise MarkenError(
            f"the annotations' tables are of version {version}, this package knows {VERSION}: install a newer one"
        )
    if (held, of) != (place, places):
        raise SettingsError(
            f"server {place + 1} of {places} holds part {held + 1} of {of} of the annotations: list the same servers, "
            "in the order in which they were first used"
        )


def tables(connection: Connection) -> Tables:
    """The tables of rows that there are."""
    found = connection.execute("SELECT type_id, name, version, mode, columns FROM marken.types").fetchall()
    return {
        (name, version): Rows(type_id, name, version, mode == Mode.LOG.value, _fields(columns))
        for type_id, name, version, mode, columns in found
    }


def rows_of(kind: AnnotationType, known: Tables) -> Rows | None:
    """The table of a type; None where it has none yet.

    Raises:
        SchemaRefused: its columns are others than those that are kept.
    """
    rows = known.get((kind.name, kind.version))
    if rows is not None and dict(rows.fields) != _by_name(row_schema(kind)):
        held = {(name, str(field.type)) for name, field in rows.fields.items()}
        names = {name for name, _ in held ^ {(field.name, str(field.type)) for field in row_schema(kind)}}
        raise SchemaRefused(f"{kind} is kept with other columns ({', '.join(sorted(names))}): give it a new version")
    return rows


def create(connection: Connection, kind: AnnotationType, partitions: int) -> Rows:
    """The table of a type, made where it is not there.

    Raises:
        SchemaRefused: it cannot be kept, or its columns are others than those that are kept.
    """
    _refuse_misfits(kind)
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        found = rows_of(kind, tables(connection))
        if found is None:
            columns = {field.name: sql_type(field.type) for field in row_schema(kind)}
            [(type_id,)] = connection.execute(
                "INSERT INTO marken.types (name, version, mode, columns) VALUES (%s, %s, %s, %s) RETURNING type_id",
                # a list, for the order
                [kind.name, kind.version, kind.mode.value, Jsonb(list(columns.items()))],
            ).fetchall()
            found = Rows(type_id, kind.name, kind.version, kind.mode is Mode.LOG, _by_name(row_schema(kind)))
            connection.execute(_table(found, partitions))
    return found


def _fields(columns: Sequence[tuple[str, str]]) -> dict[str, pa.Field]:
    held = {name: pa.field(name, _arrow_type(kind)) for name, kind in columns}
    return held | _by_name(FIXED)


def _by_name(schema: pa.Schema) -> dict[str, pa.Field]:
    return {field.name: field for field in schema}


def _refuse_misfits(kind: AnnotationType) -> None:
    for one in kind.properties.values():
        if one.dimensions > _MOST_DIMENSIONS:
            raise SchemaRefused(
                f"{kind.name}.{one.name} has {one.dimensions} dimensions; PostgreSQL keeps up to {_MOST_DIMENSIONS}"
            )


def _table(rows: Rows, partitions: int) -> str:
    """Statements that make the table of a type."""
    table = rows.table
    columns = [_column(field) for field in rows.fields.values()] + [f"{raw(name)} bytea" for name in rows.vectors]
    own = ["_since bigint NOT NULL", "_until bigint NOT NULL"] if rows.is_log else ["_op bigint NOT NULL"]
    statements = [f"CREATE TABLE {table} ({', '.join(columns + own)}) PARTITION BY HASH (scope)"]
    statements += [
        f"CREATE TABLE {table}_{part} PARTITION OF {table} FOR VALUES WITH (MODULUS {partitions}, REMAINDER {part})"
        for part in range(partitions)
    ]
    statements.append(f"CREATE UNIQUE INDEX ON {table} (id, {'version' if rows.is_log else '_op'}, scope)")
    indexes = [] if rows.is_log else ["(_op)"]
    indexes += ["(title)", "(other_title) WHERE other_title IS NOT NULL", "(entity_id)"]
    lists = [name for name, field in rows.fields.items() if field.type == pa.list_(pa.string())]
    indexes += [f"USING gin ({quoted(name)})" for name in lists]
    indexes += [f"USING gist ({seconds(name)})" for name in rows.time_ranges]
    # regions that are no boxes, mostly none: every search over boxes asks for them too
    shapes = [name for name in rows.fields if name.endswith("_is_box")]
    indexes += [f"({quoted(name)}) WHERE NOT {quoted(name)}" for name in shapes]
    statements += [f"CREATE INDEX ON {table} {index}" for index in indexes]
    return ";\n".join(statements)


def _column(field: pa.Field) -> str:
    return f"{quoted(field.name)} {sql_type(field.type)}{'' if field.nullable else ' NOT NULL'}"
