"""Random access gives exactly the frames that reading from end to end gives, and decodes little for it."""

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets import jasper
from mediaml_assets.jasper.reading import standard_frames
from mediaml_assets.jasper.reading.audio import StandardAudio
from mediaml_assets.jasper.reading.media import Media, MediaFiles
from mediaml_assets.jasper.reading.timeline import ConstantTimes
from mediaml_assets.jasper.reading.video import Video
from mediaml_assets.jasper.recipe import ML_360P
from mediaml_assets.jasper.standard.standardize import standardize
from mediaml_assets.jasper.standard.writer import SoundWriter

from ..clips import Clip, onsets, read_number, render, steady
from ..conftest import EncodeView

COUNT = 100


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Media:
    folder = tmp_path_factory.mktemp("film")
    source = render(folder / "clip.mp4", Clip(steady(Fraction(24000, 1001), COUNT), bursts=[1.0]))
    return Media.from_value(EncodeView("film", standardize(source, ML_360P, folder)))


def shown(media: Media, indices: list[int]) -> list[int]:
    return [read_number(frame.y) for frame in media.video.frames(indices)]


def test_sequential_reads_every_frame_once(film: Media) -> None:
    frames = [(frame.index, read_number(frame.y)) for frame in film.video.sequential()]
    assert frames == [(n, n) for n in range(COUNT)]


@pytest.mark.parametrize(("start", "end"), [(0, 1), (11, 13), (12, 12), (37, 61), (99, 100), (100, 100)])
def test_sequential_reads_any_range(film: Media, start: int, end: int) -> None:
    assert [read_number(frame.y) for frame in film.video.sequential(start, end)] == list(range(start, end))


def test_sequential_outside_is_an_error(film: Media) -> None:
    with pytest.raises(IndexError, match="film"):
        list(film.video.sequential(0, COUNT + 1))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, COUNT - 1), max_size=12))
def test_any_order_is_frame_exact(film: Media, indices: list[int]) -> None:
    assert shown(film, indices) == indices
    assert [frame.index for frame in film.video.frames(indices)] == indices


def test_backwards_and_repeated(film: Media) -> None:
    indices = [*range(40, 20, -1), 7, 7, 7, 99, 0, 99, 98]
    assert shown(film, indices) == indices


def test_an_index_outside_is_an_error(film: Media) -> None:
    for index in (-1, COUNT):
        with pytest.raises(IndexError, match="film"):
            list(film.video.frames([index]))
        with pytest.raises(IndexError, match="film"):
            film.timecode(index)


def test_frames_held_keep_their_picture(film: Media) -> None:
    held = list(film.video.frames(range(0, COUNT, 3)))
    assert [read_number(frame.y) for frame in held] == list(range(0, COUNT, 3))


class CountingDecoder(standard_frames.Decoder):
    decoded = 0

    def frames_from(self, index: int) -> Any:
        for item in super().frames_from(index):
            CountingDecoder.decoded += 1
            yield item


@pytest.mark.parametrize(
    ("indices", "most"),
    [([5, 6, 7, 8], 9), ([60], 1), ([23, 22, 21, 20], 12), ([50, 51, 70, 71], 30), ([3, 50, 3, 50], 20)],
)
def test_little_is_decoded(film: Media, monkeypatch: pytest.MonkeyPatch, indices: list[int], most: int) -> None:
    monkeypatch.setattr(standard_frames, "Decoder", CountingDecoder)
    monkeypatch.setattr(CountingDecoder, "decoded", 0)
    fresh = Media(film.title, film._files, film._facts)
    assert shown(fresh, indices) == indices
    assert CountingDecoder.decoded <= most


def test_planes_are_views_and_colours_are_right(film: Media) -> None:
    frame = next(iter(film.video.frames([0])))
    assert (frame.y.shape, frame.u.shape, frame.v.shape) == ((360, 640), (180, 320), (180, 320))
    assert frame.y.dtype == np.uint8
    assert not frame.y.flags.owndata
    assert frame.gray().tobytes() == frame.y.tobytes()
    rgb = frame.rgb()
    assert rgb.shape == (360, 640, 3)
    grey = (frame.y.astype(float) - 16) * 255 / 219
    assert np.abs(rgb - grey[:, :, None]).max() <= 4


def test_the_tape_is_the_film_made_small(film: Media) -> None:
    tape = film.tape
    assert (tape.y.shape, tape.u.shape, tape.v.shape) == ((COUNT, 36, 64), (COUNT, 18, 32), (COUNT, 18, 32))
    for frame in film.video.frames([0, 50, 99]):
        small = cv2.resize(frame.y, (64, 36), interpolation=cv2.INTER_AREA)
        assert np.abs(small.astype(int) - tape.y[frame.index]).mean() < 1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 70_000), st.integers(0, 70_000))
def test_any_part_of_the_sound_is_exact(film: Media, start: int, end: int) -> None:
    assert film.audio is not None
    whole = film.audio.samples()
    assert whole.size == round(COUNT / film.rate * 16_000) and whole.any()
    end = max(start, end)
    heard = film.audio.samples(Fraction(start, 16_000), Fraction(end, 16_000))
    known = whole[start:end]
    assert np.array_equal(heard, np.pad(known, (0, end - start - len(known))))


def test_timecodes_count_frames(film: Media) -> None:
    assert film.timecode(0) == "00:00:00:00"
    assert film.timecode(99) == "00:00:04:03"
    assert film.source_time(24) == 24 / Fraction(24000, 1001)


def test_an_empty_request_opens_nothing(film: Media) -> None:
    fresh = Media(film.title, MediaFiles(*(Path("nowhere"),) * 4), film._facts)
    assert list(fresh.video.frames([])) == []


def test_only_declared_columns_are_read(film: Media) -> None:
    class Recording(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            assert key in Media.columns
            return super().__getitem__(key)

    class View:
        title = "film"

        def row(self) -> dict[str, Any]:
            return Recording(dict.fromkeys(Media.columns, 1))

        def blob(self, name: str) -> Path:
            assert name in Media.columns
            return Path(name)

    assert Media.from_value(View()).rate == 1


def test_reading_costs_little_more_than_decoding(standard: Callable[..., Any]) -> None:
    import time

    import av

    encode, media = standard(Clip(steady(25, 250)))

    def bare() -> None:
        with av.open(str(encode.video)) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count, stream.codec_context.thread_type = 1, "NONE"
            for _ in container.decode(stream):
                pass

    def read() -> None:
        for frame in media.video.sequential():
            assert frame.y is not None

    def cost(run: Callable[[], None]) -> float:
        start = time.process_time()
        run()
        return time.process_time() - start

    # Each pair is timed side by side, so that a machine busy with something else slows both. 20 us a frame stand
    # beside 1.2 times: on a film this plain a frame takes next to nothing to decode.
    assert min(cost(read) - 1.2 * cost(bare) for _ in range(9)) <= 250 * 20e-6


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, COUNT - 1), min_size=1, max_size=9))
def test_a_batch_is_its_frames_in_the_order_asked_for(film: Media, indices: list[int]) -> None:
    batch = film.video.batch(indices)
    assert batch.shape == (len(indices), 360, 640, 3) and batch.dtype == np.uint8
    assert [read_number(picture[..., 0]) for picture in batch] == indices


@pytest.mark.parametrize(("count", "start", "end", "step"), [(64, 0, None, 1), (7, 3, 24, 1), (5, 10, 100, 9)])
def test_batches_are_all_frames_a_few_at_a_time(
    film: Media, count: int, start: int, end: int | None, step: int
) -> None:
    batches = list(film.video.batches(count, start, end, step, size=(64, 36)))
    wanted = range(start, COUNT if end is None else end, step)
    assert [len(batch) for batch in batches[:-1]] == [count] * (len(batches) - 1)
    assert sum(map(len, batches)) == len(wanted) and all(batch.shape[1:] == (36, 64, 3) for batch in batches)
    shown = [read_number(cv2.resize(picture[..., 0], (640, 360))) for batch in batches for picture in batch]
    assert shown == list(wanted)


def test_a_batch_becomes_a_tensor_without_a_copy(film: Media) -> None:
    batch = film.video.batch([3, 4])
    tensor = jasper.as_torch(batch)
    batch[1, 5, 6] = (1, 2, 3)
    assert tensor.shape == (2, 360, 640, 3) and tensor[1, 5, 6].tolist() == [1, 2, 3]


def test_no_frame_makes_no_batch_and_no_stride_goes_back(film: Media) -> None:
    with pytest.raises(ValueError, match="film: a batch has one frame or more"):
        film.video.batch([])
    with pytest.raises(ValueError, match="every 1, 2"):
        film.video.sequential(step=0)
    with pytest.raises(ValueError, match="film: a batch has one frame or more"):
        film.video.batches(0)
    with pytest.raises(ValueError, match="film: a strip has one picture or more, not 0"):
        film.video.strip(0)


def test_what_was_opened_is_closed(tmp_path: Path) -> None:
    source = render(tmp_path / "clip.mp4", Clip(steady(25, 30), bursts=[0.2]))
    film = Media.from_value(EncodeView("film", standardize(source, ML_360P, tmp_path)))
    with film:
        assert len(list(film.video.at([0.5]))) == 1 and film.source_time(3) == Fraction(3, 25)
        assert film.audio is not None and len(film.audio.samples(0, 1)) and len(film.tape) == 30
    assert str(tmp_path) not in " ".join(os.readlink(one) for one in _descriptors())
    assert film.source_time(3) == Fraction(3, 25)
    film.close()


def _descriptors() -> list[Path]:
    return [one for one in Path("/proc/self/fd").iterdir() if one.is_symlink()]


@pytest.mark.parametrize("rate", [22_050, 8_000])
def test_resampled_sound_stays_within_full_scale(film: Media, tmp_path: Path, rate: int) -> None:
    loud = np.where(np.arange(16_000) // 3 % 2, 32_767, -32_768).astype(np.int16)
    with SoundWriter(tmp_path / "loud.flac", ML_360P) as flac:
        flac.write(loud[:, None])
    sound = StandardAudio("film", tmp_path / "loud.flac", 16_000, Fraction(1)).samples(0, 1, rate)
    assert np.abs(sound).max() == 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, COUNT - 1), st.fractions(0, 1).filter(lambda share: share < 1))
def test_a_frame_is_on_screen_until_the_next(film: Media, index: int, share: Fraction) -> None:
    begin = film.video.time_of(index)
    assert begin == index * Fraction(1001, 24000)
    assert film.video.index_at(begin) == film.video.index_at(float(begin)) == index
    assert film.video.index_at(begin + share * Fraction(1001, 24000)) == index
    assert film.video.times()[index] == pytest.approx(float(begin))


def test_a_time_outside_is_an_error(film: Media) -> None:
    for time in (-0.001, film.video.duration, 10.0):
        with pytest.raises(IndexError, match=r"film: .* s is not within"):
            film.video.index_at(time)


def test_frames_by_time_and_by_shot(film: Media) -> None:
    class Shot:
        start, end = 20, 32

    assert [frame.index for frame in film.video.at([1.0, Fraction(1, 2), 0])] == [23, 11, 0]
    assert [read_number(frame.y) for frame in film.video.clip(Shot)] == list(range(20, 32))
    assert [read_number(frame.y) for frame in film.video.clip(Shot, step=5)] == [20, 25, 30]


def test_the_poster_is_neither_black_nor_blank() -> None:
    shades = [0, 0, 0.1, 0.1, 1, 0.1, 0, 0]
    texture = np.random.default_rng(1).integers(0, 256, (36, 64), np.uint8)
    pictures = [np.asarray(texture * shade, np.uint8) for shade in shades] + [np.full((36, 64), 255, np.uint8)]
    video = Video(FrameSourceOf(pictures), ConstantTimes(Fraction(25), len(pictures)))
    assert np.array_equal(video.poster()[..., 0] > 60, pictures[4] > 60)
    assert video.strip(3).shape == (3, 90, 160, 3) and len(video.strip(50)) == len(pictures)


class FrameSourceOf:
    """Grey pictures in memory as a `FrameSource`, which is its own reader."""

    name = "memory"

    def __init__(self, pictures: list[Any]) -> None:
        self._pictures = pictures

    def __len__(self) -> int:
        return len(self._pictures)

    def reader(self) -> Any:
        return self

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def key_frame(self, index: int) -> int:
        return index

    def frames_from(self, index: int) -> Any:
        for number in range(index, len(self)):
            yield number, av.VideoFrame.from_ndarray(self._pictures[number], format="gray")


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000])
def test_resampled_windows_are_parts_of_the_resampled_whole(film: Media, rate: int) -> None:
    assert film.audio is not None
    whole = film.audio.samples(rate=rate)
    assert whole.shape == (round(COUNT / film.rate * rate),) and onsets(whole, rate) == pytest.approx([1.0], abs=0.02)
    for start, end in ((0.0, 0.5), (0.99, 1.2), (1.0, 3.0), (2.37, 2.4)):
        window = film.audio.samples(start, end, rate)
        first = round(Fraction(start) * rate)
        assert window.shape == (round(Fraction(end) * rate) - first,)
        assert np.allclose(window, whole[first : first + len(window)], atol=1e-5)


def test_silence_is_around_the_sound(film: Media) -> None:
    assert film.audio is not None
    assert not film.audio.samples(-1, 0).any() and not film.audio.samples(100, 101).any()
    around = film.audio.samples(-0.5, 1.5)
    assert around.shape == (32_000,) and np.array_equal(around[8_000:], film.audio.samples(0, 1.5))
    with pytest.raises(ValueError, match="film: no sound lies between"):
        film.audio.samples(2, 1)
