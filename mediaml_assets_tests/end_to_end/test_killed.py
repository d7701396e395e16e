"""`kill -9` in the middle of a title: the next run does what is left, and nothing half-written is ever seen."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
import pytest

from mediaml_assets.amber.store import Store
from mediaml_assets_tests.end_to_end.conftest import CommandLine
from mediaml_assets_tests.end_to_end.films import film

PATIENCE = 120


def killed_when(home: Path, feature: str) -> None:
    """Run `mediaml ingest` and kill all its processes as soon as `feature` of the title stands in the ledger."""
    store = Store(home / "store")
    command = [Path(sys.executable).with_name("mediaml"), "ingest"]
    running = subprocess.Popen(
        command, env={**os.environ, "MEDIAML_HOME": str(home)}, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        until = time.monotonic() + PATIENCE
        while store.ledger.head(feature, "one") is None:
            assert running.poll() is None and time.monotonic() < until, f"{feature} was not seen before the end"
            time.sleep(0.01)
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def computed(store: Store) -> Counter[str]:
    """How often each feature of the title was computed and written down."""
    rows = (row for feature in store.objects.folders("ledger") for row in store.ledger.chain(feature, "one"))
    return Counter(row.feature for row in rows if row.event == "computed" and row.who != "landing")


def damaged(root: Path) -> list[str]:
    """Visible objects that are not whole: unreadable, or not what their name says."""
    found = []
    for file in (one for one in root.rglob("*") if one.is_file()):
        kind = file.relative_to(root).parts[0]
        try:
            if kind == "values":
                pq.read_table(file)
            elif kind in ("memo", "ledger"):
                json.loads(file.read_bytes())
            elif kind == "blobs" and hashlib.sha256(file.read_bytes()).hexdigest() != file.stem:
                found.append(str(file))
        except (OSError, ValueError) as error:
            found.append(f"{file}: {error}")
    return found


@pytest.mark.slow
def test_a_killed_title_is_finished_by_the_next_run(tmp_path: Path, command_line: CommandLine) -> None:
    film(tmp_path / "landing" / "one.mp4", 1)
    killed_when(tmp_path, "standard_encode")
    store = Store(tmp_path / "store")
    before = computed(store)
    assert damaged(store.objects.root) == []
    done = command_line(tmp_path, "ingest")
    assert done.returncode == 0, done.stdout + done.stderr
    after = computed(store)
    assert set(after.values()) == {1}
    assert before["standard_encode"] == 1 and before["silhouette"] == 0 and after["silhouette"] == 1
    assert damaged(store.objects.root) == []
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster")) as instance:
        runs = instance.get_runs()
    statuses = Counter(run.status for run in runs)
    assert statuses == {dg.DagsterRunStatus.FAILURE: 1, dg.DagsterRunStatus.SUCCESS: 2}
