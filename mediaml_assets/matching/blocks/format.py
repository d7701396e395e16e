"""The file of blocks: one title's blocks with several partners, of which any part is read without the others.

    fixed     magic, width of a shot's number, whether pairs have a first score of their own, shots of the title, how
              many blocks, CRC-32 of these
    index     for each block: digest of the partner, its shots, pairs, floor, depth, where its later pieces begin
    heads     the first HEAD pairs of each block, one block after the other
    check     CRC-32 of all of the above
    pieces    for each block its later pairs, in pieces up to HEAD * 4, HEAD * 16, ... pairs, each with its CRC-32

A pair is a record of two shot numbers (uint16 where they fit) and one float64 score or two: the order of a merged
answer is decided by all their bits. Numbers are little-endian. A query for many titles reads the beginnings of their
files alone; one for few reads pieces as far down as it must.

A file is named by the digest of its bytes, so that two processes that make the same one write the same name.
"""

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mediaml_assets.matching.blocks.block import Block, Place

MAGIC = b"mmblock2"
HEAD = 16
GROWTH = 4
BEGINNING = 64 * 1024
"""Bytes that are fetched first: index and heads of two hundred blocks."""

Records = npt.NDArray[np.void]
Fetch = Callable[[int, int], bytes]
"""Bytes [start, start + length) of a file."""

_FIXED = struct.Struct("<8sBBHII")
_BEGIN = _FIXED.size + 4
_INDEX = np.dtype(
    [
        ("partner", "S16"), ("shots", "<u4"), ("pairs", "<u4"), ("final", "<f8"), ("first", "<f8"),
        ("depth", "<u4"), ("pieces", "<u8"),
    ]
)  # fmt: skip


class Unreadable(Exception):
    """A file is not what was written; never leaves this package."""


@dataclass(frozen=True)
class Entry:
    """A block of a file, of which only the head was read.

    partner: digest of the partner, hex.
    shots: of the title and of its partner.
    pairs: how many there are.
    floor, depth: of the block.
    head: its first records.
    """

    partner: str
    shots: tuple[int, int]
    pairs: int
    floor: Place
    depth: int
    head: Records
    pieces: int

    def piece(self, fetch: Fetch, start: int) -> Records:
        """The records that follow the first `start`, which is the end of the head or of another piece.

        Raises:
            Unreadable: the bytes are not those that were written.
        """
        width = self.head.dtype.itemsize
        place, begin = self.pieces, HEAD
        while begin < start:
            end = min(begin * GROWTH, self.pairs)
            place, begin = place + (end - begin) * width + 4, end
        size = (min(begin * GROWTH, self.pairs) - begin) * width
        data = fetch(place, size + 4)
        _check(data[:size], data[size:])
        return np.frombuffer(data, self.head.dtype, count=size // width)


def encode(shots: int, blocks: Mapping[str, tuple[int, Block]], reranked: bool) -> bytes:
    """A file.

    Args:
        shots: of the title.
        blocks: digest of each partner (hex) -> its shots, the block.
        reranked: whether final and first scores differ.
    """
    most = shots + max((count for count, _ in blocks.values()), default=0)
    kind = _record(2 if most <= 2**16 else 4, reranked)
    records = {partner: _records(block, kind) for partner, (_, block) in blocks.items()}
    pieces = {partner: _pieces(one) for partner, one in records.items()}
    heads = b"".join(one[:HEAD].tobytes() for one in records.values())
    place = _BEGIN + len(blocks) * _INDEX.itemsize + len(heads) + 4
    index = np.zeros(len(blocks), _INDEX)
    for row, (partner, (count, block)) in enumerate(blocks.items()):
        index[row] = (bytes.fromhex(partner), count, len(block), *block.floor, block.depth, place)
        place += len(pieces[partner])
    fixed = _FIXED.pack(MAGIC, 2 if most <= 2**16 else 4, reranked, 0, shots, len(blocks))
    beginning = fixed + _crc(fixed) + index.tobytes() + heads
    return b"".join([beginning, _crc(beginning), *pieces.values()])


def decode(fetch: Fetch) -> list[Entry]:
    """What a file holds, with the heads alone.

    Raises:
        Unreadable: the bytes are not those that were written.
    """
    data = fetch(0, BEGINNING)
    if len(data) < _BEGIN or not data.startswith(MAGIC):
        raise Unreadable
    _check(data[: _FIXED.size], data[_FIXED.size : _BEGIN])
    _, width, reranked, _, shots, count = _FIXED.unpack_from(data)
    kind = _record(width, bool(reranked))
    heads = _BEGIN + count * _INDEX.itemsize
    data = _at_least(data, heads, fetch)
    index = np.frombuffer(data, _INDEX, count=count, offset=_BEGIN)
    lengths = np.minimum(index["pairs"], HEAD).astype(np.int64)
    end = heads + int(lengths.sum()) * kind.itemsize
    data = _at_least(data, end + 4, fetch)
    _check(memoryview(data)[:end], data[end : end + 4])
    records = np.frombuffer(data, kind, count=int(lengths.sum()), offset=heads)
    places = np.concatenate([[0], np.cumsum(lengths)]).tolist()
    return [
        Entry(partner.ljust(16, b"\0").hex(), (shots, own), pairs, (final, first), depth, records[start:stop], pieces)
        for (partner, own, pairs, final, first, depth, pieces), start, stop in zip(
            index.tolist(), places, places[1:], strict=False
        )
    ]


def _record(width: int, reranked: bool) -> np.dtype[np.void]:
    names = ["row", "col", "final", "first"] if reranked else ["row", "col", "final"]
    return np.dtype([(name, f"<u{width}" if name in ("row", "col") else "<f8") for name in names])


def _records(block: Block, kind: np.dtype[np.void]) -> Records:
    records = np.empty(len(block), kind)
    names = {"row": block.rows, "col": block.cols, "final": block.final, "first": block.first}
    for name in kind.names or ():
        records[name] = names[name]
    return records


def _pieces(records: Records) -> bytes:
    """What follows the head, each piece with its check."""
    parts, begin = [], HEAD
    while begin < len(records):
        part = records[begin : begin * GROWTH].tobytes()
        parts += [part, _crc(part)]
        begin *= GROWTH
    return b"".join(parts)


def _at_least(data: bytes, size: int, fetch: Fetch) -> bytes:
    if len(data) < size:
        data = fetch(0, size)
    if len(data) < size:
        raise Unreadable
    return data


def _crc(data: bytes | memoryview) -> bytes:
    return zlib.crc32(data).to_bytes(4, "little")


def _check(data: bytes | memoryview, check: bytes) -> None:
    if _crc(data) != check:
        raise Unreadable
