"""The page on Marken's faces, run as it is written: its requests, its Python, its commands and what they print."""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from mediaml_assets.annotated import installed_marken
from mediaml_assets.cli import main
from mediaml_assets.marken.faces.http import app
from mediaml_assets.marken.marken import Marken

from ..marken.faces.service import running

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "marken" / "faces.md").read_text()
TOKEN = "the-token-of-these-tests"

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="its requests are made with curl")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", DOCUMENT, re.S | re.M)


@pytest.fixture
def marken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Marken:
    monkeypatch.setenv("MEDIAML_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home" / "dagster"))
    for name in ("MEDIAML_LANDING", "MEDIAML_BUCKET", "MEDIAML_MARKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return installed_marken()


def answers(marken: Marken) -> Iterator[dict]:
    """Of each request of the page, in order."""
    with running(app(marken, TOKEN)) as address:
        environment = {**os.environ, "MARKEN": address, "MEDIAML_TOKEN": TOKEN}
        for command in blocks("sh"):
            done = subprocess.run(
                ["bash", "-ec", command], env=environment, capture_output=True, check=True, timeout=60
            )
            yield json.loads(done.stdout)


def test_the_requests_are_answered_as_the_page_says_and_the_commands_show_it(marken: Marken) -> None:
    types, started, upserted, finished, found, one, decided = answers(marken)
    assert {"SHOT", "CUE"} <= {kind["name"] for kind in types["types"]}
    assert (started["state"], upserted["state"], finished["state"], finished["rows"]) == (
        "started",
        "started",
        "finished",
        2,
    )
    assert [hit["id"] for hit in found["hits"]] == ["pier-1"] and found["cursor"] and found["moment"]
    assert (one["id"], one["version"], one["properties"]["label"]) == ("pier-1", 1, "a red boat")
    assert [(said["by"], said["version"]) for said in decided["annotations"]] == [("kim", 1)]

    for block in blocks("console"):
        for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M):
            name, *words = shlex.split(command)
            if name == "cat":
                told = Path(words[0]).read_text()
            else:
                told = CliRunner(env={"COLUMNS": "120"}).invoke(main, words).output
            assert shown.strip() in told, command


def test_the_python_of_the_page_runs(marken: Marken, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks("python")
    with running(app(marken, TOKEN)) as address:
        exec(code, {"ADDRESS": address, "TOKEN": TOKEN})
    assert capsys.readouterr().out == "pier-film {'start': 1.5, 'end': 4.25} a red boat\n"


def test_the_page_names_every_address() -> None:
    said = set(re.findall(r"(?:GET|POST) (/v1/[\w/-]+)", DOCUMENT)) | {
        f"/v1/operations{tail}"
        for tail in ("/upsert", "/finish", "/cancel", "/roll-back")
        if f"`{tail}`" in DOCUMENT or tail == "/upsert"
    }
    assert said == set(app(Marken.__new__(Marken)).openapi()["paths"])
