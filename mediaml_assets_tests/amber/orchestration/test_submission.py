"""What is asked of a Dagster, and when; a stand-in answers that computes in threads when it is told to.

`test_submission_real.py` asks a real one the same.
"""

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from mediaml_assets.amber.demand import Demand
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.orchestration import submission
from mediaml_assets.amber.orchestration.submission import Dagster, Submission
from mediaml_assets.errors import FeatureError, NotComputed, Unreachable
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.toy import calls, shows_mesh

Asked = tuple[str, frozenset[str]]


class StandIn(ThreadingHTTPServer):
    """Answers GraphQL as a Dagster with the toy mesh does; a run goes on until `finish` lets it compute."""

    def __init__(self, here: Installation) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.demand = Demand(here.store, here.mesh)
        self.runs: dict[str, Asked] = {}
        """Every run that was asked for: (partition, assets)."""
        self.active: set[str] = set()
        self.refuses = ""

    @property
    def dagster(self) -> Dagster:
        return Dagster(f"http://127.0.0.1:{self.server_address[1]}/")

    def finish(self) -> list[Asked]:
        """Let the active runs compute and end; what they were."""
        ended = sorted(self.active)
        for run in ended:
            scope, assets = self.runs[run]
            with suppress(Exception):
                self.demand.bring([name for name in self.demand.mesh.features if name in assets], scope)
            self.active.discard(run)
        return [self.runs[run] for run in ended]

    def answer(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        if "assetNodeOrError" in query:
            known = variables["key"]["path"][0] in self.demand.mesh.features
            repository = {"name": "__repository__", "location": {"name": "toy"}}
            node = {"jobNames": ["other", "__ASSET_JOB"], "repository": repository}
            return {"assetNodeOrError": node if known else {}}
        if "runsOrError" in query:
            return {"runsOrError": {"results": [self._run(run) for run in sorted(self.active)]}}
        if self.refuses:
            return {"launchRun": {"__typename": "PythonError", "message": self.refuses}}
        params, run = variables["params"], str(uuid.uuid4())
        assert params["selector"]["jobName"] == "__ASSET_JOB" and params["selector"]["repositoryLocationName"] == "toy"
        tags = {tag["key"]: tag["value"] for tag in params["executionMetadata"]["tags"]}
        assets = frozenset(asset["path"][0] for asset in params["selector"]["assetSelection"])
        self.runs[run] = (tags.get("dagster/partition", CATALOGUE), assets)
        self.active.add(run)
        return {"launchRun": {"__typename": "LaunchRunSuccess", "run": {"runId": run}}}

    def _run(self, run: str) -> dict[str, Any]:
        scope, assets = self.runs[run]
        tags = [] if scope == CATALOGUE else [{"key": "dagster/partition", "value": scope}]
        selection = [{"path": [name]} for name in sorted(assets)] or None
        return {"runId": run, "status": "STARTED", "assetSelection": selection, "tags": tags}


class _Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        assert isinstance(server, StandIn)
        body = json.dumps({"data": server.answer(asked["query"], asked["variables"])}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *anything: object) -> None:
        pass


@pytest.fixture
def server(here: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """Two episodes of a show and a film have landed; nothing is computed."""
    monkeypatch.setattr(submission, "POLL_SECONDS", 0.02)
    here.mesh = shows_mesh()
    for path, text in (("harbour/s01/e01", "abba"), ("harbour/s01/e02", "xyz"), ("one", "a")):
        (here.landing / path).parent.mkdir(parents=True, exist_ok=True)
        (here.landing / f"{path}.mp4").write_text(text)
    here.land()
    with StandIn(here) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def submit(server: StandIn, name: str, *scopes: str) -> Submission:
    return Submission(server.demand, server.dagster, name, scopes)


CHAIN = frozenset({"letters", "counts"})


def test_one_run_a_title_with_all_that_is_missing(server: StandIn) -> None:
    asked = submit(server, "counts", "one", "harbour-s01e01")
    assert sorted(server.runs.values()) == [("harbour-s01e01", CHAIN), ("one", CHAIN)]
    assert not asked.done() and calls() == []
    server.finish()
    assert asked.done()
    assert {title: view.value.rows for title, view in asked.values().items()} == {"one": 1, "harbour-s01e01": 2}
    assert asked.value().title == "one"


def test_what_is_there_needs_no_run(server: StandIn) -> None:
    server.demand.value("letters", "one")
    submit(server, "counts", "one")
    assert list(server.runs.values()) == [("one", frozenset({"counts"}))]
    server.finish()
    assert submit(server, "counts", "one").value().value.rows == 1
    assert len(server.runs) == 1


def test_a_run_that_works_on_it_is_joined(server: StandIn) -> None:
    first, second = submit(server, "counts", "one"), submit(server, "counts", "one")
    part = submit(server, "letters", "one")
    assert len(server.runs) == 1 and first.runs == second.runs == part.runs
    server.finish()
    assert first.value().value == second.value().value
    # a run over all assets is one that works on it
    server.runs["whole"] = ("harbour-s01e01", frozenset())
    server.active.add("whole")
    assert submit(server, "counts", "harbour-s01e01").runs == {"harbour-s01e01": "whole"}


def test_a_run_over_less_is_not_enough(server: StandIn) -> None:
    submit(server, "letters", "one")
    asked = submit(server, "counts", "one")
    assert sorted(map(len, (assets for _, assets in server.runs.values()))) == [1, 2]
    server.finish()
    asked.value()
    assert calls() == ["letters/one", "counts/one"]


def test_titles_come_before_their_show_and_shows_before_the_catalogue(server: StandIn) -> None:
    server.demand.value("counts", "one")
    asked = submit(server, "seasons", CATALOGUE)
    steps = []
    while not asked.done():
        steps.append(sorted(server.finish()))
    assert steps == [
        [("harbour-s01e01", CHAIN), ("harbour-s01e02", CHAIN)],
        [("harbour", frozenset({"season"}))],
        [(CATALOGUE, frozenset({"seasons"}))],
    ]
    assert asked.value().table().num_rows == 2


def test_what_could_not_be_had_is_named_with_its_run(server: StandIn, here: Installation) -> None:
    here.deliver(bad="a!", crashed="crash", held="q")
    asked = submit(server, "counts", "bad", "crashed", "held", "one")
    server.finish()
    with pytest.raises(NotComputed) as failed:
        asked.values()
    reasons = failed.value.reasons
    assert sorted(reasons) == ["bad", "crashed", "held"]
    assert reasons["bad"].startswith("letters of bad was refused: bad.mp4 holds a '!'")
    run = asked.runs["crashed"]
    assert reasons["crashed"] == (
        f"letters of crashed is not up to date (its run: {server.dagster.address}/runs/{run})"
    )
    assert "q is not allowed" in reasons["held"]
    # a refused title is not run again
    before = len(server.runs)
    with pytest.raises(NotComputed):
        submit(server, "counts", "bad").values()
    assert len(server.runs) == before


def test_a_value_of_older_content_is_not_the_answer(server: StandIn, here: Installation) -> None:
    here.deliver(one="abba")
    submit(server, "counts", "one")
    server.finish()
    here.deliver(one="a!")
    asked = submit(server, "counts", "one")
    server.finish()
    with pytest.raises(NotComputed, match="holds a '!'"):
        asked.value()


def test_of_no_title_there_is_no_value(server: StandIn) -> None:
    with pytest.raises(FeatureError, match="counts was asked for no title"):
        submit(server, "counts").value()
    assert submit(server, "counts").values() == {}


def test_waiting_has_an_end(server: StandIn) -> None:
    asked = submit(server, "counts", "one")
    with pytest.raises(TimeoutError, match=rf"counts was not there after 0.05 s; .*/runs/{asked.runs['one']}"):
        asked.wait(timeout=0.05)
    threading.Timer(0.1, server.finish).start()
    assert asked.wait(timeout=30).done()


def test_a_dagster_that_cannot_says_why(server: StandIn) -> None:
    with pytest.raises(Unreachable, match=r"has no asset motion; restart it"):
        server.dagster.launch(["motion"], "one")
    server.refuses = "the code location does not load"
    with pytest.raises(Unreachable, match="did not start a run for one: the code location does not load"):
        submit(server, "counts", "one")
    with pytest.raises(Unreachable, match=r"no Dagster answers at http://127.0.0.1:9 .*set MEDIAML_DAGSTER"):
        Dagster("http://127.0.0.1:9").active()
