"""Empty databases on one and on two servers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from typing import Any

import pytest

from mediaml_assets.marken.postgres.engine import PostgresEngine
from mediaml_assets_tests.postgres_servers import PostgresServer

Opener = Callable[..., PostgresEngine]
"""Opens an engine on DSNs; it is closed at the end of the test."""


@pytest.fixture
def opened() -> Iterator[Opener]:
    with ExitStack() as stack:

        def one(servers: Sequence[str], **more: Any) -> PostgresEngine:
            return stack.enter_context(closing(PostgresEngine(servers, partitions=2, **more)))

        yield one


@pytest.fixture
def database(postgres_servers: Sequence[PostgresServer]) -> Iterator[str]:
    """The DSN of an empty database."""
    with postgres_servers[0].database() as dsn:
        yield dsn


@pytest.fixture
def two(postgres_servers: Sequence[PostgresServer]) -> Iterator[Sequence[str]]:
    """The DSNs of empty databases on two servers, which run again afterwards if the test ended one."""
    with postgres_servers[0].database() as one, postgres_servers[1].database() as other:
        yield one, other
        for server in postgres_servers:
            if server.process is None:
                server.start()
