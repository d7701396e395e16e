"""A boundary between shots: what every detector gives, and what the parts of the tape's own detector share."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Kind = Literal["start", "cut", "dissolve", "fade", "wipe", "end"]


@dataclass(frozen=True)
class Boundary:
    """Where one shot gives way to the next.

    `at` is the first frame of the new shot; frames [start, end) are touched by the transition (none for a cut).
    `confidence` is in [0, 1].
    """

    kind: Kind
    at: int
    start: int
    end: int
    confidence: float


def runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The ranges [start, end) of frames that are flagged, in order."""
    edges = np.flatnonzero(np.diff(np.pad(flags.astype(np.int8), 1)))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]
