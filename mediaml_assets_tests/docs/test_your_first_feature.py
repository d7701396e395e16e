"""`docs/your-first-feature.md`, run as it is written: its files, its commands, what they print."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mediaml_assets.samples import script
from mediaml_assets.samples.render import render_title
from mediaml_assets_tests.end_to_end.films import film

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "your-first-feature.md").read_text()
TITLE = "night_train.mp4"

PIP = """#!/bin/sh
# no network, and not into the environment that runs the tests
install=$1; shift
exec {python} -m pip $install --quiet --no-deps --no-build-isolation --target {site} "$@"
"""


def blocks(kind: str) -> Iterator[tuple[str, str]]:
    """The code blocks of a kind, each with the file that the sentence before it names."""
    for before, code in re.findall(rf"([^\n]*)\n\n```{kind}\n(.*?)```", DOCUMENT, re.S):
        yield (re.findall(r"`([^`]+)`:$", before) or [""])[0], code


def commands() -> Iterator[tuple[str, str]]:
    """Every command, and what is shown below it."""
    for _, code in blocks("console"):
        for part in re.split(r"^\$ ", code, flags=re.M)[1:]:
            command, _, shown = part.partition("\n")
            yield command, shown


def small(landing: Path) -> None:
    film(landing / TITLE, seed=1)


def sample(landing: Path) -> None:
    """The sample title of that name, as the demo renders it."""
    plan = next(one for one in script.write(1).titles if one.file == TITLE)
    render_title(plan, 1, landing, lambda share: None)


def shape(shown: str) -> list[str]:
    """What is printed whatever the film: without numbers, equal rows once."""
    lines = [re.sub(r"[\d.]+", "N", re.sub(r"[ ─]+", " ", line)).strip() for line in shown.splitlines()]
    # DuckDB counts the rows of a longer table
    return list(dict.fromkeys(line for line in lines if line and line != "N rows N columns"))


def numbers(shown: str) -> list[float]:
    """The numbers that are printed, apart from durations."""
    return [float(one) for one in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", re.sub(r"in [\d.]+ s", "", shown))]


def test_it_is_under_thirty_lines_of_ones_own() -> None:
    code = [line for kind in ("toml", "python") for _, block in blocks(kind) for line in block.splitlines() if line]
    assert len(code) < 30
    assert f"{len(code)} lines" in DOCUMENT


@pytest.mark.slow
@pytest.mark.parametrize("deliver", [small, sample])
def test_every_command_prints_what_is_shown(deliver: Callable[[Path], None], tmp_path: Path) -> None:
    package, home, tools, site = (tmp_path / name for name in ("package", "home", "bin", "site"))
    for folder in (package, home / "landing", tools, site):
        folder.mkdir(parents=True)
    for kind in ("toml", "python"):
        for name, code in blocks(kind):
            (package / name).write_text(code)
    (tools / "pip").write_text(PIP.format(python=shlex.quote(sys.executable), site=shlex.quote(str(site))))
    (tools / "pip").chmod(0o755)
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(site)]),
        "MEDIAML_HOME": str(home),
        "COLUMNS": "160",
    }
    deliver(home / "landing")

    def run(command: str) -> str:
        done = subprocess.run(
            command, shell=True, cwd=package, env=environment, capture_output=True, text=True, timeout=200
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        # as in a terminal: what is being done is said before the answer
        return done.stderr + done.stdout

    run("mediaml status")
    # what the installation of the page has computed before
    run("mediaml value unique_shots night_train --out shots.parquet")
    for command, shown in commands():
        printed = run(command)
        if shown:
            assert shape(printed) == shape(shown), command
        if shown and deliver is sample:
            assert numbers(printed) == pytest.approx(numbers(shown), rel=0.02), command
