"""The `shot_prints` feature: what each shot looks like every half second, small enough to compare whole catalogues."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mediaml_assets.amber.checks import at_least, in_range, increasing
from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.amber.keys import column_digests
from mediaml_assets.features.detectors.tape_signals import active_tape
from mediaml_assets.features.joined_shots import JoinedShots
from mediaml_assets.features.measures.gradient_print import (
    DIMENSIONS,
    SHORT,
    Luma,
    Packed,
    gradient_prints,
    packed,
    short_prints,
)
from mediaml_assets.features.shots import Shot
from mediaml_assets.jasper.reading.media import Media

PER_SECOND = 2
WIDEST = 16 / 9
_DECIDING = ["middle", "short", "prints"]
AT_ONCE = 4096  # frames of which prints are made together

SHOT_PRINTS = pa.schema(
    [
        column("index", pa.int32(), "Of the shot, among those of `shots`."),
        column("middle", pa.int32(), "Which of its prints, from 0, is of the middle of its usable frames."),
        column("short", pa.binary(), "Short prints of 192 bytes (int8), one each half second."),
        column("prints", pa.binary(), "The whole ones of 1152 bytes (int8)."),
    ]
)
"""One row a shot: prints (see `gradient_print`) of it at half seconds from the middle of its usable frames."""


@dataclass(frozen=True)
class ShotPrints:
    """The prints of a title's n shots, half a second apart, in order of index.

    index: int64 [n], the shots.
    count: int64 [n], how many prints each has, at least 1.
    middle: int64 [n], which of them, from 0, is of its middle.
    short: int8 [sum of count, 192], the short prints of all shots, one shot after the other.
    digests: of the columns `middle`, `short` and `prints`: equal prints have equal ones.
    """

    columns: ClassVar[tuple[str, ...]] = ("index", "middle", "short", "prints")

    index: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64]
    middle: npt.NDArray[np.int64]
    short: Packed
    digests: Mapping[str, str]
    _read: Callable[[], pa.Table]

    @classmethod
    def from_value(cls, view: Any) -> Self:
        """Read a stored value of `shot_prints`, but the whole prints only when they are asked for."""
        digests = {name: view.value.columns[name] for name in _DECIDING}
        table = view.table(columns=["index", "middle", "short"])
        return cls._of(table, digests, lambda: view.table(columns=["prints"]))

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """Read a table of `SHOT_PRINTS`."""
        return cls._of(table, column_digests(table.select(_DECIDING)), lambda: table)

    @classmethod
    def _of(cls, table: pa.Table, digests: Mapping[str, str], read: Callable[[], pa.Table]) -> Self:
        index, middle = (np.asarray(table.column(name).to_numpy(), np.int64) for name in ("index", "middle"))
        short = [np.frombuffer(one, np.int8).reshape(-1, SHORT) for one in table.column("short").to_pylist()]
        return cls(index, np.array([len(one) for one in short]), middle, np.concatenate(short), digests, read)

    @cached_property
    def prints(self) -> tuple[Packed, ...]:
        """The whole prints of each shot, int8 [count, 1152]."""
        rows = self._read().column("prints").to_pylist()
        return tuple(np.frombuffer(one, np.int8).reshape(-1, DIMENSIONS) for one in rows)


@amber_feature(
    version="1",
    schema=SHOT_PRINTS,
    kinds=("opencv",),
    checks=[at_least(1, blocking=False), increasing("index", blocking=False), in_range("middle", 0, None)],
)
def shot_prints(standard_encode: Media, shots: JoinedShots) -> pa.Table:
    """Take a print of each shot every half second, from the frame tape; letterbox bars are left out.

    The print of a faded picture is that of the whole one. Where nothing is left of it a shot has no print, unless it
    has no other.
    """
    luma = _middle(active_tape(standard_encode.tape, standard_encode.active).y)
    step = round(standard_encode.rate / PER_SECOND)
    wanted = [grid(shot, clear, step) for shot, clear in zip(shots, shots.clear, strict=True)]
    frames = np.concatenate([np.asarray(list(one), np.intp) for one, _ in wanted])
    parts = [gradient_prints(luma[frames[at : at + AT_ONCE]]) for at in range(0, len(frames), AT_ONCE)]
    ends = np.cumsum([len(one) for one, _ in wanted])[:-1]
    middles, stored = [], []
    for prints, (_, middle) in zip(np.split(np.concatenate(parts), ends), wanted, strict=True):
        shown = np.flatnonzero(prints.any(axis=1))
        first, last = min(shown.min(initial=middle), middle), max(shown.max(initial=middle), middle)
        middles.append(middle - first)
        stored.append([packed(one[first : last + 1]).tobytes() for one in (short_prints(prints), prints)])
    indices = [shot.index for shot in shots]
    return pa.table([indices, middles, *map(list, zip(*stored, strict=True))], schema=SHOT_PRINTS)


def _middle(luma: Luma) -> Luma:
    """Of pictures [n, h, w] wider than 16:9 the middle: what is left of them where they are shown without bars."""
    height, width = luma.shape[1:]
    wide = min(width, round(height * WIDEST))
    left = (width - wide) // 2
    return luma[:, :, left : left + wide]


def grid(shot: Shot, clear: range, step: int) -> tuple[range, int]:
    """The `clear` frames at multiples of `step` (or 1) from the middle usable one, and the place of that."""
    step = max(step, 1)
    middle = (shot.usable_start + shot.usable_end - 1) // 2
    before = (middle - clear.start) // step
    return range(middle - before * step, clear.stop, step), before
