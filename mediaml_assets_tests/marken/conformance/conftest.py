"""The engines that must all behave alike: a place where annotations are kept, and engines opened on it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import pytest

from mediaml_assets.amber.objects.bucket import BucketObjects
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.marken.embedded.engine import EmbeddedEngine
from mediaml_assets.marken.engine import Engine
from mediaml_assets.marken.postgres.engine import PostgresEngine
from mediaml_assets_tests.marken.plain_engine import PlainEngine

Opener = Callable[[], Engine]
"""Opens an engine on the place of this test; every call is another reader and writer, as another process has it."""


def _plain(request: pytest.FixtureRequest) -> Opener:
    engine = PlainEngine()
    return lambda: engine


def _folder(request: pytest.FixtureRequest) -> Opener:
    # for a test, or for all tests of a module
    folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("marken")
    return lambda: EmbeddedEngine(FolderObjects(folder))


def _bucket(request: pytest.FixtureRequest) -> Opener:
    url = f"s3://{request.getfixturevalue('s3_bucket')}/marken"
    return lambda: EmbeddedEngine(BucketObjects(url))


def _postgres(servers: int, partitions: int, request: pytest.FixtureRequest) -> Opener:
    stack = ExitStack()
    request.addfinalizer(stack.close)
    databases = [
        stack.enter_context(server.database()) for server in request.getfixturevalue("postgres_servers")[:servers]
    ]
    return lambda: stack.enter_context(closing(PostgresEngine(databases, partitions)))


PLACES: dict[str, Callable[[pytest.FixtureRequest], Opener]] = {
    "plain": _plain,
    "folder": _folder,
    "bucket": _bucket,
    "postgres": partial(_postgres, 1, 2),
    "postgres-two": partial(_postgres, 2, 4),
}
"""Name of an engine -> makes an empty place for it."""


@pytest.fixture(params=list(PLACES))
def opener(request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Opens engines on one empty place."""
    yield PLACES[request.param](request)


@pytest.fixture
def engine(opener: Opener) -> Engine:
    """An engine on an empty place."""
    return opener()
