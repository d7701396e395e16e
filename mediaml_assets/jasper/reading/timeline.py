"""When each picture of a film is shown: on a constant grid, or as its time stamps say."""

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Seconds = Fraction | float


class Timeline(Protocol):
    """Times in seconds from the first picture on."""

    @property
    def rate(self) -> Fraction:
        """Pictures a second: exact where it is constant, else the usual one nearest to what is typical."""

    @property
    def duration(self) -> Fraction:
        """When the last picture ends."""

    def time_of(self, index: int) -> Fraction:
        """When picture `index` appears, exactly; of an index that there is."""

    def last_at(self, time: Fraction) -> int:
        """The last picture that has appeared at `time`, which is not negative; beyond the end as if it went on."""

    def times(self) -> NDArray[np.float64]:
        """When each picture appears: float64 [n]."""


@dataclass(frozen=True)
class ConstantTimes:
    """Picture n appears at n / rate.

    Attributes:
        rate: pictures a second.
        count: number of pictures.
    """

    rate: Fraction
    count: int

    @property
    def duration(self) -> Fraction:
        """Count / rate."""
        return self.count / self.rate

    def time_of(self, index: int) -> Fraction:
        """Index / rate."""
        return index / self.rate

    def last_at(self, time: Fraction) -> int:
        """Time x rate, rounded down."""
        return floor(time * self.rate)

    def times(self) -> NDArray[np.float64]:
        """When each picture appears: float64 [n]."""
        return np.arange(self.count) / float(self.rate)


@dataclass(frozen=True)
class StampedTimes:
    """Pictures appear as their time stamps say.

    Attributes:
        rate: pictures a second, the nominal ones.
        stamps: int64 [n], one or more, rising, in ticks.
        time_base: seconds of one tick.
        held: seconds for which the last picture is shown.
    """

    rate: Fraction
    stamps: NDArray[np.int64]
    time_base: Fraction
    held: Fraction

    @property
    def duration(self) -> Fraction:
        """When the last picture ends."""
        return int(self.stamps[-1] - self.stamps[0]) * self.time_base + self.held

    def time_of(self, index: int) -> Fraction:
        """From the first picture's stamp to this one's."""
        return int(self.stamps[index] - self.stamps[0]) * self.time_base

    def last_at(self, time: Fraction) -> int:
        """The last picture whose stamp is not later."""
        return bisect_right(self.stamps, floor(time / self.time_base) + int(self.stamps[0])) - 1

    def times(self) -> NDArray[np.float64]:
        """When each picture appears: float64 [n]."""
        seconds: NDArray[np.float64] = (self.stamps - self.stamps[0]) * float(self.time_base)
        return seconds


def shown_at(timeline: Timeline, count: int, time: Seconds) -> int:
    """The number of the picture on screen at `time`, in [0, duration).

    A float is taken for the nearest moment at which a picture appears if it is that moment's own float:
    ``shown_at(line, n, float(line.time_of(i)))`` is i.
    """
    index = timeline.last_at(max(Fraction(0), Fraction(time)))
    if isinstance(time, float) and index + 1 < count and float(timeline.time_of(index + 1)) <= time:
        index += 1
    return min(index, count - 1)
