"""Values on demand from a Dagster that runs already: it is asked for runs over GraphQL, and the answers are waited for.

A scope that a run is working on, or queued for, is waited for and no second run is asked for. Between that look and
the request another one may ask as well: then two runs are launched, and claims see to it that each value is computed
once. Whether a value is there is decided by its key, not by what became of a run.
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any, Self

from mediaml_assets.amber.demand import Demand, Level
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.view import View
from mediaml_assets.errors import FeatureError, MediamlError, NotComputed, Unreachable

POLL_SECONDS = 1.0

_ACTIVE = ["NOT_STARTED", "QUEUED", "STARTING", "STARTED", "CANCELING"]

_WHERE = """
query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) {
  ... on AssetNode { jobNames repository { name location { name } } } } }
"""

_RUNS = """
query($filter: RunsFilter!) { runsOrError(filter: $filter) {
  ... on Runs { results { runId status assetSelection { path } tags { key value } } }
  ... on Error { message } } }
"""

_LAUNCH = """
mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on Error { message }
  ... on RunConfigValidationInvalid { errors { message } } } }
"""


class Dagster:
    """A running Dagster, at the address of its UI.

    Raises:
        Unreachable: nothing answers there, or with an error.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")

    def active(self) -> list[tuple[str, str, frozenset[str] | None]]:
        """Run, partition (CATALOGUE without one) and assets (None for all) of each run that has not ended."""
        found = self._ask(_RUNS, filter={"statuses": _ACTIVE})["runsOrError"]["results"]
        runs = []
        for run in found:
            tags = {tag["key"]: tag["value"] for tag in run["tags"]}
            assets = run["assetSelection"] and frozenset(asset["path"][-1] for asset in run["assetSelection"])
            runs.append((run["runId"], tags.get("dagster/partition", CATALOGUE), assets))
        return runs

    def launch(self, names: Sequence[str], scope: str) -> str:
        """Ask for a run over some assets for a partition, or CATALOGUE; its id."""
        node = self._ask(_WHERE, key={"path": [names[-1]]})["assetNodeOrError"]
        if not node:
            raise Unreachable(
                f"the Dagster at {self.address} has no asset {names[-1]}; restart it, so that it finds the feature"
            )
        selector = {
            "repositoryLocationName": node["repository"]["location"]["name"],
            "repositoryName": node["repository"]["name"],
            "jobName": next(name for name in node["jobNames"] if name.startswith("__ASSET_JOB")),
            "assetSelection": [{"path": [name]} for name in names],
        }
        tags = [{"key": "mediaml/asked_by", "value": "submit"}]
        if scope != CATALOGUE:
            tags.append({"key": "dagster/partition", "value": scope})
        params = {"selector": selector, "mode": "default", "runConfigData": {}, "executionMetadata": {"tags": tags}}
        answer = self._ask(_LAUNCH, params=params)["launchRun"]
        if answer["__typename"] != "LaunchRunSuccess":
            said = answer.get("message") or "; ".join(error["message"] for error in answer.get("errors", []))
            raise Unreachable(f"the Dagster at {self.address} did not start a run for {scope}: {said}")
        return str(answer["run"]["runId"])

    def _ask(self, query: str, **variables: Any) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.address}/graphql", body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                said = json.load(answer)
        except (OSError, ValueError) as error:
            raise Unreachable(
                f"no Dagster answers at {self.address} ({error}); start `mediaml ui`, or set MEDIAML_DAGSTER to the "
                "address of its UI"
            ) from error
        if said.get("errors"):
            raise Unreachable(f"the Dagster at {self.address} answers: {said['errors'][0]['message']}")
        data: dict[str, Any] = said["data"]
        return data


class Submission:
    """Values that a running Dagster is asked to compute.

    What a show or the catalogue is made from comes first: titles, then shows, then the catalogue. Each is asked for
    when the one before has ended, whenever `done` or `wait` is called.

    Attributes:
        runs: scope -> id of the run that works on it, or did.
    """

    def __init__(self, demand: Demand, dagster: Dagster, name: str, scopes: Sequence[str]) -> None:
        self.name = name
        self.runs: dict[str, str] = {}
        self._demand = demand
        self._dagster = dagster
        self._scopes = list(scopes)
        self._levels: list[Level] = demand.levels(name, scopes)
        self._own = self._levels[-1].names
        self._waiting: set[str] = set()
        self.done()

    def done(self) -> bool:
        """Whether no run is waited for any more; asks for the next ones when those before them have ended."""
        active = {run for run, _, _ in self._dagster.active()} if self._waiting else set()
        self._waiting &= active
        while not self._waiting and self._levels:
            self._start(self._levels.pop(0))
        return not self._waiting

    def wait(self, timeout: float | None = None) -> Self:
        """Wait until it is done; raises TimeoutError after so many seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        while not self.done():
            if until is not None and time.monotonic() > until:
                raise TimeoutError(
                    f"{self.name} was not there after {timeout:g} s; runs that go on: "
                    f"{', '.join(f'{self._dagster.address}/runs/{run}' for run in sorted(self._waiting))}"
                )
            time.sleep(POLL_SECONDS)
        return self

    def value(self) -> View:
        """Wait for the value; of several, the first. Raises NotComputed, and FeatureError when none was asked for."""
        if not self._scopes:
            raise FeatureError(f"{self.name} was asked for no title, so there is no value; take `values`")
        return self.values()[self._scopes[0]]

    def values(self) -> dict[str, View]:
        """Wait for the values, however long; raises NotComputed for those that could not be had."""
        self.wait()
        found, failed = {}, {}
        for scope in self._scopes:
            try:
                self._demand.check(self._own, scope)
                found[scope] = self._demand.current(self.name, scope)
            except MediamlError as error:
                run = self.runs.get(scope)
                failed[scope] = f"{error}" + (f" (its run: {self._dagster.address}/runs/{run})" if run else "")
        if failed:
            raise NotComputed(self.name, failed)
        return found

    def _start(self, level: Level) -> None:
        """Ask for a run for each scope where something is missing, unless one works on it already."""
        if not level.names:
            return
        active = self._dagster.active()
        for scope in level.scopes:
            missing = self._demand.missing(level.names, scope)
            if not missing:
                continue
            joined = [run for run, at, assets in active if at == scope and (not assets or assets >= set(missing))]
            self.runs[scope] = joined[0] if joined else self._dagster.launch(missing, scope)
            self._waiting.add(self.runs[scope])
