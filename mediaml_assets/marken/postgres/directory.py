"""Which server holds annotations about which titles, kept on every server, so that the living can speak for the dead.

It is written down before the annotations are shown: on the others first, then on the server that holds them. So what
stands there stands everywhere, and what any reader saw has a name wherever it is asked for.
"""

from collections.abc import Collection, Sequence

from mediaml_assets.marken.postgres.servers import Connection


def unknown(connection: Connection, place: int, type: str, titles: Sequence[str]) -> list[str]:
    """Those titles of which it is not written down yet that a server holds annotations of a type about them."""
    found = connection.execute(
        """
        SELECT title FROM unnest(CAST(%s AS text[])) AS asked (title)
        EXCEPT SELECT title FROM marken.titles WHERE place = %s AND type = %s
        """,
        [list(titles), place, type],
    ).fetchall()
    return sorted(title for (title,) in found)


def add(connection: Connection, place: int, type: str, titles: Sequence[str]) -> None:
    """Write down that a server holds annotations of a type about titles."""
    connection.execute(
        """
        INSERT INTO marken.titles (type, title, place)
        SELECT %s, title, %s FROM unnest(CAST(%s AS text[])) AS new (title) ON CONFLICT DO NOTHING
        """,
        [type, place, list(titles)],
    )


def titles_of(
    connection: Connection, places: Collection[int], types: Sequence[str] | None, titles: Sequence[str] | None
) -> list[str]:
    """The titles that some servers hold annotations about, of some types and among some titles; None for all."""
    found = connection.execute(
        """
        SELECT DISTINCT title FROM marken.titles WHERE place = ANY(CAST(%(places)s AS integer[]))
        AND (CAST(%(types)s AS text[]) IS NULL OR type = ANY(CAST(%(types)s AS text[])))
        AND (CAST(%(titles)s AS text[]) IS NULL OR title = ANY(CAST(%(titles)s AS text[])))
        """,
        {"places": list(places), "types": types and list(types), "titles": titles and list(titles)},
    ).fetchall()
    return sorted(title for (title,) in found)
