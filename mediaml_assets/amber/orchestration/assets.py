"""Amber Features as Dagster assets: partitioned by title, memoised, checked, versioned."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import pyarrow as pa

from mediaml_assets.amber.ask import Ask
from mediaml_assets.amber.demand import reason
from mediaml_assets.amber.evaluation import Outcome, commit, evaluate
from mediaml_assets.amber.feature import AmberFeature, Scope
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.orchestration import shown, specs
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

STORE = "feature_store"
"""Resource key of the IO manager."""

FAILED = "failed"
"""Metadata of a step's failure: the features that failed."""


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
        ins=specs.inputs(feature),
        check_specs=specs.check_specs(feature, _PARTITIONS[feature.scope]),
        io_manager_key=STORE,
        required_resource_keys={STORE},
        config_schema=specs.config_schema(feature),
        **specs.asset_arguments(feature, group),
    )
    # without a return annotation: Dagster would take one for the type of the single output, and there are checks too
    def compute(context: dg.AssetExecutionContext, **views: View | Mapping[str, View]):  # type: ignore[no-untyped-def]
        manager = _manager(context)
        ask = _ask(feature, context, views, context.op_execution_context.op_config or {})
        try:
            outcome = evaluate(manager.store, ask)
        except BadInput as refusal:
            raise _quarantined(ask.scope, {feature.name: refusal}) from refusal
        return _result(manager, outcome)

    made: dg.AssetsDefinition = compute
    return made


def _together(members: Sequence[AmberFeature], groups: Mapping[str, str]) -> dg.AssetsDefinition:
    """The Dagster assets of siblings, in one step that computes those asked for from one reading.

    Each is stored as soon as it is there; the step fails at its end when one of them failed. The configuration of a
    feature is below its name in that of the step.
    """
    by_name = {one.name: one for one in members}
    partitions = _PARTITIONS[members[0].scope]
    configs = {one.name: schema for one in members if (schema := specs.config_schema(one)) is not None}

    def out(feature: AmberFeature) -> dg.AssetOut:
        arguments = specs.asset_arguments(feature, groups[feature.name])
        return dg.AssetOut(is_required=False, io_manager_key=STORE, **arguments)

    @dg.multi_asset(
        name="__".join(("readers_of", *(one.name for one in members[0].inputs))),
        outs={name: out(one) for name, one in by_name.items()},
        partitions_def=partitions,
        ins=specs.inputs(members[0]),
        check_specs=[check for one in members for check in specs.check_specs(one, partitions)],
        required_resource_keys={STORE},
        config_schema={name: dg.Field(schema, is_required=False) for name, schema in configs.items()} or None,
        can_subset=True,
    )
    def compute(
        context: dg.AssetExecutionContext, **views: View
    ) -> Iterator[dg.MaterializeResult[Outcome] | dg.AssetCheckResult]:
        manager, run = _manager(context), context.op_execution_context
        checks = run.selected_asset_check_keys
        keys = {*run.selected_asset_keys, *(check.asset_key for check in checks)}
        asked = [by_name[name] for name in sorted(key.to_user_string() for key in keys)]
        settings = run.op_config or {}
        asks = [_ask(one, context, views, settings.get(one.name, {})) for one in asked]
        failed: dict[str, Exception] = {}
        for ask, answer in evaluate_together(manager.store, asks):
            if isinstance(answer, Exception):
                failed[ask.feature.name] = answer
                context.log.error("%s of %s failed", ask.feature.name, ask.scope, exc_info=answer)
            else:
                yield from _results(manager, answer, run)
        if failed:
            raise _failure(context.partition_key, failed) from next(iter(failed.values()))

    return compute


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


def _results(
    manager: FeatureStore, outcome: Outcome, run: dg.OpExecutionContext
) -> Iterator[dg.MaterializeResult[Outcome] | dg.AssetCheckResult]:
    """What is told of one of several siblings, of which Dagster may have asked for the checks alone."""
    result, key = _result(manager, outcome), dg.AssetKey(outcome.ask.feature.name)
    asked = {check.name for check in run.selected_asset_check_keys if check.asset_key == key}
    checks = [one for one in result.check_results or () if one.check_name in asked]
    if key in run.selected_asset_keys:
        yield result._replace(check_results=checks)
    else:
        commit(manager.store, outcome, run.run_id)
        yield from checks


def _result(manager: FeatureStore, outcome: Outcome) -> dg.MaterializeResult[Outcome]:
    try:
        rows = shown.shown_rows(manager.store, outcome)
        return dg.MaterializeResult(
            asset_key=outcome.ask.feature.name,
            value=outcome,
            data_version=dg.DataVersion(_data_version(manager, outcome)),
            metadata=shown.metadata(manager.store, outcome, rows),
            check_results=_check_results(outcome, rows),
        )
    except BaseException:
        outcome.abandon()
        raise


def _quarantined(scope: str, refusals: Mapping[str, Exception]) -> dg.Failure:
    # several features that read the same bad file say the same
    reason = "; ".join(dict.fromkeys(map(str, refusals.values())))
    return dg.Failure(
        description=f"{scope} is quarantined: {reason}",
        metadata={"quarantined": scope, "reason": reason, FAILED: list(refusals)},
        allow_retries=False,
    )


def _failure(scope: str, failed: Mapping[str, Exception]) -> dg.Failure:
    """How a step of siblings fails; it is tried again unless no attempt could help."""
    if all(isinstance(error, BadInput) for error in failed.values()):
        return _quarantined(scope, failed)
    reasons = "; ".join(f"{name} of {scope}: {reason(error)}" for name, error in failed.items())
    return dg.Failure(description=reasons, metadata={FAILED: list(failed)})


def _data_version(manager: FeatureStore, outcome: Outcome) -> str:
    """Digest of the value; for an ad-hoc configuration that of the current value, which it leaves alone."""
    ask = outcome.ask
    if ask.chain == ask.scope:
        return outcome.digest
    head = manager.store.ledger.head(ask.feature.name, ask.scope)
    return head.current.digest if head and head.current else "ad-hoc"


def _check_results(outcome: Outcome, rows: pa.Table) -> list[dg.AssetCheckResult]:
    feature, results = outcome.ask.feature, []
    for check in specs.checks(feature):
        reason = outcome.failed.get(check.name)
        results.append(
            dg.AssetCheckResult(
                asset_key=feature.name,
                check_name=check.name,
                passed=reason is None,
                severity=dg.AssetCheckSeverity.ERROR if check.blocking else dg.AssetCheckSeverity.WARN,
                metadata={
                    **({"reason": reason, **shown.diff(outcome, check.name)} if reason else {}),
                    **shown.numbers(check, rows),
                },
            )
        )
    return results


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}
