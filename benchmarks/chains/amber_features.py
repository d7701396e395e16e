"""The chain as Amber Features over the real `essence` of each title."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pyarrow as pa

from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.features.essence import Original

from .helpers import brightness, called, changes

LEVELS = pa.schema([("level", pa.int64())])
CUTS = pa.schema([("count", pa.int64())])
LABEL = pa.schema([("text", pa.string())])


@dataclass(frozen=True)
class Levels:
    """Mean luma of each frame."""

    levels: list[int]
    columns: ClassVar[Sequence[str]] = ("level",)

    @classmethod
    def from_value(cls, view: Any) -> Self:
        """Made from a stored value."""
        return cls(view.table(["level"]).column("level").to_pylist())


@dataclass(frozen=True)
class Cuts:
    """How many frames begin with a change."""

    count: int
    columns: ClassVar[Sequence[str]] = ("count",)

    @classmethod
    def from_value(cls, view: Any) -> Self:
        """Made from a stored value."""
        return cls(view.row(["count"])["count"])


@amber_feature(schema=LEVELS)
def levels(essence: Original) -> pa.Table:
    """Mean luma of each frame."""
    called("levels")
    return pa.table({"level": brightness(str(essence.source.file))}, schema=LEVELS)


@amber_feature(schema=CUTS)
def cuts(levels: Levels) -> pa.Table:
    """How many frames begin with a change."""
    called("cuts")
    count = changes(levels.levels)
    return pa.table({"count": [count]}, schema=CUTS)


@amber_feature(schema=LABEL)
def label(cuts: Cuts) -> pa.Table:
    """The number in words."""
    called("label")
    return pa.table({"text": [f"{cuts.count} cuts"]}, schema=LABEL)
