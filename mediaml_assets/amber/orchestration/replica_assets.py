"""Replicas as Dagster assets, each downstream of its feature: `<feature>__<kind>`, with lag and parity as checks."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from mediaml_assets.amber.feature import Scope
from mediaml_assets.amber.keys import digest_of, schema_digest
from mediaml_assets.amber.orchestration.assets import STORE
from mediaml_assets.amber.orchestration.automation import ANY_TITLE
from mediaml_assets.amber.orchestration.io_manager import FeatureStore
from mediaml_assets.amber.orchestration.orphans import mark_alive
from mediaml_assets.amber.orchestration.reconcile import ACTIVE, ask_once
from mediaml_assets.amber.orchestration.shown import column_schema, copied_columns
from mediaml_assets.amber.replicas import Replica
from mediaml_assets.amber.replicas.parity import Parity, parity
from mediaml_assets.amber.replicas.replication import Copied, current_heads, difference, replicate
from mediaml_assets.amber.store import Store
from mediaml_assets.errors import FeatureError, MediamlError, SettingsError

LAG_SECONDS = 600
"""How long a value may be missing from a replica before the check `lag` fails."""

RETRIES = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL)
"""Another store may not answer for a moment; what was copied until then stays."""

SAMPLE = 8
"""Titles whose rows every run reads back, drawn at random; a run with `verify` reads all."""

_ADVICE = "`mediaml replicas --repair` copies again what is behind or damaged"

_CHECKS = {
    "lag": f"No current value has been missing from the replica for more than {LAG_SECONDS} s.",
    "row_count": "Each title has as many rows as its current value, counted in the replica's own files.",
    "digest_parity": (
        f"Rows read back from the replica have the digests of the current values: of {SAMPLE} titles drawn at random, "
        "of every title when the run is configured with verify = true."
    ),
}


def replica_asset(replica: Replica, scope: Scope, group: str) -> dg.AssetsDefinition:
    """The Dagster asset that keeps one replica of a feature of some scope up to date.

    It copies what is current in the store, whatever Dagster knows of it, so that one run catches up with any number of
    titles. With `verify` in its configuration, every title is read back first and what is damaged is copied again.
    """
    mapping = dg.AllPartitionMapping() if scope is not Scope.CATALOGUE else None

    @dg.asset(
        name=replica.name,
        description=f"Values of {replica.feature} as {replica.kind}, in {replica.where}. {replica.how_to_read}",
        group_name=group,
        kinds={replica.kind},
        code_version=schema_digest(replica.schema),
        deps=[dg.AssetDep(replica.feature, partition_mapping=mapping)],
        check_specs=[dg.AssetCheckSpec(name, asset=replica.name, description=said) for name, said in _CHECKS.items()],
        automation_condition=ANY_TITLE,
        retry_policy=RETRIES,
        required_resource_keys={STORE},
        config_schema={"verify": dg.Field(bool, default_value=False)},
        metadata={"dagster/column_schema": column_schema(replica.schema)},
    )
    def copy(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]
        manager: FeatureStore = getattr(context.resources, STORE)
        mark_alive(manager.store, context.run.run_id)
        try:
            return _copy(replica, manager.store, context.op_execution_context.op_config["verify"])
        except (FeatureError, SettingsError) as refusal:
            raise dg.Failure(description=str(refusal), allow_retries=False) from refusal

    return copy


def _copy(replica: Replica, store: Store, verify: bool) -> dg.MaterializeResult[Any]:
    sink, started = replica.open(), time.perf_counter()
    damaged = parity(store, replica.feature, sink, sample=None).damaged if verify else {}
    copied = replicate(store, replica.feature, sink, again=list(damaged))
    seconds = time.perf_counter() - started
    found = parity(store, replica.feature, sink, sample=None if verify else SAMPLE)
    held = {title: one.digest for title, one in sink.held().items()}
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest_of(held)),
        metadata=_metadata(replica, copied, found, list(damaged), seconds),
        check_results=_check_results(found),
    )


def _metadata(
    replica: Replica, copied: Copied, found: Parity, damaged: Sequence[str], seconds: float
) -> dict[str, Any]:
    return {
        "dagster/row_count": found.rows,
        "dagster/column_lineage": copied_columns(replica.feature, replica.schema),
        "titles": found.titles,
        "copied_titles": len(copied.put),
        "dropped_titles": len(copied.drop),
        "written_bytes": copied.bytes,
        "seconds": round(seconds, 3),
        "behind_titles": len(found.behind),
        "lag_seconds": round(found.lag_seconds, 3),
        "read_back_titles": found.read_back,
        "repaired_titles": ", ".join(damaged) or "none",
        "left_titles": "; ".join(copied.left.values()) or "none",
        "folder": dg.MetadataValue.path(replica.where),
    }


def _check_results(found: Parity) -> list[dg.AssetCheckResult]:
    late = found.behind if found.lag_seconds > LAG_SECONDS else ()
    reasons = {
        "lag": _listed(dict.fromkeys(late, "is not in the replica as it is in the store")),
        "row_count": _listed(found.miscounted),
        "digest_parity": _listed(found.damaged),
    }
    numbers: dict[str, dict[str, float]] = {
        "lag": {"behind_titles": len(found.behind), "lag_seconds": round(found.lag_seconds, 3)},
        "row_count": {"titles": found.titles, "rows": found.rows, "miscounted_titles": len(found.miscounted)},
        "digest_parity": {"read_back_titles": found.read_back, "damaged_titles": len(found.damaged)},
    }
    return [
        dg.AssetCheckResult(
            check_name=name,
            passed=not reason,
            metadata={**({"reason": f"{reason}. {_ADVICE}"} if reason else {}), **numbers[name]},
        )
        for name, reason in reasons.items()
    ]


def _listed(reasons: Mapping[str, str], most: int = 10) -> str:
    """Some of the titles, each with its reason, in one line."""
    shown = [f"{title}: {reason}" for title, reason in list(reasons.items())[:most]]
    return "; ".join([*shown, *([f"and {len(reasons) - most} more"] if len(reasons) > most else [])])


def replicas_sensor(
    replicas: Sequence[Replica], seconds: int, titles_per_tick: int = 200, patience_seconds: float = 0
) -> dg.SensorDefinition:
    """The sensor that compares replicas with the store, `titles_per_tick` titles at a time, whatever Dagster's events.

    What became current less than `patience_seconds` ago is left to those events. The same difference is asked for
    once an hour; a run that was killed is tried again.
    """

    @dg.sensor(
        name="replicas",
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        required_resource_keys={STORE},
        target=dg.AssetSelection.assets(*[one.name for one in replicas]),
        description="Asks for replicas that are behind the store, whatever the event log says.",
    )
    def sense(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        manager: FeatureStore = getattr(context.resources, STORE)
        store, start = manager.store, int(context.cursor or 0)
        busy = _busy(context.instance)
        scopes = {name: store.ledger.scopes(name) for name in {one.feature for one in replicas}}
        requests: list[dg.RunRequest] = []
        for one in replicas:
            titles = scopes[one.feature][start : start + titles_per_tick]
            question = "" if one.name in busy else _question(store, one, titles, patience_seconds)
            requests += ask_once(context.instance, question, one.name, None) if question else []
        following = start + titles_per_tick
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else f"{len(replicas)} replicas hold what is current, or are being copied to",
            cursor=str(following if following < max(map(len, scopes.values())) else 0),
        )

    return sense


def _question(store: Store, replica: Replica, titles: Sequence[str], patience_seconds: float) -> str:
    """What the replica lacks of these titles, as one word; empty when that is nothing, or too new."""
    try:
        heads, _ = current_heads(store, replica.feature, titles)
        change = difference(store, replica.feature, replica.open(), titles=titles)
    except MediamlError:
        # its run will say what is wrong
        return f"{replica.name}/cannot be opened"
    behind = {title: heads[title] for title in (*(one.title for one in change.put), *change.drop) if title in heads}
    since = (datetime.now(UTC) - timedelta(seconds=patience_seconds)).isoformat(timespec="microseconds")
    if not any(head.made_at <= since for head in behind.values()):
        return ""
    # unlike an algorithm that fails, another store may answer later: asked again every hour
    hour = f"{datetime.now(UTC):%Y-%m-%dT%H}"
    return f"{replica.name}/{digest_of({title: head.seq for title, head in behind.items()})}/{hour}"


def _busy(instance: dg.DagsterInstance) -> set[str]:
    """Names of the assets that runs have in hand or will have."""
    records = instance.get_runs(filters=dg.RunsFilter(statuses=ACTIVE))
    return {key.to_user_string() for record in records for key in record.asset_selection or ()}
