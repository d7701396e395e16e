"""The sound of a film in windows, on the clock of its picture, at any rate."""

from abc import ABC, abstractmethod
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from mediaml_assets.jasper.delivered.container import open_derivative
from mediaml_assets.jasper.files import MediaFile
from mediaml_assets.jasper.reading.timeline import Seconds

Sound = NDArray[np.float32]
_FULL_SCALE = 32_768.0


class Audio(ABC):
    """The sound of one film: mono, second 0 is when the first picture appears."""

    def __init__(self, name: str) -> None:
        """Args: the film's title or file, for messages."""
        self._name = name

    @property
    @abstractmethod
    def rate(self) -> int:
        """Samples a second as stored; at this rate nothing is resampled."""

    @property
    @abstractmethod
    def duration(self) -> Fraction:
        """Seconds, those of the picture."""

    @abstractmethod
    def _window(self, start: int, end: int, rate: int) -> Sound:
        """Samples [start, end), 0 <= start < end, at `rate`; fewer where the sound ends."""

    def samples(self, start: Seconds = 0.0, end: Seconds | None = None, rate: int | None = None) -> Sound:
        """The sound of [start, end), in seconds from the first picture; to its last when `end` is None.

        Only what is asked for is read and decoded. Where there is no sound, also before 0 and beyond the end, is
        silence.

        Args:
            start: where to begin.
            end: where to end.
            rate: samples a second; by default as stored.

        Returns:
            float32 [round(end * rate) - round(start * rate)] in [-1, 1], mono; sample n of the film is at n / rate s.

        Raises:
            ValueError: `end` is before `start`, or the rate is not positive.
        """
        rate = self.rate if rate is None else rate
        stop_at = self.duration if end is None else end
        if rate <= 0 or stop_at < start:
            raise ValueError(
                f"{self._name}: no sound lies between {start} s and {stop_at} s at {rate} samples a second"
            )
        first, stop = (_sample(time, rate) for time in (start, stop_at))
        result = np.zeros(stop - first, np.float32)
        if stop > max(0, first):
            found = self._window(max(0, first), stop, rate)[: stop - max(0, first)]
            lead = max(0, -first)
            result[lead : lead + len(found)] = found
        return result


def _sample(time: Seconds, rate: int) -> int:
    return round(Fraction(time) * rate)


class StandardAudio(Audio):
    """The stored sound of a standard encode, exact at its own rate."""

    def __init__(self, name: str, file: MediaFile, rate: int, duration: Fraction) -> None:
        """Args: the title, the FLAC file, its samples a second, and seconds of the picture, which are the sound's."""
        super().__init__(name)
        self._file, self._rate, self._duration = file, rate, duration

    @property
    def rate(self) -> int:
        """Samples a second as stored."""
        return self._rate

    @property
    def duration(self) -> Fraction:
        """Seconds, those of the picture."""
        return self._duration

    def _window(self, start: int, end: int, rate: int) -> Sound:
        if rate == self.rate:
            return self._stored(start, end)
        # resampled from a whole second before to one after: there both rates have a sample at the same moment
        begin, stop = max(0, start // rate - 1), -(-end // rate) + 1
        resampled = _resampled(self._stored(begin * self.rate, stop * self.rate), self.rate, rate)
        return resampled[start - begin * rate : end - begin * rate]

    def channels(self, start: int = 0, end: int | None = None) -> Sound:
        """Stored samples [start, end), to the last when `end` is None: float32 [samples, channels] in [-1, 1)."""
        blocks: list[NDArray[np.int16]] = []
        first = 0
        with open_derivative(self._file) as container:
            if start:
                container.seek(start, stream=container.streams.audio[0])
            for frame in container.decode(audio=0):
                if not blocks:
                    first = frame.pts
                elif end is not None and frame.pts >= end:
                    break
                blocks.append(frame.to_ndarray().reshape(-1, frame.layout.nb_channels))
        held = np.concatenate(blocks) if blocks else np.zeros((0, 1), np.int16)
        samples = held[max(0, start - first) : None if end is None else max(0, end - first)]
        return samples.astype(np.float32) / np.float32(_FULL_SCALE)

    def _stored(self, start: int, end: int) -> Sound:
        samples = self.channels(start, end)
        return samples[:, 0] if samples.shape[1] == 1 else np.asarray(samples.mean(axis=1), np.float32)


def _resampled(samples: Sound, rate: int, wanted: int) -> Sound:
    """Mono samples at another rate, band-limited (libswresample): sample n stays at n / rate seconds."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=wanted)
    frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
    frame.sample_rate = rate
    out = [part.to_ndarray().reshape(-1) for given in (frame, None) for part in resampler.resample(given)]
    # between samples at full scale a wave reaches beyond it
    return np.clip(np.concatenate(out), -1, 1) if out else np.zeros(0, np.float32)
