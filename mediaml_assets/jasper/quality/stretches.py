"""Stretches of a title in which something is wrong for a while: black, frozen, flashing, silent."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Stretch:
    """Frames or blocks ``[start, end)`` in which something is so."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


def runs(flags: NDArray[np.bool_], shortest: int) -> list[Stretch]:
    """The runs of at least `shortest` true flags, in order."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    found = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [Stretch(start, end) for start, end in found if end - start >= shortest]


def frames_in(seconds: Fraction | int, rate: Fraction) -> int:
    """How many frames these seconds are, at least 1."""
    return max(1, round(seconds * rate))
