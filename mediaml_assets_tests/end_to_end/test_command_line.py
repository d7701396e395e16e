"""What the README tells people to type, over a home with described titles."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mediaml_assets.cli import main
from mediaml_assets_tests.amber.platform import Platform
from mediaml_assets_tests.end_to_end.conftest import CommandLine

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def dagster_home(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `mediaml` sets in this process is undone."""
    monkeypatch.setenv("DAGSTER_HOME", str(platform.home / "dagster"))


def run(*words: str) -> Result:
    return CliRunner(env={"COLUMNS": "160"}).invoke(main, words)


@pytest.mark.usefixtures("dagster_home")
def test_cuts_prints_and_writes_what_people_look_at(platform: Platform) -> None:
    current = platform.store.view("match_cuts", "_catalogue").value
    answer = run("cuts", "--titles", "one,two", "--flavour", "motion", "--k", "2", "--previews", "1")
    assert answer.exit_code == 0, answer.output
    assert "motion: best 2 cuts" in answer.output and "frame: best" not in answer.output
    out = platform.home / "out" / "cuts"
    written = [out / "contact_sheet.png", out / "match_cuts.html", out / "previews" / "motion-001.mp4"]
    assert all(path.stat().st_size > 1000 and str(path) in answer.output for path in written)
    assert platform.store.view("match_cuts", "_catalogue").value == current


@pytest.mark.slow
def test_cuts_of_an_empty_home_say_where_films_go(tmp_path: Path, command_line: CommandLine) -> None:
    for before in ("status", "ingest"):
        assert command_line(tmp_path, before).returncode == 0
        answer = command_line(tmp_path, "cuts")
        assert answer.returncode == 1 and "Traceback" not in answer.stderr
        assert f"put films into {tmp_path / 'landing'}, then `mediaml ingest`" in answer.stderr


@pytest.mark.usefixtures("dagster_home")
def test_cuts_of_one_title_are_within_it(platform: Platform) -> None:
    answer = run("cuts", "--titles", "one", "--flavour", "motion", "--previews", "0")
    assert answer.exit_code == 0, answer.output
    assert "one #" in answer.output and "two #" not in answer.output


def test_one_ingest_makes_all_that_the_catalogue_has(platform: Platform, command_line: CommandLine) -> None:
    home = Path(shutil.copytree(platform.home, platform.home.parent / "unfinished", dirs_exist_ok=True))
    for name in ("shot_groups", "match_cuts"):
        shutil.rmtree(home / "store" / "ledger" / name)
    done = command_line(home, "ingest")
    assert done.returncode == 0, done.stderr
    made = command_line(home, "sql", "select count(*) as n from current where title = '_catalogue'").stdout
    assert "2" in made.split(), made
    assert "0 values computed, 0 recalled" in command_line(home, "ingest").stdout


@pytest.mark.usefixtures("dagster_home")
def test_sql_over_values_history_ledger_and_metrics(platform: Platform) -> None:
    answer = run("sql", "select title, count(*) as n from shots group by title order by title")
    assert answer.exit_code == 0, answer.output
    assert "one" in answer.output and "4" in answer.output
    for view in ("history", "ledger", "metrics", "shots_history"):
        assert "0" not in run("sql", f"select 'rows' from {view} limit 1").output.splitlines()[0]
    assert "CREATE OR REPLACE VIEW" in run("sql", "--init").output


@pytest.mark.usefixtures("dagster_home")
def test_status_of_described_and_withdrawn_titles(platform: Platform) -> None:
    (platform.landing / "two.mp4").unlink()
    lines = {line.split()[1]: line for line in run("status").output.splitlines() if line.startswith("│")}
    assert "described" in lines["one"] and "withdrawn" in lines["two"]


def test_dagster_materialises_a_title_in_a_home_that_lasts(platform: Platform, command_line: CommandLine) -> None:
    home = Path(shutil.copytree(platform.home, platform.home.parent / "lasting", dirs_exist_ok=True))
    landed = command_line(home, "status")
    assert landed.returncode == 0, landed.stderr
    words = ["-m", "mediaml_assets.definitions", "--select", "key:shots or key:shot_embedding", "--partition", "one"]
    done = subprocess.run(
        [Path(sys.executable).with_name("dagster"), "asset", "materialize", *words],
        env={**os.environ, "MEDIAML_HOME": str(home), "DAGSTER_HOME": str(home / "dagster")},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "RUN_SUCCESS" in done.stdout + done.stderr
