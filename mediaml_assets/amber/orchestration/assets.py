"""Amber Features as Dagster assets: partitioned by title, memoised, checked, versioned."""

import dataclasses
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from mediaml_assets.amber.ask import Ask
from mediaml_assets.amber.demand import reason
from mediaml_assets.amber.evaluation import Outcome, evaluate
from mediaml_assets.amber.feature import DRIFT, AmberFeature, Check, Input, Scope
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.orchestration import shown
from mediaml_assets.amber.orchestration.automation import ANY_TITLE, ON_CHANGE
from mediaml_assets.amber.orchestration.io_manager import FeatureStore
from mediaml_assets.amber.orchestration.orphans import mark_alive
from mediaml_assets.amber.siblings import evaluate_together, siblings
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


def to_assets(features: Iterable[AmberFeature], groups: Mapping[str, str]) -> list[dg.AssetsDefinition]:
    """The Dagster assets of declared features: one step each, and one for those that are siblings (see `siblings`).

    Args:
        features: all that are to be assets.
        groups: feature -> group in the Dagster UI.
    """
    return [
        _together(members, groups) if len(members) > 1 else to_asset(members[0], groups[members[0].name])
        for members in siblings(features)
    ]


def to_asset(feature: AmberFeature, group: str) -> dg.AssetsDefinition:
    """The Dagster asset of a declared feature, with a step of its own.

    Inputs are named by the function's parameters, the partition mapping follows from the two scopes, and the body
    asks the memo before the function. A file that cannot be used fails the step with its reason and is not retried.
    """

    @dg.asset(  # type: ignore[untyped-decorator]
        name=feature.name,
        partitions_def=_PARTITIONS[feature.scope],
        ins={one.name: _input(one) for one in feature.inputs},
        check_specs=_check_specs(feature),
        required_resource_keys={STORE},
        config_schema=_config_schema(feature),
        **_shown(feature, group),
    )
    # without a return annotation: Dagster would take one for the type of the single output, and there are checks too
    def compute(context: dg.AssetExecutionContext, **views: View | Mapping[str, View]):  # type: ignore[no-untyped-def]
        manager = _manager(context)
        ask = _ask(feature, context, views, context.op_execution_context.op_config or {})
        try:
            outcome = evaluate(manager.store, ask)
        except BadInput as refusal:
            raise _quarantined(ask.scope, refusal) from refusal
        return _result(manager, outcome)

    made: dg.AssetsDefinition = compute
    return made


def _together(members: Sequence[AmberFeature], groups: Mapping[str, str]) -> dg.AssetsDefinition:
    """The Dagster assets of siblings, in one step that computes those asked for from one reading.

    Each is stored as soon as it is there; the step fails at its end when one of them failed. The configuration of a
    feature is below its name in that of the step.
    """
    by_name = {one.name: one for one in members}
    configs = {one.name: schema for one in members if (schema := _config_schema(one)) is not None}

    @dg.multi_asset(
        name="__".join(("readers_of", *(one.name for one in members[0].inputs))),
        outs={one.name: dg.AssetOut(is_required=False, **_shown(one, groups[one.name])) for one in members},
        partitions_def=_PARTITIONS[members[0].scope],
        ins={one.name: _input(one) for one in members[0].inputs},
        check_specs=[spec for one in members for spec in _check_specs(one)],
        required_resource_keys={STORE},
        config_schema={name: dg.Field(schema, is_required=False) for name, schema in configs.items()} or None,
        can_subset=True,
    )
    def compute(context: dg.AssetExecutionContext, **views: View) -> Iterator[dg.MaterializeResult[Outcome]]:
        manager = _manager(context)
        settings = context.op_execution_context.op_config or {}
        asked = sorted(key.to_user_string() for key in context.selected_asset_keys)
        asks = [_ask(by_name[name], context, views, settings.get(name, {})) for name in asked]
        failed: dict[str, Exception] = {}
        for ask, answer in evaluate_together(manager.store, asks):
            if isinstance(answer, Exception):
                failed[ask.feature.name] = answer
                context.log.error("%s of %s failed", ask.feature.name, ask.scope, exc_info=answer)
            else:
                yield _result(manager, answer, dg.AssetKey(ask.feature.name))
        if failed:
            raise _failure(context.partition_key, failed) from next(iter(failed.values()))

    return compute


def _shown(feature: AmberFeature, group: str) -> dict[str, Any]:
    """What an asset says of itself, and what moves and keeps it, whatever step it is made in."""
    return {
        "description": feature.description,
        "group_name": group,
        "kinds": {"parquet", *feature.kinds},
        "code_version": feature.version or feature.code[:16],
        "automation_condition": _CONDITIONS[feature.scope] if feature.automatic else None,
        "io_manager_key": STORE,
        "metadata": {
            "dagster/column_schema": shown.column_schema(feature.schema),
            "version": feature.version or "by code",
        },
    }


def _manager(context: dg.AssetExecutionContext) -> FeatureStore:
    manager: FeatureStore = getattr(context.resources, STORE)
    mark_alive(manager.store, context.run.run_id)
    return manager


def _ask(
    feature: AmberFeature,
    context: dg.AssetExecutionContext,
    views: Mapping[str, View | Mapping[str, View]],
    settings: Mapping[str, Any],
) -> Ask:
    scope = CATALOGUE if feature.scope is Scope.CATALOGUE else context.partition_key
    return Ask(feature, scope, views, _plain(settings))


def _result(manager: FeatureStore, outcome: Outcome, key: dg.AssetKey | None = None) -> dg.MaterializeResult[Outcome]:
    try:
        return dg.MaterializeResult(
            asset_key=key,
            value=outcome,
            data_version=dg.DataVersion(_data_version(manager, outcome)),
            metadata=shown.metadata(manager.store, outcome),
            check_results=_check_results(outcome),
        )
    except BaseException:
        outcome.abandon()
        raise


def _quarantined(scope: str, refusal: BadInput) -> dg.Failure:
    return dg.Failure(
        description=f"{scope} is quarantined: {refusal}",
        metadata={"quarantined": scope, "reason": str(refusal)},
        allow_retries=False,
    )


def _failure(scope: str, failed: Mapping[str, Exception]) -> dg.Failure:
    """How a step of siblings fails; it is tried again unless no attempt could help."""
    refusals = [error for error in failed.values() if isinstance(error, BadInput)]
    if len(refusals) == len(failed):
        return _quarantined(scope, refusals[0])
    reasons = "; ".join(f"{name} of {scope}: {reason(error)}" for name, error in failed.items())
    return dg.Failure(description=reasons, metadata={"failed": list(failed)})


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


def _check_specs(feature: AmberFeature) -> list[dg.AssetCheckSpec]:
    return [_check_spec(feature, check) for check in (*feature.checks, *_drift_check(feature))]


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


def _check_results(outcome: Outcome) -> list[dg.AssetCheckResult]:
    feature, results = outcome.ask.feature, []
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
