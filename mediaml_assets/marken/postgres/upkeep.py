"""What is done beside loading and searching, now and then."""

from mediaml_assets.marken.postgres.layout import Tables, quoted
from mediaml_assets.marken.postgres.servers import Connection

MANY_VECTORS = 20_000
"""Rows from which on a vector property gets an index; below, every survivor of a filter is scored in a few ms."""
_MOST_INDEXED = 2_000  # dimensions, of pgvector's index


def tidy(connection: Connection, tables: Tables) -> None:
    """Make indexes of vectors where there are many, clear away, and refresh what the planner knows of the rows."""
    for rows in tables.values():
        connection.execute(f"VACUUM (ANALYZE) {rows.table}")
        for name in rows.vectors:
            counted = f"SELECT count(*) FROM {rows.table} WHERE {quoted(name)} IS NOT NULL"
            [(count,)] = connection.execute(counted).fetchall()
            if count >= MANY_VECTORS and rows.fields[name].type.list_size <= _MOST_INDEXED:
                # locks out writers of this type, not readers
                index = f"hnsw_{rows.type_id}_{list(rows.fields).index(name)}"
                connection.execute(
                    f"CREATE INDEX IF NOT EXISTS {index} ON {rows.table} USING hnsw ({quoted(name)} vector_cosine_ops)"
                )
    for table in ("operations", "stints", "moments", "stems", "titles"):
        connection.execute(f"VACUUM (ANALYZE) marken.{table}")
