"""A ranged file reads what a file in memory reads, and fetches little for it."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets import ranged
from mediaml_assets.ranged import RangedFile

SMALL = 8
"""Bytes of a block in these tests."""


@pytest.fixture(autouse=True)
def small_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranged, "BLOCK", SMALL)
        patch.setattr(ranged, "MOST_BLOCKS", 4)
        patch.setattr(ranged, "KEPT_BLOCKS", 16)
        yield


class Counted:
    """Bytes that tell which ranges of them were fetched."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.fetched: list[tuple[int, int]] = []

    def fetch(self, start: int, length: int) -> bytes:
        assert start >= 0 and length > 0 and start + length <= len(self.data)
        self.fetched.append((start, length))
        return self.data[start : start + length]

    def open(self) -> RangedFile:
        return RangedFile(len(self.data), self.fetch, "film.mp4")


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.integers(0, 70)),
        st.tuples(st.just("seek"), st.integers(0, 330)),
        st.tuples(st.just("from here"), st.integers(-40, 40)),
        st.tuples(st.just("from the end"), st.integers(-320, 20)),
    ),
    max_size=30,
)


@given(st.binary(max_size=300), ACTS)
def test_it_reads_what_a_file_in_memory_reads(data: bytes, acts: list[tuple[str, int]]) -> None:
    file, memory = Counted(data).open(), io.BytesIO(data)
    for act, number in acts:
        if act == "read":
            assert file.read(number) == memory.read(number)
        else:
            whence = {"seek": io.SEEK_SET, "from here": io.SEEK_CUR, "from the end": io.SEEK_END}[act]
            at = {"seek": 0, "from here": memory.tell(), "from the end": len(data)}[act] + number
            if at < 0:
                with pytest.raises(ValueError, match=r"film\.mp4: there is no place -\d+"):
                    file.seek(number, whence)
            else:
                assert file.seek(number, whence) == memory.seek(number, whence)
        assert file.tell() == memory.tell()
    file.seek(0)
    assert file.readall() == data


def test_reading_on_fetches_more_and_more_up_to_a_bound() -> None:
    counted = Counted(bytes(range(240)))
    file = counted.open()
    assert b"".join(iter(lambda: file.read(5), b"")) == counted.data
    assert counted.fetched == [
        (0, 8),
        (8, 16),
        (24, 32),
        (56, 32),
        (88, 32),
        (120, 32),
        (152, 32),
        (184, 32),
        (216, 24),
    ]


def test_a_jump_fetches_one_block_and_what_was_read_is_kept() -> None:
    counted = Counted(bytes(400))
    file = counted.open()
    for at in (200, 13, 204, 8, 390):
        file.seek(at)
        file.read(2)
    assert counted.fetched == [(200, 8), (8, 8), (384, 8)]


def test_two_places_read_in_turn_keep_their_pace() -> None:
    counted = Counted(bytes(800))
    file = counted.open()
    for step in range(30):
        for start in (0, 400):
            file.seek(start + 8 * step)
            file.read(8)
    assert len(counted.fetched) <= 2 * 10
    assert sum(length for _, length in counted.fetched) <= 2 * (240 + 32)


def test_little_is_remembered() -> None:
    counted = Counted(bytes(8 * 1000))
    file = counted.open()
    file.readall()
    assert len(file._kept) <= 16
    file.seek(0)
    before = len(counted.fetched)
    file.read(1)
    assert len(counted.fetched) == before + 1


def test_nothing_is_fetched_of_nothing() -> None:
    counted = Counted(b"")
    assert counted.open().read(10) == b"" and counted.fetched == []


def test_an_error_of_the_store_is_that_of_the_reader() -> None:
    def fetch(start: int, length: int) -> Any:
        raise RuntimeError("the bucket is gone")

    with pytest.raises(RuntimeError, match="the bucket is gone"):
        RangedFile(10, fetch, "film.mp4").read(1)
