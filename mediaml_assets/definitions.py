"""What Dagster loads. Wiring only: each part is declared in its own room."""

import logging

import dagster as dg

from mediaml_assets.amber.orchestration.assets import STORE, to_assets
from mediaml_assets.amber.orchestration.automation import automation_sensor
from mediaml_assets.amber.orchestration.io_manager import FeatureStore
from mediaml_assets.amber.orchestration.reconcile import reconcile_sensor, shows_sensor
from mediaml_assets.amber.orchestration.replica_assets import replica_asset, replicas_sensor
from mediaml_assets.landing.sensors import S3, landing_assets, landing_sensor
from mediaml_assets.mesh import assemble, replicas
from mediaml_assets.plugins import LeftOut, plain
from mediaml_assets.settings import home

TICK_SECONDS = 5
"""How often the landing folder is looked at and conditions are evaluated: short, for a laptop."""
RECONCILE_SECONDS = 60
SHOWS_SECONDS = 20


@dg.definitions
def definitions() -> dg.Definitions:
    """Assets, sensors and the store of this installation."""
    here, assembly, copies = home(), assemble(), replicas()
    features, groups = assembly.mesh, assembly.groups
    on_bucket = isinstance(here.landing, str)
    for plugin in assembly.left_out:
        logging.getLogger("mediaml").error(str(plugin))
    return dg.Definitions(
        assets=[
            *landing_assets(),
            *to_assets(features.features.values(), groups),
            *(replica_asset(one, features.features[one.feature].scope, groups[one.feature]) for one in copies),
            *(_left_out(plugin) for plugin in assembly.left_out),
        ],
        sensors=[
            landing_sensor(TICK_SECONDS, on_bucket),
            automation_sensor(TICK_SECONDS),
            reconcile_sensor(features, RECONCILE_SECONDS, patience_seconds=RECONCILE_SECONDS / 2),
            *([replicas_sensor(copies, RECONCILE_SECONDS, patience_seconds=RECONCILE_SECONDS)] if copies else []),
            *([shows_sensor(features, SHOWS_SECONDS)] if features.per_show() else []),
        ],
        resources={
            STORE: FeatureStore(root=here.store, local=str(here.local), durable=here.durable),
            **(_s3() if on_bucket else {}),
        },
        # one run is one title; several titles run as several runs, which the run queue bounds
        executor=dg.in_process_executor,
    )


def _left_out(plugin: LeftOut) -> dg.AssetSpec:
    """What the Dagster UI shows of a plugin that cannot be used: an asset that nothing makes, with the reason."""
    key = dg.AssetKey(["left_out", plain(plugin.distribution), plain(plugin.name)])
    return dg.AssetSpec(key, group_name=plain(plugin.distribution), kinds={"plugin"}, description=str(plugin))


def _s3() -> dict[str, object]:
    from dagster_aws.s3 import S3Resource

    return {S3: S3Resource()}
