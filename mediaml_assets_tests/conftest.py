"""Shared by all tests: where development media are, an S3 server, and PostgreSQL servers."""

import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from mediaml_assets_tests.postgres_servers import PostgresServer

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of development media, named by MEDIAML_SHARED; tests that need it are skipped where it is absent."""
    folder = (ROOT / os.environ.get("MEDIAML_SHARED", "../shared")).resolve()
    if not (folder / "media").is_dir():
        pytest.skip(f"no development media in {folder}; set MEDIAML_SHARED")
    return folder


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """URL of an S3 server on loopback, for the whole session; processes that a test starts can use it too."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A boto3 client of that server, which every other S3 client finds in the environment."""
    import boto3

    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return boto3.client("s3")


_COUNT = itertools.count(1)


@pytest.fixture
def s3_bucket(s3: Any) -> str:
    """The name of a new, empty bucket."""
    name = f"bucket-{next(_COUNT)}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="session")
def postgres_servers() -> "Iterator[Sequence[PostgresServer]]":
    """Two servers for the whole session; a test takes new databases of them and leaves them running."""
    from mediaml_assets_tests.postgres_servers import running

    with running(2) as servers:
        yield servers


# the same examples at every run, so that a red test is about the change at hand; machines are shared, so no deadlines
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")
