"""Whether two shots show the same footage: prints of the one, half a second apart, are those of the other in order.

The shorter shot is laid along the longer one at every offset at which at least `OVERLAP` of it is covered, so that a
recap may show a part, and boundaries found a few frames elsewhere do not matter. At an offset the likeness of the two
is the lower quartile of the cosines of the prints that meet: three quarters of what they share must be alike, and two
shots that start on one picture and then part are no copies. One print alone proves little: there it must be nearly the
same.

Which pairs are looked at so closely is decided by short prints: the middle of the one shot and the half seconds around
it are, on average, like some part of the other. That is one matrix product for two titles, of 192 numbers a print.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mediaml_assets.features.gradient_print import Packed, unpacked
from mediaml_assets.features.shot_prints import ShotPrints

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]

OVERLAP = 0.8
ALONE = 0.8
SCREEN = 0.4  # mean cosine of short prints from which two shots are looked at


@dataclass(frozen=True)
class Copy:
    """Shots `a` and `b` (places in their titles' prints) that show the same footage, and how alike they are."""

    a: int
    b: int
    likeness: float


class Screen:
    """A title's short prints, ready to be compared: where each shot begins and which is its middle."""

    def __init__(self, title: ShotPrints) -> None:
        """Unpack the short prints."""
        self.short = unpacked(title.short)
        self.shot: Places = np.repeat(np.arange(len(title.count)), title.count)
        self.middle: Places = np.cumsum(title.count) - title.count + title.middle

    def seen_in(self, other: "Screen") -> set[tuple[int, int]]:
        """Pairs (shot of this title, shot of the other) of which the first's middle is like some part of the second."""
        hits = np.argwhere(self.short[self.middle] @ other.short.T >= SCREEN)
        mine, theirs = self.middle[hits[:, 0]], hits[:, 1]
        total, count = np.zeros(len(hits)), np.zeros(len(hits))
        for apart in (-1, 0, 1):
            a, b = mine + apart, theirs + apart
            # beyond the ends of the titles the last print stands in, which belongs to another shot or is not there
            a, b = a.clip(0, len(self.shot) - 1), b.clip(0, len(other.shot) - 1)
            both = (self.shot[a] == self.shot[mine]) & (other.shot[b] == other.shot[theirs])
            both &= (a - mine == apart) & (b - theirs == apart)
            total[both] += np.einsum("pd,pd->p", self.short[a[both]], other.short[b[both]])
            count += both
        found = total >= SCREEN * count
        return set(zip(hits[found, 0].tolist(), other.shot[theirs[found]].tolist(), strict=True))


def copies(a: ShotPrints, b: ShotPrints, threshold: float) -> Iterator[Copy]:
    """Every pair of a shot of `a` and one of `b` that show the same footage: `likeness` reaches the threshold."""
    screen_a, screen_b = Screen(a), Screen(b)
    seen = screen_a.seen_in(screen_b) | {(i, j) for j, i in screen_b.seen_in(screen_a)}
    for i, j in sorted(seen):
        alike = likeness(a.prints[i], b.prints[j])
        if alike >= threshold:
            yield Copy(i, j, alike)


def likeness(a: Packed, b: Packed) -> float:
    """How alike the prints [m, d] and [n, d] of two shots are, in [-1, 1], at the best offset.

    Where a single print meets another it is -1 below `ALONE`.
    """
    cosines = unpacked(a) @ unpacked(b).T
    m, n = cosines.shape
    least = int(np.ceil(OVERLAP * min(m, n)))
    meeting = (np.diagonal(cosines, offset) for offset in range(least - m, n - least + 1))
    best = max(float(np.sort(one)[(len(one) - 1) // 4]) for one in meeting)
    return best if least > 1 or best >= ALONE else -1.0
