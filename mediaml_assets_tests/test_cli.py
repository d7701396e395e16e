"""The `mediaml` command: helps that read well, and errors that are one message and no traceback."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from mediaml_assets import runs
from mediaml_assets.cli import main
from mediaml_assets.landing.folder import LandingFolder

COMMANDS = sorted(main.commands)


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEDIAML_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    monkeypatch.delenv("MEDIAML_LANDING", raising=False)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner(env={"COLUMNS": "120"}).invoke(main, words)


def test_the_help_names_every_command_in_a_whole_sentence() -> None:
    lines = run("--help").output.splitlines()
    said = {line.split()[0]: line for line in lines[lines.index("Commands:") + 1 :]}
    assert sorted(said) == COMMANDS
    assert [line for line in said.values() if not line.endswith(".") or line.endswith("...")] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_and_option_says_what_it_does(name: str) -> None:
    answer = run(name, "--help")
    assert answer.exit_code == 0
    options = [one for one in main.commands[name].params if isinstance(one, click.Option)]
    assert [one.name for one in options if not one.help] == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["sql", "selec 1"], 'syntax error at or near "selec"'),
        (["sql", "select * from nowhere"], "nowhere does not exist"),
        (["cuts", "--titles", "nobody"], "there is no title 'nobody'; there are none"),
        (["cuts", "--titles", ", nobody,nobody"], "there is no title 'nobody'; there are none"),
        (["cuts", "--k", "0"], "0 is not in the range x>=1"),
        (["ui", "--port", "0"], "0 is not in the range"),
        (["dance"], "No such command 'dance'"),
    ],
)
def test_a_mistake_is_one_message(words: list[str], says: str, empty_home: Path) -> None:
    answer = run(*words)
    assert answer.exit_code != 0
    assert says in answer.output
    assert "Traceback" not in answer.output
    assert isinstance(answer.exception, SystemExit)


def test_a_wrong_settings_file_is_one_message(empty_home: Path) -> None:
    (empty_home / "mediaml.toml").write_text("[features.match_cuts]\nkay = 3\n")
    answer = run("status")
    assert answer.exit_code == 1 and "match_cuts has no configuration named kay; it has" in answer.output
    (empty_home / "mediaml.toml").write_text("[features.match_cuts\nk = 3\n")
    answer = run("status")
    assert answer.exit_code == 1 and "mediaml.toml" in answer.output
    assert isinstance(answer.exception, SystemExit)


def test_a_landing_folder_that_is_not_there_is_one_message_and_is_not_made(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIAML_LANDING", str(empty_home / "disk"))
    answer = run("ingest")
    assert answer.exit_code == 1 and f"there is no folder {empty_home / 'disk'}" in answer.output
    assert isinstance(answer.exception, SystemExit)
    assert list(empty_home.iterdir()) == []


def test_an_empty_installation_has_nothing_to_show(empty_home: Path) -> None:
    answer = run("cuts")
    assert answer.exit_code == 1 and "then `mediaml ingest`" in answer.output
    assert run("sql").exit_code == 0
    assert run("status").exit_code == 0


def test_the_demo_shows_what_there_is_before_it_tells_what_failed(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "bring_up_to_date", lambda watch: runs.Summary(failed={"one": "its process ended"}))
    answer = run("demo", "--no-samples")
    assert answer.exit_code == 1
    assert answer.output.index("No match cuts") < answer.output.index("FAILED one: its process ended")
    assert isinstance(answer.exception, SystemExit)


def test_a_copy_under_way_is_named_and_not_waited_for(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        LandingFolder, "settled", lambda self, files: [one for one in files if one.path != "growing.mp4"]
    )
    for name in ("growing", "still"):
        (empty_home / "landing" / f"{name}.mp4").parent.mkdir(exist_ok=True)
        (empty_home / "landing" / f"{name}.mp4").write_bytes(b"film")
    answer = run("status")
    assert answer.exit_code == 0, answer.output
    assert "1 left for later" in answer.output and "  growing.mp4" in answer.output
    assert "still" in answer.output
