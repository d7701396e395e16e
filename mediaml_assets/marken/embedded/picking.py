"""Which rows of a part are meant: of some operations, of some entries, or the newest of their id."""

from collections.abc import Collection, Mapping
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.marken.embedded.files import SEQ
from mediaml_assets.marken.embedded.state import Load, Part

Name = TypeVar("Name")


def of_loads(rows: pa.Table, part: Part, loads: Collection[Load]) -> pa.Table:
    """Rows of some operations, in the order in which they lie."""
    if all(len(one.files) == 1 for one in loads) and sum(one.rows for one in loads) == part.rows:
        return rows
    return rows.take(places(rows, [one.place for one in loads]))


def places(rows: pa.Table, wanted: Collection[tuple[str, int]]) -> pa.Array:
    """Row numbers, ascending, of rows with one of these scopes and versions."""
    schema = pa.schema([("scope", pa.string()), ("version", pa.int32())])
    pairs = [{"scope": scope, "version": number} for scope, number in wanted]
    return _matching(rows, pa.Table.from_pylist(pairs, schema=schema))


def of_range(rows: pa.Table, after: int, to: int) -> pa.Table:
    """Log rows that came with an entry in (after, to]."""
    seq = rows[SEQ]
    return rows.filter(pc.and_(pc.greater(seq, after), pc.less_equal(seq, to)))


def newest(tables: Mapping[Name, pa.Table]) -> dict[Name, pa.Table]:
    """Of log rows of several versions of a type those that are the newest of their id."""
    if not tables:
        return {}
    last = newest_versions([rows.select(["id", "version"]) for rows in tables.values()])
    return {name: rows.take(_matching(rows, last)) for name, rows in tables.items()}


def newest_versions(tables: Collection[pa.Table]) -> pa.Table:
    """Id and the highest version of it."""
    found = pa.concat_tables(tables).group_by("id").aggregate([("version", "max")])
    return found.select(["id", "version_max"]).rename_columns(["id", "version"])


def _matching(rows: pa.Table, wanted: pa.Table) -> pa.Array:
    keys = wanted.column_names
    numbered = rows.select(keys).append_column("row", pa.array(range(rows.num_rows), pa.int64()))
    found = numbered.join(wanted, keys=keys, join_type="left semi")["row"]
    return found.take(pc.sort_indices(found))
