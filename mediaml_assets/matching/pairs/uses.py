"""What a cap allows: how often a shot may be used, and that the same cut is not shown twice."""

import numpy as np
from numpy.typing import NDArray

from mediaml_assets.matching.pairs.vectors import Indices


class Uses:
    """How often shots were used, and which cuts were taken; shots of one group (copies of each other) count as one.

    Args:
        groups: int64 [n], not negative, the group of each shot.
        cap: how often a group may be used, as A or as B together; a cut within one group uses it twice. Between two
            groups a cut is taken once in each direction: from and to copies it is the same one again.
    """

    def __init__(self, groups: Indices, cap: int) -> None:
        self.groups = groups
        self.cap = cap
        self._uses = [0] * (int(groups.max(initial=-1)) + 1)
        self._taken: set[tuple[int, int]] = set()

    def are_open(self, shots: Indices) -> NDArray[np.bool_]:
        """Which of these shots, int64 of any shape, have not reached the cap."""
        return np.array(self._uses, np.int64)[self.groups[shots]] < self.cap

    def take(self, one: int, other: int) -> bool:
        """Take a cut from a shot of the group `one` to a shot of the group `other`, if that is allowed."""
        uses = self._uses
        if max(uses[one], uses[other]) + (one == other) >= self.cap or (one, other) in self._taken:
            return False
        uses[one] += 1
        uses[other] += 1
        self._taken.add((one, other))
        return True
