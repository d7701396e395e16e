"""Amber Features as Dagster assets: partitioned by title, memoised, checked, versioned."""

import dataclasses
import warnings
from collections.abc import Mapping
from typing import Any

import dagster as dg

from mediaml_assets.amber.ask import Ask
from mediaml_assets.amber.evaluation import Outcome, evaluate
from mediaml_assets.amber.feature import DRIFT, AmberFeature, Check, Input, Scope
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.orchestration import shown
from mediaml_assets.amber.orchestration.automation import ANY_TITLE, ON_CHANGE
from mediaml_assets.amber.orchestration.io_manager import FeatureStore
from mediaml_assets.amber.orchestration.orphans import mark_alive
from mediaml_assets.amber.view import View
from mediaml_assets.errors import BadInput

TITLES = dg.DynamicPartitionsDefinition(name="titles")
"""Partition key of every per-title asset: a validated title slug."""

SHOWS = dg.DynamicPartitionsDefinition(name="shows")
"""Partition key of every per-show asset."""

_PARTITIONS = {Scope.TITLE: TITLES, Scope.SHOW: SHOWS, Scope.CATALOGUE: None}

# any title's event would ask for every show, because Dagster knows no other mapping here: a show is left to `reconcile`
_CONDITIONS = {Scope.TITLE: ON_CHANGE, Scope.SHOW: None, Scope.CATALOGUE: ANY_TITLE}

STORE = "feature_store"
"""Resource key of the IO manager."""


def to_asset(feature: AmberFeature, group: str) -> dg.AssetsDefinition:
    """The Dagster asset of a declared feature.

    Inputs are named by the function's parameters, the partition mapping follows from the two scopes, and the body
    asks the memo before the function. A file that cannot be used fails the step with its reason and is not retried.
    """

    @dg.asset(
        name=feature.name,
        description=feature.description,
        group_name=group,
        kinds={"parquet", *feature.kinds},
        code_version=feature.version or feature.code[:16],
        partitions_def=_PARTITIONS[feature.scope],
        ins={one.name: _input(one) for one in feature.inputs},
        check_specs=[_check_spec(feature, check) for check in (*feature.checks, *_drift_check(feature))],
        automation_condition=_CONDITIONS[feature.scope] if feature.automatic else None,
        io_manager_key=STORE,
        required_resource_keys={STORE},
        config_schema=_config_schema(feature),
        metadata={
            "dagster/column_schema": shown.column_schema(feature.schema),
            "version": feature.version or "by code",
        },
    )
    # without a return annotation: Dagster would take one for the type of the single output, and there are checks too
    def compute(context: dg.AssetExecutionContext, **views: View | Mapping[str, View]):  # type: ignore[no-untyped-def]
        return _materialize(feature, context, views)

    return compute


def _materialize(
    feature: AmberFeature, context: dg.AssetExecutionContext, views: Mapping[str, View | Mapping[str, View]]
) -> dg.MaterializeResult[Outcome]:
    manager: FeatureStore = getattr(context.resources, STORE)
    mark_alive(manager.store, context.run.run_id)
    scope = CATALOGUE if feature.scope is Scope.CATALOGUE else context.partition_key
    ask = Ask(feature, scope, views, _plain(context.op_execution_context.op_config or {}))
    try:
        outcome = evaluate(manager.store, ask)
    except BadInput as refusal:
        raise dg.Failure(
            description=f"{scope} is quarantined: {refusal}",
            metadata={"quarantined": scope, "reason": str(refusal)},
            allow_retries=False,
        ) from refusal
    try:
        return dg.MaterializeResult(
            value=outcome,
            data_version=dg.DataVersion(_data_version(manager, outcome)),
            metadata=shown.metadata(manager.store, outcome),
            check_results=_check_results(feature, outcome),
        )
    except BaseException:
        outcome.abandon()
        raise


def _input(one: Input) -> dg.AssetIn:
    if one.many:
        metadata = {"many": True, "members": one.members}
        return dg.AssetIn(partition_mapping=dg.AllPartitionMapping(), metadata=metadata)
    return dg.AssetIn()


def _data_version(manager: FeatureStore, outcome: Outcome) -> str:
    """Digest of the value; for an ad-hoc configuration that of the current value, which it leaves alone."""
    ask = outcome.ask
    if ask.chain == ask.scope:
        return outcome.digest
    head = manager.store.ledger.head(ask.feature.name, ask.scope)
    return head.current.digest if head and head.current else "ad-hoc"


def _drift_check(feature: AmberFeature) -> list[Check]:
    if feature.version is None:
        return []
    return [
        Check(DRIFT, lambda rows: None, "The code is what it was when this version was first computed.", blocking=False)
    ]


def _check_spec(feature: AmberFeature, check: Check) -> dg.AssetCheckSpec:
    # without a partitions_def the check would be judged by the last title that ran
    with warnings.catch_warnings():
        # partitions_def on a check is a preview in this pinned Dagster; the tests hold it to what we need of it
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.AssetCheckSpec(
            check.name,
            asset=feature.name,
            description=check.description,
            blocking=check.blocking,
            partitions_def=_PARTITIONS[feature.scope],
        )


def _check_results(feature: AmberFeature, outcome: Outcome) -> list[dg.AssetCheckResult]:
    results = []
    for check in (*feature.checks, *_drift_check(feature)):
        reason = outcome.failed.get(check.name)
        results.append(
            dg.AssetCheckResult(
                check_name=check.name,
                passed=reason is None,
                severity=dg.AssetCheckSeverity.ERROR if check.blocking else dg.AssetCheckSeverity.WARN,
                metadata={"reason": reason, **shown.diff(outcome, check.name)} if reason else {},
            )
        )
    return results


def _config_schema(feature: AmberFeature) -> dict[str, dg.Field] | None:
    """The configuration dataclass as Dagster op config, with its defaults."""
    if feature.config is None:
        return None
    return {one.name: _config_field(getattr(feature.config, one.name)) for one in dataclasses.fields(feature.config)}


def _config_field(default: Any) -> dg.Field:
    if default is None or isinstance(default, tuple):
        # None means all; a tuple of names, when it does not say of what
        kinds = {type(one) for one in default or ("",)}
        item = kinds.pop() if len(kinds) == 1 and kinds < {bool, int, float, str} else dg.Any
        listed = None if default is None else list(default)
        return dg.Field(dg.Noneable(dg.Array(item)), default_value=listed, is_required=False)
    return dg.Field(type(default), default_value=default, is_required=False)


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}
