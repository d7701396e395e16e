"""Reading a delivered file once: its pictures in the order shown and its sound, decoded, with exact times."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import av

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.delivered.container import decode, opened, use_one_thread
from mediaml_assets.jasper.delivered.damage import DamageReader, missing_pictures
from mediaml_assets.jasper.delivered.probe import Probe, can_be_heard
from mediaml_assets.jasper.delivered.timing import StreamTimes, TimesReader
from mediaml_assets.jasper.files import MediaFile
from mediaml_assets.jasper.limits import LIMITS

_LATE_SECONDS = 1
"""A stamp further back than this is a clock that began anew, and not a late picture."""


@dataclass(frozen=True)
class Picture:
    """One decoded picture: the PyAV frame, its number, its time stamp, and seconds since the first picture."""

    frame: Any
    number: int
    pts: int
    time: Fraction


@dataclass(frozen=True)
class Sound:
    """One decoded PyAV audio frame, and its start in seconds since the first picture."""

    frame: Any
    start: Fraction


class Source:
    """A delivered file, read once from start to end by iterating over it. Damaged packets are skipped and counted.

    A picture that comes out after later ones, as decoders of damaged streams give them, is left out, as players do: its
    time is past.

    Attributes:
        start_pts: time stamp of the first picture.
        pictures: pictures decoded and given on so far.
        damaged: packets that could not be decoded and pictures flagged corrupt, so far.
        restamped: pictures whose own time stamp was missing or did not follow the one before, so far.
    """

    def __init__(
        self, file: MediaFile, probed: Probe, times: StreamTimes, rate: Fraction, sound_alone: bool = False
    ) -> None:
        """Args: the file, what `probe` and `scan` said of it, its nominal rate, and whether to skip its pictures."""
        self._file, self._probe, self._times, self._sound_alone = file, probed, times, sound_alone
        first = probed.video.first_pts
        self.start_pts = int(times.pts[0]) if first is None or not times.trusted else first
        self._start = self.start_pts * times.time_base
        self._step = max(1, round(1 / (rate * times.time_base)))
        self._last = self.start_pts - self._step
        self.pictures = self.damaged = self.restamped = 0
        self.sound_damaged = 0

    def __iter__(self) -> Iterator[Picture | Sound]:
        with opened(self._file) as container:
            video = container.streams[self._probe.video.index]
            streams = [] if self._sound_alone else [video]
            if self._probe.audio is not None:
                streams.append(container.streams[self._probe.audio.index])
            for stream in streams:
                use_one_thread(stream)
            for packet in container.demux(streams):
                if packet.stream.index == video.index:
                    yield from self._shown(video, packet)
                else:
                    yield from self._heard(streams[-1], packet)

    def _shown(self, stream: Any, packet: Any) -> Iterator[Picture]:
        try:
            frames = decode(stream, packet)
        except av.FFmpegError:
            self.damaged += 1
            return
        for frame in frames:
            self.damaged += bool(frame.is_corrupt)
            pts = self._stamp(frame)
            if pts is None:
                continue
            yield Picture(frame, self.pictures, pts, (pts - self.start_pts) * self._times.time_base)
            self.pictures += 1

    def _stamp(self, frame: Any) -> int | None:
        """The picture's time stamp, made up where it has none; None when its time is past."""
        if not self._times.trusted:
            known = self._times.pts
            pts = int(known[self.pictures]) if self.pictures < len(known) else self._last + self._step
        else:
            pts = self._last if frame.pts is None else int(frame.pts)
        if pts <= self._last:
            self.restamped += 1
            if frame.pts is not None and (self._last - pts) * self._times.time_base < _LATE_SECONDS:
                return None
            pts = self._last + self._step
        self._last = pts
        return pts

    def _heard(self, stream: Any, packet: Any) -> Iterator[Sound]:
        try:
            frames = decode(stream, packet)
        except av.FFmpegError:
            self.sound_damaged += 1
            return
        for frame in frames:
            if frame.pts is not None and can_be_heard(frame):
                yield Sound(frame, frame.pts * frame.time_base - self._start)


def scan(file: MediaFile, probed: Probe) -> tuple[StreamTimes, Fraction | None]:
    """Read every packet's time without decoding any.

    Returns:
        The picture's time stamps with what says that the file is damaged, and the time stamp of the first sound in
        seconds (None without sound).

    Raises:
        MediaRefused: there are too many packets, or none that is shown.
    """
    with DamageReader(file, probed) as damage, opened(file) as container:
        video = container.streams[probed.video.index]
        audio = None if probed.audio is None else container.streams[probed.audio.index]
        streams = len(container.streams)
        reader = TimesReader(video, probed.container)
        first_sound: Fraction | None = None
        for packet in container.demux([video] if audio is None else [video, audio]):
            damage.add(packet)
            if packet.stream.index == video.index:
                reader.add(packet)
                if reader.packets > LIMITS.packets:
                    raise MediaRefused(f"{file.name} has more than {LIMITS.packets} pictures; cut it")
            elif first_sound is None and packet.pts is not None and not packet.is_discard:
                first_sound = packet.pts * packet.time_base
        times = reader.times()
    if not len(times.pts):
        raise MediaRefused(f"{file.name} has no picture that is shown; deliver it again")
    faults = (*damage.faults(times, streams), *missing_pictures(times, probed.container))
    return replace(times, faults=faults), first_sound
