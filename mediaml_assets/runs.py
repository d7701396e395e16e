"""Bring an installation up to date without the daemon: land files, run what is stale, several titles at once.

Each title is one Dagster run in a process of its own, so that the Dagster UI shows the same history as with the daemon.
"""

import logging
from collections.abc import Set
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from mediaml_assets.amber.feature import Scope
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.replicas import is_behind
from mediaml_assets.amber.staleness import has_no_value, newest
from mediaml_assets.amber.store import Store
from mediaml_assets.errors import FeatureError, StoreError
from mediaml_assets.features.refusals import ORIGIN, REFUSED, refusals
from mediaml_assets.installation import installed_store
from mediaml_assets.landing.arrivals import SOURCE, Known, Tick, look
from mediaml_assets.landing.bucket import open_landing
from mediaml_assets.mesh import mesh, replicas
from mediaml_assets.settings import Home, home
from mediaml_assets.workers import Watch, Workers


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
    """Title, show or replica -> why its run failed."""
    quarantine: dict[str, str] = field(default_factory=dict)
    """File or title -> why it cannot be used."""
    later: list[str] = field(default_factory=list)
    """Files that changed while they were looked at (a copy is under way), or whose title is damaged in the store."""


def bring_up_to_date(watch: Watch) -> Summary:
    """Land what lies in the landing folder and compute every value that is not what its key says.

    Args:
        watch: told of every step, from this process.
    """
    store = installed_store()
    summary = Summary()
    tick = land(home(), store)
    summary.quarantine.update(tick.quarantine)
    summary.later = tick.later
    summary.titles = present_titles(store)
    features = mesh()
    every_title = features.titles(store)
    stopped: dict[str, set[str]] = {}
    with Workers(_run, _counting(watch, summary, stopped)) as workers:
        stale = {title for _, title in features.stale(store, every_title)}
        names = {title: [one.name for one in features.per_title_of(store, title)] for title in stale}
        # the largest first, so that no worker is left alone with a long film at the end
        largest = sorted(stale, key=lambda title: (-_size(store, title), title))
        summary.failed.update(workers.call({title: (names[title], title) for title in largest}))
        # Dagster starts no step below one that failed, though of several features in it only one may have failed
        skipped = {title: not_begun(features, store, title, failed) for title, failed in stopped.items()}
        later = workers.call({title: (left, title) for title, left in skipped.items() if left})
        summary.failed.update({title: f"{summary.failed[title]}; {why}" for title, why in later.items()})
        shows: dict[str, list[str]] = {}
        for _, show in features.stale_shows(store, features.shows(store)):
            shows[show] = [one.name for one in features.per_show()]
        summary.failed.update(workers.call({show: (names, show) for show, names in shows.items()}))
        for _ in features.over_catalogue():
            # what reads another one of the catalogue is seen to be out of date once that one was made
            ends = features.stale_over_catalogue(store, every_title)
            if not ends or CATALOGUE in summary.failed:
                break
            summary.failed.update(workers.call({CATALOGUE: (ends, None)}))
        behind = [one.name for one in replicas() if is_behind(store, one)]
        summary.failed.update(workers.call({name: ([name], None) for name in behind}))
    summary.quarantine.update(refused(store) | refused_files(store))
    summary.failed = {title: why for title, why in summary.failed.items() if title not in summary.quarantine}
    return summary


def not_begun(features: Mesh, store: Store, title: str, failed: Set[str]) -> list[str]:
    """The features of a title that are out of date though neither they nor what they are made from failed."""
    stale = {name for name, _ in features.stale(store, [title])} - failed
    found: list[str] = []
    without = set(failed)
    for one in features.per_title_of(store, title):
        reads = {each.name for each in one.inputs}
        if reads & without:
            without.add(one.name)
        elif one.name in stale or reads & set(found):
            found.append(one.name)
    return found


def steps(feature: str, scope: str) -> int:
    """How many features are kept up to date for a title, show or the catalogue, by one of its features."""
    features = mesh()
    kind = features.features[feature].scope if feature in features.features else None
    if kind is Scope.TITLE:
        return len(features.per_title_of(installed_store(), scope))
    return {Scope.SHOW: len(features.per_show()), Scope.CATALOGUE: len(features.over_catalogue()), None: 1}[kind]


def land(here: Home, store: Store) -> Tick:
    """Look at the landing folder until nothing more arrives, and report it to Dagster.

    Copies that are still under way then are not waited for.
    """
    import dagster as dg

    from mediaml_assets.amber.orchestration.orphans import bury
    from mediaml_assets.landing.sensors import report

    landing = open_landing(here.landing)
    known: Known = {}
    with dg.DagsterInstance.get() as instance:
        bury(instance, store)
        while True:
            tick = look(landing, store, known)
            report(instance, tick)
            known = tick.known
            if not tick.later or not tick.arrivals:
                return tick


def present_titles(store: Store) -> list[str]:
    """Titles of which a film, artwork or a text stands in the landing folder."""
    return mesh().present(store)


def _size(store: Store, title: str) -> int:
    """Bytes of a title's file; 0 when it was withdrawn, or that cannot be read."""
    with suppress(StoreError):
        return int(store.view(SOURCE, title).row(["size"])["size"])
    return 0


def states(store: Store) -> dict[str, str]:
    """Title -> described, waiting, quarantined or withdrawn."""
    features = mesh()
    present, bad = set(features.present(store)), refused(store)
    stale = {title for _, title in features.stale(store, sorted(present))}
    found = {}
    for title in features.titles(store):
        waiting = "waiting" if title in stale else "described"
        found[title] = "withdrawn" if title not in present else "quarantined" if title in bad else waiting
    return found


def refused(store: Store) -> dict[str, str]:
    """Title -> reason, of every present title whose film could not be used or failed quality control."""
    found: dict[str, str] = {}
    features = mesh()
    present = features.present(store)
    for feature in features.per_title():
        for head in newest(store, feature.name, present):
            if not head.reason:
                continue
            # what cannot be asked for now is explained by what it is made from
            with suppress(StoreError, FeatureError):
                if has_no_value(features.ask(store, feature.name, [head.scope]), head):
                    found.setdefault(head.scope, head.reason)
    return found


def refused_files(store: Store) -> dict[str, str]:
    """File -> reason, of artwork and texts that could not be used; the other files of their titles are."""
    found: dict[str, str] = {}
    features = mesh()
    for feature in features.per_title():
        if REFUSED not in feature.schema.names:
            continue
        for head in newest(store, feature.name, features.present(store, feature.name)):
            # a value with such a file fails a check, so that the others need not be read
            if head.reason and head.current is not None and REFUSED in head.current.columns:
                with suppress(StoreError):
                    found.update(refusals(store.read_rows(feature.name, head.current, [ORIGIN, REFUSED])))
    return found


def _run(names: list[str], title: str | None) -> str:
    """One Dagster run of the named assets, in a worker; returns why it failed, or an empty string."""
    import dagster as dg

    from mediaml_assets.amber.orchestration.orphans import COMMAND_LINE, TAG, new_run

    with dg.DagsterInstance.get() as instance:
        result = _job().execute_in_process(
            run_id=new_run(installed_store()),
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            partition_key=title,
            instance=instance,
            asset_selection=[dg.AssetKey(name) for name in names],
            raise_on_error=False,
            tags={TAG: COMMAND_LINE},
        )
    failures = [event for event in result.all_events if event.is_step_failure]
    for name in dict.fromkeys(name for failure in failures for name in _failed_features(failure)):
        named = {"feature": name, "title": title or CATALOGUE, "event": "stopped"}
        logging.getLogger("mediaml").warning("%s of %s: stopped", named["feature"], named["title"], extra=named)
    # several features that read the same bad file say the same
    return "; ".join(dict.fromkeys(_root_cause(failure.step_failure_data) for failure in failures))


@cache
def _job() -> Any:
    """The job over all assets, loaded once a worker."""
    from mediaml_assets.definitions import definitions

    return definitions().resolve_implicit_global_asset_job_def()


def _failed_features(failure: Any) -> list[str]:
    """The features that a failed step says failed; else its own name, which is that of its feature."""
    from mediaml_assets.amber.orchestration.assets import FAILED

    said = failure.step_failure_data.user_failure_data
    if said and FAILED in said.metadata:
        return list(said.metadata[FAILED].value)
    return [failure.step_key]


def _root_cause(failure: Any) -> str:
    error = failure.error
    while error is not None and error.cause is not None:
        error = error.cause
    said = failure.user_failure_data.description if failure.user_failure_data else None
    return str(said or (error.message if error else "the step failed")).strip()


def _counting(watch: Watch, summary: Summary, stopped: dict[str, set[str]]) -> Watch:
    def count(record: logging.LogRecord) -> None:
        event = record.__dict__["event"]
        if event == "stopped":
            stopped.setdefault(record.__dict__["title"], set()).add(record.__dict__["feature"])
        summary.computed += event == "computing"
        summary.recalled += event == "recalled"
        watch(record)

    return count
