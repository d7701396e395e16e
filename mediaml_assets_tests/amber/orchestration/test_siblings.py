"""Siblings in one Dagster step: read once, each with its own value, checks and fate."""

from collections.abc import Sequence
from typing import Any

import dagster as dg
import pytest

from mediaml_assets.amber.orchestration.assets import STORE
from mediaml_assets.runs import not_begun
from mediaml_assets_tests.amber.orchestration.test_automation import deliver, since
from mediaml_assets_tests.amber.orchestration.test_reconcile import Reconciler
from mediaml_assets_tests.amber.platform import Platform
from mediaml_assets_tests.amber.toy import calls, siblings_mesh

STEP = "readers_of__letters"


@pytest.fixture
def film(platform: Platform) -> Platform:
    """A title whose letters are there, and nothing below."""
    platform.load(siblings_mesh())
    deliver(platform, "one.mp4", "bead")
    platform.land()
    platform.materialize(["letters"], "one")
    return platform


def run(platform: Platform, names: Sequence[str], title: str = "one", **config: Any) -> dg.ExecuteInProcessResult:
    job = platform.definitions.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        partition_key=title,
        instance=platform.instance,
        asset_selection=[dg.AssetKey(name) for name in names],
        run_config={"ops": {STEP: {"config": config}}} if config else None,
        raise_on_error=False,
    )


def rows(platform: Platform, name: str, title: str = "one") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = platform.store.view(name, title).table().to_pylist()
    return found


def made(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetMaterialization]:
    found = result.get_asset_materialization_events()
    return {str(one.asset_key and one.asset_key.to_user_string()): one.materialization for one in found}


def failure(result: dg.ExecuteInProcessResult) -> Any:
    """What the step says of its failure."""
    [event] = [event for event in result.all_events if event.is_step_failure]
    assert event.step_key == STEP
    return event.step_failure_data.user_failure_data


def test_siblings_are_read_once_and_stored_each_by_itself(film: Platform) -> None:
    before = calls()
    result = run(film, ["vowels", "size"])
    assert result.success
    assert [event.step_key for event in result.all_events if event.is_step_success] == [STEP]
    assert sorted(since(before)) == ["reading/one", "size/one", "vowels/one"]
    assert (rows(film, "vowels"), rows(film, "size")) == ([{"n": 2}], [{"n": 4}])
    heads = {name: film.store.ledger.head(name, "one") for name in ("vowels", "size")}
    for name, head in heads.items():
        assert head is not None and head.value is not None and head.run == result.run_id
        assert made(result)[name].tags["dagster/data_version"] == head.value.digest  # type: ignore[index]
        assert made(result)[name].tags["dagster/code_version"] == "1"  # type: ignore[index]
        assert made(result)[name].metadata["memo_key"].value == head.key
        assert made(result)[name].metadata["ledger"].value == f"{name}/one/0"
    assert heads["vowels"].key != heads["size"].key  # type: ignore[union-attr]


def test_only_what_is_asked_for_runs(film: Platform) -> None:
    before = calls()
    result = run(film, ["size"])
    assert result.success and list(made(result)) == ["size"]
    assert since(before) == ["reading/one", "size/one"]


def test_what_is_remembered_is_not_read_for(film: Platform) -> None:
    run(film, ["size"])
    before = calls()
    result = run(film, ["vowels", "size"])
    assert sorted(made(result)) == ["size", "vowels"]
    assert since(before) == ["reading/one", "vowels/one"]
    before = calls()
    result = run(film, ["vowels", "size"])
    assert sorted(made(result)) == ["size", "vowels"]
    assert all(one.metadata["memoised"].value for one in made(result).values())
    assert since(before) == []


def test_one_that_fails_spoils_no_other_and_is_named(film: Platform) -> None:
    deliver(film, "two.mp4", "b#e")
    film.land()
    film.materialize(["letters"], "two")
    result = run(film, ["vowels", "size"], "two")
    assert not result.success
    assert list(made(result)) == ["size"] and rows(film, "size", "two") == [{"n": 3}]
    told = failure(result)
    assert told.description == "vowels of two: RuntimeError: a mistake in the algorithm"
    # what failed left no claim: it can be asked for again, and fails again
    before = calls()
    assert not run(film, ["vowels", "size"], "two").success
    assert since(before) == ["reading/two", "vowels/two"]


def test_a_refused_file_is_quarantined_and_not_tried_again(film: Platform) -> None:
    deliver(film, "two.mp4", "b?e")
    film.land()
    film.materialize(["letters"], "two")
    result = run(film, ["vowels", "size"], "two")
    told = failure(result)
    assert told.description == "two is quarantined: it holds a '?'; deliver it without"
    assert told.metadata["quarantined"].value == "two"
    assert rows(film, "size", "two") == [{"n": 3}]
    head = film.store.ledger.head("vowels", "two")
    assert head is not None and head.refused


def test_checks_are_those_of_each(film: Platform) -> None:
    deliver(film, "two.mp4", "abcd")
    film.land()
    film.materialize(["letters"], "two")
    result = run(film, ["first", "size", "vowels"], "two")
    # the step fails as that of a feature alone does: what is downstream of a blocking check is held back
    assert not result.success
    found = {
        f"{one.asset_key.to_user_string()}:{one.check_name}": (one.passed, one.severity.value)
        for one in result.get_asset_check_evaluations()
    }
    assert found == {
        "first:no_a": (False, "ERROR"),
        "first:code_unchanged": (True, "WARN"),
        "size:few": (False, "WARN"),
        "size:code_unchanged": (True, "WARN"),
        "vowels:code_unchanged": (True, "WARN"),
    }
    assert {one.partition for one in result.get_asset_check_evaluations()} == {"two"}
    head = film.store.ledger.head("first", "two")
    assert head is not None and head.current is None and head.reason == "begins with a"
    assert rows(film, "size", "two") == [{"n": 4}] and rows(film, "vowels", "two") == [{"n": 1}]


def test_the_configuration_of_each_is_below_its_name(film: Platform) -> None:
    result = run(film, ["vowels", "size"], vowels={"vowels": ["b"]})
    assert result.success
    assert made(result)["vowels"].metadata["answer"].value.startswith("ad-hoc configuration")
    assert film.store.ledger.head("vowels", "one") is None
    assert rows(film, "size") == [{"n": 4}]


def test_a_check_can_be_asked_alone(film: Platform) -> None:
    job = film.definitions.resolve_implicit_global_asset_job_def()
    checks = [dg.AssetCheckKey(dg.AssetKey("size"), "few")]
    subset = job.get_subset(asset_selection=[], asset_check_selection=set(checks))
    before = calls()
    result = subset.execute_in_process(
        partition_key="one", instance=film.instance, resources={STORE: film.resource}, raise_on_error=False
    )
    assert result.success
    assert [one.check_name for one in result.get_asset_check_evaluations()] == ["few"]
    assert since(before) == ["reading/one", "size/one"]


def test_automation_asks_for_siblings_in_one_run_and_for_what_changed_alone(platform: Platform) -> None:
    platform.load(siblings_mesh())
    deliver(platform, "one.mp4", "bead")
    platform.land()
    asked = platform.requested()
    assert asked == [("doubled", "one"), ("letters", "one"), ("size", "one"), ("vowels", "one")]
    before = calls()
    platform.run(asked)
    platform.settle()
    assert sorted(since(before)) == ["doubled/4", "letters/one", "reading/one", "size/one", "vowels/one"]
    platform.load(siblings_mesh(version="2"))
    before = calls()
    platform.settle()
    assert since(before) == ["reading/one", "size/one"]


def test_keys_ask_for_what_is_below_a_sibling_of_one_that_failed(platform: Platform) -> None:
    platform.load(siblings_mesh())
    deliver(platform, "one.mp4", "b#e")
    platform.settle()
    assert rows(platform, "size") == [{"n": 3}]
    # Dagster starts no step below one that failed; keys know better, and so does the command line
    assert not_begun(platform.mesh, platform.store, "one", {"vowels"}) == ["doubled"]
    assert not_begun(platform.mesh, platform.store, "one", {"vowels", "size"}) == []
    before = calls()
    platform.run(Reconciler(platform).tick())
    assert rows(platform, "doubled") == [{"n": 6}]
    # the one that failed is asked for once more, as any that failed
    assert sorted(since(before)) == ["doubled/3", "reading/one", "vowels/one"]
    deliver(platform, "one.mp4", "bee")
    platform.settle()
    assert rows(platform, "vowels") == [{"n": 2}] and rows(platform, "doubled") == [{"n": 6}]


def test_an_asset_says_of_itself_what_it_says_with_a_step_of_its_own(platform: Platform) -> None:
    platform.load(siblings_mesh())
    specs = {spec.key.to_user_string(): spec for spec in platform.definitions.resolve_all_asset_specs()}
    size = specs["size"]
    assert size.description == "How many letters there are."
    assert (size.group_name, size.code_version, size.kinds) == ("toy", "1", {"parquet", "numpy"})
    assert [dep.asset_key.to_user_string() for dep in size.deps] == ["letters"]
    assert size.automation_condition is not None and specs["first"].automation_condition is None
    assert [one.name for one in size.metadata["dagster/column_schema"].columns] == ["n"]
