"""What `match_cuts` reads of each flavour: the rows of its feature, one row a shot, not read before they must be.

One small class a flavour: the columns that are read are part of the type, and of the memo key.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pyarrow as pa

from mediaml_assets.amber.keys import column_digests
from mediaml_assets.matching.flavours.flavour import Flavour
from mediaml_assets.matching.flavours.registry import FLAVOURS


@dataclass(frozen=True)
class ShotRows:
    """The rows of a flavour's feature, one row a shot: known by their digests, and read only when they must be.

    digests: of each column, as `Value.columns` has them.
    read: the columns' table.
    """

    digests: Mapping[str, str]
    read: Callable[[], pa.Table]
    columns: ClassVar[Sequence[str]]

    @classmethod
    def from_value(cls, view: Any) -> Self:
        """Made from the stored value of a flavour's feature."""
        digests = {name: view.value.columns[name] for name in cls.columns}
        return cls(digests, lambda: view.table(list(cls.columns)))

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """Made from rows that are there."""
        return cls(column_digests(table), lambda: table)

    def columns_of(self, flavour: Flavour) -> dict[str, str]:
        """The digests of the columns that decide a flavour's scores."""
        return {name: self.digests[name] for name in flavour.columns}


class Silhouettes(ShotRows):
    """What the frame flavour reads."""

    columns = FLAVOURS["frame"].columns


class Motions(ShotRows):
    """What the motion flavour reads."""

    columns = FLAVOURS["motion"].columns


class Compositions(ShotRows):
    """What the composition flavour reads."""

    columns = FLAVOURS["composition"].columns


class Colours(ShotRows):
    """What the colour flavour reads."""

    columns = FLAVOURS["colour"].columns


class Sounds(ShotRows):
    """What the sound flavour reads."""

    columns = FLAVOURS["sound"].columns


class LearnedEnds(ShotRows):
    """What the learned flavour reads."""

    columns = FLAVOURS["learned"].columns
