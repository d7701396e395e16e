"""A remote object as a seekable file that fetches ranges: little for a jump, much for reading on.

A jump fetches one block of 256 KiB, or as many as are asked for at once; each time the reading goes on where a fetch
ended, the next one is twice as large; never more than 8 MiB. So four frames of a film cost a few blocks, and a whole
film few requests. Several places may be read in turn (picture and sound that lie far apart): each has its own pace, and
32 MiB of blocks are remembered.
"""

import io
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

BLOCK = 256 * 1024
MOST_BLOCKS = 32
"""Blocks of one fetch, at most."""
KEPT_BLOCKS = 4 * MOST_BLOCKS
_PLACES = 4
"""Places that are read in turn, each with its own pace."""


class RangedFile(io.RawIOBase):
    """A seekable binary reader over something that gives ranges of bytes; not for several threads at once.

    Args:
        size: bytes of the whole.
        fetch: gives the bytes [start, start + length), all of them or an exception.
        name: for messages.
    """

    def __init__(self, size: int, fetch: Callable[[int, int], bytes], name: str) -> None:
        self.name = name
        self._size, self._fetch, self._at = size, fetch, 0
        self._kept: OrderedDict[int, memoryview] = OrderedDict()
        self._pace: OrderedDict[int, int] = OrderedDict()

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; beyond the end is allowed and reads nothing."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"{self.name}: there is no place {base + offset} in a file")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the file goes; returns the bytes read."""
        into = memoryview(buffer).cast("B")
        done = 0
        while done < len(into) and self._at < self._size:
            number, inside = divmod(self._at, BLOCK)
            wanted = -(-(inside + len(into) - done) // BLOCK)
            part = self._block(number, wanted)[inside : inside + len(into) - done]
            into[done : done + len(part)] = part
            done += len(part)
            self._at += len(part)
        return done

    def _block(self, number: int, wanted: int) -> memoryview:
        if number not in self._kept:
            self._load(number, wanted)
        self._kept.move_to_end(number)
        return self._kept[number]

    def _load(self, number: int, wanted: int) -> None:
        """Fetch a block and those wanted after it, more when the reading has come here from the block before."""
        count = min(max(2 * self._pace.pop(number, 0), wanted), MOST_BLOCKS)
        start = number * BLOCK
        data = memoryview(self._fetch(start, min(count * BLOCK, self._size - start)))
        for at in range(0, len(data), BLOCK):
            self._kept[number + at // BLOCK] = data[at : at + BLOCK]
        self._pace[number + count] = count
        while len(self._pace) > _PLACES:
            self._pace.popitem(last=False)
        while len(self._kept) > KEPT_BLOCKS:
            self._kept.popitem(last=False)
