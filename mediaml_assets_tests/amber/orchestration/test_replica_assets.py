"""Replicas in Dagster: they follow their feature, one run for many titles, and their checks can fail."""

import dataclasses
from datetime import UTC, datetime, tzinfo
from typing import Any

import dagster as dg
import pytest

from mediaml_assets.amber.feature import Scope
from mediaml_assets.amber.orchestration.assets import STORE
from mediaml_assets.amber.orchestration.replica_assets import replica_asset, replicas_sensor
from mediaml_assets.amber.replicas import Replica, is_behind
from mediaml_assets.amber.replicas.replication import Copied, replicate
from mediaml_assets.amber.replicas.shards import Shards
from mediaml_assets_tests.amber.platform import Platform

NAME = "letters__shards"


@pytest.fixture
def replica(platform: Platform) -> Replica:
    """The platform's mesh, with shards of `letters`."""
    letters = platform.mesh.features["letters"]
    replica = Replica("letters", "shards", letters.schema, platform.home / "replicas")
    more = dg.Definitions(assets=[replica_asset(replica, Scope.TITLE, "toy")])
    platform.definitions = dg.Definitions.merge(platform.definitions, more)
    return replica


def deliver(platform: Platform, **texts: str) -> None:
    for title, text in texts.items():
        (platform.landing / f"{title}.mp4").write_text(text)


def held(replica: Replica) -> dict[str, str]:
    rows = Shards.open(replica.folder).table()
    found: dict[str, str] = {}
    for title, letter in zip(rows.column("title").to_pylist(), rows.column("letter").to_pylist(), strict=True):
        found[title] = found.get(title, "") + letter
    return found


def runs(platform: Platform) -> int:
    """Runs of the replica so far."""
    records = platform.instance.get_runs()
    return sum(dg.AssetKey(NAME) in (record.asset_selection or ()) for record in records)


def checks(platform: Platform) -> dict[str, bool]:
    """Whether each check of the replica passed last."""
    return {name: one.passed for name, one in evaluations(platform).items()}


def evaluations(platform: Platform) -> dict[str, dg.AssetCheckEvaluation]:
    """The newest result of each check of the replica."""
    records = platform.instance.event_log_storage.get_latest_asset_check_execution_by_key(
        [dg.AssetCheckKey(dg.AssetKey(NAME), name) for name in ("lag", "row_count", "digest_parity")]
    )
    return {key.name: record.event.dagster_event.asset_check_evaluation_data for key, record in records.items()}  # type: ignore[union-attr]


def test_a_replica_follows_its_feature(platform: Platform, replica: Replica) -> None:
    deliver(platform, one="abba", two="xyz", three="q")
    platform.settle()
    assert held(replica) == {"one": "aabb", "two": "xyz", "three": "q"}
    assert runs(platform) == 1
    deliver(platform, one="zz", four="d")
    (platform.landing / "two.mp4").unlink()
    platform.settle()
    assert held(replica) == {"one": "zz", "three": "q", "four": "d"}
    assert runs(platform) == 2
    assert checks(platform) == {"lag": True, "row_count": True, "digest_parity": True}
    platform.settle()
    assert runs(platform) == 2


def test_its_checks_and_its_page_have_numbers(platform: Platform, replica: Replica) -> None:
    deliver(platform, one="abba", two="xyz")
    platform.settle()
    numbers = {name: evaluation.metadata for name, evaluation in evaluations(platform).items()}
    assert {name: {key: one.value for key, one in found.items()} for name, found in numbers.items()} == {
        "lag": {"behind_titles": 0, "lag_seconds": 0.0},
        "row_count": {"titles": 2, "rows": 7, "miscounted_titles": 0},
        "digest_parity": {"read_back_titles": 2, "damaged_titles": 0},
    }
    event = platform.instance.get_latest_materialization_event(dg.AssetKey(NAME))
    assert event is not None and event.asset_materialization is not None
    shown = event.asset_materialization.metadata
    assert shown["dagster/row_count"].value == 7
    lineage = shown["dagster/column_lineage"].value
    assert lineage.deps_by_column == {
        name: [dg.TableColumnDep(dg.AssetKey("letters"), name)] for name in replica.schema.names
    }


def test_damage_fails_the_check_and_a_verifying_run_heals_it(platform: Platform, replica: Replica) -> None:
    deliver(platform, one="abba", two="xyz")
    platform.settle()
    shard = Shards.open(replica.folder).files[0]
    data = bytearray(shard.read_bytes())
    data[60] ^= 1
    shard.write_bytes(data)
    assert platform.materialize([NAME], None)
    assert checks(platform) == {"lag": True, "row_count": True, "digest_parity": False}
    assert platform.materialize([NAME], None, {"verify": True})
    assert checks(platform) == {"lag": True, "row_count": True, "digest_parity": True}
    assert held(replica) == {"one": "aabb", "two": "xyz"}


def test_the_sensor_asks_once_for_what_events_did_not_bring(platform: Platform, replica: Replica) -> None:
    sensor = replicas_sensor([replica], seconds=60, titles_per_tick=2)
    deliver(platform, one="a", two="b", three="c")
    platform.land()
    for title in ("one", "two", "three"):
        platform.mesh.compute(platform.store, "letters", [title])
    assert is_behind(platform.store, replica)
    first = platform.tick(sensor, None)
    assert [request.asset_selection for request in first.run_requests] == [[dg.AssetKey(NAME)]]
    second = platform.tick(sensor, first.cursor)
    assert len(second.run_requests) == 1 and second.cursor == "0"
    assert first.run_requests[0].run_key != second.run_requests[0].run_key
    platform.materialize([NAME], None)
    assert not is_behind(platform.store, replica)
    assert platform.tick(sensor, None).run_requests == []
    # what has just become current is left to Dagster's events
    deliver(platform, one="aa")
    platform.land()
    platform.mesh.compute(platform.store, "letters", ["one"])
    patient = replicas_sensor([replica], seconds=60, patience_seconds=3600)
    assert platform.tick(patient, None).run_requests == []
    assert len(platform.tick(sensor, None).run_requests) + len(platform.tick(sensor, "2").run_requests) == 1


def test_a_store_that_does_not_answer_is_tried_again(
    platform: Platform, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(platform, one="abba")
    platform.land()
    platform.mesh.compute(platform.store, "letters", ["one"])
    answers: list[Exception] = [OSError("the disk is full"), OSError("the disk is full")]

    def now_and_then(*given: Any, **more: Any) -> Copied:
        if answers:
            raise answers.pop()
        return replicate(*given, **more)

    monkeypatch.setattr("mediaml_assets.amber.orchestration.replica_assets.replicate", now_and_then)
    monkeypatch.setattr("mediaml_assets.amber.orchestration.replica_assets.RETRIES", dg.RetryPolicy(max_retries=2))
    letters = dg.Definitions(
        assets=[replica_asset(replica, Scope.TITLE, "toy")],
        resources={STORE: platform.resource},
        executor=dg.in_process_executor,
    )
    platform.definitions = letters
    assert platform.materialize([NAME], None)
    assert answers == [] and held(replica) == {"one": "aabb"}
    # a run that failed after all is asked for again, an hour later
    sensor = replicas_sensor([replica], seconds=60)
    deliver(platform, one="zz")
    platform.land()
    platform.mesh.compute(platform.store, "letters", ["one"])
    keys = []
    for hour in (1, 2):
        monkeypatch.setattr(
            "mediaml_assets.amber.orchestration.replica_assets.datetime", At(datetime(2100, 1, 1, hour, tzinfo=UTC))
        )
        keys += [request.run_key for request in platform.tick(sensor, None).run_requests]
    assert len(set(keys)) == 2


@dataclasses.dataclass
class At:
    """A clock that stands."""

    time: datetime

    def now(self, zone: tzinfo) -> datetime:
        return self.time


def test_a_replica_that_cannot_be_made_says_why(platform: Platform, replica: Replica) -> None:
    plain = dataclasses.replace(replica, kind="vectors")
    more = dg.Definitions(assets=[replica_asset(plain, Scope.TITLE, "toy")])
    platform.definitions = dg.Definitions.merge(platform.definitions, more)
    deliver(platform, one="abba")
    platform.settle()
    assert held(replica) == {"one": "aabb"}
    assert not platform.materialize(["letters__vectors"], None)
