"""Values from a Dagster that really runs: its web server, its code server, its run processes."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from mediaml_assets.amber.demand import Demand
from mediaml_assets.amber.orchestration.submission import Dagster, Submission
from mediaml_assets.errors import NotComputed, Unreachable
from mediaml_assets.landing.arrivals import look
from mediaml_assets.landing.folder import LandingFolder
from mediaml_assets.landing.sensors import report
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.toy import calls, shows_mesh

SETTINGS = """
telemetry:
  enabled: false
run_coordinator:
  module: dagster.core.run_coordinator
  class: DefaultRunCoordinator
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def dagster(here: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dagster]:
    """A web server over the toy mesh; runs are launched as soon as they are asked for."""
    here.mesh = shows_mesh()
    home = here.home / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text(SETTINGS)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).with_name("dagster-webserver"), "-h", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(
        [*command, "-m", "mediaml_assets_tests.amber.toy_location"],
        env={**os.environ, "TOY_SECONDS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 90
        while not answers(port):
            assert time.monotonic() < until and server.poll() is None
            time.sleep(0.3)
        yield Dagster(f"http://127.0.0.1:{port}")
    finally:
        server.terminate()
        server.wait(30)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def land(here: Installation, **texts: str) -> None:
    """Deliver files, and tell Dagster."""
    for path, text in texts.items():
        file = here.landing / f"{path.replace('__', '/')}.mp4"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    with dg.DagsterInstance.get() as instance:
        report(instance, look(LandingFolder(here.landing, settle_seconds=0), here.store, {}))


def test_a_real_dagster_computes_what_is_asked_for(here: Installation, dagster: Dagster) -> None:
    land(here, harbour__s01__e01="abba", harbour__s01__e02="xyz", bad="a!", crashed="crash")
    demand = Demand(here.store, here.mesh)
    began = time.monotonic()
    first = Submission(demand, dagster, "counts", ["harbour-s01e01"])
    assert not first.done() and time.monotonic() - began < 30
    # the run that works on it is joined; of another feature that it does not make, a run is asked for
    second = Submission(demand, dagster, "letters", ["harbour-s01e01"])
    assert second.runs == first.runs
    with pytest.raises(TimeoutError, match=r"counts was not there after 0 s; runs that go on: http://127.*/runs/"):
        first.wait(timeout=0)
    assert first.wait(120).value().value.rows == 2 and second.value().value.rows == 4
    # nothing is missing: no run
    assert Submission(demand, dagster, "counts", ["harbour-s01e01"]).done()
    # a show asks for its titles first, then for itself
    show = Submission(demand, dagster, "average", ["harbour"])
    assert list(show.runs) == ["harbour-s01e02"]
    assert show.value().row() == {"n": 7}
    assert Counter(calls()).most_common(1)[0][1] == 1
    with pytest.raises(NotComputed) as failed:
        Submission(demand, dagster, "counts", ["bad", "crashed", "harbour-s01e02"]).values()
    assert "bad.mp4 holds a '!'" in failed.value.reasons["bad"]
    assert "letters of crashed is not up to date (its run: http://127" in failed.value.reasons["crashed"]
    over_all = Submission(demand, dagster, "seasons", ["_catalogue"])
    assert over_all.wait(200).value().table().num_rows == 2


def test_a_dagster_without_the_feature_says_so(here: Installation, dagster: Dagster) -> None:
    with pytest.raises(Unreachable, match=r"the Dagster at http://127.* has no asset motion; restart it"):
        dagster.launch(["motion"], "one")
