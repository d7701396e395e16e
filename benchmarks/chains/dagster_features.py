"""The chain as plain Dagster assets, with code versions and data versions as its guide on versioning advises."""

import hashlib
import json
from pathlib import Path
from typing import Any

import dagster as dg

from .helpers import brightness, called, changes

LANDING = Path("landing")
TITLES = dg.DynamicPartitionsDefinition(name="titles")


@dg.observable_source_asset(partitions_def=TITLES)
def film() -> dg.DataVersionsByPartition:
    """The files, versioned by their content."""
    return dg.DataVersionsByPartition(
        {one.stem: hashlib.sha256(one.read_bytes()).hexdigest() for one in sorted(LANDING.iterdir())}
    )


def versioned(value: Any) -> dg.Output[Any]:
    """A value under a data version by content: where it is the same as before, nothing below is out of date."""
    return dg.Output(value, data_version=dg.DataVersion(hashlib.sha256(json.dumps(value).encode()).hexdigest()))


@dg.asset(partitions_def=TITLES, deps=[film], code_version="1")  # levels
def levels(context: dg.AssetExecutionContext) -> dg.Output[list[int]]:
    """Mean luma of each frame."""
    called("levels")
    (path,) = LANDING.glob(f"{context.partition_key}.*")
    return versioned(brightness(str(path)))


@dg.asset(partitions_def=TITLES, code_version="1")  # cuts
def cuts(levels: list[int]) -> dg.Output[int]:
    """How many frames begin with a change."""
    called("cuts")
    count = changes(levels)
    return versioned(count)


@dg.asset(partitions_def=TITLES, code_version="1")  # label
def label(cuts: int) -> dg.Output[str]:
    """The number in words."""
    called("label")
    return versioned(f"{cuts} cuts")
