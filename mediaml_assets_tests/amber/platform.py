"""A whole installation in a temporary folder, driven tick by tick as the daemon would."""

import functools
from pathlib import Path
from typing import Any
from unittest.mock import patch

import dagster as dg
from dagster._core.definitions.partitions.context import partition_loading_context

from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.orchestration.assets import STORE, TITLES, to_assets
from mediaml_assets.amber.orchestration.io_manager import FeatureStore
from mediaml_assets.landing.arrivals import Known, Tick, look
from mediaml_assets.landing.files import Landing
from mediaml_assets.landing.folder import LandingFolder
from mediaml_assets.landing.sensors import landing_assets, report


class Platform:
    """Landing place, store, Dagster instance and definitions of one test; both in the home if nothing else is given."""

    def __init__(
        self,
        home: Path,
        instance: dg.DagsterInstance,
        mesh: Mesh,
        place: Landing | None = None,
        resource: FeatureStore | None = None,
    ) -> None:
        self.home = home
        self.landing = home / "landing"
        self.instance = instance
        if place is None:
            self.landing.mkdir(exist_ok=True)
        self.place: Landing = place or LandingFolder(self.landing, settle_seconds=0)
        self.resource = resource or FeatureStore(root=str(home / "store"))
        self.store = self.resource.store
        self.known: Known = {}
        self.cursor = None
        self.load(mesh)

    def load(self, mesh: Mesh) -> None:
        """Load other code, as a restarted code server does."""
        self.mesh = mesh
        self.definitions = dg.Definitions(
            assets=[*landing_assets(), *to_assets(mesh.features.values(), dict.fromkeys(mesh.features, "toy"))],
            resources={STORE: self.resource},
            executor=dg.in_process_executor,
        )

    def land(self) -> Tick:
        """One look at the landing place, reported to Dagster."""
        tick = look(self.place, self.store, self.known)
        self.known = tick.known
        report(self.instance, tick)
        return tick

    def requested(self) -> list[tuple[str, str | None]]:
        """One tick of the automation sensor: which (asset, title) it asks for."""
        # titles are looked up thousands of times in one evaluation, in which none is added
        titles = functools.cache(self.instance.get_dynamic_partitions)
        with patch.object(self.instance, "get_dynamic_partitions", titles):
            result = dg.evaluate_automation_conditions(self.definitions, self.instance, cursor=self.cursor)
        self.cursor = result.cursor
        found: list[tuple[str, str | None]] = []
        for one in result.results:
            if one.true_subset.is_empty:
                continue
            name = one.key.to_user_string()
            if one.true_subset.is_partitioned:
                found += [(name, key) for key in one.true_subset.expensively_compute_partition_keys()]
            else:
                found.append((name, None))
        return sorted(found, key=str)

    def run(self, requests: list[tuple[str, str | None]]) -> list[bool]:
        """Execute requests as the daemon does: one run for each title, with all its assets."""
        outcomes = []
        for title in sorted({title for _, title in requests}, key=str):
            names = [name for name, one in requests if one == title]
            outcomes.append(self.materialize(names, title))
        return outcomes

    def materialize(self, names: list[str], title: str | None, settings: dict[str, object] | None = None) -> bool:
        """One run over the named assets."""
        job = self.definitions.resolve_implicit_global_asset_job_def()
        run_config = {"ops": {names[0]: {"config": settings}}} if settings else None
        result = job.execute_in_process(
            run_config=run_config,
            partition_key=title,
            instance=self.instance,
            asset_selection=[dg.AssetKey(name) for name in names],
            raise_on_error=False,
        )
        return bool(result.success)

    def settle(self) -> None:
        """Ticks until nothing is asked for any more."""
        for _ in range(12):
            self.land()
            requests = self.requested()
            if not requests:
                return
            self.run(requests)
        raise AssertionError("automation does not come to rest")

    def tick(self, sensor: dg.SensorDefinition, cursor: str | None) -> Any:
        """One tick of a sensor, as the daemon evaluates it."""
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=cursor,
            definitions=dg.Definitions.merge(self.definitions, dg.Definitions(sensors=[sensor])),
            resources={STORE: self.resource},
        )
        with partition_loading_context(dynamic_partitions_store=self.instance):
            return sensor.evaluate_tick(context)

    def titles(self) -> list[str]:
        return list(self.instance.get_dynamic_partitions(str(TITLES.name)))
