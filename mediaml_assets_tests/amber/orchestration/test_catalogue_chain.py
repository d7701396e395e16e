"""A feature over all titles that reads another one: in order, in one run, and again when that one changes."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from mediaml_assets.amber.feature import Scope, amber_feature
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.landing.arrivals import SOURCE
from mediaml_assets_tests.amber.conformance.test_cache import tally
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.orchestration.test_automation import deliver
from mediaml_assets_tests.amber.platform import Platform
from mediaml_assets_tests.amber.toy import SHARES, Counts, Season, called, calls, counts_version, letters, total


def chain() -> Mesh:
    @amber_feature(version="1", schema=SHARES, scope=Scope.CATALOGUE)
    def grand(counts: Mapping[str, Counts], total: Season) -> pa.Table:
        """Letters of all titles, as another feature of the catalogue counted them."""
        called("grand", ",".join(counts))
        return pa.table({"n": [total.n]}, schema=SHARES)

    return Mesh([letters, counts_version("1", ""), total, grand], sources=[SOURCE])


@pytest.fixture
def platform(home: Path) -> Iterator[Platform]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Platform(home, instance, chain())


def test_dagster_runs_both_in_order(platform: Platform) -> None:
    deliver(platform, "one.mp4", "abba")
    platform.settle()
    assert platform.store.view("grand", CATALOGUE).row()["n"] == 4
    deliver(platform, "two.mp4", "xyz")
    platform.settle()
    assert platform.store.view("grand", CATALOGUE).row()["n"] == 7
    assert len([call for call in calls() if call.startswith("grand")]) == 2


def test_what_a_cache_saved_is_shown_with_the_asset(platform: Platform) -> None:
    platform.load(Mesh([letters, tally], sources=[SOURCE]))
    deliver(platform, "one.mp4", "abba")
    platform.settle()
    deliver(platform, "two.mp4", "xyz")
    platform.settle()
    event = platform.instance.get_latest_materialization_event(dg.AssetKey("tally"))
    assert event is not None and event.asset_materialization is not None
    shown = event.asset_materialization.metadata
    assert (shown["cache.made"].value, shown["cache.reused"].value) == (1, 1)


def test_without_dagster_it_is_stale_when_the_other_one_changed(home: Path) -> None:
    here = Installation(home)
    here.mesh = chain()
    here.deliver(one="abba")
    here.settle()
    here.deliver(one="abbas")
    here.settle()
    assert here.store.view("grand", CATALOGUE).row()["n"] == 5
