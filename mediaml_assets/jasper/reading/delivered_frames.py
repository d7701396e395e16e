"""The pictures of any delivered file, frame-exact: every one has the number that reading from the start gives it.

A picture's number is its rank in the order shown among the pictures that the file says are shown, from the first one
that can be decoded on. After a seek it is found so: the pictures before a key frame in the file are shown before it, so
the k-th picture (by its stamp) that is read from that key frame on is number (pictures before it) + k. Pictures that
are read after a key frame but shown before it (an open GOP's) need what came before, and are decoded from an earlier
one. Where stamps cannot tell the order (AVI with B-frames, raw streams, stamps that jump back or are missing) the film
is read from its start, and pictures are counted: slower, never wrong.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from functools import cached_property
from heapq import heappop, heappush
from itertools import chain, islice
from typing import Any, Self

import av

from mediaml_assets.jasper.delivered.container import decode, opened, use_one_thread
from mediaml_assets.jasper.delivered.probe import choose_video
from mediaml_assets.jasper.files import MediaFile
from mediaml_assets.jasper.reading.key_frames import KeyFrames, Scan, from_header, is_shown, scan

Numbered = Iterator[tuple[int, Any]]
_RAW = {"h264", "hevc", "mpegvideo"}
_PREDICTED = {av.video.frame.PictureType.P, av.video.frame.PictureType.B}
_LOOKED_AT = 3
"""Pictures from the start that show whether each packet holds one."""
_TRIED = 3
"""Key frames from which a picture is tried before the film is read from its start."""


class _Unordered(Exception):
    """The stamps of a film do not tell the order of its pictures."""


class DeliveredFrames:
    """A `FrameSource` over a delivered file.

    Attributes:
        name: the file's name.
        counted: whether pictures are counted from the start, because stamps do not tell their order.
    """

    def __init__(self, file: MediaFile) -> None:
        """Open the file, which is closed by `close` or by the first reader.

        Raises:
            MediaRefused: it is no film; see `opened` and `choose_video`.
        """
        self.name, self._file = file.name, file
        self.counted = False
        self._lead: int | None = None
        self._spare: DeliveredReader | None = DeliveredReader(self, file)

    def close(self) -> None:
        """Close the file if no reader has taken it over."""
        if self._spare is not None:
            self._spare.__exit__(None, None, None)
            self._spare = None

    def __len__(self) -> int:
        return self._length

    @cached_property
    def _length(self) -> int:
        lead = self.lead
        keys = self.keys
        if not self.counted:
            return keys.count - lead
        with self.reader() as reader:
            return sum(1 for _ in reader.frames_from(0))

    def reader(self) -> "DeliveredReader":
        """The file, opened once more."""
        reader, self._spare = self._spare, None
        return reader or DeliveredReader(self, self._file)

    def key_frame(self, index: int) -> int:
        """The number of the last key frame at or before `index`, or of its first leading picture; 0 without any."""
        lead = self.lead
        place = self.keys.last_before(index + lead)
        return 0 if self.counted or place < 0 else max(0, self.keys.before[place] - lead)

    @cached_property
    def keys(self) -> KeyFrames:
        """Where decoding can begin: the header's list, or what a scan of the packets found where there is none."""
        with opened(self._file) as container:
            listed = from_header(self._file, container, choose_video(self._file, container))
        keys = listed or self.scan.keys
        self.counted |= not keys.distinct
        return keys

    @cached_property
    def scan(self) -> Scan:
        """What one reading of the file's packets tells."""
        return scan(self._file)

    @property
    def lead(self) -> int:
        """Pictures that the file has before the first one that can be decoded."""
        if self._lead is None:
            with self.reader() as reader:
                numbers = [number for number, _ in islice(reader.frames_from(0), _LOOKED_AT)]
            # each picture is two packets (fields), or some are never shown: stamps do not count them
            self.counted |= numbers != list(range(len(numbers)))
        return self._lead or 0

    @cached_property
    def pixel_aspect(self) -> Fraction:
        """Width over height of one stored pixel; 1 when unsaid."""
        with self.reader() as reader:
            return reader.pixel_aspect

    def look_at_stamps(self) -> None:
        """For a container that may or may not know the order shown: look at all of its stamps."""
        self.counted |= not self.scan.times.trusted

    def begin_at(self, rank: int) -> int:
        """Note the rank of the first picture that was decoded from the start; returns the lead."""
        if self._lead is None:
            self._lead = rank
        return self._lead


class DeliveredReader:
    """One open delivered file, a `FrameReader`."""

    def __init__(self, source: DeliveredFrames, file: MediaFile) -> None:
        """Args: the film's facts, which are shared, and its file, which is opened."""
        self._source, self._file = source, file
        self._open()

    def _open(self) -> None:
        with ExitStack() as stack:
            self._container = stack.enter_context(opened(self._file))
            self._stream = choose_video(self._file, self._container)
            use_one_thread(self._stream)
            context, kind = self._stream.codec_context, self._container.format.name
            self._codec = context.codec.canonical_name
            self._avi = kind == "avi"
            self._doubtful = kind == "mxf" and bool(context.has_b_frames)
            self._source.counted |= kind in _RAW or (self._avi and context.has_b_frames > 0)
            self._closing = stack.pop_all()
        self._at_start = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    @property
    def pixel_aspect(self) -> Fraction:
        """Width over height of one stored pixel; 1 when unsaid."""
        said = self._stream.sample_aspect_ratio
        return Fraction(said) if said and said > 0 else Fraction(1)

    def frames_from(self, index: int) -> Numbered:
        """(number, decoded frame) in rising order, from `index` or some before it on; see the module.

        Pictures that cannot be decoded are left out.
        """
        last = -1
        for run in self._runs(index):
            try:
                for number, frame in run:
                    if last < index < number and not self._from_start:
                        break
                    if number > last:
                        last = number
                        yield number, frame
            except _Unordered:
                # after a seek a container may make up a stamp: only what is read from the start says it of the film
                self._source.counted |= self._from_start
            else:
                if last >= index:
                    return

    def _runs(self, index: int) -> Iterator[Numbered]:
        """Ways to get at a picture, the shortest first; each is asked for when the one before it did not show it."""
        self._from_start = False
        if self._doubtful:
            self._source.look_at_stamps()
        if index and not self._source.counted:
            lead, keys = self._source.lead, self._source.keys
            first = keys.last_before(index + lead)
            for place in range(first, max(-1, first - _TRIED), -1):
                if not self._source.counted:
                    yield self._from_key(keys, place)
        self._from_start = True
        if not self._source.counted:
            yield self._ranked(self._packets(), None, 0)
        if self._source.counted:
            yield self._counted()

    def _packets(self) -> Iterator[Any]:
        """All packets of the stream, from the start of the file."""
        if not self._at_start:
            self._closing.close()
            self._open()
        self._at_start = False
        return iter(self._container.demux(self._stream))

    def _counted(self) -> Numbered:
        number = 0
        for packet in self._packets():
            for frame in self._decoded(packet):
                yield number, frame
                number += 1

    def _from_key(self, keys: KeyFrames, place: int) -> Numbered:
        """Pictures from a key frame on, without those that lead it; none when it is not found where it should be."""
        self._at_start = False
        try:
            self._container.seek(keys.aims[place], stream=self._stream)
        except av.FFmpegError:
            return
        packets = iter(self._container.demux(self._stream))
        for packet in packets:
            at = packet.dts if keys.decoding or self._avi or packet.pts is None else packet.pts
            if packet.is_keyframe and at is not None and packet.size:
                if at == keys.stamps[place]:
                    yield from self._ranked(chain([packet], packets), packet, keys.before[place])
                if at >= keys.stamps[place]:
                    return

    def _ranked(self, packets: Iterable[Any], key: Any, rank: int) -> Numbered:
        """Pictures by the rank of their stamps, the first of all being `rank`; from `key`, or from the file's start."""
        waiting: list[int] = []
        lead = self._source.lead if key is not None else None
        seen = latest = None
        first = key is not None and not key.is_discard
        for packet in packets:
            at = packet.dts if packet.pts is None or self._avi else packet.pts
            if packet.size and packet.dts is not None:
                if latest is not None and packet.dts < latest:
                    raise _Unordered
                latest = packet.dts
            if is_shown(packet, self._codec):
                if at is None or (seen is not None and at < seen):
                    raise _Unordered
                packet.pts = at
                heappush(waiting, at)
            for frame in self._decoded(packet):
                while waiting and frame.pts is not None and waiting[0] < frame.pts:
                    heappop(waiting)
                    rank += 1
                if not waiting or waiting[0] != frame.pts:
                    raise _Unordered
                seen = heappop(waiting)
                if lead is None:
                    lead = self._source.begin_at(rank)
                if key is None or seen >= key.pts:
                    if key is not None and (frame.is_corrupt or (first and not _opens(frame, key))):
                        return
                    first = False
                    yield rank - lead, frame
                rank += 1

    def _decoded(self, packet: Any) -> list[Any]:
        try:
            return decode(self._stream, packet)
        except av.FFmpegError:
            return []


def _opens(frame: Any, key: Any) -> bool:
    """Whether this is the picture of a key frame, and does not need the pictures before it."""
    return frame.pts == key.pts and frame.pict_type not in _PREDICTED
