"""Bring an installation up to date without the daemon: land files, run what is stale, several titles at once.

Each title is one Dagster run in a process of its own, so that the Dagster UI shows the same history as with the daemon.
"""

import logging
import logging.handlers
import multiprocessing
import os
import queue
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from mediaml_assets.amber.store import CATALOGUE, Store
from mediaml_assets.landing.arrivals import SOURCE, Tick, look
from mediaml_assets.landing.bucket import LandingFolder
from mediaml_assets.mesh import mesh
from mediaml_assets.settings import Home, home

Watch = Callable[[logging.LogRecord], None]
"""Called for every step of a feature with a record that carries `feature`, `title` and, when done, `seconds`."""


@dataclass
class Summary:
    """What one `bring_up_to_date` did."""

    titles: list[str] = field(default_factory=list)
    """Titles that are present."""
    computed: int = 0
    """Calls of a feature's function."""
    recalled: int = 0
    """Answers found in the memo."""
    failed: dict[str, str] = field(default_factory=dict)
    """Title -> why its run failed."""
    quarantine: dict[str, str] = field(default_factory=dict)
    """File or title -> why it cannot be used."""


def bring_up_to_date(watch: Watch) -> Summary:
    """Land what lies in the landing folder and compute every value that is not what its key says.

    Args:
        watch: told of every step, from this process.
    """
    here = home()
    store = Store(here.store)
    summary = Summary()
    tick = land(here, store)
    summary.quarantine.update(tick.quarantine)
    summary.titles = present_titles(store)
    every_title = store.ledger.scopes(SOURCE)
    features = mesh()
    with _workers(_counting(watch, summary)) as pool:
        stale = {title for _, title in features.stale(store, every_title)}
        names = [one.name for one in features.per_title()]
        # the largest first, so that no worker is left alone with a long film at the end
        largest = sorted(stale, key=lambda title: (-_size(store, title), title))
        _wait({pool.submit(_run, names, title): title for title in largest}, summary)
        ends = features.stale_over_catalogue(store, every_title)
        if ends:
            _wait({pool.submit(_run, ends, None): CATALOGUE}, summary)
    summary.quarantine.update(refused(store))
    summary.failed = {title: why for title, why in summary.failed.items() if title not in summary.quarantine}
    return summary


def land(here: Home, store: Store) -> Tick:
    """Look at the landing folder until nothing more arrives, and report it to Dagster."""
    import dagster as dg

    from mediaml_assets.amber.orphans import bury
    from mediaml_assets.landing.sensors import report

    known: dict[str, list[int]] = {}
    with dg.DagsterInstance.get() as instance:
        bury(instance, store)
        while True:
            tick = look(LandingFolder(here.landing), store, known)
            report(instance, tick)
            known = tick.known
            if not tick.more:
                return tick


def present_titles(store: Store) -> list[str]:
    """Titles whose file stands in the landing folder."""
    heads = [store.ledger.head(SOURCE, title) for title in store.ledger.scopes(SOURCE)]
    return [head.scope for head in heads if head is not None and head.current is not None]


def _size(store: Store, title: str) -> int:
    """Bytes of a title's file; 0 when it was withdrawn."""
    source = store.view(SOURCE, title)
    return 0 if source.withdrawn else int(source.row(["size"])["size"])


def states(store: Store) -> dict[str, str]:
    """Title -> described, waiting, quarantined or withdrawn."""
    present, bad = set(present_titles(store)), refused(store)
    stale = {title for _, title in mesh().stale(store, sorted(present))}
    found = {}
    for title in store.ledger.scopes(SOURCE):
        waiting = "waiting" if title in stale else "described"
        found[title] = "withdrawn" if title not in present else "quarantined" if title in bad else waiting
    return found


def refused(store: Store) -> dict[str, str]:
    """Title -> reason, of every present title whose file could not be used or failed quality control."""
    found: dict[str, str] = {}
    for title in present_titles(store):
        for feature in mesh().per_title():
            head = store.ledger.head(feature.name, title)
            if head is not None and head.reason and (head.event == "refused" or head.value != head.current):
                found.setdefault(title, head.reason)
    return found


def _wait(futures: dict["Future[str]", str], summary: Summary) -> None:
    for future in as_completed(futures):
        reason = future.result()
        if reason:
            summary.failed[futures[future]] = reason


def _run(names: list[str], title: str | None) -> str:
    """One Dagster run of the named assets, in a worker; returns why it failed, or an empty string."""
    import dagster as dg

    from mediaml_assets.amber.orphans import COMMAND_LINE, TAG, own_run

    with dg.DagsterInstance.get() as instance, own_run(Store(home().store)) as run_id:
        result = _job().execute_in_process(
            run_id=run_id,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            partition_key=title,
            instance=instance,
            asset_selection=[dg.AssetKey(name) for name in names],
            raise_on_error=False,
            tags={TAG: COMMAND_LINE},
        )
    failures = [event for event in result.all_events if event.is_step_failure]
    if failures:
        named = {"feature": failures[-1].step_key, "title": title or CATALOGUE}
        logging.getLogger("mediaml").warning("%s of %s: stopped", named["feature"], named["title"], extra=named)
    # several features that read the same bad file say the same
    return "; ".join(dict.fromkeys(_root_cause(failure.step_failure_data) for failure in failures))


@cache
def _job() -> Any:
    """The job over all assets, loaded once a worker."""
    from mediaml_assets.definitions import definitions

    return definitions().resolve_implicit_global_asset_job_def()


def _root_cause(failure: Any) -> str:
    error = failure.error
    while error is not None and error.cause is not None:
        error = error.cause
    said = failure.user_failure_data.description if failure.user_failure_data else None
    return str(said or (error.message if error else "the step failed")).strip()


def _counting(watch: Watch, summary: Summary) -> Watch:
    def count(record: logging.LogRecord) -> None:
        summary.computed += record.msg.endswith("computing")
        summary.recalled += record.msg.endswith("recalled")
        watch(record)

    return count


@contextmanager
def _workers(watch: Watch) -> Iterator[ProcessPoolExecutor]:
    """One worker process a core, whose log records of the `mediaml` logger reach `watch`."""
    context = multiprocessing.get_context("spawn")
    records: Any = context.Queue()
    listener = logging.handlers.QueueListener(records, _Calling(watch))
    listener.start()
    try:
        with ProcessPoolExecutor(
            len(os.sched_getaffinity(0)), mp_context=context, initializer=_forward_log, initargs=(records,)
        ) as pool:
            yield pool
    finally:
        listener.stop()


class _Calling(logging.Handler):
    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        self._watch(record)


def _forward_log(records: "queue.Queue[logging.LogRecord]") -> None:
    """In a worker: send the records of our logger to the parent, and print nothing."""
    log = logging.getLogger("mediaml")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(logging.handlers.QueueHandler(records))
