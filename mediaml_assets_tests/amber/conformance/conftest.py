"""The places where a store may be kept; each test of this folder holds for all of them."""

from pathlib import Path

import pytest

from mediaml_assets.amber.ledger import Ledger
from mediaml_assets.amber.objects import Objects
from mediaml_assets.amber.store import Store, open_store
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.ceph import radosgw_bucket, radosgw_server  # noqa: F401

PLACES = ["folder", "bucket", pytest.param("radosgw", marks=pytest.mark.radosgw)]


@pytest.fixture(params=PLACES)
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store that nothing is in: a folder, or a prefix of a bucket."""
    if request.param == "folder":
        return str(tmp_path / "it's a [store]")
    bucket = request.getfixturevalue("s3_bucket" if request.param == "bucket" else "radosgw_bucket")
    return f"s3://{bucket}/it's a [store]"


@pytest.fixture
def store(where: str, tmp_path: Path) -> Store:
    return open_store(where, tmp_path / "local")


@pytest.fixture
def objects(store: Store) -> Objects:
    return store.objects


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return store.ledger


@pytest.fixture
def here(home: Path, store: Store) -> Installation:
    """Films land in a folder; the store is in any place."""
    return Installation(home, store)
