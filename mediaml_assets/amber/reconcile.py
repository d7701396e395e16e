"""The periodic reconcile: whatever Dagster's events said, ask for each value that is not what its key says."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from mediaml_assets.amber.assets import STORE, TITLES
from mediaml_assets.amber.io_manager import FeatureStore
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.orphans import bury
from mediaml_assets.amber.store import CATALOGUE, Store

_ACTIVE = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def reconcile_sensor(
    mesh: Mesh, seconds: int, titles_per_tick: int = 200, patience_seconds: float = 0
) -> dg.SensorDefinition:
    """The sensor that compares memo keys with current values, `titles_per_tick` titles at a time.

    It asks once for each (feature, title, key, landing generation, newest commit): a computation that fails is not
    asked for again until something about it changed. A title that landed less than `patience_seconds` ago is left to
    the events of its landing.
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
        titles = sorted(context.instance.get_dynamic_partitions(str(TITLES.name)))
        start = int(context.cursor or 0)
        start = start if start < len(titles) else 0
        slice_ = titles[start : start + titles_per_tick]
        bury(context.instance, manager.store)
        busy = _busy(context.instance) | _just_landed(mesh, manager.store, slice_, patience_seconds)
        requests = list(_requests(mesh, manager.store, [one for one in slice_ if one not in busy]))
        if titles and not busy and not requests:
            requests = list(_catalogue_requests(mesh, manager.store, titles))
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else f"every value of {len(slice_)} titles is what its key says",
            cursor=str(start + titles_per_tick),
        )

    return reconcile


def _requests(mesh: Mesh, store: Store, titles: list[str]) -> Iterator[dg.RunRequest]:
    for name, title in mesh.stale(store, titles):
        yield dg.RunRequest(
            run_key=_run_key(mesh, store, name, [title]),
            partition_key=title,
            asset_selection=[dg.AssetKey(name)],
            tags={"mediaml/reconcile": name},
        )


def _catalogue_requests(mesh: Mesh, store: Store, titles: list[str]) -> Iterator[dg.RunRequest]:
    for name in mesh.stale_over_catalogue(store, titles):
        yield dg.RunRequest(
            run_key=_run_key(mesh, store, name, titles),
            asset_selection=[dg.AssetKey(name)],
            tags={"mediaml/reconcile": name},
        )


def _run_key(mesh: Mesh, store: Store, name: str, titles: list[str]) -> str:
    ask = mesh.ask(store, name, titles)
    key = "withdrawn" if ask.withdrawn else ask.key
    head = store.ledger.head(name, ask.chain)
    # with the newest commit: code A, then B, then A again asks for A's key a second time
    return f"{name}/{ask.scope}/{key}/{ask.generation}/{head.seq if head else 'none'}"


def _just_landed(mesh: Mesh, store: Store, titles: list[str], seconds: float) -> set[str]:
    """Titles whose source changed in the last so many seconds."""
    since = (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat(timespec="microseconds")
    heads = (store.ledger.head(source, title) for source in mesh.sources for title in titles)
    return {head.scope for head in heads if head is not None and head.made_at > since}


def _busy(instance: dg.DagsterInstance) -> set[str]:
    """Titles (or CATALOGUE) that a run is working on or queued for: their answer is on its way."""
    records = instance.get_runs(filters=dg.RunsFilter(statuses=_ACTIVE))
    return {record.tags.get("dagster/partition", CATALOGUE) for record in records}
