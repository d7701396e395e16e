"""Values of real films on demand: in this process, in several, and from the command line."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from mediaml_assets.errors import FeatureError, NotStored, SettingsError, Unreachable
from mediaml_assets.installation import installed_store
from mediaml_assets.on_demand import rows, submit, value, values
from mediaml_assets_tests.amber.platform import Platform
from mediaml_assets_tests.end_to_end.conftest import Call, CommandLine
from mediaml_assets_tests.end_to_end.films import film


@pytest.fixture
def fresh(tmp_path: Path, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home where the two films have landed and nothing has been computed."""
    shutil.copytree(platform.landing, tmp_path / "home" / "landing")
    monkeypatch.setenv("MEDIAML_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_values_that_are_there_are_only_recalled(platform: Platform, calls: list[Call]) -> None:
    found = values("shots")
    assert sorted(found) == ["one", "two"] and calls == []
    assert value("shots", "one").value == found["one"].value
    table = rows("shots")
    assert table.column_names[:2] == ["title", "index"] and table.num_rows == 8
    assert rows("match_cuts").equals(value("match_cuts").table())
    assert rows("shots", []).num_rows == 0
    with pytest.raises(FeatureError, match="match_cuts is a feature of all titles"):
        rows("match_cuts", ["one"])


def test_a_new_film_is_described_when_it_is_asked_for(platform: Platform, calls: list[Call]) -> None:
    film(platform.landing / "asked.mp4", seed=3, shots=2)
    platform.land()
    assert value("shots", "asked").table().num_rows == 2
    assert calls == [("essence", "asked"), ("standard_encode", "asked"), ("shots", "asked")]
    # the others are only recalled
    value("match_cuts", k=3, titles=("one", "asked"))
    assert {title for _, title in calls} == {"asked", "_catalogue"}
    (platform.landing / "asked.mp4").unlink()


@pytest.mark.slow
def test_the_command_line_computes_in_several_processes_and_prints_rows(fresh: Path, command_line: CommandLine) -> None:
    done = command_line(fresh, "status")
    assert done.returncode == 0, done.stderr
    done = command_line(fresh, "value", "shots", "--processes", "2", "--out", "shots.parquet")
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("standard_encode of ")]
    assert sorted(line.split(":")[0] for line in told if line.endswith("computing")) == [
        "standard_encode of one",
        "standard_encode of two",
    ]
    assert duckdb.sql(f"SELECT title, count(*) FROM '{fresh}/shots.parquet' GROUP BY 1 ORDER BY 1").fetchall() == [
        ("one", 4),
        ("two", 4),
    ]
    done = command_line(fresh, "value", "shots", "one")
    assert done.returncode == 0 and "usable_start" in done.stdout and "computing" not in done.stderr
    done = command_line(fresh, "value", "clips", "two", "--out", "clips.csv")
    assert done.returncode == 0, done.stderr
    assert (fresh / "clips.csv").read_text().startswith("title,")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("shot",), "there is no feature 'shot'; did you mean shots"),
        (("shots", "tow"), "no title 'tow' has landed; did you mean two?"),
        (("shots", "--out", "rows.xls"), "rows.xls ends neither in .parquet nor in .csv"),
        (("match_cuts", "one"), "match_cuts is a feature of all titles"),
    ],
)
def test_a_mistake_is_one_message(platform: Platform, command_line: CommandLine, words: list[str], says: str) -> None:
    done = command_line(platform.home, "value", *words)
    assert done.returncode != 0 and says in done.stderr and "Traceback" not in done.stderr


def test_no_installation_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIAML_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(SettingsError, match=r"there is no installation in .*nowhere; set MEDIAML_HOME"):
        value("shots", "one")
    assert not (tmp_path / "nowhere").exists()
    os.mkdir(tmp_path / "nowhere")
    with pytest.raises(NotStored, match="no title 'one' has landed; there are none"):
        value("shots", "one")


@pytest.mark.slow
def test_the_dagster_that_runs_computes_it(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`mediaml ui` with its queue, sensors and automation: the title may be computed by its run, or by ours."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("MEDIAML_DAGSTER", f"http://127.0.0.1:{port}")
    mediaml = Path(sys.executable).with_name("mediaml")
    subprocess.run([mediaml, "status"], check=True, capture_output=True, timeout=60)
    ui = subprocess.Popen(
        [mediaml, "ui", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until = time.monotonic() + 90
        asked = None
        while asked is None:
            with suppress(Unreachable):
                asked = submit("shots", "one")
            assert time.monotonic() < until
            time.sleep(0.5)
        assert list(asked.runs) == ["one"]
        assert asked.wait(150).value().table().num_rows == 4
    finally:
        os.killpg(ui.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            ui.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(ui.pid, signal.SIGKILL)
    chain = [installed_store().ledger.chain(name, "one") for name in ("essence", "standard_encode", "shots")]
    assert [[row.event for row in rows] for rows in chain] == [["computed"]] * 3
