"""Where decoding of a delivered file can begin: from the index in its header, or from one scan of its packets."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.delivered.container import opened
from mediaml_assets.jasper.delivered.probe import choose_video
from mediaml_assets.jasper.delivered.timing import StreamTimes, TimesReader
from mediaml_assets.jasper.files import MediaFile, open_binary
from mediaml_assets.jasper.limits import LIMITS

_VP8_SHOWN = 0x10
_BOX_HEADER = 16
_SEARCHED = {"mpegts", "mpeg"}
"""Containers without an index: a place in them is searched for by decoding stamps."""


@dataclass(frozen=True)
class KeyFrames:
    """The key frames of a stream, in the order of the file.

    Attributes:
        count: packets of the stream that hold a picture to be shown.
        before: how many of them come before each key frame, in decoding order; rising.
        stamps: each key frame's stamp, in ticks.
        decoding: whether those are decoding stamps; else presentation stamps.
        aims: what to seek to for each, in ticks.
    """

    count: int
    before: tuple[int, ...]
    stamps: tuple[int, ...]
    decoding: bool
    aims: tuple[int, ...]

    @property
    def distinct(self) -> bool:
        """Whether a stamp names one key frame, so that it can be found again."""
        return all(one < other for one, other in zip(self.stamps, self.stamps[1:], strict=False))

    def last_before(self, number: int) -> int:
        """Place of the last key frame with at most `number` pictures before it; -1 when there is none."""
        return bisect_right(self.before, number) - 1


@dataclass(frozen=True)
class Scan:
    """What one reading of a file's packets tells.

    Attributes:
        keys: its key frames.
        stamps: int64 [keys.count], stamps of the pictures that are to be shown, rising, in ticks of `times.time_base`.
        times: the same for the choice of a rate.
        said: pictures a second that the container says, average and nominal; None when it does not.
    """

    keys: KeyFrames
    stamps: NDArray[np.int64]
    times: StreamTimes
    said: tuple[Fraction | None, Fraction | None]


def is_shown(packet: Any, codec: str) -> bool:
    """Whether a packet holds a picture that is shown: not empty, not cut by an edit list, no hidden VP8 reference."""
    if packet.size == 0 or packet.is_discard:
        return False
    return codec != "vp8" or bool(bytes(packet)[0] & _VP8_SHOWN)  # RFC 6386, section 9.1


def from_header(file: MediaFile, container: Any, stream: Any) -> KeyFrames | None:
    """The key frames that an MP4 or QuickTime header lists, without reading the film; None for any other file.

    A fragmented file lists its pictures all over itself and is left to `scan`.
    """
    if not container.format.name.startswith("mov") or stream.codec_context.codec.name == "vp8" or _fragmented(file):
        return None
    before, stamps, count = [], [], 0
    for entry in stream.index_entries:
        if entry.is_keyframe:
            before.append(count)
            stamps.append(entry.timestamp)
        count += not entry.is_discard
    return KeyFrames(count, tuple(before), tuple(stamps), True, tuple(stamps))


def scan(file: MediaFile) -> Scan:
    """Read every packet of the picture's stream without decoding any.

    Raises:
        MediaRefused: there are too many packets, or none that is shown.
    """
    with opened(file) as container:
        stream = choose_video(file, container)
        codec = stream.codec_context.codec.canonical_name
        before, keys, aims, count = [], [], [], 0
        kind = container.format.name
        reader = TimesReader(stream, kind)
        for packet in container.demux(stream):
            # AVI has no other stamps; of the others some are made up
            stamp = packet.dts if packet.pts is None or kind == "avi" else packet.pts
            if packet.is_keyframe and packet.size and stamp is not None:
                before.append(count)
                keys.append(stamp)
                aims.append(packet.dts if kind in _SEARCHED and packet.dts is not None else stamp)
            if is_shown(packet, codec):
                reader.add(packet)
                count += 1
                if count > LIMITS.packets:
                    raise MediaRefused(f"{file.name} has more than {LIMITS.packets} pictures; cut it")
        if not count:
            raise MediaRefused(f"{file.name} has no picture that is shown; deliver it again")
        times = reader.times()
        return Scan(
            KeyFrames(count, tuple(before), tuple(keys), False, tuple(aims)),
            reader.stamps(),
            times,
            (stream.average_rate or None, stream.base_rate or None),
        )


def _fragmented(file: MediaFile) -> bool:
    """Whether an MP4 has movie fragments (ISO/IEC 14496-12, 8.8): a look at the head of each outermost box."""
    return any(kind == b"moof" for kind in _boxes(file))


def _boxes(file: MediaFile) -> Iterator[bytes]:
    with open_binary(file) as stream:
        at = 0
        while len(head := stream.read(_BOX_HEADER)) >= 8:
            size, kind = int.from_bytes(head[:4]), head[4:8]
            yield kind
            if size == 1:
                size = int.from_bytes(head[8:16])
            if size < 8:
                return
            at += size
            stream.seek(at)
