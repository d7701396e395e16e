"""Amber Features as Dagster assets: partitioned by title, memoised, checked, versioned."""

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pyarrow as pa

from mediaml_assets.amber.ask import Ask
from mediaml_assets.amber.automation import ANY_TITLE, ON_CHANGE
from mediaml_assets.amber.drift import as_text
from mediaml_assets.amber.evaluation import DRIFT, Outcome, evaluate
from mediaml_assets.amber.feature import AmberFeature, Check, Input, Scope
from mediaml_assets.amber.io_manager import FeatureStore
from mediaml_assets.amber.orphans import mark_alive
from mediaml_assets.amber.store import CATALOGUE, Store, View
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

PREVIEW = 999
"""Characters of Markdown up to which the Dagster UI shows metadata in place, and not behind a link."""


LONGEST_DIFF = 10_000
"""Characters of what changed in the code that the Dagster UI is given."""


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
        metadata={"dagster/column_schema": _column_schema(feature.schema), "version": feature.version or "by code"},
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
            metadata=_metadata(manager.store, outcome),
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


def _metadata(store: Store, outcome: Outcome) -> dict[str, Any]:
    """What the Dagster UI shows of a materialisation, what people look for first."""
    ask = outcome.ask
    rows = _rows(store, outcome)
    found: dict[str, Any] = {
        "dagster/partition_row_count" if ask.scope != CATALOGUE else "dagster/row_count": rows.num_rows,
        "memoised": outcome.memo is not None,
        **{name: value for name, value in outcome.metrics.items() if name != "rows"},
    }
    if ask.chain != ask.scope:
        found["answer"] = f"ad-hoc configuration, kept as {ask.chain}; the current value is unchanged"
    return {
        **found,
        "preview": dg.MetadataValue.md(_preview(rows)),
        "value_digest": outcome.digest,
        "memo_key": ask.key if not ask.withdrawn else "withdrawn",
        "landing_generation": ask.generation,
    }


def _rows(store: Store, outcome: Outcome) -> pa.Table:
    """The rows that an outcome stands for, without vectors and bits; none when withdrawn."""
    schema = outcome.ask.feature.schema
    plain = [
        one.name for one in schema if not (pa.types.is_nested(one.type) or pa.types.is_fixed_size_binary(one.type))
    ]
    if outcome.rows is not None:
        return outcome.rows.select(plain)
    if outcome.memo is not None:
        return store.read_rows(outcome.ask.feature.name, outcome.memo.value, plain)
    return schema.empty_table().select(plain)


def _preview(rows: pa.Table) -> str:
    """The first rows as a Markdown table of at most `PREVIEW` characters; a single row stands upright."""
    head, *body = (
        [("column", "value"), *rows.to_pylist()[0].items()]
        if rows.num_rows == 1
        else [tuple(rows.column_names), *(tuple(row.values()) for row in rows.slice(0, 10).to_pylist())]
    )
    lines = [_line(head), _line(["---"] * len(head))]
    for row in body:
        lines.append(_line([_cell(value) for value in row]))
        if len("\n".join(lines)) > PREVIEW:
            return "\n".join(lines[:-1])
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:12]}…{text[-12:]}"


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
                metadata={"reason": reason, **_diff(outcome, check.name)} if reason else {},
            )
        )
    return results


def _diff(outcome: Outcome, check: str) -> dict[str, dg.MetadataValue[Any]]:
    """What changed in the code, for people."""
    if check != DRIFT or not outcome.drift:
        return {}
    return {"diff": dg.MetadataValue.md(f"```diff\n{as_text(outcome.drift, LONGEST_DIFF)}\n```")}


def _column_schema(schema: pa.Schema) -> dg.TableSchema:
    return dg.TableSchema([dg.TableColumn(one.name, str(one.type)) for one in schema])


def _config_schema(feature: AmberFeature) -> dict[str, dg.Field] | None:
    """The configuration dataclass as Dagster op config, with its defaults."""
    if feature.config is None:
        return None
    return {one.name: _config_field(getattr(feature.config, one.name)) for one in dataclasses.fields(feature.config)}


def _config_field(default: Any) -> dg.Field:
    if default is None or isinstance(default, tuple):
        # a tuple of names; None means all
        names = None if default is None else list(default)
        return dg.Field(dg.Noneable([str]), default_value=names, is_required=False)
    return dg.Field(type(default), default_value=default, is_required=False)


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}
