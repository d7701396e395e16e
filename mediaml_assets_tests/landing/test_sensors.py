"""What the landing sensor tells Dagster."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from mediaml_assets.amber.orchestration.assets import STORE
from mediaml_assets.amber.orchestration.io_manager import FeatureStore
from mediaml_assets.landing.sensors import S3, landing_assets, landing_sensor, report
from mediaml_assets_tests.landing.conftest import Bucket, Folder


class Daemon:
    """Ticks the landing sensor and does what it asks for."""

    def __init__(self, home: Path, instance: dg.DagsterInstance, s3: Any = None) -> None:
        self.instance = instance
        self.sensor = landing_sensor(seconds=5, on_bucket=s3 is not None)
        self.resources = {STORE: FeatureStore(root=str(home / "store")), **({S3: s3} if s3 else {})}
        self.definitions = dg.Definitions(landing_assets(), sensors=[self.sensor], resources=self.resources)
        self.cursor: str | None = None

    def tick(self) -> Any:
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            definitions=self.definitions,
            resources=self.resources,
        )
        data = self.sensor.evaluate_tick(context)
        # like the daemon: a tick that is skipped keeps its cursor, partitions come before events
        self.cursor = data.cursor
        for request in data.dynamic_partitions_requests or []:
            self.instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
        for event in data.asset_events:
            self.instance.report_runless_asset_event(event)
        return data

    def titles(self) -> list[str]:
        return sorted(self.instance.get_dynamic_partitions("titles"))


@pytest.fixture
def daemon(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    monkeypatch.setattr("mediaml_assets.landing.folder.time.sleep", lambda seconds: None)
    with dg.DagsterInstance.ephemeral() as instance:
        yield Daemon(folder.root.parent, instance)


def events(data: Any) -> list[tuple[str, str | None, str | None]]:
    """(asset, title, state) of each event."""
    return [
        (
            event.asset_key.to_user_string(),
            event.partition,
            event.metadata["state"].value if "state" in event.metadata else None,
        )
        for event in data.asset_events
    ]


def test_a_new_file_is_a_partition_and_a_materialised_source(folder: Folder, daemon: Daemon) -> None:
    folder.put("night.mp4")
    folder.put("harbour/s01/e02.mkv")
    data = daemon.tick()
    assert daemon.titles() == ["harbour-s01e02", "night"]
    assert events(data) == [
        ("source", "night", "present"),
        ("source", "harbour-s01e02", "present"),
        ("show", "harbour", None),
    ]
    assert daemon.instance.get_dynamic_partitions("shows") == ["harbour"]
    assert daemon.instance.get_materialized_partitions(dg.AssetKey("show")) == {"harbour"}
    source = folder.store.view("source", "night")
    event = data.asset_events[0]
    assert event.tags == {"dagster/data_version": source.value.digest}
    assert event.metadata["generation"].value == 1
    assert data.run_requests in (None, [])
    assert daemon.instance.get_materialized_partitions(dg.AssetKey("source")) == {"night", "harbour-s01e02"}


def test_nothing_new_is_skipped_with_a_word(folder: Folder, daemon: Daemon) -> None:
    assert "nothing changed among 0 files in" in daemon.tick().skip_message
    folder.put("night.mp4")
    daemon.tick()
    data = daemon.tick()
    assert f"nothing changed among 1 files in {folder.root}" in data.skip_message
    assert data.asset_events == [] and not data.dynamic_partitions_requests


def test_a_known_title_is_no_new_partition(folder: Folder, daemon: Daemon) -> None:
    folder.put("night.mp4")
    first = daemon.tick()
    folder.put("night.mp4", "longer film")
    second = daemon.tick()
    assert not second.dynamic_partitions_requests
    versions = [data.asset_events[0].tags["dagster/data_version"] for data in (first, second)]
    assert versions[0] != versions[1]
    assert second.asset_events[0].metadata["generation"].value == 2


def test_a_file_that_went_away_is_reported_and_keeps_its_partition(folder: Folder, daemon: Daemon) -> None:
    folder.put("night.mp4")
    daemon.tick()
    folder.remove("night.mp4")
    data = daemon.tick()
    assert events(data) == [("source", "night", "withdrawn")]
    assert data.asset_events[0].tags["dagster/data_version"] == "withdrawn"
    assert daemon.titles() == ["night"]


def test_the_quarantine_is_shown_when_it_changes(folder: Folder, daemon: Daemon) -> None:
    folder.put("a b.mp4")
    data = daemon.tick()
    assert events(data) == [("quarantine", None, None)]
    metadata = data.asset_events[0].metadata
    assert metadata["files"].value == 1
    assert "| a b.mp4 | 'a b.mp4' gives no title" in metadata["quarantine"].value
    assert daemon.titles() == []
    assert daemon.tick().asset_events == []
    folder.remove("a b.mp4")
    data = daemon.tick()
    assert data.asset_events[0].metadata["files"].value == 0


def test_a_bad_file_among_good_ones(folder: Folder, daemon: Daemon) -> None:
    for path in ("good.mp4", "a..b.mp4", "better.mp4"):
        folder.put(path)
    assert events(daemon.tick()) == [
        ("source", "good", "present"),
        ("source", "better", "present"),
        ("quarantine", None, None),
    ]


def test_a_file_name_cannot_break_the_table_of_the_quarantine(folder: Folder, daemon: Daemon) -> None:
    folder.put("a|b`c\nd.mp4")
    table = daemon.tick().asset_events[0].metadata["quarantine"].value
    assert len(table.splitlines()) == 3
    assert table.splitlines()[2].replace(r"\|", "").count("|") == 3


def test_the_cursor_is_what_is_known(folder: Folder, daemon: Daemon) -> None:
    film = folder.put("night.mp4")
    daemon.tick()
    assert daemon.cursor is not None
    assert json.loads(daemon.cursor) == {"night.mp4": [4, str(film.stat().st_mtime_ns), ""]}


def test_a_lost_cursor_reports_again_what_stands_with_the_same_version(folder: Folder, daemon: Daemon) -> None:
    folder.put("night.mp4")
    first = daemon.tick()
    daemon.cursor = None
    again = daemon.tick()
    assert again.asset_events == first.asset_events
    assert not again.dynamic_partitions_requests


def test_no_film_is_opened(folder: Folder, daemon: Daemon, opened: list[str]) -> None:
    folder.put("night.mp4")
    folder.put("a b.mp4")
    opened.clear()
    daemon.tick()
    assert not [path for path in opened if path.startswith(str(folder.root))]


def test_the_command_line_reports_the_same(folder: Folder, daemon: Daemon) -> None:
    folder.put("night.mp4")
    report(daemon.instance, folder.look())
    assert daemon.titles() == ["night"]
    assert daemon.instance.get_materialized_partitions(dg.AssetKey("source")) == {"night"}


def test_a_bucket_is_looked_at_with_the_resource_of_the_deployment(
    bucket: Bucket, s3_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dagster_aws.s3 import S3Resource

    monkeypatch.setenv("MEDIAML_LANDING", bucket.url.replace(" ", "_"))
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    s3 = S3Resource(endpoint_url=s3_server, aws_access_key_id="key", aws_secret_access_key="s", region_name="us-east-1")
    bucket.client.put_object(Bucket=bucket.name, Key="studio_a/landing/night.mp4", Body=b"film")
    with dg.DagsterInstance.ephemeral() as instance:
        daemon = Daemon(tmp_path, instance, s3)
        data = daemon.tick()
        assert events(data) == [("source", "night", "present")] and daemon.titles() == ["night"]
        assert json.loads(str(daemon.cursor))["night.mp4"][1] == hashlib.md5(b"film").hexdigest()
        assert f"among 1 files in s3://{bucket.name}/studio_a/landing/" in daemon.tick().skip_message
