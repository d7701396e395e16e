"""The real mesh over small real films: a home with two described titles, copied afresh for every test."""

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import dagster as dg
import pytest

from mediaml_assets.mesh import mesh
from mediaml_assets_tests.amber.platform import Platform
from mediaml_assets_tests.end_to_end.films import film

TITLES = ("one", "two")
Call = tuple[str, str]
CommandLine = Callable[..., subprocess.CompletedProcess[str]]


class _Calls(logging.Handler):
    """Every call of a feature's function, as (feature, title)."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.made: list[Call] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.__dict__["event"] == "computing":
            self.made.append((record.__dict__["feature"], record.__dict__["title"]))


@pytest.fixture
def calls(platform: Platform) -> Iterator[list[Call]]:
    """Grows with every call of a feature's function in this process, once the platform is at rest."""
    handler = _Calls()
    log = logging.getLogger("mediaml")
    level = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    yield handler.made
    log.removeHandler(handler)
    log.setLevel(level)


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """An installation with the real mesh, in which the titles `one` and `two` are described."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as environment, dg.DagsterInstance.ephemeral() as instance:
        _use(home, environment)
        platform = Platform(home, instance, mesh())
        for seed, title in enumerate(TITLES, start=1):
            shutil.copy2(film(home / "originals" / f"{title}.mp4", seed), platform.landing)
        catch_up(platform)
        yield platform


@pytest.fixture
def platform(installation: Platform, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """The same installation, brought back to the two titles as they were first delivered."""
    _use(installation.home, monkeypatch)
    shutil.rmtree(installation.landing)
    shutil.copytree(installation.home / "originals", installation.landing)
    installation.load(mesh())
    # other commands may have landed in between: what this platform knows of the folder is no longer true
    installation.known = {}
    catch_up(installation)
    return installation


def catch_up(platform: Platform) -> None:
    """Land and run what keys say is stale, as `mediaml ingest` does, but in this process."""
    platform.land()
    titles = platform.titles()
    for title in sorted({title for _, title in platform.mesh.stale(platform.store, titles)}):
        platform.materialize([one.name for one in platform.mesh.per_title_of(platform.store, title)], title)
    # what reads another one of the catalogue is seen to be out of date once that one was made
    while ends := platform.mesh.stale_over_catalogue(platform.store, titles):
        platform.materialize(ends, None)


def _use(home: Path, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("MEDIAML_HOME", str(home))
    environment.delenv("MEDIAML_LANDING", raising=False)


@pytest.fixture
def command_line() -> CommandLine:
    """`mediaml` in a process of its own over a home; the result has its two outputs."""

    def run(home: Path, *words: str, before: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*before, Path(sys.executable).with_name("mediaml"), *words],
            env={**os.environ, "MEDIAML_HOME": str(home), "COLUMNS": "200"},
            cwd=home,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run
