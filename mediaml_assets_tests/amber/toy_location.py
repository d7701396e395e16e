"""What a real Dagster loads in tests: the toy mesh with shows, its features slow enough to be seen running."""

import os
import time
from pathlib import Path

import dagster as dg

from mediaml_assets.amber.orchestration.assets import STORE, to_assets
from mediaml_assets.amber.orchestration.io_manager import FeatureStore
from mediaml_assets.landing.sensors import landing_assets
from mediaml_assets_tests.amber import toy


def _slowly(feature: str, scope: str) -> None:
    called(feature, scope)
    time.sleep(float(os.environ["TOY_SECONDS"]))


called, toy.called = toy.called, _slowly


@dg.definitions
def definitions() -> dg.Definitions:
    store = FeatureStore(root=str(Path(os.environ["MEDIAML_HOME"]) / "store"))
    assets = [
        *landing_assets(),
        *to_assets(toy.shows_mesh().features.values(), dict.fromkeys(toy.shows_mesh().features, "toy")),
    ]
    return dg.Definitions(assets=assets, resources={STORE: store}, executor=dg.in_process_executor)
