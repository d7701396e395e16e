"""The `shots` feature: where each shot of a title starts and ends; and `Shots`, how other features read it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, overload

import pyarrow as pa

from mediaml_assets.amber.checks import at_least, in_range, increasing
from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.features.detectors.boundary import Boundary
from mediaml_assets.features.detectors.detector import TAPE, key_part, named
from mediaml_assets.jasper.reading.media import Media

SHOTS = pa.schema(
    [
        column("index", pa.int32(), "Number of the shot in its title; it never changes."),
        column("start", pa.int32(), "First frame, of the standard encode."),
        column("end", pa.int32(), "The frame after its last."),
        column("usable_start", pa.int32(), "First frame that no gradual transition touches."),
        column("usable_end", pa.int32(), "The frame after the last such one."),
        column("transition", pa.string(), "How it begins: start, cut, dissolve, fade or wipe."),
        column("transition_start", pa.int32(), "First frame that this transition touches."),
        column("transition_end", pa.int32(), "The frame after the last such one; for a cut the same."),
        column("confidence", pa.float32(), "Of its beginning, in [0, 1]."),
    ]
)
"""One row a shot, in order; all ranges are frames of the standard encode, half-open."""


@dataclass(frozen=True)
class Shot:
    """A shot: frames [start, end) of the standard encode, of which [usable_start, usable_end) show it alone.

    The usable frames leave out those touched by a dissolve, a fade or a wipe; there is always at least one. As the type
    of a parameter it makes a feature that is called once for each shot.
    """

    columns: ClassVar[tuple[str, ...]] = ("index", "start", "end", "usable_start", "usable_end")

    index: int
    start: int
    end: int
    usable_start: int
    usable_end: int

    @classmethod
    def each_from_value(cls, view: Any) -> "Iterator[tuple[int, Shot]]":
        """Each shot of a stored value of `shots` or `unique_shots`, with its index."""
        return ((shot.index, shot) for shot in Shots.from_value(view))


@dataclass(frozen=True)
class Shots(Sequence[Shot]):
    """The shots of a title in order of index; some indices are absent once duplicates were dropped."""

    columns: ClassVar[tuple[str, ...]] = Shot.columns

    rows: tuple[Shot, ...]

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """Read the five columns of `columns` from a value's table."""
        lists = [table.column(name).to_pylist() for name in cls.columns]
        return cls(tuple(Shot(*row) for row in zip(*lists, strict=True)))

    @classmethod
    def from_value(cls, view: Any) -> Self:
        """Read a stored value of `shots` or `unique_shots`."""
        return cls.from_table(view.table(columns=list(cls.columns)))

    def as_dict(self) -> dict[int, tuple[int, int]]:
        """Shot index to frame range [start, end)."""
        return {shot.index: (shot.start, shot.end) for shot in self.rows}

    def __len__(self) -> int:
        """Number of shots."""
        return len(self.rows)

    def __iter__(self) -> Iterator[Shot]:
        """The shots in order."""
        return iter(self.rows)

    @overload
    def __getitem__(self, place: int) -> Shot: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Shot, ...]: ...
    def __getitem__(self, place: int | slice) -> Shot | tuple[Shot, ...]:
        """The shot(s) at a place in the sequence, which is not the shot's index once duplicates were dropped."""
        return self.rows[place]


@dataclass(frozen=True)
class ShotsConfig:
    """`detector`: "tape" (our own), "scenedetect:<name>" or "transnet:<safetensors file>", see `detectors.detector`."""

    detector: str = TAPE

    def key_parts(self) -> dict[str, str]:
        """What stands for the detector in the memo key: its weights, wherever they are, or its library's version."""
        part = key_part(self.detector)
        return {"detector": part} if part else {}


@amber_feature(
    version="2",
    schema=SHOTS,
    kinds=("numpy",),
    replicas=("marken",),
    checks=[
        at_least(1, blocking=False),
        increasing("start", blocking=False),
        in_range("confidence", 0, 1, blocking=False),
    ],
)
def shots(standard_encode: Media, config: ShotsConfig) -> pa.Table:
    """Split a title into shots at its cuts, dissolves, fades and wipes; every frame belongs to exactly one.

    `transition` says how a shot begins: "start" (of the title), "cut", "dissolve", "fade" or "wipe". A gradual
    transition is split at its middle. Black of a quarter of a second and more is a shot of its own.
    """
    found = named(config.detector)(standard_encode)
    return shot_table(found[:-1], found[1:])


def shot_table(begins: Sequence[Boundary], ends: Sequence[Boundary]) -> pa.Table:
    """The rows of `SHOTS`: shot i lies between begins[i] and ends[i]."""
    rows = []
    for index, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        usable = usable_range(begin.at, end.at, begin.end, end.start)
        rows.append((index, begin.at, end.at, *usable, begin.kind, begin.start, begin.end, begin.confidence))
    return pa.table([list(column) for column in zip(*rows, strict=True)], schema=SHOTS)


def usable_range(start: int, end: int, after: int, before: int) -> tuple[int, int]:
    """Frames of [start, end) from `after` to `before`; the middle frame alone when transitions touch them all."""
    usable_start, usable_end = max(start, after), min(end, before)
    if usable_start < usable_end:
        return usable_start, usable_end
    middle = min(max((usable_start + usable_end) // 2, start), end - 1)
    return middle, middle + 1
