"""A store, and where annotations are kept."""

from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.amber.store import Store
from mediaml_assets.marken.embedded.engine import EmbeddedEngine
from mediaml_assets.marken.engine import Engine
from mediaml_assets.marken.postgres.engine import PostgresEngine


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture(params=["embedded", pytest.param("postgres", marks=pytest.mark.slow)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """An engine on an empty place: files in a folder, and two servers; see `both_engines`."""
    if request.param == "embedded":
        return EmbeddedEngine(FolderObjects(tmp_path / "marken"))
    stack = ExitStack()
    request.addfinalizer(stack.close)
    servers = request.getfixturevalue("postgres_servers")[:2]
    places = [stack.enter_context(server.database()) for server in servers]
    return stack.enter_context(closing(PostgresEngine(places)))
