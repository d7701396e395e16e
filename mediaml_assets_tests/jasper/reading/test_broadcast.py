"""One decoder for several readers: the frames that each has alone, in a bounded ring, and nobody waits for ever."""

import gc
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import partial
from typing import Any, Self

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.jasper.reading.broadcast import Broadcast, Reader
from mediaml_assets.jasper.reading.frame import Frame, RgbConverter
from mediaml_assets.jasper.reading.media import Media
from mediaml_assets.jasper.reading.source import FrameSource, Seeker
from mediaml_assets.jasper.recipe import ML_360P
from mediaml_assets.jasper.standard.standardize import standardize

from ..clips import Clip, read_number, render, steady
from ..conftest import EncodeView

COUNT = 150
GOP = 12
TIMEOUT = 30


class Picture:
    """A decoded frame that knows its number."""

    alive = 0
    width, height = 640, 360

    def __init__(self, index: int) -> None:
        self.index = index
        Picture.alive += 1

    def __del__(self) -> None:
        Picture.alive -= 1


class Film:
    """A `FrameSource` of a film that was never encoded, and what its readers did."""

    name = "film"

    def __init__(self, count: int = COUNT, fails: Sequence[int] = ()) -> None:
        self.count, self.fails = count, list(fails)
        self.opened = self.closed = self.decoded = 0

    def __len__(self) -> int:
        return COUNT

    def key_frame(self, index: int) -> int:
        return index - index % GOP

    def reader(self) -> "FilmReader":
        self.opened += 1
        return FilmReader(self)

    def broadcast(self, readers: int, ring: int = 16, patience: float = TIMEOUT) -> Broadcast:
        return Broadcast(self, readers, ring, patience)


class FilmReader:
    def __init__(self, film: Film) -> None:
        self._film = film

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._film.closed += 1

    def frames_from(self, index: int) -> Iterator[tuple[int, Picture]]:
        for found in range(self._film.key_frame(index), self._film.count):
            self._film.decoded += 1
            if found in self._film.fails:
                self._film.fails.remove(found)
                raise ConnectionError("the bucket does not answer")
            yield found, Picture(found)


def run(broadcast: Broadcast, *programs: Callable[[Reader], Any]) -> list[Any]:
    """What each program gives or raises, each in a thread of its own that closes its reader."""

    def one(program: Callable[[Reader], Any], reader: Reader) -> Any:
        try:
            return program(reader)
        except Exception as error:
            return error
        finally:
            reader.close()

    with ThreadPoolExecutor(len(programs)) as threads:
        running = [threads.submit(one, *both) for both in zip(programs, broadcast.readers, strict=True)]
        return [each.result(timeout=TIMEOUT) for each in running]


def reads(*indices: int) -> Callable[[FrameSource], list[int]]:
    """A program that asks for frames in this order, as `Video.frames` does."""

    def program(source: FrameSource) -> list[int]:
        seeker = Seeker(source)
        try:
            return [seeker.frame(index).index for index in indices]
        finally:
            seeker.close()

    return program


def alone(indices: Sequence[int]) -> int:
    """Frames decoded for a reader that has the film for itself."""
    film = Film()
    reads(*indices)(film)
    return film.decoded


def test_two_that_read_all_decode_it_once() -> None:
    film = Film()
    everything = list(range(COUNT))
    assert run(film.broadcast(2), reads(*everything), reads(*everything)) == [everything, everything]
    assert (film.decoded, film.opened, film.closed) == (COUNT, 1, 1)


def test_groups_that_nobody_wants_are_skipped() -> None:
    film = Film()
    assert run(film.broadcast(2), reads(3, 5, 100), reads(4, 50, 101)) == [[3, 5, 100], [4, 50, 101]]
    # 0 to 5, 48 to 50, 96 to 101
    assert film.decoded == 6 + 3 + 6


def test_a_reader_that_closes_early_is_not_waited_for() -> None:
    film = Film()
    assert run(film.broadcast(2), reads(0), reads(*range(COUNT)))[1] == list(range(COUNT))
    assert film.decoded == COUNT


def test_a_reader_that_raises_stops_no_other() -> None:
    def raises(reader: Reader) -> None:
        reads(5)(reader)
        raise ArithmeticError("a mistake in a feature")

    film = Film()
    failed, read = run(film.broadcast(2), raises, reads(*range(COUNT)))
    assert isinstance(failed, ArithmeticError)
    assert read == list(range(COUNT))
    assert film.closed == 1


def test_a_reader_that_starts_late_gets_its_frames_from_the_ring() -> None:
    def late(reader: Reader) -> list[int]:
        time.sleep(0.2)
        return reads(*range(COUNT))(reader)

    film = Film()
    assert run(film.broadcast(2), late, reads(*range(COUNT))) == [list(range(COUNT))] * 2
    assert film.decoded == COUNT


def test_who_asks_for_nothing_is_not_waited_for_longer_than_the_patience() -> None:
    ended = threading.Event()

    def sleeps(reader: Reader) -> list[int]:
        first = reads(0)(reader)
        # it waits for the other one: without the patience neither would ever end
        assert ended.wait(TIMEOUT)
        return [*first, *reads(*range(1, COUNT))(reader)]

    def reads_on(reader: Reader) -> list[int]:
        found = reads(*range(COUNT))(reader)
        ended.set()
        return found

    film = Film()
    broadcast = film.broadcast(2, patience=0.1)
    assert run(broadcast, sleeps, reads_on) == [list(range(COUNT))] * 2
    # it read the rest alone, with a decoder of its own
    assert film.opened == 2
    assert broadcast.alone > COUNT // 2


def test_who_goes_back_reads_alone_and_joins_again() -> None:
    there, back = threading.Event(), threading.Event()

    def goes_back(source: FrameSource) -> list[int]:
        found = reads(*range(60), 0, 1, 2)(source)
        assert there.wait(TIMEOUT)
        found += reads(64)(source)
        back.set()
        return found + reads(*range(70, COUNT))(source)

    def waits(source: FrameSource) -> list[int]:
        found = reads(*range(65))(source)
        there.set()
        assert back.wait(TIMEOUT)
        return found + reads(*range(65, COUNT))(source)

    broadcast = Film().broadcast(2)
    assert run(broadcast, goes_back, waits) == [[*range(60), 0, 1, 2, 64, *range(70, COUNT)], list(range(COUNT))]
    assert broadcast.alone == 3
    assert broadcast.decoded == COUNT


def test_a_file_that_ends_early_says_so_to_each() -> None:
    film = Film(count=100)
    found = run(film.broadcast(2), reads(*range(COUNT)), reads(10, 99, 120))
    assert all(isinstance(one, IndexError) and "cannot be decoded" in str(one) for one in found)


def test_an_error_while_decoding_is_that_of_one_reader_and_the_other_goes_on() -> None:
    film = Film(fails=[30])
    found = run(film.broadcast(2), reads(*range(COUNT)), reads(*range(COUNT)))
    assert sorted(map(type, found), key=str) == [ConnectionError, list]
    assert list(range(COUNT)) in found
    assert film.opened == film.closed == 2


def test_a_reader_closed_from_outside_ends_at_its_next_frame() -> None:
    film = Film()
    broadcast = film.broadcast(2)
    started = threading.Event()

    def reads_on(reader: Reader) -> None:
        started.set()
        reads(*range(COUNT))(reader)

    with ThreadPoolExecutor(1) as threads:
        # it waits for the other one, which never asks
        running = threads.submit(reads_on, broadcast.readers[0])
        assert started.wait(TIMEOUT)
        for reader in broadcast.readers:
            reader.close()
        with pytest.raises(ValueError, match="closed"):
            running.result(TIMEOUT)


def test_nothing_is_left_when_all_are_closed() -> None:
    gc.collect()
    before, threads = Picture.alive, threading.active_count()
    broadcast = Film().broadcast(3)
    run(broadcast, *[reads(*range(COUNT))] * 3)
    assert threading.active_count() == threads
    assert Picture.alive == before


def test_no_more_than_the_ring_is_held() -> None:
    gc.collect()
    before, most = Picture.alive, 0

    def watches(reader: Reader) -> None:
        nonlocal most
        for _ in reader.reader().frames_from(0):
            most = max(most, Picture.alive - before)

    broadcast = Film().broadcast(3, ring=16)
    run(broadcast, watches, watches, watches)
    # and one that each reader has in its hand, and one that is on its way into the ring
    assert 8 <= most <= 16 + 3 + 1


forwards = st.lists(st.integers(0, COUNT - 1), max_size=40).map(sorted)
anyhow = st.lists(st.integers(0, COUNT - 1), max_size=15)
runs = st.tuples(st.integers(0, COUNT - 1), st.integers(1, 60)).map(lambda it: [*range(it[0], min(COUNT, sum(it)))])
pieces = st.lists(runs, max_size=3).map(lambda some: [index for one in some for index in one])


@settings(max_examples=60)
@given(
    programs=st.lists(forwards | anyhow | runs | pieces, min_size=2, max_size=4),
    ring=st.integers(1, 40),
    pauses=st.lists(st.sampled_from([0.0, 0.0, 0.0001, 0.002]), min_size=4, max_size=4),
)
def test_every_reader_gets_what_it_would_get_alone(programs: list[list[int]], ring: int, pauses: list[float]) -> None:
    def program(indices: list[int], pause: float, reader: Reader) -> list[int]:
        found, seeker = [], Seeker(reader)
        for index in indices:
            found.append(seeker.frame(index).index)
            time.sleep(pause)
        return found

    broadcast = Film().broadcast(len(programs), ring)
    started = time.monotonic()
    found = run(broadcast, *(partial(program, *both) for both in zip(programs, pauses, strict=False)))
    assert found == programs
    # nobody had to lose patience
    assert time.monotonic() - started < TIMEOUT / 2


@settings(max_examples=60)
@given(programs=st.lists(forwards | runs, min_size=2, max_size=4))
def test_readers_that_go_forwards_cost_no_more_than_alone(programs: list[list[int]]) -> None:
    film = Film()
    broadcast = film.broadcast(len(programs))
    run(broadcast, *(reads(*indices) for indices in programs))
    assert broadcast.alone == 0
    assert film.decoded <= sum(alone(indices) for indices in programs)
    # frames of a group up to the last that somebody wants, each once
    wanted = {index for indices in programs for index in indices}
    assert film.decoded <= len({below for index in wanted for below in range(index // GOP * GOP, index + 1)})


def test_a_reader_may_read_from_several_places_at_once() -> None:
    def zips(source: FrameSource) -> list[int]:
        places = [source.reader().frames_from(start) for start in (0, 50, 100)]
        return [decoded.index for trio in zip(*places, strict=False) for _, decoded in trio]

    film = Film()
    expected = [index for start in range(50) for index in (start, 50 + start, 100 + start)]
    assert run(film.broadcast(2), zips, reads(*range(COUNT))) == [expected, list(range(COUNT))]
    # each place went through its part once, and the other reader through all
    assert film.decoded <= 2 * COUNT + 3 * GOP


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> EncodeView:
    folder = tmp_path_factory.mktemp("film")
    source = render(folder / "clip.mp4", Clip(steady(Fraction(25), COUNT)))
    return EncodeView("film", standardize(source, ML_360P, folder))


def pictures(frames: Iterator[Frame]) -> list[tuple[int, bytes, bytes, bytes, bytes]]:
    return [(one.index, *(np.ascontiguousarray(each).tobytes() for each in (one.y, one.u, one.v, one.rgb())))
            for one in frames]  # fmt: skip


def test_a_real_film_read_together_is_the_same_to_the_last_bit(view: EncodeView) -> None:
    order = [*range(5, 40), 70, 71, 30, 149, 100]
    alone = Media.from_value(view)
    whole, some = pictures(alone.video.sequential()), pictures(alone.video.frames(order))
    first, second, third = Media.together(view, 3)

    def closing(media: Media, read: Callable[[Media], Any]) -> Any:
        with media:
            return read(media)

    reads: list[Callable[[Media], Any]] = [
        lambda media: pictures(media.video.sequential()),
        lambda media: pictures(media.video.frames(order)),
        lambda media: pictures(media.video.sequential(0, None)),
    ]
    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(closing, (first, second, third), reads))
    assert found == [whole, some, whole]
    assert [read_number(frame.y) for frame in alone.video.frames(order)] == order


def test_threads_that_turn_the_same_frames_into_rgb_disturb_no_colour(view: EncodeView) -> None:
    tagged = next(iter(Media.from_value(view).video.frames([40])))
    decoded = tagged._decoded
    # as a picture that says nothing of its colours, of which the scaler would assume others
    decoded.colorspace = 2
    expected = RgbConverter()(decoded).tobytes()

    def convert(_: int) -> set[bytes]:
        converter = RgbConverter()
        return {converter(decoded).tobytes() for _ in range(100)}

    with ThreadPoolExecutor(4) as threads:
        assert set().union(*threads.map(convert, range(4))) == {expected}
    assert decoded.colorspace == 2
