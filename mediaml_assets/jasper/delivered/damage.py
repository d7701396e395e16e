"""Signs that a delivered file is damaged although every packet in it decodes.

Containers break where nothing tells the decoder: a stretch of clusters is gone, transport packets are missing, a copy
broke off between two pictures. A decoder that conceals, or a codec without checksums, shows something all the same.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from types import TracebackType
from typing import Any

import av

from mediaml_assets.jasper.delivered.probe import Probe
from mediaml_assets.jasper.delivered.timing import STANDARD_RATES, StreamTimes, best_grid
from mediaml_assets.jasper.files import MediaFile, open_binary

_SLACK_SECONDS, _SLACK_PICTURES = 0.1, 2
_FEW_MISSING = 0.05
_SYNC = 0x47
_TS_SIZES = (188, 192, 204)
_MOST_BOXES = 100_000


class DamageReader:
    """Looks at the packets of the chosen streams while they are read, and hears what FFmpeg says; a context manager."""

    def __init__(self, file: MediaFile, probed: Probe) -> None:
        """Args: the file, and what `probe` said of it."""
        self._file, self._probed = file, probed
        self._said: list[str] = []
        self._incomplete = 0
        self._ends: dict[Fraction, int] = {}

    def __enter__(self) -> "DamageReader":
        self._hearing = ExitStack()
        self._hearing.callback(av.logging.set_level, av.logging.get_level())
        self._hearing.callback(av.logging.set_skip_repeated, av.logging.get_skip_repeated())
        av.logging.set_level(av.logging.ERROR)
        av.logging.set_skip_repeated(False)
        self._logs = self._hearing.enter_context(av.logging.Capture())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._hearing.close()
        # what the demuxer says; a parser's complaints depend on whether the container needs one
        self._said = [text.strip() for _, name, text in self._logs if name == self._probed.container]

    def add(self, packet: Any) -> None:
        """Note one packet."""
        self._incomplete += bool(packet.is_corrupt)
        if packet.pts is not None and packet.size:
            # in ticks: a fraction for each packet would cost more than all else here
            clock, end = packet.time_base, packet.pts + (packet.duration or 0)
            self._ends[clock] = max(self._ends.get(clock, 0), end)

    def faults(self, times: StreamTimes, streams: int) -> tuple[str, ...]:
        """What says that the file is damaged, in sentences; to be asked for afterwards.

        Args:
            times: the picture's time stamps.
            streams: how many streams the file has.
        """
        return (*self._container(), *self._packets(times, streams))

    def _container(self) -> Iterator[str]:
        if said := self._said:
            more = f", and {len(said) - 1} more" if len(said) > 1 else ""
            yield f"its container is damaged ({said[0][:100]}{more})"
        if _ends_inside(self._file, self._probed.container):
            yield "its last box, chunk or transport packet is cut, or something else follows it: it may be cut short"

    def _packets(self, times: StreamTimes, streams: int) -> Iterator[str]:
        if self._incomplete:
            yield f"{self._incomplete} packets are incomplete: part of the file was lost on its way"
        # the length of the whole is that of the chosen streams where there are no others
        alone = streams == 1 + (self._probed.audio is not None)
        claimed = self._probed.video.duration or (self._probed.duration if alone else None)
        if claimed is None:
            return
        start = int(times.pts[0]) * times.time_base
        picture = times.seconds[-1] / max(1, len(times.pts) - 1)
        # some containers count it from time 0 and not from the first picture
        end = max((ticks * clock for clock, ticks in self._ends.items()), default=Fraction(0))
        short = float(claimed - max(end, end - start))
        if short > _SLACK_SECONDS + _SLACK_PICTURES * picture:
            yield f"it ends {short:.2f} s before the length that it claims: it may be cut short"


def missing_pictures(times: StreamTimes, container: str) -> tuple[str, ...]:
    """A sentence when a few pictures are missing from a constant rate: they were lost, or dropped by a recorder.

    A film of variable rate leaves out many, and none is missed; AVI has empty packets for pictures that are held.
    """
    kept = best_grid(times.seconds, STANDARD_RATES) if len(times.pts) > 1 and container != "avi" else None
    if kept is None:
        return ()
    rate, slots = kept
    missing = int(slots[-1]) + 1 - len(slots)
    if not 0 < missing <= _FEW_MISSING * len(slots):
        return ()
    return (f"{missing} pictures are missing from its rate of {float(rate):.3f}; the ones before are held",)


def _ends_inside(file: MediaFile, container: str) -> bool:
    """Whether a file ends inside one of its container's units: an MP4 box, a RIFF chunk or a transport packet."""
    with open_binary(file) as stream:
        size = stream.seek(0, os.SEEK_END)
        if container == "mpegts":
            return _ts_is_cut(stream, size)
        if container == "avi":
            return _avi_is_cut(stream, size)
        return container.startswith("mov") and _mp4_is_cut(stream, size)


def _ts_is_cut(stream: Any, size: int) -> bool:
    """Whether the last transport packet (ISO/IEC 13818-1, 2.4.3) is not whole, or none at all."""
    stream.seek(0)
    head = stream.read(8 * max(_TS_SIZES))
    for length in _TS_SIZES:
        for first in range(min(length, len(head))):
            if all(head[at] == _SYNC for at in range(first, len(head), length)):
                stream.seek(first + (size - first - 1) // length * length)
                # a packet of 192 has 4 bytes before its sync byte, one of 204 has 16 after the 188
                return (size - first) % length != (188 if length == 192 else 0) or stream.read(1)[0] != _SYNC
    return False


def _avi_is_cut(stream: Any, size: int) -> bool:
    """Whether the RIFF chunks (one, or several in OpenDML) do not end where the file ends."""
    at = 0
    while at < size:
        stream.seek(at)
        head = stream.read(8)
        if head[:4] != b"RIFF":
            return True
        at += 8 + int.from_bytes(head[4:], "little")
    return at > size


def _mp4_is_cut(stream: Any, size: int) -> bool:
    """Whether the top-level boxes (ISO/IEC 14496-12, 4.2) do not end where the file ends."""
    at = 0
    for _ in range(_MOST_BOXES):
        if at == size:
            return False
        stream.seek(at)
        head = stream.read(16)
        if len(head) < 8:
            return True
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        elif length == 0:
            return False
        if length < 8 or not head[4:8].isascii():
            return True
        at += length
        if at > size:
            return True
    return False
