"""What Dagster is told of a feature before anything runs: its asset, its inputs, its checks, its configuration."""

import dataclasses
import warnings
from typing import Any

import dagster as dg

from mediaml_assets.amber.feature import DRIFT, AmberFeature, Check, Input, Scope
from mediaml_assets.amber.orchestration import shown
from mediaml_assets.amber.orchestration.automation import ANY_TITLE, ON_CHANGE

# any title's event would ask for every show, because Dagster knows no other mapping here: a show is left to `reconcile`
_CONDITIONS = {Scope.TITLE: ON_CHANGE, Scope.SHOW: None, Scope.CATALOGUE: ANY_TITLE}


def asset_arguments(feature: AmberFeature, group: str) -> dict[str, Any]:
    """What an asset says of itself and what moves it, whichever step makes it."""
    return {
        "description": feature.description,
        "group_name": group,
        "kinds": {"parquet", *feature.kinds},
        "code_version": feature.version or feature.code[:16],
        "automation_condition": _CONDITIONS[feature.scope] if feature.automatic else None,
        "metadata": {
            "dagster/column_schema": shown.column_schema(feature.schema),
            "version": feature.version or "by code",
        },
    }


def inputs(feature: AmberFeature) -> dict[str, dg.AssetIn]:
    """Parameter -> how its asset is read."""
    return {one.name: _input(one) for one in feature.inputs}


def _input(one: Input) -> dg.AssetIn:
    if one.many:
        metadata = {"many": True, "members": one.members}
        return dg.AssetIn(partition_mapping=dg.AllPartitionMapping(), metadata=metadata)
    return dg.AssetIn()


def checks(feature: AmberFeature) -> tuple[Check, ...]:
    """Its own checks, and that its code did not change under a version."""
    unchanged = "The code is what it was when this version was first computed."
    drift = Check(DRIFT, lambda rows: None, unchanged, blocking=False)
    return feature.checks if feature.version is None else (*feature.checks, drift)


def check_specs(feature: AmberFeature, partitions: dg.PartitionsDefinition[str] | None) -> list[dg.AssetCheckSpec]:
    """The checks as Dagster has them, judged for each partition."""
    # without a partitions_def a check would be judged by the last title that ran
    with warnings.catch_warnings():
        # partitions_def on a check is a preview in this pinned Dagster; the tests hold it to what we need of it
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                one.name,
                asset=feature.name,
                description=one.description,
                blocking=one.blocking,
                partitions_def=partitions,
            )
            for one in checks(feature)
        ]


def config_schema(feature: AmberFeature) -> dict[str, dg.Field] | None:
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
