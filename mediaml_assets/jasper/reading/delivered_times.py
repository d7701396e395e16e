"""When each picture of a delivered file is shown, read from the stamps of its packets."""

from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mediaml_assets.jasper.delivered.timing import choose_rate, filled
from mediaml_assets.jasper.limits import LIMITS
from mediaml_assets.jasper.reading.delivered_frames import DeliveredFrames
from mediaml_assets.jasper.reading.timeline import StampedTimes

_HELD_FRAMES = Fraction(5, 2)


class DeliveredTimes:
    """A `Timeline` of a delivered file, which is scanned when the first time is asked for."""

    def __init__(self, frames: DeliveredFrames) -> None:
        """Args: its pictures."""
        self._frames = frames

    @cached_property
    def _known(self) -> StampedTimes:
        frames, found = self._frames, self._frames.scan
        rate = choose_rate(found.times, found.said).value
        held = found.times.last_ticks * found.times.time_base
        stamps = filled(found.stamps[frames.lead :], len(frames), float(1 / (rate * found.times.time_base)))
        # headers often state a wrong length for every picture: only a last one that is clearly held is believed
        held = held if _HELD_FRAMES / rate < held <= LIMITS.hold_seconds else 1 / rate
        return StampedTimes(rate, stamps, found.times.time_base, held)

    @property
    def begins(self) -> Fraction:
        """When the first picture is shown, in seconds of the file's own clock."""
        return int(self._known.stamps[0]) * self._known.time_base

    @property
    def rate(self) -> Fraction:
        """Pictures a second."""
        return self._known.rate

    @property
    def duration(self) -> Fraction:
        """When the last picture ends."""
        return self._known.duration

    def time_of(self, index: int) -> Fraction:
        """From the first picture's stamp to this one's."""
        return self._known.time_of(index)

    def last_at(self, time: Fraction) -> int:
        """The last picture whose stamp is not later."""
        return self._known.last_at(time)

    def times(self) -> NDArray[np.float64]:
        """When each picture appears: float64 [n]."""
        return self._known.times()
