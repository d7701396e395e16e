"""How other features read shots together with the way each begins."""

from dataclasses import dataclass
from typing import ClassVar, Self

import pyarrow as pa

from mediaml_assets.features.shots import Shots


@dataclass(frozen=True)
class JoinedShots(Shots):
    """The shots of a title, and how each begins: "start" for the first, then "cut", "dissolve", "fade" ..."""

    columns: ClassVar[tuple[str, ...]] = (*Shots.columns, "transition")

    transitions: tuple[str, ...] = ()

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """Read the columns of `columns` from a table of `SHOTS`."""
        return cls(Shots.from_table(table).rows, tuple(table.column("transition").to_pylist()))

    @property
    def clear(self) -> list[range]:
        """The frames that show each shot and no other: the usable ones and those of fades, through black or from it."""
        fades = [kind in ("start", "fade") for kind in self.transitions]
        ends = zip(self.rows, fades, [*fades[1:], True], strict=True)
        return [range(s.start if a else s.usable_start, s.end if b else s.usable_end) for s, a, b in ends]
