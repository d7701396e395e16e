"""Delivered files by number: what any order of reading gives is what decoding from end to end gives."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets import jasper
from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.reading import delivered_frames, source
from mediaml_assets.jasper.reading.delivered_film import DeliveredFilm
from mediaml_assets.jasper.reading.frame import Frame

from ..clips import Clip, numbered, onsets, read_number, render, steady, without_stamps
from ..standard.test_nasty_files import nasty
from .hard_clips import B_FRAMES, FILM, HARD, every_picture, one_damaged, uneven
from .test_remote import Remote

COUNTED = {"AVI with B-frames", "raw H.264"}


@dataclass(frozen=True)
class Known:
    """A hard clip, and every picture that it has: its stamp and its luma."""

    path: Path
    pictures: list[tuple[int | None, bytes]]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Known]:
    @cache
    def make(name: str) -> Known:
        suffix, clip, made = HARD[name]
        path = made(tmp_path_factory.mktemp("hard") / f"clip{suffix}", clip)
        return Known(path, every_picture(path))

    return make


def opened(path: Path) -> DeliveredFilm:
    return cast(DeliveredFilm, jasper.open(path))


def look(frame: Frame) -> bytes:
    return cast(bytes, frame._decoded.to_ndarray(format="gray").tobytes())


@pytest.mark.parametrize("name", HARD)
def test_any_picture_is_the_one_that_reading_from_the_start_gives(name: str, known: Callable[[str], Known]) -> None:
    film = known(name)
    count = len(film.pictures)
    order = np.random.default_rng(1).permutation(count)[:50].tolist()
    with opened(film.path) as read:
        for index, frame in zip(order, read.video.frames(order), strict=True):
            assert frame.index == index and look(frame) == film.pictures[index][1], index
        assert len(read.video) == count
        assert read._frames.counted == (name in COUNTED)


@pytest.mark.parametrize("name", HARD)
def test_one_after_the_other_gives_every_picture_once(name: str, known: Callable[[str], Known]) -> None:
    film = known(name)
    with opened(film.path) as read:
        seen = [(frame.index, look(frame)) for frame in read.video.sequential()]
        assert seen == [(n, luma) for n, (_, luma) in enumerate(film.pictures)]


@pytest.mark.parametrize("name", HARD)
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_any_stretch_and_stride(name: str, known: Callable[[str], Known], data: st.DataObject) -> None:
    film = known(name)
    count = len(film.pictures)
    start, end = sorted((data.draw(st.integers(0, count)), data.draw(st.integers(0, count))))
    step = data.draw(st.integers(1, 30))
    with opened(film.path) as read:
        seen = [(frame.index, look(frame)) for frame in read.video.sequential(start, end, step)]
    assert seen == [(n, film.pictures[n][1]) for n in range(start, end, step)]


@pytest.mark.parametrize("name", HARD)
def test_times_are_those_of_the_stamps(name: str, known: Callable[[str], Known]) -> None:
    film = known(name)
    with opened(film.path) as read:
        times = read.video.times()
        assert len(times) == len(film.pictures) and np.all(np.diff(times) > 0) and times[0] == 0
        if not read._frames.counted and film.path.suffix != ".avi":
            base = av.open(str(film.path)).streams.video[0].time_base
            stamps = [cast(int, stamp) for stamp, _ in film.pictures]
            exact = [(stamp - stamps[0]) * base for stamp in stamps]
            assert [read.video.time_of(n) for n in range(len(times))] == exact
        for n in (0, 1, len(times) // 2, len(times) - 1):
            shown = read.video.time_of(n)
            assert read.video.index_at(shown) == read.video.index_at(float(shown)) == n
            assert n == 0 or read.video.index_at(shown - Fraction(1, 10**9)) == n - 1
        assert read.video.duration > read.video.time_of(len(times) - 1)


REAL = (
    "10-bit__25e35e", "10-bit__804362", "alpha__9d900a", "anamorphic__ac3f37", "attached-picture", "av1__429a1e",
    "corrupt__5005ca", "corrupt__c47e45", "delayed-start", "duplicate-nonmonotonic", "edit-list__2dd170",
    "edit-list__3e6a85", "filename__e55e67", "huge-start", "interlaced", "no-pts__7afea5", "non-utf8", "odd-size",
    "rotated__57fcb1", "size-change", "tiny", "vfr__529b04", "yuv422",
)  # fmt: skip
"""What the names of real files begin with that are read quickly and whose pictures can all be decoded."""


@pytest.mark.parametrize("name", REAL)
def test_real_files(name: str, shared: Path) -> None:
    paths = [path for path in nasty(shared) if path.name.startswith(name)]
    assert paths
    for path in paths:
        pictures = every_picture(path)
        order = np.random.default_rng(4).permutation(len(pictures))[:12].tolist()
        with opened(path) as read:
            assert len(read.video) == len(pictures), path.name
            for index, frame in zip(order, read.video.frames(order), strict=True):
                assert look(frame) == pictures[index][1], (path.name, index)


@pytest.mark.parametrize("bf", ["0", "2"])
@pytest.mark.parametrize("stamped", [(0, 1, 2, 3, 4, 5), (0, 2, 4), (0,)])
def test_pictures_without_a_stamp_stand_between_those_that_have_one(
    tmp_path: Path, stamped: tuple[int, ...], bf: str
) -> None:
    """A transport stream may stamp a picture now and then only."""
    clip = Clip(steady(25, 60), start=Fraction(2), rate=25, options={"preset": "ultrafast", "g": "24", "bf": bf})
    path = render(tmp_path / "clip.ts", clip)
    with opened(without_stamps(path, [n for n in range(60) if n % 24 % 7 not in stamped])) as read:
        assert [read.video.time_of(n) for n in range(len(read.video))] == steady(25, 60)
        assert [read_number(frame.y) for frame in read.video.sequential()] == list(range(60))
        assert [read_number(frame.y) for frame in read.video.frames([40, 3, 59])] == [40, 3, 59]


def test_a_variable_rate_shows_at_each_moment_what_is_on_screen(known: Callable[[str], Known]) -> None:
    film = known("variable rate")
    times = uneven()
    with opened(film.path) as read:
        for moment in np.random.default_rng(2).uniform(0, float(times[-1]), 30):
            [frame] = read.video.at([float(moment)])
            assert frame.index == sum(time <= moment for time in times) - 1
            assert look(frame) == film.pictures[frame.index][1]


def test_a_damaged_picture_is_missing_and_no_other_is_taken_for_it(tmp_path: Path) -> None:
    path = one_damaged(tmp_path / "clip.mp4", Clip(FILM, options=B_FRAMES))
    pictures = dict(every_picture(path))
    with opened(path) as read:
        stamps = read._frames.scan.stamps.tolist()
        missing = [n for n, stamp in enumerate(stamps) if stamp not in pictures]
        assert len(stamps) == len(read.video) == 90 and len(missing) == 1
        assert [frame.index for frame in read.video.sequential()] == [n for n in range(90) if n not in missing]
        with pytest.raises(IndexError, match=rf"frame {missing[0]} cannot be decoded; the file is damaged there"):
            list(read.video.frames(missing))
        after = missing[0] // 15 * 15 + 20
        for frame in read.video.frames([after, 3, 89, 31]):
            assert look(frame) == pictures[stamps[frame.index]]


def test_a_key_frame_that_is_none_is_not_believed(
    known: Callable[[str], Known], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file says that pictures are key frames which are not: an earlier one is taken, at last the start."""
    film = known("film rate")

    def lying(*given: Any) -> delivered_frames.KeyFrames:
        keys = delivered_frames.scan(film.path).keys
        stamps = tuple(sorted(cast(int, stamp) for stamp, _ in film.pictures)[5::10])
        return delivered_frames.KeyFrames(keys.count, tuple(range(5, 90, 10)), stamps, False, stamps)

    monkeypatch.setattr(delivered_frames, "from_header", lying)
    with opened(film.path) as read:
        for frame in read.video.frames([50, 7, 88]):
            assert look(frame) == film.pictures[frame.index][1]


def test_thumbnails_leave_out_what_is_damaged(tmp_path: Path) -> None:
    path = one_damaged(tmp_path / "clip.mp4", Clip(FILM, options=B_FRAMES))
    with opened(path) as read:
        read._frames.key_frame = lambda index: index  # type: ignore[method-assign]
        assert read.video.strip(90).shape == (89, 90, 160, 3)
        assert read.video.poster().shape == (180, 320, 3)


def test_of_large_pictures_few_are_remembered(known: Callable[[str], Known], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_KEPT_PIXELS", 3 * 320 * 180)
    film = known("film rate")
    with opened(film.path) as read:
        for frame in read.video.frames([*range(20), 5, 30, 29]):
            assert look(frame) == film.pictures[frame.index][1]
            assert len(read.video._seeker._kept) <= 3


class CountingReader(delivered_frames.DeliveredReader):
    decoded = 0

    def _decoded(self, packet: Any) -> list[Any]:
        CountingReader.decoded += packet.size > 0
        return super()._decoded(packet)


@pytest.mark.parametrize("name", ["film rate", "variable rate, Matroska", "open GOP, transport stream", "AVI", "MXF"])
def test_little_is_decoded(name: str, known: Callable[[str], Known], monkeypatch: pytest.MonkeyPatch) -> None:
    film = known(name)
    monkeypatch.setattr(delivered_frames, "DeliveredReader", CountingReader)
    with opened(film.path) as read:
        list(read.video.frames([2]))
        monkeypatch.setattr(CountingReader, "decoded", 0)
        list(read.video.frames([84, 85, 86]))
        # one group, or two where the picture leads its key frame, and what the decoder holds back
        assert CountingReader.decoded <= 2 * 15 + 6


def test_four_pictures_from_the_start_read_nothing_else(known: Callable[[str], Known]) -> None:
    path = known("film rate").path
    with opened(path) as read:
        assert [frame.index for frame in read.video.sequential(0, 4)] == [0, 1, 2, 3]
        assert {"scan", "keys"}.isdisjoint(read._frames.__dict__)


def test_beyond_the_end_is_an_error_that_names_the_file(known: Callable[[str], Known]) -> None:
    with opened(known("film rate").path) as read:
        for wrong in (lambda: read.video.sequential(0, 91), lambda: read.video.sequential(5, 91)):
            with pytest.raises(IndexError, match=r"clip\.mp4: frames .* not within \[0, 90\)"):
                list(wrong())
        with pytest.raises(IndexError, match=r"clip\.mp4: frame 90 is not within \[0, 90\)"):
            list(read.video.frames([90]))
        with pytest.raises(IndexError, match=r"clip\.mp4: .* s is not within"):
            read.video.index_at(4.0)


def test_memory_does_not_grow_with_the_film(tmp_path: Path) -> None:
    path = render(tmp_path / "clip.mkv", Clip(steady(25, 600), size=(640, 360), options={**B_FRAMES, "g": "250"}))

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    with opened(path) as read:
        held = []
        for frame in read.video.sequential():
            frame.rgb()
            if frame.index in (200, 599):
                held.append(resident())
    # 400 pictures of 345 kB, and as many of 691 kB as RGB, would be 414 MB
    assert held[1] - held[0] < 30_000_000


@pytest.mark.parametrize(
    "turn", [(90, False, False), (180, False, False), (270, False, False), (0, True, False), (90, True, False)]
)
def test_a_turned_film_is_upright_as_its_standard_encode_is(
    turn: tuple[int, bool, bool], tmp_path: Path, standard: Callable[..., Any]
) -> None:
    path = render(tmp_path / "turned.mp4", Clip(FILM[:7], turn=turn, first_number=0b1101_0010_0110))
    _, media = standard(path)
    x, y, width, height = media.active
    with opened(path) as read:
        upright = read.video.batch([5], size=(width, height))[0]
        assert (read.video.batch([5]).shape[1] > 180) == (turn[0] in (90, 270))
        assert read.video.strip(2, height=80).shape == (2, 80, 45 if turn[0] in (90, 270) else 142, 3)
    known = media.video.batch([5])[0][y : y + height, x : x + width]
    assert np.abs(upright.astype(int) - known).mean() < 6


@pytest.mark.parametrize(
    ("codec", "stored", "suffix"), [("ffv1", "yuv420p10le", ".mkv"), ("rawvideo", "yuyv422", ".avi")]
)
def test_luma_that_is_not_in_a_plane_of_8_bits_is_made_and_no_other_bytes_are_taken_for_it(
    tmp_path: Path, codec: str, stored: str, suffix: str
) -> None:
    clip = Clip(steady(25, 5), codec=codec, options={}, pixel_format=stored)
    with opened(render(tmp_path / f"clip{suffix}", clip)) as read:
        [frame] = read.video.frames([3])
        assert np.abs(frame.gray().astype(int) - numbered(3, clip.size)).max() <= 1
        for plane in ("y", "u", "v"):
            with pytest.raises(ValueError, match=f"frame 3 is stored as {stored}, .* ask gray"):
                getattr(frame, plane)


def test_pixels_of_a_film_stored_as_rgb_are_the_callers_own(tmp_path: Path) -> None:
    clip = Clip(steady(25, 5), codec="qtrle", options={}, pixel_format="rgb24")
    with opened(render(tmp_path / "clip.mov", clip)) as read:
        [frame] = read.video.frames([2])
        before = frame.rgb()
        frame.rgb()[:] = 7
        assert np.array_equal(frame.rgb(), before) and np.array_equal(read.video.batch([2])[0], before)
        assert read_number(before[..., 0]) == 2


def test_a_pixel_that_is_not_square_is_seen_in_thumbnails(tmp_path: Path) -> None:
    path = render(tmp_path / "clip.mp4", Clip(FILM[:5], sample_aspect=Fraction(2)))
    with opened(path) as read:
        assert read.video.batch([0]).shape == (1, 180, 320, 3)
        assert read.video.strip(3).shape == (3, 90, 320, 3)


def test_a_file_elsewhere_is_read_in_ranges(tmp_path: Path) -> None:
    often = {"preset": "ultrafast", "bf": "2", "g": "12"}
    path = render(tmp_path / "clip.mp4", Clip(steady(25, 3000), size=(160, 90), options=often))
    big = tmp_path / "big.mp4"
    pad(path, big, 40_000)
    there = Remote(big)
    order = np.random.default_rng(3).permutation(3000)[:10].tolist()
    with jasper.open(there) as read:
        assert len(read.video) == 3000
        shown = [read_number(frame.y) for frame in read.video.frames(order)]
    assert shown == order
    size = big.stat().st_size
    assert size > 100_000_000 and sum(there.fetched) < size / 6


def pad(source: Path, target: Path, each: int) -> None:
    """The same pictures in packets `each` bytes longer, as of a rich film: filler data that decoders skip."""
    filler = b"\x0c" + b"\xff" * (each - 6) + b"\x80"
    with av.open(str(source)) as given, av.open(str(target), "w") as out:
        stream = given.streams.video[0]
        copy = out.add_stream_from_template(stream)
        for packet in given.demux(stream):
            if packet.size:
                new = av.Packet(bytes(packet) + len(filler).to_bytes(4) + filler)
                new.pts, new.dts, new.duration = packet.pts, packet.dts, packet.duration
                new.time_base, new.is_keyframe, new.stream = packet.time_base, packet.is_keyframe, copy
                out.mux(new)


def test_what_is_no_film_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no film")
    for name, why in (
        ("text.mp4", "no readable film"),
        ("nowhere.mkv", "nothing is at /.*; check the path"),
    ):
        with pytest.raises(MediaRefused, match=why):
            jasper.open(str(tmp_path / name))


SOUND = Clip(steady(25, 100), bursts=[0.5, 1.5, 3.0], options={"preset": "ultrafast", "bf": "2", "g": "25"})


@pytest.fixture(scope="module", params=[".mp4", ".mkv", ".ts", ".avi"])
def heard(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeliveredFilm]:
    late = Fraction(0) if request.param == ".avi" else Fraction(3, 2)
    clip = Clip(SOUND.times, start=late, bursts=SOUND.bursts, options=SOUND.options)
    with opened(render(tmp_path_factory.mktemp("heard") / f"clip{request.param}", clip)) as film:
        yield film


def test_sound_is_on_the_clock_of_the_picture(heard: DeliveredFilm) -> None:
    assert heard.audio is not None
    for rate in (48_000, 16_000, 22_050):
        whole = heard.audio.samples(0, 4, rate)
        assert whole.dtype == np.float32 and whole.shape == (4 * rate,)
        assert np.allclose(onsets(whole, rate), SOUND.bursts, atol=0.03)


@settings(max_examples=15, deadline=None)
@given(st.fractions(-1, 5, max_denominator=1000), st.fractions(0, 2, max_denominator=1000))
def test_any_window_is_that_part_of_the_whole(heard: DeliveredFilm, start: Fraction, length: Fraction) -> None:
    assert heard.audio is not None
    rate = heard.audio.rate
    whole = np.pad(heard.audio.samples(0, 4), (2 * rate, 4 * rate))
    first = round(start * rate)
    window = heard.audio.samples(start, start + length)
    assert window.shape == (round((start + length) * rate) - first,)
    if start + length <= 4:
        # to within a sample, and with the codec's noise of a start in the middle
        shifts = [whole[first + 2 * rate + shift :][: len(window)] for shift in (-1, 0, 1)]
        assert min(float(np.abs(window - shifted).max(initial=0)) for shifted in shifts) < 0.02


@pytest.mark.parametrize("rate", [16_000, 22_050])
def test_a_window_is_right_up_to_its_end(heard: DeliveredFilm, rate: int) -> None:
    """A resampler looks ahead: also where the window ends with a packet, the sound goes on."""
    assert heard.audio is not None
    whole = heard.audio.samples(0, 4, rate)
    for place in range(480, 620):
        window = heard.audio.samples(0, Fraction(place, 1000), rate)
        assert np.abs(window[-20:] - whole[: len(window)][-20:]).max() < 0.001


def test_a_file_without_sound_says_so(known: Callable[[str], Known]) -> None:
    with opened(known("film rate").path) as read:
        assert read.audio is None and len(read.text) == 0 and len(read.images) == 0
