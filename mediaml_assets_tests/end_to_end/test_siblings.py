"""The real features that share a step: the same rows as each gives alone, from one decoding."""

import dagster as dg

from mediaml_assets.amber.calls import call
from mediaml_assets.amber.keys import column_digests, rows_digest
from mediaml_assets_tests.amber.platform import Platform
from mediaml_assets_tests.end_to_end.conftest import Call
from mediaml_assets_tests.end_to_end.films import film

STEP = "readers_of__standard_encode__unique_shots"


def test_a_title_is_described_in_one_run_whose_siblings_give_what_they_give_alone(
    platform: Platform, calls: list[Call]
) -> None:
    film(platform.landing / "three.mp4", 3)
    platform.land()
    job = platform.definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        partition_key="three",
        instance=platform.instance,
        asset_selection=[dg.AssetKey(one.name) for one in platform.mesh.per_title_of(platform.store, "three")],
    )
    assert result.success
    made = {event.asset_key.to_user_string() for event in result.asset_materializations_for_node(STEP)}
    assert made == {"colour", "composition", "motion", "silhouette", "sound"}
    # `clips` reads the same, and is made only when somebody asks
    assert ("clips", "three") not in calls
    for name in sorted(made):
        alone = call(platform.mesh.ask(platform.store, name, ["three"]), {})
        assert platform.store.view(name, "three").value.digest == rows_digest(column_digests(alone))
    assert platform.materialize(["clips", "motion"], "three")
    assert [call for call in calls if call[1] == "three"][-1] == ("clips", "three")
