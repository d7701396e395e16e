"""What Dagster loads: a readable snapshot of every asset, and Dagster's own validation."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from mediaml_assets.amber.orchestration.assets import TITLES

SNAPSHOT = Path(__file__).with_name("definitions.txt")
UPDATE = "MEDIAML_UPDATE_SNAPSHOT=1 .venv/bin/python -m pytest mediaml_assets_tests/test_definitions.py"


def line(spec: dg.AssetSpec) -> str:
    """One asset, as a reviewer wants to read it."""
    deps = ", ".join(sorted(dep.asset_key.to_user_string() for dep in spec.deps)) or "nothing"
    partitions = spec.partitions_def
    per = "the catalogue" if partitions is None else "a title" if partitions == TITLES else "a show"
    return (
        f"{spec.key.to_user_string()} <- {deps} | per {per} | group {spec.group_name} | "
        f"kinds {', '.join(sorted(spec.kinds))} | code version {spec.code_version or '-'}"
    )


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dg.Definitions:
    from mediaml_assets.definitions import definitions

    monkeypatch.setenv("MEDIAML_HOME", str(tmp_path))
    return definitions()


def test_the_mesh_is_the_one_that_was_reviewed(loaded: dg.Definitions) -> None:
    found = sorted(line(spec) for spec in loaded.resolve_all_asset_specs())
    if os.environ.get("MEDIAML_UPDATE_SNAPSHOT"):
        SNAPSHOT.write_text("\n".join(found) + "\n")
    assert found == SNAPSHOT.read_text().splitlines(), f"the mesh changed; if that is meant: {UPDATE}"


def test_every_asset_says_what_it_is(loaded: dg.Definitions) -> None:
    mute = [spec.key.to_user_string() for spec in loaded.resolve_all_asset_specs() if not spec.description]
    assert mute == []


def test_every_column_says_what_it_is(loaded: dg.Definitions) -> None:
    mute = []
    for spec in loaded.resolve_all_asset_specs():
        table = spec.metadata.get("dagster/column_schema")
        columns = table.columns if isinstance(table, dg.TableSchema) else []
        mute += [f"{spec.key.to_user_string()}.{one.name}" for one in columns if not one.description]
    assert mute == []


def test_dagster_finds_the_definitions_valid(tmp_path: Path) -> None:
    dagster = Path(sys.executable).with_name("dagster")
    environment = {**os.environ, "DAGSTER_HOME": str(tmp_path), "MEDIAML_HOME": str(tmp_path)}
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(
        [dagster, "definitions", "validate"], cwd=root, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
