"""Plain Dagster: keep the partitions like the folder, observe the files, materialise what is unsynced, load values.

"Unsynced" is what the UI's button "Materialize unsynced" asks for: partitions whose stale status is not fresh.
"""

import importlib
import json
from pathlib import Path

import dagster as dg
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

chain = importlib.import_module("chain.features")
assets = [chain.film, chain.levels, chain.cuts, chain.label]
order = [asset.key for asset in assets[1:]]
definitions = dg.Definitions(
    assets=assets,
    resources={"io_manager": dg.FilesystemIOManager(base_dir="state/values")},
    jobs=[dg.define_asset_job("observe", selection=[chain.film])],
    executor=dg.in_process_executor,
)
quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
home = Path("state").resolve()
home.mkdir(exist_ok=True)

with dg.DagsterInstance.local_temp(str(home)) as instance:
    films = {film.stem for film in Path("landing").iterdir()}
    known = set(instance.get_dynamic_partitions("titles"))
    instance.add_dynamic_partitions("titles", sorted(films - known))
    for gone in sorted(known - films):
        instance.delete_dynamic_partition("titles", gone)
    definitions.resolve_job_def("observe").execute_in_process(instance=instance, run_config=quiet)
    job = definitions.resolve_implicit_global_asset_job_def()
    graph = definitions.resolve_asset_graph()
    # upstream first: what is below a value that came out the same is fresh by the time it is asked about
    for key in order:
        for title in sorted(films):
            stale = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
            if stale.get_status(key, title) is not StaleStatus.FRESH:
                job.execute_in_process(asset_selection=[key], partition_key=title, instance=instance, run_config=quiet)
    served = {
        title: {
            key.path[-1]: definitions.load_asset_value(key, instance=instance, partition_key=title) for key in order
        }
        for title in sorted(films)
    }
print(json.dumps({"served": served}))
