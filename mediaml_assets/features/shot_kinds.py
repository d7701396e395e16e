"""The `shot_kinds` feature: whether the two ends of a shot show a picture that can be cut on."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mediaml_assets.amber.checks import at_least, increasing
from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.features.frame_windows import end_windows
from mediaml_assets.features.measures.picture_kind import Kind, picture_kind
from mediaml_assets.features.shots import Shots
from mediaml_assets.jasper.reading.media import Media

FIT: Kind = "picture"
_KINDS = ", ".join(get_args(Kind))

SHOT_KINDS = pa.schema(
    [
        column("index", pa.int32(), "Of the shot, among those of `shots`."),
        column("head", pa.string(), f"What its first usable frame is: {_KINDS}."),
        column("tail", pa.string(), "The same of its last usable frame."),
    ]
)
"""One row a shot; only an end that is a "picture" can be cut on."""


@dataclass(frozen=True)
class ShotKinds:
    """Which ends of a title's shots can be cut on: `index` int64 [n], `head` and `tail` bool [n]."""

    columns: ClassVar[tuple[str, ...]] = ("index", "head", "tail")

    index: npt.NDArray[np.int64]
    head: npt.NDArray[np.bool_]
    tail: npt.NDArray[np.bool_]

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """Read a table of `SHOT_KINDS`."""
        fit = (np.array([kind == FIT for kind in table.column(end).to_pylist()], np.bool_) for end in ("head", "tail"))
        return cls(np.asarray(table.column("index").to_numpy(), np.int64), *fit)

    @classmethod
    def from_value(cls, view: Any) -> Self:
        """Read a stored value of `shot_kinds`."""
        return cls.from_table(view.table(columns=list(cls.columns)))


@amber_feature(
    version="1",
    schema=SHOT_KINDS,
    kinds=("opencv",),
    checks=[at_least(1, blocking=False), increasing("index", blocking=False)],
)
def shot_kinds(standard_encode: Media, shots: Shots) -> pa.Table:
    """Say of both ends of each shot whether they show a picture, or black, a flat colour, a card of text, bars."""
    ends: tuple[list[Kind], list[Kind]] = ([], [])
    for at_end, frames in end_windows(standard_encode, shots, 1):
        ends[at_end].append(picture_kind(frames[0], standard_encode.active))
    return pa.table([[shot.index for shot in shots], *ends], schema=SHOT_KINDS)
