"""Films and standard encodes that are not on this machine: the same answers, in ranges, under the same allow-lists."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, cast

import av
import numpy as np
import pytest

from mediaml_assets.errors import InputMoved, MediaRefused
from mediaml_assets.jasper.delivered.essence import essence
from mediaml_assets.jasper.delivered.probe import probe
from mediaml_assets.jasper.reading.media import Media, MediaFiles
from mediaml_assets.jasper.recipe import ML_360P
from mediaml_assets.jasper.standard.standardize import standardize
from mediaml_assets.jasper.standard.writer import SoundWriter
from mediaml_assets.ranged import RangedFile
from mediaml_assets_tests.end_to_end.films import film

from ..clips import Clip, read_number, render, steady
from ..standard.test_nasty_files import nasty


class Remote:
    """A file that is read in ranges, which are counted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self.fetched: list[int] = []

    def open(self) -> BinaryIO:
        return cast(BinaryIO, RangedFile(self.path.stat().st_size, self._fetch, self.name))

    def _fetch(self, start: int, length: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(start)
            self.fetched.append(length)
            return file.read(length)


def remote(media: Media) -> Media:
    """The same title, its files elsewhere."""
    files = media._files
    assert isinstance(files.video, Path) and isinstance(files.sound, Path)
    assert isinstance(files.tape, Path) and isinstance(files.frame_map, Path)
    elsewhere = MediaFiles(Remote(files.video), Remote(files.sound), Remote(files.tape), Remote(files.frame_map))
    return Media(media.title, elsewhere, media._facts)


def test_a_standard_encode_elsewhere_reads_the_same(standard: Callable[..., Any]) -> None:
    _, here = standard(Clip(steady(25, 100), bursts=[1.0]))
    there = remote(here)
    assert [read_number(frame.y) for frame in there.video.frames([70, 3, 99])] == [70, 3, 99]
    assert [frame.rgb().tobytes() for frame in there.video.sequential(10, 40)] == [
        frame.rgb().tobytes() for frame in here.video.sequential(10, 40)
    ]
    assert here.audio is not None and there.audio is not None
    assert np.array_equal(here.audio.samples(), there.audio.samples())
    for plane in ("y", "u", "v"):
        assert np.array_equal(getattr(here.tape, plane), getattr(there.tape, plane))
    assert there.source_time(50) == here.source_time(50)


def test_a_tape_from_elsewhere_leaves_no_file_behind(
    standard: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    tape = remote(standard(Clip(steady(25, 30), bursts=[0.5]))[1]).tape
    assert len(tape) == 30 and tape.y.any() and list(folder.iterdir()) == []


def long_film(encode: Any, path: Path, times: int) -> int:
    """The pictures of a standard encode over and over again, without encoding them again; returns how many."""
    with av.open(str(encode.video)) as source, av.open(str(path), "w", options={"movflags": "+faststart"}) as out:
        video = source.streams.video[0]
        copy = out.add_stream_from_template(video)
        packets = [packet for packet in source.demux(video) if packet.size]
        ticks = round(1 / (encode.rate * video.time_base))
        for turn in range(times):
            for packet in packets:
                again = av.Packet(bytes(packet))
                again.pts = again.dts = packet.pts + turn * len(packets) * ticks
                again.time_base, again.is_keyframe, again.stream = packet.time_base, packet.is_keyframe, copy
                out.mux(again)
    return times * len(packets)


def test_four_frames_of_a_long_film_fetch_little_of_it(standard: Callable[..., Any], tmp_path: Path) -> None:
    encode, here = standard(film(tmp_path / "film.mp4", 1, shots=3))
    video = Remote(tmp_path / "long.mp4")
    count = long_film(encode, video.path, 400)
    media = Media("long", MediaFiles(video, None, video, video), replace(here._facts, frame_count=count))
    wanted = [5, count // 3, count // 2 + 1, count - 2]
    for shown, index in zip(media.video.frames(wanted), wanted, strict=True):
        [true] = here.video.frames([index % here.frame_count])
        assert shown.rgb().tobytes() == true.rgb().tobytes()
    size = video.path.stat().st_size
    # the index of 24,000 frames, and for each frame the blocks that its group of 12 lies in
    assert size > 50_000_000 and sum(video.fetched) < 4_000_000 and len(video.fetched) < 20


def test_a_moment_of_a_long_sound_fetches_little_of_it(standard: Callable[..., Any], tmp_path: Path) -> None:
    _, here = standard(Clip(steady(25, 12), bursts=[0.1]))
    sound = Remote(tmp_path / "long.flac")
    noise = np.random.default_rng(1).normal(0, 3000, 16_000 * 900).astype(np.int16)
    with SoundWriter(sound.path, ML_360P) as writer:
        writer.write(noise[:, None])
    media = Media("long", replace(here._files, sound=sound), here._facts)
    assert media.audio is not None
    heard = media.audio.samples(500.0, 501.5)
    assert np.array_equal(heard, noise[8_000_000:8_024_000].astype(np.float32) / 32768)
    # where to begin is searched for: a few blocks
    assert sound.path.stat().st_size > 20_000_000 and sum(sound.fetched) < 2_000_000


def test_a_delivered_film_elsewhere_has_the_same_essence_and_encode(tmp_path: Path) -> None:
    path = render(tmp_path / "clip.mkv", Clip(steady(Fraction(24000, 1001), 48), bursts=[0.5]))
    there = Remote(path)
    assert probe(there) == probe(path)
    there.fetched.clear()
    assert essence(there) == essence(path)
    folders = [tmp_path / "here", tmp_path / "there"]
    for folder in folders:
        folder.mkdir()
    encodes = [standardize(file, ML_360P, folder) for file, folder in zip((path, there), folders, strict=True)]
    for name in ("video", "sound", "tape", "frame_map"):
        assert getattr(encodes[0], name).read_bytes() == getattr(encodes[1], name).read_bytes()
    assert encodes[0].measured == encodes[1].measured


@pytest.mark.slow
def test_a_nasty_file_elsewhere_gets_the_same_answer(shared: Path) -> None:
    def answer(file: Any) -> Any:
        try:
            return probe(file), essence(file)
        except MediaRefused as refusal:
            return str(refusal)

    for path in nasty(shared):
        assert answer(Remote(path)) == answer(path), path.name


def playlist(folder: Path, target: str) -> Path:
    path = folder / "list.mp4"
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n")
    return path


def concat(folder: Path, target: str) -> Path:
    path = folder / "list.mkv"
    path.write_text(f"ffconcat version 1.0\nfile '{target}'\n")
    return path


@pytest.mark.parametrize("make", [playlist, concat])
def test_a_playlist_elsewhere_reads_no_other_file(tmp_path: Path, make: Callable[[Path, str], Path]) -> None:
    film = render(tmp_path / "film.mp4", Clip(steady(25, 10)))
    listed = make(tmp_path, str(film))
    refusals = []
    for file in (Remote(listed), listed):
        with pytest.raises(MediaRefused) as raised:
            probe(file)
        refusals.append(str(raised.value))
    assert refusals[0] == refusals[1]


def test_a_film_elsewhere_that_points_to_a_second_file_does_not_get_it(tmp_path: Path) -> None:
    """An MP4 may keep its samples in another file, named by a data reference."""
    film = render(tmp_path / "film.mp4", Clip(steady(25, 10)))
    data = bytearray(film.read_bytes())
    at = data.index(b"url \x00\x00\x00\x01")
    # the flag says that the samples are in this very file; without it, they are where the entry says
    data[at + 7] = 0
    (tmp_path / "pointing.mp4").write_bytes(data)
    there = Remote(tmp_path / "pointing.mp4")
    here = probe(tmp_path / "pointing.mp4")
    assert probe(there) == here


def test_an_empty_file_elsewhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").write_bytes(b"")
    with pytest.raises(MediaRefused, match=r"empty\.mp4 is empty; deliver it again"):
        probe(Remote(tmp_path / "empty.mp4"))


class Moving(Remote):
    """Goes away while it is read."""

    after = 0

    def _fetch(self, start: int, length: int) -> bytes:
        if len(self.fetched) >= self.after:
            self.fetched.append(0)
            raise InputMoved(f"{self.name} changed while it was read")
        return super()._fetch(start, length)


@pytest.mark.parametrize("after", [0, 1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_what_goes_wrong_on_the_way_is_no_fault_of_the_film(
    tmp_path: Path, suffix: str, after: int, capfd: pytest.CaptureFixture[str]
) -> None:
    moving = Moving(film(tmp_path / f"clip{suffix}", 1, shots=8))
    moving.after = after
    try:
        essence(moving)
    except InputMoved as moved:
        assert str(moved) == f"clip{suffix} changed while it was read"
    else:
        assert len(moving.fetched) <= after
    assert "exception being dropped" not in capfd.readouterr().err
    # PyAV keeps an exception for the thread: it must not come up in what is read next
    assert probe(moving.path).video.width == 320


def test_a_standard_encode_that_cannot_be_reached_says_so(standard: Callable[..., Any], tmp_path: Path) -> None:
    _, here = standard(film(tmp_path / "film.mp4", 1, shots=8))
    assert isinstance(here._files.video, Path)
    for after in (0, 1):
        video = Moving(here._files.video)
        video.after = after
        media = Media("film", replace(here._files, video=video, sound=video), here._facts)
        with pytest.raises(InputMoved):
            list(media.video.frames([150]))
        with pytest.raises(InputMoved):
            list(media.video.sequential())
