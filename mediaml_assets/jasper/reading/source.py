"""Where a `Video` gets its decoded pictures from, and random access over any such source."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Protocol, Self

_KEPT_FRAMES = 24
"""Decoded pictures that are remembered, at most: two groups of a standard encode."""
_KEPT_PIXELS = 24 * 1920 * 1080
"""Their pixels together, at most: of larger pictures fewer are remembered."""


class FrameReader(Protocol):
    """One open place to decode from; a context manager."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def frames_from(self, index: int) -> Iterator[tuple[int, Any]]:
        """(number, PyAV ``VideoFrame``) in rising order to the end of the film, from `index` or some before it on.

        The iterator is left as soon as a new one is asked for.
        """


class FrameSource(Protocol):
    """The decoded pictures of one film: what a `Video` is made of, be it a file or a pass that others share."""

    @property
    def name(self) -> str:
        """The film's title or file, for messages."""

    def __len__(self) -> int:
        """Number of pictures."""

    def reader(self) -> FrameReader:
        """A new place to decode from."""

    def key_frame(self, index: int) -> int:
        """Where a reader begins to decode when it is asked for picture `index`."""


class Seeker:
    """Random access with a memory of the last pictures decoded."""

    def __init__(self, source: FrameSource) -> None:
        """Args: the pictures."""
        self._source = source
        self._reader: FrameReader | None = None
        self._kept: OrderedDict[int, Any] = OrderedDict()
        self._running: Iterator[tuple[int, Any]] = iter(())
        self._next = -1

    def close(self) -> None:
        """Let go of the file and of what is remembered; the next picture opens it again."""
        reader, self._reader, self._next = self._reader, None, -1
        self._running = iter(())
        self._kept.clear()
        if reader is not None:
            reader.__exit__(None, None, None)

    def frame(self, index: int) -> Any:
        """The decoded PyAV ``VideoFrame`` with this number.

        Raises:
            IndexError: there is none, or it is damaged.
        """
        if index in self._kept:
            return self._kept[index]
        if self._reader is None:
            self._reader = self._source.reader().__enter__()
        if not self._source.key_frame(index) <= self._next <= index:
            self._running = self._reader.frames_from(index)
        for found, decoded in self._running:
            self._keep(found, decoded)
            if found == index:
                return decoded
            if found > index:
                break
        raise IndexError(f"{self._source.name}: frame {index} cannot be decoded; the file is damaged there")

    def _keep(self, index: int, decoded: Any) -> None:
        self._kept[index] = decoded
        self._next = index + 1
        most = min(_KEPT_FRAMES, _KEPT_PIXELS // (decoded.width * decoded.height))
        while len(self._kept) > max(1, most):
            self._kept.popitem(last=False)
