from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from mediaml_assets_tests.amber.platform import Platform
from mediaml_assets_tests.amber.toy import toy_mesh


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    monkeypatch.setenv("MEDIAML_HOME", str(tmp_path))
    monkeypatch.delenv("MEDIAML_LANDING", raising=False)
    monkeypatch.setenv("TOY_CALLS", str(tmp_path / "calls"))
    with dg.DagsterInstance.ephemeral() as instance:
        yield Platform(tmp_path, instance, toy_mesh())
