"""Runs whose process is gone: nobody else would ever end them, and they would block their titles and the run queue.

A run holds a claim on its own id while its process lives, so a claim that nobody holds tells that it was killed.
"""

import time
import uuid

import dagster as dg

from mediaml_assets.amber.claims import Claim
from mediaml_assets.amber.store import Store

TAG = "mediaml/asked_by"
COMMAND_LINE = "command line"
START_SECONDS = 120
"""How long a run that the daemon launched may take from its start to its first asset, where it makes its claim."""

_RUNS = "_runs"
_alive: dict[str, Claim] = {}


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
        _alive[run_id] = store.claim(_RUNS, run_id)


def bury(instance: dg.DagsterInstance, store: Store) -> None:
    """End every started run whose process is gone, as failed; its titles are computed when next asked for."""
    active = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
    for record in instance.get_run_records(filters=active):
        run = record.dagster_run
        began = record.start_time or record.create_timestamp.timestamp()
        starting = run.tags.get(TAG) != COMMAND_LINE and time.time() - began < START_SECONDS
        if not starting and not store.is_claimed(_RUNS, run.run_id):
            instance.report_run_failed(run, "the process of this run was killed; what it had stored is kept")
