"""Bad files among good ones: each says clearly why it cannot be used, on the command line and in Dagster."""

import ctypes
import os
import shutil
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from mediaml_assets.cli import main
from mediaml_assets.jasper.delivered.essence import Essence, essence
from mediaml_assets.jasper.files import MediaFile
from mediaml_assets_tests.amber.platform import Platform
from mediaml_assets_tests.end_to_end.conftest import Call, CommandLine, catch_up
from mediaml_assets_tests.end_to_end.films import film, sound_only

UNREADABLE = {
    "empty.mp4": "empty",
    "truncated.mp4": "cut short",
    "text.mp4": "not media at all",
    "sound.mp4": "no video stream",
    "crashing.mp4": "crashes its decoder (SIGSEGV)",
}
"""File -> what its reason must speak of; they have a good name, so their title is refused when it is read."""

MISNAMED = ("two words.mp4", "été.mp4", "up..down.mp4", "-option.mp4")
CRASHING = "crashing.mp4"


def essence_unless_it_crashes(file: MediaFile) -> Essence:
    """A decoder that a film brings down."""
    if file.name == CRASHING:
        ctypes.string_at(0)
    return essence(file)


def deliver_bad_files(landing: Path, good: Path) -> None:
    (landing / "empty.mp4").touch()
    (landing / "truncated.mp4").write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    (landing / "text.mp4").write_text("Dear all, the film follows tomorrow.\n" * 50)
    sound_only(landing / "sound.mp4")
    shutil.copy2(good, landing / CRASHING)
    for name in MISNAMED:
        shutil.copy2(good, landing / name)


@pytest.fixture
def with_bad_files(platform: Platform, calls: list[Call], monkeypatch: pytest.MonkeyPatch) -> Platform:
    monkeypatch.setenv("DAGSTER_HOME", str(platform.home / "dagster"))
    monkeypatch.setattr("mediaml_assets.features.essence.essence_of", essence_unless_it_crashes)
    deliver_bad_files(platform.landing, platform.home / "originals" / "one.mp4")
    film(platform.landing / "good.mp4", 4)
    catch_up(platform)
    return platform


def test_bad_files_say_why_and_the_good_title_goes_on(with_bad_files: Platform, calls: list[Call]) -> None:
    assert {"one", "good"} <= set(
        with_bad_files.store.view("match_cuts", "_catalogue").table().column("title1").to_pylist()
    )
    answer = CliRunner(env={"COLUMNS": "200"}).invoke(main, ["status"])
    assert answer.exit_code == 0, answer.output
    said = {line.split(": ")[0].strip(): line for line in answer.output.splitlines() if ": " in line}
    for name, word in UNREADABLE.items():
        assert word in said[Path(name).stem], said
        assert "quarantined" in next(line for line in answer.output.splitlines() if f" {Path(name).stem} " in line)
    for name in MISNAMED:
        assert "Rename it" in said[name] and "gives no title" in said[name]
    assert calls.count(("essence", "text")) <= 1


@pytest.mark.slow
def test_dagster_shows_the_same_reasons(with_bad_files: Platform) -> None:
    instance = with_bad_files.instance
    for name, word in UNREADABLE.items():
        title = Path(name).stem
        (run,) = instance.get_runs(dg.RunsFilter(tags={"dagster/partition": title}), limit=1)
        failures = [
            record.dagster_event.step_failure_data
            for record in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
            if record.dagster_event
        ]
        described = [one.user_failure_data.description or "" for one in failures if one.user_failure_data]
        assert any(f"{title} is quarantined" in text and word in text for text in described), described
    event = instance.get_latest_materialization_event(dg.AssetKey("quarantine"))
    assert event is not None and event.asset_materialization is not None
    shown = str(event.asset_materialization.metadata["quarantine"].value)
    assert all(name in shown for name in MISNAMED)


def test_a_file_without_read_permission_is_quarantined(tmp_path: Path, command_line: CommandLine) -> None:
    without_privileges = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root reads everything, and setpriv (util-linux) is not here to take that away")
        without_privileges = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    landing = tmp_path / "landing"
    film(landing / "locked.mp4", 1, shots=1).chmod(0o000)
    film(landing / "open.mp4", 2, shots=1)
    closed = landing / "closed"
    film(closed / "inside.mp4", 3, shots=1)
    closed.chmod(0o000)
    try:
        done = command_line(tmp_path, "status", before=without_privileges)
    finally:
        closed.chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert "locked.mp4: 'locked.mp4' cannot be read: permission denied" in done.stdout
    assert "closed: 'closed' cannot be read: permission denied" in done.stdout
    assert " open " in done.stdout
