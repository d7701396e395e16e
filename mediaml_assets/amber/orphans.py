"""Runs of the command line whose process is gone: nobody else would ever end them, and they would block the run queue.

Such a run holds a claim on its own id while it lives, so a claim that nobody holds tells that its process was killed.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from mediaml_assets.amber.store import Store

TAG = "mediaml/asked_by"
COMMAND_LINE = "command line"
_RUNS = "_runs"


@contextmanager
def own_run(store: Store) -> Iterator[str]:
    """The id for a run in this process; while the context lasts, the run is known to be alive."""
    run_id = str(uuid.uuid4())
    with store.claim(_RUNS, run_id):
        yield run_id


def bury(instance: dg.DagsterInstance, store: Store) -> None:
    """End every run of the command line whose process is gone, as failed; its title is computed when next asked for."""
    started = dg.RunsFilter(tags={TAG: COMMAND_LINE}, statuses=[dg.DagsterRunStatus.STARTED])
    for run in instance.get_runs(filters=started):
        if not store.is_claimed(_RUNS, run.run_id):
            instance.report_run_failed(run, "the process of this run was killed; what it had stored is kept")
