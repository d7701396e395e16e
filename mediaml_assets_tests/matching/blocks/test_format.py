"""Files of blocks: what was written is read, a part without the others, and nothing that was not written."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.matching.blocks.block import NOTHING, Block, block_above
from mediaml_assets.matching.blocks.format import HEAD, Entry, Records, Unreadable, decode, encode

PARTNERS = ["00" * 16, "ff" * 15 + "00", "0123456789abcdef" * 2]


def block(seed: int, pairs: int, shots: int) -> Block:
    random = np.random.default_rng(seed)
    rows, cols = random.integers(0, shots, (2, pairs))
    first = random.random(pairs)
    return block_above(rows, cols, np.round(first, 1), first, NOTHING, 7)


def file(seed: int, pairs: list[int], shots: int, reranked: bool) -> tuple[bytes, dict[str, Block]]:
    blocks = {partner: block(seed + n, n, shots + 5) for partner, n in zip(PARTNERS, pairs, strict=False)}
    return encode(shots, {partner: (5, one) for partner, one in blocks.items()}, reranked), blocks


def fetch(data: bytes, start: int, length: int) -> bytes:
    return data[start : start + length]


def whole(data: bytes, entry: Entry) -> Records:
    parts = [entry.head]
    while (have := sum(map(len, parts))) < entry.pairs:
        parts.append(entry.piece(partial(fetch, data), have))
    return np.concatenate(parts)


counts = st.lists(st.sampled_from([0, 1, HEAD - 1, HEAD, HEAD + 1, 4 * HEAD, 1000, 5000]), max_size=3)


@given(
    seed=st.integers(0, 999),
    pairs=counts,
    shots=st.sampled_from([0, 3, 2**16 - 5, 2**16 - 4, 10**6]),
    two=st.booleans(),
)
def test_what_was_written_is_read(seed: int, pairs: list[int], shots: int, two: bool) -> None:
    data, blocks = file(seed, pairs, shots, two)
    entries = decode(partial(fetch, data))
    assert [one.partner for one in entries] == list(blocks)
    for entry in entries:
        wanted, records = blocks[entry.partner], whole(data, entry)
        assert (entry.shots, entry.pairs, entry.floor, entry.depth) == ((shots, 5), len(wanted), NOTHING, 7)
        assert np.array_equal(records["row"], wanted.rows) and np.array_equal(records["col"], wanted.cols)
        assert np.array_equal(records["final"], wanted.final)
        assert not two or np.array_equal(records["first"], wanted.first)


@given(seed=st.integers(0, 999), pairs=counts, where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_one_flipped_bit_is_noticed(seed: int, pairs: list[int], where: float, bit: int) -> None:
    data = bytearray(file(seed, pairs, 100, True)[0])
    data[int(where * len(data))] ^= 1 << bit
    with pytest.raises(Unreadable):
        for entry in decode(partial(fetch, bytes(data))):
            whole(bytes(data), entry)


@given(pairs=counts, where=st.floats(0, 1, exclude_max=True))
def test_a_file_that_ends_too_soon_is_noticed(pairs: list[int], where: float) -> None:
    data = file(1, pairs, 100, False)[0]
    cut = data[: int(where * len(data))]
    with pytest.raises(Unreadable):
        for entry in decode(partial(fetch, cut)):
            whole(cut, entry)


def test_one_partner_is_read_without_the_others() -> None:
    data, _ = file(1, [5000, 5000, 5000], 100, False)
    entries = decode(partial(fetch, data))
    asked: list[tuple[int, int]] = []

    def noted(start: int, length: int) -> bytes:
        asked.append((start, start + length))
        return fetch(data, start, length)

    entries[1].piece(noted, HEAD)
    size = 3 * HEAD * 12 + 4
    assert asked == [(entries[1].pieces, entries[1].pieces + size)]


def test_a_beginning_that_is_longer_than_usual_is_fetched_whole() -> None:
    partners = (f"{number:032x}" for number in range(2000))
    data = encode(9, {partner: (5, block(1, 100, 14)) for partner in partners}, True)
    asked: list[int] = []

    def noted(start: int, length: int) -> bytes:
        asked.append(length)
        return fetch(data, start, length)

    assert len(decode(noted)) == 2000 and len(asked) == 3
