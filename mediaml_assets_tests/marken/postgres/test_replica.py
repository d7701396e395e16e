"""A streaming read replica: searches read it, writing to it is refused, and it follows."""

import time
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from mediaml_assets.errors import MarkenError
from mediaml_assets.marken.engine import Nearest, Order, Selection
from mediaml_assets.marken.postgres.engine import PostgresEngine
from mediaml_assets_tests.marken.canonical import SPOT
from mediaml_assets_tests.marken.conformance.test_operations import load
from mediaml_assets_tests.postgres_servers import PostgresServer

from .conftest import Opener


@pytest.fixture
def replica(postgres_servers: Sequence[PostgresServer], database: str) -> Iterator[PostgresServer]:
    """Of the first server, with the database in it."""
    follower = postgres_servers[0].replica()
    try:
        follower.start()
        yield follower
    finally:
        follower.remove()


def follows(reader: PostgresEngine, moment: str) -> None:
    """Wait until a replica has come to a moment."""
    end = time.monotonic() + 30
    while reader.snapshot().moment != moment:
        assert time.monotonic() < end
        time.sleep(0.005)


def test_searches_read_the_replica_and_writes_go_to_the_primary(
    opened: Opener, database: str, replica: PostgresServer
) -> None:
    on_replica = replica.dsn(database.split("@/")[1].split("?")[0])
    engine, primary = opened([database], read_servers=[on_replica]), opened([database])
    assert engine.snapshot().count([SPOT], None) == 0
    for mark in range(1, 4):
        load(engine, "alpha", 40 + mark, mark)
        follows(engine, primary.snapshot().moment)
        near = Nearest("look", np.array([mark, 1, 0, 0], np.float32))
        asked = Selection([SPOT], ["id", "score"], nearest=near, order=[Order("score", True)], limit=5)
        assert engine.snapshot().select(asked) == primary.snapshot().select(asked)
    with pytest.raises(MarkenError, match="read replica"):
        opened([on_replica]).start(SPOT, "beta", "tester", {})


def test_a_reader_goes_to_another_host_when_the_replica_is_gone(
    opened: Opener, database: str, replica: PostgresServer, postgres_servers: Sequence[PostgresServer]
) -> None:
    name = database.split("@/")[1].split("?")[0]
    both = f"postgresql://postgres@/{name}?host={replica.folder},{postgres_servers[0].folder}"
    engine = opened([database], read_servers=[f"{both}&target_session_attrs=prefer-standby"])
    load(engine, "alpha", 3, mark=1)
    follows(engine, opened([database]).snapshot().moment)
    [(standby,)] = _ask(engine)
    replica.kill()
    assert engine.snapshot().count([SPOT], None) == 3
    assert (standby, _ask(engine)) == (True, [(False,)])


def _ask(engine: PostgresEngine) -> list[tuple[bool]]:
    with engine._cluster.reading(0) as connection:
        return connection.execute("SELECT pg_is_in_recovery()").fetchall()  # type: ignore[return-value]
