"""Flashes that may harm people with photosensitive epilepsy, counted on the frame tape.

A flash is a pair of opposing changes of relative luminance of a tenth of white or more, the darker side below 0.8 of
white, over a quarter of the picture; more than three of them within a second are too many (WCAG 2.2, success criterion
2.3.1 and "general flash"; ITU-R BT.1702-3 asks the same of television). Changes of saturated red alone and
patterns of stripes are not looked for, nor areas that flash in turn, one bright while the other is dark.
"""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mediaml_assets.jasper.quality.stretches import Stretch, runs

ALLOWED = 3
"""Flashes within a second."""
_CHANGE = 0.1
_DARKER = 0.8
_AREA = 0.25
_JOINED = Fraction(1, 12)
"""Seconds within which parts of the picture that change one after the other make one change."""

_LUMINANCE: NDArray[np.float32] = (np.clip((np.arange(256) - 16) / 219, 0, 1) ** 2.4).astype(np.float32)
"""Relative luminance of each luma value (ITU-R BT.1886, with black at 0)."""


class FlashCounter:
    """Follows luminance frame by frame and notes when a quarter of the picture turned brighter, or darker."""

    def __init__(self, rate: Fraction) -> None:
        """Args: frames a second."""
        self._rate = rate
        self._fades = 1 - 1 / max(1.0, float(rate * _JOINED))
        self._low = self._high = np.zeros(0, np.float32)
        self._brighter = self._darker = 0.0
        self._was_brighter = False
        self._frames = 0
        self._changes: list[int] = []

    def look(self, luma: NDArray[np.uint8]) -> None:
        """Take the next frames' luma, uint8 [n, 36, 64]."""
        # in parts of 4 x 4, so that texture which moves is no change: what counts covers a quarter of the picture
        parts = _LUMINANCE[luma].reshape(len(luma), 9, 4, 16, 4).mean(axis=(2, 4))
        for light in parts.reshape(len(luma), -1):
            if self._frames == 0:
                self._low, self._high = light.copy(), light.copy()
            self._step(light)
            self._frames += 1

    def _step(self, light: NDArray[np.float32]) -> None:
        """Each part's lowest and highest value since its last change of a tenth say when the next one is reached.

        Where something moves across the picture, some parts turn brighter while others turn darker: that is no flash,
        and only what more of them do than the others counts.
        """
        low, high = self._low, self._high
        np.minimum(low, light, out=low)
        np.maximum(high, light, out=high)
        brighter = (light - low >= _CHANGE) & (low < _DARKER)
        darker = (high - light >= _CHANGE) & (light < _DARKER)
        turned = brighter | darker
        low[turned] = high[turned] = light[turned]
        more = (np.count_nonzero(brighter) - np.count_nonzero(darker)) / len(light)
        self._brighter = self._brighter * self._fades + max(0.0, more)
        self._darker = self._darker * self._fades + max(0.0, -more)
        if (self._darker if self._was_brighter else self._brighter) >= _AREA:
            self._was_brighter = not self._was_brighter
            self._brighter = self._darker = 0.0
            self._changes.append(self._frames)

    def in_a_second(self) -> NDArray[np.float64]:
        """Flashes within the second that begins with each change, half of the changes: float64 [changes]."""
        at = np.array(self._changes, np.int64)
        flashes: NDArray[np.float64] = (np.searchsorted(at, at + float(self._rate)) - np.arange(len(at))) / 2
        return flashes

    def stretches(self) -> list[Stretch]:
        """From the first to the last change of each second in which there are more than three flashes."""
        flashing = np.zeros(self._frames, np.bool_)
        for first, flashes in enumerate(self.in_a_second().tolist()):
            if flashes > ALLOWED:
                flashing[self._changes[first] : self._changes[first + round(2 * flashes) - 1] + 1] = True
        return runs(flashing, 1)
