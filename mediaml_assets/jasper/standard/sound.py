"""A title's sound on the clock of its picture: sample n of the result is heard n / rate seconds after the first frame.

Sound before the first frame is cut, missing sound is silence, and what its time stamps say is kept to within 20 ms:
a jump in them is a gap or an overlap, never a drift.

More channels are mixed down as ITU-R BS.775 has it: left = L + 0.7071 C + 0.7071 Ls, right alike, the low-frequency
channel left out, all scaled by 1 / 2.4142 so that nothing can clip; mono is the mean of both. Channels whose places the
file does not name count as the usual layout of their number (six are 5.1).
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from mediaml_assets.errors import MediaRefused

Samples = NDArray[np.int16]
_JUMP = 0.02
_BLOCK = 4096


class SoundClock:
    """Resamples decoded audio frames to one rate and layout, places them in time and hands on blocks of samples."""

    def __init__(self, rate: int, layout: str, seconds: Fraction, sink: Callable[[Samples], None]) -> None:
        """Args: samples a second, ``mono`` or ``stereo``, length, and what takes int16 [samples, channels] blocks."""
        self._rate, self._layout, self._sink = rate, layout, sink
        self._total = round(seconds * rate)
        self._channels = {"mono": 1, "stereo": 2}[layout]
        self._resampler: Any = None
        self._shape: tuple[object, ...] = ()
        self._begin, self._taken = 0.0, 0
        self._skip = 0
        self._held: list[Samples] = []
        self._held_samples = 0
        self.samples = 0

    def push(self, frame: Any, start: Fraction) -> None:
        """Take one decoded PyAV ``AudioFrame`` that starts `start` seconds after the first picture.

        Raises:
            MediaRefused: nobody knows where its channels are heard.
        """
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        off = float(start) - self._begin - self._taken / frame.sample_rate
        if self._resampler is None or shape != self._shape or abs(off) > _JUMP:
            self._jump(start)
            self._resampler = av.AudioResampler("s16", self._layout, self._rate, frame_size=_BLOCK)
            self._shape, self._begin, self._taken = shape, float(start), 0
        self._taken += frame.samples
        frame.pts = None
        for out in self._resampled(frame):
            self._emit(_array(out, self._channels))

    def _resampled(self, frame: Any) -> list[Any]:
        try:
            return list(self._resampler.resample(frame))
        except av.ArgumentError as error:
            raise MediaRefused(
                f"its sound, {frame.layout.name} at {frame.sample_rate} Hz, cannot be mixed down; deliver it as mono, "
                "stereo, 5.1 or 7.1"
            ) from error

    def finish(self) -> None:
        """Fill the rest with silence and hand on the last, shorter block, if anything is left for one."""
        self._drain()
        self._silence(self._total - self.samples)
        if self._held_samples:
            self._sink(np.concatenate(self._held))
            self._held, self._held_samples = [], 0

    def _jump(self, start: Fraction) -> None:
        self._drain()
        target = round(start * self._rate)
        self._silence(target - self.samples)
        self._skip = max(0, self.samples - target)

    def _drain(self) -> None:
        if self._resampler is not None:
            for out in self._resampler.resample(None):
                self._emit(_array(out, self._channels))
            self._resampler = None

    def _silence(self, samples: int) -> None:
        self._skip = 0
        left = min(samples, self._total - self.samples)
        while left > 0:
            block = np.zeros((min(left, _BLOCK), self._channels), np.int16)
            self._emit(block)
            left -= len(block)

    def _emit(self, samples: Samples) -> None:
        cut = min(self._skip, len(samples))
        self._skip -= cut
        kept = samples[cut : cut + self._total - self.samples]
        self.samples += len(kept)
        self._held.append(kept)
        self._held_samples += len(kept)
        if self._held_samples >= _BLOCK:
            joined = np.concatenate(self._held)
            whole = len(joined) - len(joined) % _BLOCK
            for at in range(0, whole, _BLOCK):
                self._sink(joined[at : at + _BLOCK])
            self._held, self._held_samples = [joined[whole:]], len(joined) - whole


def _array(frame: Any, channels: int) -> Samples:
    samples: Samples = frame.to_ndarray().reshape(-1, channels)
    return samples
