"""Asking by keys: whatever Dagster's events said, ask for each value that is not what its key says."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg

from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.orchestration.assets import SHOWS, STORE, TITLES
from mediaml_assets.amber.orchestration.io_manager import FeatureStore
from mediaml_assets.amber.orchestration.orphans import bury
from mediaml_assets.amber.staleness import newest
from mediaml_assets.amber.store import Store

ACTIVE = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]
"""Runs that are at work, or will be."""


_QUESTION = "mediaml/question"
"""Tag of a run: what was asked, from which inputs, after which commit."""

_TRIES = 3
"""How often a question is asked when its runs are killed."""


def reconcile_sensor(
    mesh: Mesh, seconds: int, titles_per_tick: int = 200, patience_seconds: float = 0
) -> dg.SensorDefinition:
    """The sensor that compares memo keys with current values, `titles_per_tick` titles at a time.

    It asks once for each (feature, title, key, landing generation, newest commit): a computation that fails is not
    asked for again until something about it changed; a run that was killed is tried again. A title that landed less
    than `patience_seconds` ago is left to the events of its landing.
    """

    @dg.sensor(
        name="reconcile",
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        required_resource_keys={STORE},
        target=dg.AssetSelection.assets(*[one.name for one in (*mesh.per_title(), *mesh.over_catalogue())]),
        description="Asks for values whose memo key says they are missing, whatever the event log says.",
    )
    def reconcile(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        manager: FeatureStore = getattr(context.resources, STORE)
        asker = _Asker(context.instance, mesh, manager.store)
        titles, slice_, cursor = _slice(context, TITLES, titles_per_tick)
        bury(context.instance, manager.store)
        busy = _busy(context.instance) | _just_landed(mesh, manager.store, slice_, patience_seconds)
        stale = mesh.stale(manager.store, [one for one in slice_ if one not in busy])
        requests = [request for name, title in stale for request in asker.ask(name, [title], title)]
        if titles and not busy and not requests:
            ends = mesh.stale_over_catalogue(manager.store, titles)
            requests = [request for name in ends for request in asker.ask(name, titles, None)]
        done = f"every value of {len(slice_)} titles is what its key says"
        return dg.SensorResult(run_requests=requests, skip_reason=None if requests else done, cursor=cursor)

    return reconcile


def shows_sensor(mesh: Mesh, seconds: int, shows_per_tick: int = 200) -> dg.SensorDefinition:
    """The sensor that asks for features of shows, by their keys alone, `shows_per_tick` shows at a time.

    Dagster knows no mapping from a title to its show that automation could use, and the event of any title would ask
    for all shows. Here only those are asked for whose key moved, once no run is about to change one of their titles.
    """

    @dg.sensor(
        name="shows",
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        required_resource_keys={STORE},
        target=dg.AssetSelection.assets(*[one.name for one in mesh.per_show()]),
        description="Asks for values of shows whose memo key says they are missing.",
    )
    def shows(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        manager: FeatureStore = getattr(context.resources, STORE)
        asker = _Asker(context.instance, mesh, manager.store)
        _, slice_, cursor = _slice(context, SHOWS, shows_per_tick)
        busy = _busy(context.instance)
        requests = [
            request
            for name, show in mesh.stale_shows(manager.store, slice_)
            if not busy & {show, *mesh.members(manager.store, show)}
            for request in asker.ask(name, [show], show)
        ]
        done = f"every value of {len(slice_)} shows is what its key says, or a title of theirs is being worked on"
        return dg.SensorResult(run_requests=requests, skip_reason=None if requests else done, cursor=cursor)

    return shows


def _slice(
    context: dg.SensorEvaluationContext, partitions: dg.DynamicPartitionsDefinition, size: int
) -> tuple[list[str], list[str], str]:
    """All partition keys, those that it is the turn of, and the cursor of the next turn."""
    keys = sorted(context.instance.get_dynamic_partitions(str(partitions.name)))
    start = int(context.cursor or 0)
    start = start if start < len(keys) else 0
    return keys, keys[start : start + size], str(start + size)


@dataclass(frozen=True)
class _Asker:
    """Asks for values, each once."""

    instance: dg.DagsterInstance
    mesh: Mesh
    store: Store

    def ask(self, name: str, titles: list[str], partition: str | None) -> Iterator[dg.RunRequest]:
        """The request for a value, unless it was made before."""
        return ask_once(self.instance, _question(self.mesh, self.store, name, titles), name, partition)


def ask_once(instance: dg.DagsterInstance, question: str, name: str, partition: str | None) -> Iterator[dg.RunRequest]:
    """The request for an asset, unless the same question was asked before; a run that was killed is tried again."""
    earlier = instance.get_runs(dg.RunsFilter(tags={_QUESTION: question}))
    if len(earlier) < _TRIES and all(_was_killed(instance, run) for run in earlier):
        yield dg.RunRequest(
            run_key=f"{question}/{len(earlier)}",
            partition_key=partition,
            asset_selection=[dg.AssetKey(name)],
            tags={_QUESTION: question},
        )


def _was_killed(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether a run failed though none of its steps did."""
    if run.status is not dg.DagsterRunStatus.FAILURE:
        return False
    return not instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)


def _question(mesh: Mesh, store: Store, name: str, titles: list[str]) -> str:
    ask = mesh.ask(store, name, titles)
    key = "withdrawn" if ask.withdrawn else ask.key
    head = store.ledger.head(name, ask.chain)
    # with the newest commit: code A, then B, then A again asks for A's key a second time
    return f"{name}/{ask.scope}/{key}/{ask.generation}/{head.seq if head else 'none'}"


def _just_landed(mesh: Mesh, store: Store, titles: list[str], seconds: float) -> set[str]:
    """Titles whose source changed in the last so many seconds."""
    now = datetime.now(UTC)
    since, until = ((now - timedelta(seconds=ago)).isoformat(timespec="microseconds") for ago in (seconds, 0))
    heads = (head for source in mesh.sources for head in newest(store, source, titles))
    # by a clock that is ahead of ours it may have landed at any time
    return {head.scope for head in heads if since < head.made_at <= until}


def _busy(instance: dg.DagsterInstance) -> set[str]:
    """Titles (or CATALOGUE) that a run is working on or queued for: their answer is on its way."""
    records = instance.get_runs(filters=dg.RunsFilter(statuses=ACTIVE))
    return {record.tags.get("dagster/partition", CATALOGUE) for record in records}
