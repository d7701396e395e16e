"""One decoder, several readers: each reads a film as if alone, and what they share is decoded once.

    broadcast = Broadcast(source, readers=2)
    one, other = broadcast.readers          # each a FrameSource for one thread, closed when it has been read

Decoded frames stand in a ring of `RING` frames until every reader is past them. There is no thread that decodes: a
reader that wants a frame decodes up to it, unless the ring would lose what another reader has not come to yet; then it
waits for that one. What lies between groups of frames that readers want is skipped once all of them wait.

Nobody waits for ever: a reader counts only while it is open and in step. It is out of step when it asks for what has
left the ring, which it decodes by itself, and when it lets the others wait for `PATIENCE` seconds; it is in step again
as soon as it asks for what is in the ring or ahead of it.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Self

from mediaml_assets.jasper.reading.source import FrameReader, FrameSource, Seeker

RING = 64
"""Decoded frames that are held for readers: 22 MB of 640x360 pixels."""

PATIENCE = 60.0
"""Seconds that readers wait for one that asks for nothing."""


class Broadcast:
    """A film that several threads read at once.

    Attributes:
        readers: one for each thread; every one must be closed, for the others wait for it until then.
        decoded: frames that were decoded for all.
        alone: frames that readers out of step had to decode by themselves.
    """

    def __init__(self, source: FrameSource, readers: int, ring: int = RING, patience: float = PATIENCE) -> None:
        """Args: the film, how many read it, frames held, and seconds that they wait for one another."""
        self.source = source
        self.decoded = self.alone = 0
        self._size, self._patience = ring, patience
        self._turn = threading.Condition()
        self._ring: OrderedDict[int, Any] = OrderedDict()
        self._file: FrameReader | None = None
        self._running: Iterator[tuple[int, Any]] = iter(())
        self._next = -1
        self.readers = [Reader(self) for _ in range(readers)]

    def take(self, reader: "Reader", index: int) -> Any | None:
        """Frame `index` out of the ring, decoded now if it must be; None when it is not to come any more.

        Raises:
            ValueError: the reader was closed, by itself or while it waited.
        """
        with self._turn:
            reader.wants = index
            self._turn.notify_all()
            try:
                while not reader.closed and index not in self._ring and index >= self._next:
                    self._decode_or_wait()
                if reader.closed:
                    raise ValueError(f"{self.source.name}: this reader was closed: the step that it served has ended")
                reader.in_step = index in self._ring
                self.alone += not reader.in_step
                return self._ring.get(index)
            finally:
                reader.wants, reader.at, reader.asked = None, index, time.monotonic()

    def close(self, reader: "Reader") -> None:
        """Wait for a reader no longer. After the last one nothing is held open."""
        with self._turn:
            reader.closed = True
            self._turn.notify_all()
            if all(one.closed for one in self.readers):
                self._stop()

    def _decode_or_wait(self) -> None:
        """Decode one more frame towards the next that a reader waits for, or wait for the readers it depends on."""
        goal = min(one.wants for one in self.readers if one.wants is not None and self._is_ahead(one))
        others = [one for one in self.readers if one.in_step and not one.closed and not self._is_ahead(one)]
        leaps = not self.source.key_frame(goal) <= self._next
        if not leaps:
            lost = next(iter(self._ring)) if len(self._ring) == self._size else -1
            others = [one for one in others if one.at < lost]
        if not others:
            self._decode(goal, leaps)
            return
        until = min(one.asked for one in others) + self._patience
        if not self._turn.wait(until - time.monotonic()):
            for one in others:
                one.in_step = one.asked + self._patience > time.monotonic()

    def _is_ahead(self, reader: "Reader") -> bool:
        """Whether a reader waits for a frame that is not decoded yet."""
        return not reader.closed and reader.wants is not None and reader.wants >= self._next

    def _decode(self, goal: int, leaps: bool) -> None:
        """One more frame into the ring; an error is that of the reader that met it, and the next one begins anew."""
        try:
            if leaps:
                self._file = self._file or self.source.reader().__enter__()
                self._running = self._file.frames_from(goal)
            found = next(self._running, None)
        except BaseException:
            self._stop()
            raise
        if found is None:
            # the film ends before it: who wants it finds that out alone
            self._next = goal + 1
        else:
            self.decoded += 1
            self._next = found[0] + 1
            self._ring[found[0]] = found[1]
            if len(self._ring) > self._size:
                self._ring.popitem(last=False)
        self._turn.notify_all()

    def _stop(self) -> None:
        file, self._file, self._running, self._next = self._file, None, iter(()), -1
        self._ring.clear()
        if file is not None:
            file.__exit__(None, None, None)


class Reader:
    """A `FrameSource` for one of the threads that share a broadcast; any thread may close it."""

    def __init__(self, broadcast: Broadcast) -> None:
        self.wants: int | None = None
        """The frame that it asks for now."""
        self.at = -1
        """The last one that it asked for."""
        self.asked = time.monotonic()
        """When it was given that one."""
        self.in_step = True
        self.closed = False
        self._broadcast = broadcast

    @property
    def name(self) -> str:
        """The film's."""
        return self._broadcast.source.name

    def __len__(self) -> int:
        """Number of the film's frames."""
        return len(self._broadcast.source)

    def key_frame(self, index: int) -> int:
        """The film's."""
        return self._broadcast.source.key_frame(index)

    def reader(self) -> "Place":
        """A new place to read from; of several only one is in step at a time."""
        return Place(self._broadcast, self)

    def close(self) -> None:
        """Ask for nothing more; the others wait for this reader no longer. Safe to call twice."""
        self._broadcast.close(self)


class Place:
    """A `FrameReader` that takes what it is asked for from the broadcast, and decodes the rest by itself."""

    def __init__(self, broadcast: Broadcast, reader: Reader) -> None:
        self._broadcast, self._reader = broadcast, reader
        self._own = Seeker(broadcast.source)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._own.close()

    def frames_from(self, index: int) -> Iterator[tuple[int, Any]]:
        """(number, decoded frame) from `index` on to the end of the film; none is decoded before it is asked for.

        Raises:
            ValueError: the reader was closed.
        """
        for wanted in range(index, len(self._broadcast.source)):
            found = self._broadcast.take(self._reader, wanted)
            yield wanted, self._own.frame(wanted) if found is None else found
