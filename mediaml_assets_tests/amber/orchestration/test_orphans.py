"""Runs whose process is gone are ended, and no others."""

import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from mediaml_assets.amber.orchestration import orphans
from mediaml_assets.amber.store import Store


@dg.job
def nothing() -> None: ...


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


def launch(instance: dg.DagsterInstance) -> None:
    """Let the run leave the queue now."""
    [run] = instance.get_runs()
    instance.report_dagster_event(
        dg.DagsterEvent(dg.DagsterEventType.PIPELINE_STARTING.value, nothing.name), run.run_id
    )


@pytest.mark.slow
def test_a_run_that_waited_long_in_the_queue_has_its_time_to_start(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "START_SECONDS", 3.0)
    store = Store(tmp_path / "store")
    instance.create_run_for_job(nothing)
    time.sleep(3.2)
    launch(instance)
    orphans.bury(instance, store)
    assert instance.get_runs()[0].status is dg.DagsterRunStatus.STARTING
    time.sleep(3.2)
    orphans.bury(instance, store)
    assert instance.get_runs()[0].status is dg.DagsterRunStatus.FAILURE
