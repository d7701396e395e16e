"""A title as blocks see it: how many shots it has, what its scores are decided by, and how its ends are had."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mediaml_assets.amber.cache import Cache
from mediaml_assets.errors import FeatureError
from mediaml_assets.matching.flavours.flavour import Ends, Flavour
from mediaml_assets.matching.pairs.scan import longest


@dataclass(frozen=True)
class Title:
    """One title in one flavour.

    name: for people.
    folder: of the cache, where its files of blocks lie.
    shots: how many.
    ends: reads them; asked for only when a block must be made or deepened.
    """

    name: str
    folder: str
    shots: int
    ends: Callable[[], Ends]

    @property
    def digest(self) -> str:
        """What decides its scores: the flavour's columns of its rows, hex; equal titles have equal ones."""
        return self.folder.rpartition("/")[2]


def title(
    cache: Cache, flavour: Flavour, name: str, columns: Mapping[str, str], shots: int, rows: Callable[[], pa.Table]
) -> Title:
    """A title in a flavour.

    Args:
        cache: of the feature that asks.
        flavour: by its name and version blocks are told apart.
        name: its slug.
        columns: digest of each column that the flavour reads.
        shots: number of rows.
        rows: reads those columns.
    """
    folder = cache.bound(f"{flavour.name}-{flavour.version}", flavour.feature, columns)
    return Title(name, folder, shots, lambda: _ends(flavour, name, shots, rows()))


def _ends(flavour: Flavour, name: str, shots: int, rows: pa.Table) -> Ends:
    ends = flavour.ends(rows)
    for side, vectors in (("tails", ends.out), ("heads", ends.in_)):
        if vectors.dtype != np.float32 or not np.isfinite(longest(vectors)):
            raise FeatureError(
                f"the {flavour.name} flavour gave {side} of {name} that are no finite float32 vectors; look for NaN in "
                f"{flavour.feature} of {name}, and make it again"
            )
    if len(ends) != shots:
        raise FeatureError(f"{flavour.feature} of {name} has {len(ends)} rows for {shots} shots; make it again")
    return ends
