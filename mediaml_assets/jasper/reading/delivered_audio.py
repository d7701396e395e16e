"""The sound of a delivered file in windows, on the clock of its picture, without decoding what lies before."""

from fractions import Fraction
from functools import cached_property
from typing import Any

import av
import numpy as np

from mediaml_assets.jasper.delivered.container import decode, opened, use_one_thread
from mediaml_assets.jasper.delivered.probe import AudioFacts, VideoFacts
from mediaml_assets.jasper.files import MediaFile
from mediaml_assets.jasper.reading.audio import Audio, Sound
from mediaml_assets.jasper.reading.delivered_times import DeliveredTimes
from mediaml_assets.jasper.standard.sound import Samples, SoundClock

_RUN_UP = Fraction(1)
"""Seconds decoded before a window: a codec's overlap and its reservoir of bits have passed by then."""
_RUN_OUT = Fraction(1, 20)
"""Seconds decoded after it: a resampler looks ahead."""


class DeliveredAudio(Audio):
    """The sound of a delivered file, mixed down to mono; 16 bits of precision, as the standard encode's.

    A window is heard at the same time as it is in the whole film, to within one sample and what the file's own time
    stamps are rounded to (1 ms in Matroska and WebM), except where they jump.
    """

    def __init__(self, file: MediaFile, facts: AudioFacts, probed: VideoFacts, times: DeliveredTimes) -> None:
        """Args: the file, what `probe` said of its sound and its picture, and the times of its pictures."""
        super().__init__(file.name)
        self._file, self._facts, self._picture, self._times = file, facts, probed, times

    @property
    def rate(self) -> int:
        """Samples a second as stored."""
        return self._facts.rate

    @property
    def duration(self) -> Fraction:
        """Seconds, those of the picture."""
        return self._times.duration

    @cached_property
    def _zero(self) -> Fraction:
        """When the first picture is shown, in seconds of the file's clock."""
        first = self._picture.first_pts
        return self._times.begins if first is None else first * self._picture.time_base

    def _window(self, start: int, end: int, rate: int) -> Sound:
        # from a whole second on, where every rate has a sample
        begin = start // rate
        length = Fraction(end, rate) - begin
        blocks: list[Samples] = []
        clock = SoundClock(rate, "mono", length, blocks.append)
        with opened(self._file) as container:
            stream = container.streams[self._facts.index]
            use_one_thread(stream)
            origin = self._zero + begin
            if begin:
                _seek(container, stream, origin - _RUN_UP)
            for packet in container.demux(stream):
                for frame in _decoded(stream, packet):
                    if frame.pts is not None and frame.sample_rate > 0:
                        at = frame.pts * frame.time_base - origin
                        if at >= length + _RUN_OUT:
                            break
                        clock.push(frame, at)
                else:
                    continue
                break
            clock.finish()
        samples = np.concatenate(blocks)[start - begin * rate :, 0]
        return samples.astype(np.float32) / np.float32(32_768)


def _seek(container: Any, stream: Any, seconds: Fraction) -> None:
    """To the last place at or before a time; a container that cannot is read from its start."""
    try:
        container.seek(round(seconds / stream.time_base), stream=stream)
    except av.FFmpegError:
        container.seek(0)


def _decoded(stream: Any, packet: Any) -> list[Any]:
    try:
        return decode(stream, packet)
    except av.FFmpegError:
        return []
