"""Moments: each server counts what changed for readers; with several servers a moment names the count of each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mediaml_assets.errors import QueryRefused
from mediaml_assets.marken.postgres.cluster import Cluster
from mediaml_assets.marken.postgres.layout import Tables
from mediaml_assets.marken.postgres.servers import Down

ABSENT = "-"
"""Stands in the name of a moment for a server that did not answer then."""


@dataclass(frozen=True)
class Part:
    """What a snapshot is of one server."""

    moment: int
    tables: Tables


def asked(as_of: str | datetime | None, count: int) -> Sequence[int | str | datetime | None]:
    """What is asked of each of so many servers; raises QueryRefused for what is no moment."""
    if as_of is None:
        return [None] * count
    if isinstance(as_of, datetime):
        when = as_of if as_of.tzinfo else as_of.replace(tzinfo=UTC)
        if when > datetime.now(UTC):
            raise QueryRefused(f"as_of: {when.isoformat()} has not come yet: give a time in the past, or none", "as_of")
        return [when] * count
    parts = as_of.split(".")
    if len(parts) != count or not all(re.fullmatch(r"[0-9]{1,18}|-", part) for part in parts):
        raise _no_moment(as_of)
    return [part if part == ABSENT else int(part) for part in parts]


def part(cluster: Cluster, place: int, asked: int | str | datetime | None) -> Part:
    """A server at a moment.

    Raises:
        Down: it does not answer, or did not when the moment was named.
        QueryRefused: there was no such moment.
    """
    if asked == ABSENT:
        raise Down(f"server {place + 1} did not answer when this moment was named")
    with cluster.reading(place) as connection:
        if not cluster.is_made(connection, place):
            if isinstance(asked, int) and asked > 0:
                raise _no_moment(str(asked))
            return Part(0, {})
        when = asked if isinstance(asked, datetime) else None
        [(moment, newest)] = connection.execute(
            """
            SELECT (SELECT coalesce(max(moment), 0) FROM marken.moments
                    WHERE at <= coalesce(CAST(%s AS timestamptz), 'infinity')),
                   (SELECT coalesce(max(type_id), 0) FROM marken.types)
            """,
            [when],
        ).fetchall()
        if isinstance(asked, int):
            if asked > moment:
                raise _no_moment(str(asked))
            moment = asked
        return Part(moment, cluster.tables(connection, place, newest=newest))


def _no_moment(told: str) -> QueryRefused:
    return QueryRefused(f"as_of: there was no moment {told!r} here: give one that an answer named, or a time", "as_of")
