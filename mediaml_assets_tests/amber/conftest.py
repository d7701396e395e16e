from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.platform import Platform
from mediaml_assets_tests.amber.processes import kill_all
from mediaml_assets_tests.amber.toy import toy_mesh


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    yield
    kill_all()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEDIAML_HOME", str(tmp_path))
    monkeypatch.delenv("MEDIAML_LANDING", raising=False)
    monkeypatch.setenv("TOY_CALLS", str(tmp_path / "calls"))
    return tmp_path


@pytest.fixture
def platform(home: Path) -> Iterator[Platform]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Platform(home, instance, toy_mesh())


@pytest.fixture
def here(home: Path) -> Installation:
    return Installation(home)
