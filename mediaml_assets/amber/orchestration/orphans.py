"""Runs whose process is gone: nobody else would ever end them, and they would block their titles and the run queue.

A run holds a lock named by its id while its process lives, so a lock that nobody holds tells that it was killed. The
locks are in the store's local folder: a machine buries its own runs.
"""

import time
import uuid
from pathlib import Path

import dagster as dg

from mediaml_assets.amber.claims import FileClaim, is_held
from mediaml_assets.amber.store import Store

TAG = "mediaml/asked_by"
COMMAND_LINE = "command line"
START_SECONDS = 120
"""How long a run that the daemon launched may take from its start to its first asset, where it makes its claim."""

_alive: dict[str, FileClaim] = {}


def new_run(store: Store) -> str:
    """The id of a run about to start in this process, already known to be alive."""
    run_id = str(uuid.uuid4())
    mark_alive(store, run_id)
    return run_id


def mark_alive(store: Store, run_id: str) -> None:
    """Hold the claim on a run until this process ends or goes on to another run."""
    if run_id not in _alive:
        for claim in _alive.values():
            claim.release()
        _alive.clear()
        _alive[run_id] = FileClaim(_lock(store, run_id))


def bury(instance: dg.DagsterInstance, store: Store) -> None:
    """End every started run whose process is gone, as failed; its titles are computed when next asked for."""
    active = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
    for record in instance.get_run_records(filters=active):
        run = record.dagster_run
        # the time that it waited in the queue is not that of its process: what changed last is that it left there
        began = record.start_time or record.update_timestamp.timestamp()
        starting = run.tags.get(TAG) != COMMAND_LINE and time.time() - began < START_SECONDS
        if not starting and not is_held(_lock(store, run.run_id)):
            instance.report_run_failed(run, "the process of this run was killed; what it had stored is kept")


def _lock(store: Store, run_id: str) -> Path:
    return store.local / "runs" / f"{run_id}.lock"
