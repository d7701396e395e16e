"""`mediaml explain`, as people type it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mediaml_assets import on_demand
from mediaml_assets.cli import main
from mediaml_assets.mesh import Assembly
from mediaml_assets_tests.amber.installation import Installation


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """One title, described by the toy mesh."""
    monkeypatch.setenv("MEDIAML_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    monkeypatch.delenv("MEDIAML_LANDING", raising=False)
    monkeypatch.setenv("TOY_CALLS", str(tmp_path / "calls"))
    here = Installation(tmp_path)
    here.deliver(one="abba")
    here.settle()
    monkeypatch.setattr(on_demand, "assemble", lambda: Assembly(here.mesh, {}, ()))
    return here


def run(*words: str) -> Result:
    return CliRunner(env={"COLUMNS": "120"}).invoke(main, ["explain", *words])


def test_it_says_where_a_value_comes_from_and_what_would_run(here: Installation) -> None:
    answer = run("counts", "one")
    assert answer.exit_code == 0, answer.output
    said = answer.output.splitlines()
    assert said[0] == "counts of one"
    assert said[1].startswith("Current value: ") and said[2].startswith("  computed ")
    assert said[-1].startswith("Now: nothing would run: its key is remembered")
    here.deliver(one="xyz")
    assert "    letters of one: would be computed: nothing is remembered under its key" in run("counts", "one").output
    assert run("total").output.startswith("total of the catalogue\nCurrent value: ")


def test_a_mistake_is_one_message_with_near_names(here: Installation) -> None:
    answer = run("counts", "won")
    assert answer.exit_code == 1 and "no title 'won' has landed; did you mean one?" in answer.output
    assert isinstance(answer.exception, SystemExit)
    assert "there is no feature 'count'; did you mean counts?" in run("count", "one").output


def test_the_features_of_the_installation_are_explained_in_a_process_of_its_own(here: Installation) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", "from mediaml_assets.cli import main; main()", "explain", "essence", "one"]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
    assert answer.returncode == 0, answer.stderr
    assert "essence of one\nCurrent value: none, it was never computed\nNow: would be computed: " in answer.stdout
