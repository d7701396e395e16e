"""Whether two shots show the same footage: prints of the one, half a second apart, are those of the other in order.

The shorter shot is laid along the longer one so that at least `OVERLAP` of it is covered: a recap may show a part, and
boundaries found a few frames elsewhere do not matter. How alike they are, laid so, is the lower quartile of the cosines
of the prints that meet: three quarters of what they share must be alike, and two shots that start on one picture and
then part are no copies. One print alone proves little: there it must be nearly the same.

They are laid wherever the middle of one of them meets a print like it. That is seen from short prints, by a matrix
product of 192 numbers a print for two titles; what short prints do not tell apart is decided by the whole ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mediaml_assets.features.measures.gradient_print import Packed, unpacked
from mediaml_assets.features.shot_prints import ShotPrints

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]

OVERLAP = 0.8
ALONE = 0.8
MEETS = 0.4  # cosine of the short prints of a middle and what it meets
SCREEN = 0.35  # lower quartile of the cosines of all short prints that meet
AT_ONCE = 2**14  # prints compared at a time


@dataclass(frozen=True)
class Copy:
    """Shots `a` and `b` (places in their titles' prints) that show the same footage, and how alike they are."""

    a: int
    b: int
    likeness: float


@dataclass(frozen=True)
class Laid:
    """Shots of two titles laid along each other: `length` prints from `first_a` on meet those from `first_b` on.

    All int64 [c]; shots are places in their titles, prints are counted over all shots of a title.
    """

    a: Places
    b: Places
    first_a: Places
    first_b: Places
    length: Places

    def __getitem__(self, chosen: Places) -> "Laid":
        """Some of them, by their places."""
        return Laid(*(getattr(self, name)[chosen] for name in ("a", "b", "first_a", "first_b", "length")))


class Title:
    """A title's prints as they are compared: where each shot begins, and which print is its middle."""

    def __init__(self, prints: ShotPrints) -> None:
        """Unpack the short prints; the whole ones are read when they are asked for."""
        self.packed = prints.short
        self.short = unpacked(prints.short)
        self.count: Places = prints.count
        self.first: Places = np.cumsum(prints.count) - prints.count
        self.middle: Places = self.first + prints.middle
        self.shot: Places = np.repeat(np.arange(len(prints.count)), prints.count)
        self._prints = prints

    def whole(self) -> Packed:
        """The whole prints of all shots, one after the other."""
        return np.concatenate(self._prints.prints)


def copies(a: Title, b: Title, threshold: float) -> Iterator[Copy]:
    """Every pair of a shot of `a` and one of `b`, in order, that show the same footage: that are at least so alike."""
    found = laid(a, b)
    if not len(found.a):
        return
    alike = quartiles(a.whole(), b.whole(), found)
    least = np.where(found.length > 1, threshold, max(threshold, ALONE))
    for place in np.flatnonzero(alike >= least):
        yield Copy(int(found.a[place]), int(found.b[place]), float(alike[place]))


def laid(a: Title, b: Title) -> Laid:
    """The pairs of shots, in order, that short prints let through, each laid as its short prints fit best."""
    of_a, of_b = _meeting(a, b), _meeting(b, a)
    starts = np.unique(np.concatenate([of_a[0] * len(b.shot) + of_a[1], of_b[1] * len(b.shot) + of_b[0]]))
    every = _laid(a, b, *np.divmod(starts, len(b.shot)))
    alike = quartiles(a.packed, b.packed, every)
    fit = np.flatnonzero(alike >= SCREEN)
    order = fit[np.lexsort((-alike[fit], every.b[fit], every.a[fit]))]
    pair = every.a[order] * len(b.count) + every.b[order]
    return every[order[np.flatnonzero(np.diff(pair, prepend=-1))]]


def _meeting(a: Title, b: Title) -> Places:
    """First prints of what meets when a middle of `a` is laid on a print of `b` like it: [2, c], of `a` and of `b`."""
    hits = np.argwhere(a.short[a.middle] @ b.short.T >= MEETS)
    shot_a, place_b = hits[:, 0], hits[:, 1]
    before = np.minimum(a.middle[shot_a] - a.first[shot_a], place_b - b.first[b.shot[place_b]])
    return np.stack([a.middle[shot_a] - before, place_b - before])


def _laid(a: Title, b: Title, first_a: Places, first_b: Places) -> Laid:
    """Shots whose prints meet from those on, as far as they go, where they cover enough of the shorter one."""
    i, j = a.shot[first_a], b.shot[first_b]
    length = np.minimum(a.first[i] + a.count[i] - first_a, b.first[j] + b.count[j] - first_b)
    enough = length >= OVERLAP * np.minimum(a.count[i], b.count[j])
    return Laid(i, j, first_a, first_b, length)[np.flatnonzero(enough)]


def quartiles(a: Packed, b: Packed, found: Laid) -> Floats:
    """The lower quartile of the cosines of the prints that meet, float32 [c]; packed prints are [p, d]."""
    start = np.cumsum(found.length) - found.length
    along = np.arange(int(found.length.sum())) - np.repeat(start, found.length)
    rows_a, rows_b = (np.repeat(first, found.length) + along for first in (found.first_a, found.first_b))
    cosines = np.empty(len(along), np.float32)
    for at in range(0, len(along), AT_ONCE):
        part = slice(at, at + AT_ONCE)
        cosines[part] = np.einsum("pd,pd->p", unpacked(a[rows_a[part]]), unpacked(b[rows_b[part]]))
    ordered = cosines[np.lexsort((cosines, np.repeat(np.arange(len(start)), found.length)))]
    return np.asarray(ordered[start + (found.length - 1) // 4], np.float32)
