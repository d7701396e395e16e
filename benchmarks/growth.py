"""From 1,000 titles to 10,000: what each tick, the start of SQL and its views cost when nothing or one title is new.

Three tiny features (two of a title, one with a blocking check, and one of the catalogue) over the real landing folder,
ledger, Dagster assets and sensors. The store is filled through landing and the mesh; Dagster is told by one runless
event for each value and check, in an instance in memory: its tables and queries are those of an installation.

    tick                one evaluation of all automation conditions after one more title has landed
    tick_at_rest        the same when nothing has changed
    landing_tick        one tick of the landing sensor, one file being new, in CPU seconds: it waits for the file to
                        settle;  landing_tick_at_rest
    reconcile_tick      one tick of the reconcile sensor at rest: 200 titles, and the catalogue's key over all
    scan_stale          `mediaml ingest`'s question what is stale, over all titles
    sql_start           `connect`: all views of a store;  current: a count over the view `current`
    sql_command         the process `mediaml sql "select 1"` as a whole
    *_10k_over_1k       the time at ten times the titles over the time before: 10 is linear
    *_compacted_over    with the ledger compacted, over the time before that, at the larger size

Best of three; all at one size are measured before the store grows.
"""

import functools
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self
from unittest.mock import patch

import dagster as dg
import pyarrow as pa
from dagster._core.definitions.partitions.context import partition_loading_context

from benchmarks.harness import Target
from mediaml_assets.amber.feature import Check, Scope, amber_feature
from mediaml_assets.amber.ledger import Commit
from mediaml_assets.amber.ledger.compact import compact
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.orchestration.assets import STORE, to_assets
from mediaml_assets.amber.orchestration.automation import automation_sensor
from mediaml_assets.amber.orchestration.io_manager import FeatureStore
from mediaml_assets.amber.orchestration.reconcile import reconcile_sensor
from mediaml_assets.amber.sql import connect
from mediaml_assets.landing.arrivals import SOURCE, look
from mediaml_assets.landing.folder import LandingFolder
from mediaml_assets.landing.sensors import landing_assets, landing_sensor, report

TARGETS: dict[str, Target] = {"tick_10k_over_1k": ("<=", 12), "sql_start_10k_over_1k": ("<=", 12)}
SMALL, LARGE = 1_000, 10_000
ROUNDS = 3

SIZES = pa.schema([("size", pa.int64())])
CLASSES = pa.schema([("name", pa.string())])
CENSUS = pa.schema([("title", pa.string()), ("name", pa.string())])


@dataclass(frozen=True)
class Size:
    """Bytes of a file: of the landed one, or as the first feature says it."""

    size: int
    columns: ClassVar[tuple[str, ...]] = ("size",)

    @classmethod
    def from_value(cls, view: Any) -> Self:
        """Made from a stored value."""
        return cls(view.row(cls.columns)["size"])


@dataclass(frozen=True)
class Class:
    """A name for a size."""

    name: str
    columns: ClassVar[tuple[str, ...]] = ("name",)

    @classmethod
    def from_value(cls, view: Any) -> Self:
        """Made from a stored value."""
        return cls(view.row(cls.columns)["name"])


def empty(rows: pa.Table) -> str | None:
    """Why a title is held back: its file holds nothing."""
    return "the file is empty" if rows.column("size")[0].as_py() == 0 else None


@amber_feature(schema=SIZES, checks=[Check("not_empty", empty, "Files that hold something.")])
def sizes(source: Size) -> pa.Table:
    """Bytes of the title's file."""
    return pa.table({"size": [source.size]}, schema=SIZES)


@amber_feature(schema=CLASSES)
def classes(sizes: Size) -> pa.Table:
    """Even or odd."""
    return pa.table({"name": ["odd" if sizes.size % 2 else "even"]}, schema=CLASSES)


@amber_feature(schema=CENSUS, scope=Scope.CATALOGUE)
def census(classes: Mapping[str, Class]) -> pa.Table:
    """The class of every title."""
    return pa.table({"title": list(classes), "name": [one.name for one in classes.values()]}, schema=CENSUS)


class Installation:
    """A landing folder, a store and Dagster's instance and definitions, that grow together."""

    def __init__(self, home: Path, instance: dg.DagsterInstance) -> None:
        self.home = home
        self.instance = instance
        self.resource = FeatureStore(root=str(home / "store"))
        self.store = self.resource.store
        self.landing = LandingFolder(home / "landing", settle_seconds=0)
        self.known: dict[str, list[int | str]] = {}
        self.mesh = Mesh([sizes, classes, census], sources=[SOURCE])
        self.sensors = [landing_sensor(5), reconcile_sensor(self.mesh, 60), automation_sensor(5)]
        self.definitions = dg.Definitions(
            assets=[
                *landing_assets(),
                *to_assets(self.mesh.features.values(), dict.fromkeys(self.mesh.features, "growth")),
            ],
            resources={STORE: self.resource},
            sensors=self.sensors,
            executor=dg.in_process_executor,
        )
        self.cursor: Any = None
        (home / "landing").mkdir(parents=True)

    def deliver(self, first: int, last: int) -> list[str]:
        """Files [first, last) in the landing folder, not landed yet; returns their titles."""
        titles = [f"title_{number:06}" for number in range(first, last)]
        for number, title in enumerate(titles, start=first):
            (self.home / "landing" / f"{title}.mp4").write_bytes(b"x" * (1 + number % 7))
        return titles

    def land(self) -> None:
        """One look at the landing folder, however much has arrived, and what Dagster is told of it."""
        tick = look(self.landing, self.store, self.known, limit=LARGE)
        self.known = tick.known
        report(self.instance, tick)

    def fill(self, first: int, last: int) -> None:
        """Titles [first, last): landed, described, and told to Dagster as their runs would."""
        titles = self.deliver(first, last)
        self.land()
        self.describe(titles)

    def describe(self, titles: Sequence[str]) -> None:
        """The features of landed titles and of the catalogue, computed without runs; Dagster is told what runs tell."""
        for title in titles:
            for feature in (sizes, classes):
                self._report(self.mesh.compute(self.store, feature.name, [title]), title)
            check = dg.AssetCheckEvaluation(dg.AssetKey(sizes.name), "not_empty", passed=True, partition=title)
            self.instance.report_runless_asset_event(check)
        self._report(self.mesh.compute(self.store, census.name, self.titles()), None)

    def titles(self) -> list[str]:
        """Every title that ever landed."""
        return self.store.ledger.scopes(SOURCE)

    def automation(self) -> int:
        """One evaluation of all conditions; returns how many values it asks for."""
        # titles are looked up thousands of times in one evaluation, in which none is added: a daemon's tick caches too
        titles = functools.cache(self.instance.get_dynamic_partitions)
        with patch.object(self.instance, "get_dynamic_partitions", titles), warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)
            result = dg.evaluate_automation_conditions(self.definitions, self.instance, cursor=self.cursor)
        self.cursor = result.cursor
        return result.total_requested

    def tick(self, name: str, cursor: str | None) -> Any:
        """One tick of a sensor, as the daemon evaluates it."""
        (sensor,) = (one for one in self.sensors if one.name == name)
        context = dg.build_sensor_context(
            instance=self.instance, cursor=cursor, definitions=self.definitions, resources={STORE: self.resource}
        )
        with partition_loading_context(dynamic_partitions_store=self.instance):
            return sensor.evaluate_tick(context)

    def _report(self, commit: Commit, title: str | None) -> None:
        assert commit.current is not None
        feature = self.mesh.features[commit.feature]
        # what a run writes beside its materialisation: which code and which data it stands for
        tags = {"dagster/data_version": commit.current.digest, "dagster/code_version": feature.code[:16]}
        event = dg.AssetMaterialization(commit.feature, partition=title, tags=tags)
        self.instance.report_runless_asset_event(event)


def run(seed: int) -> dict[str, float]:
    """Every figure; five minutes on two cores, most of them to fill the store. The seed changes nothing."""
    return grown(SMALL, LARGE)


def grown(small: int, large: int) -> dict[str, float]:
    """The figures at two sizes, and their ratios."""
    with _installation() as here:
        here.fill(0, small)
        before = _measured(here, small)
        here.fill(small + ROUNDS, large)
        after = _measured(here, large)
        compacted = _compacted(here)
    ratios = {f"{name}_10k_over_1k": after[name] / before[name] for name in before}
    saved = {f"{name}_compacted_over": compacted[name] / after[name] for name in compacted}
    both = {"1k": before, "10k": after}
    ms = {f"{name}_ms_{size}": 1000 * each for size, found in both.items() for name, each in found.items()}
    return {**ratios, **saved, **ms}


@contextmanager
def _installation() -> Iterator[Installation]:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mediaml-bench-")))
        stack.enter_context(patch.dict(os.environ, {"MEDIAML_HOME": str(home)}))
        os.environ.pop("MEDIAML_LANDING", None)
        yield Installation(home, stack.enter_context(dg.DagsterInstance.ephemeral()))


def _measured(here: Installation, size: int) -> dict[str, float]:
    """Best seconds of everything at the present size; three titles are new afterwards."""
    here.automation()  # the first evaluation of all, which no daemon repeats
    found = {"tick_at_rest": _best(here.automation)}
    assert here.automation() == 0
    found["landing_tick_at_rest"] = _best(lambda: here.tick("landing", json.dumps(here.known)))
    found["reconcile_tick"] = _best(lambda: here.tick("reconcile", None))
    found["scan_stale"] = _best(lambda: list(here.mesh.stale(here.store, here.titles())))
    found |= _sql(here)
    return found | _one_more(here, size)


def _one_more(here: Installation, size: int) -> dict[str, float]:
    """Titles that land one by one: the tick of the landing sensor that sees each, and the next of automation."""
    landing, tick = [], []
    for number in range(size, size + ROUNDS):
        cursor = json.dumps(here.known)
        here.deliver(number, number + 1)
        start = time.process_time()
        seen = here.tick("landing", cursor)
        landing.append(time.process_time() - start)
        here.known = json.loads(seen.cursor)
        for request in seen.dynamic_partitions_requests:
            here.instance.add_dynamic_partitions(request.partitions_def_name, request.partition_keys)
        for event in seen.asset_events:
            here.instance.report_runless_asset_event(event)
        start = time.perf_counter()
        asked = here.automation()
        tick.append(time.perf_counter() - start)
        # both features of the title; the catalogue's waits for them
        assert asked == 2, f"automation asked for {asked} values after one title landed"
        here.describe([f"title_{number:06}"])
        here.automation()
    return {"landing_tick": min(landing), "tick": min(tick)}


def _sql(here: Installation) -> dict[str, float]:
    with connect(here.store) as connection:
        current = _best(lambda: connection.execute("SELECT count(*) FROM current").fetchone())
    command = [sys.executable, "-c", "from mediaml_assets.cli import main; main()", "sql", "select 1"]
    return {
        "sql_start": _best(lambda: connect(here.store).close()),
        "current": current,
        "sql_command": _best(lambda: subprocess.run(command, check=True, capture_output=True)),
    }


def _compacted(here: Installation) -> dict[str, float]:
    for feature in here.store.objects.folders("ledger"):
        compact(here.store.objects, feature)
    scan = _best(lambda: list(here.mesh.stale(here.store, here.titles())))
    return {**_sql(here), "scan_stale": scan}


def _best(work: Callable[[], object]) -> float:
    """Least wall seconds of some rounds."""
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
