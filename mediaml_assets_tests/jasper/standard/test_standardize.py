"""Every frame of the standard encode shows the right source picture, at the right rate, with the sound in its place."""

import hashlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.limits import Limits
from mediaml_assets.jasper.quality.thresholds import judge
from mediaml_assets.jasper.reading.media import Media
from mediaml_assets.jasper.recipe import ML_360P
from mediaml_assets.jasper.standard.standardize import StandardEncode, standardize

from ..clips import Clip, onsets, read_number, render, steady, without_stamps
from ..conftest import EncodeView

Standard = Callable[..., tuple[StandardEncode, Media]]


def numbers(media: Media) -> list[int]:
    return [read_number(frame.y, media.active) for frame in media.video.sequential()]


@pytest.mark.parametrize(
    "rate", [Fraction(24), Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(50), Fraction(12)]
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_constant_rate_stays_and_every_frame_is_its_own(standard: Standard, rate: Fraction, suffix: str) -> None:
    encode, media = standard(Clip(steady(rate, 60)), suffix)
    assert (encode.rate, encode.frame_count, encode.constant) == (rate, 60, True)
    assert numbers(media) == list(range(60))
    assert media.frame_map.source_frame.tolist() == list(range(60))
    assert abs(media.source_time(59) - 59 / rate) < Fraction(1, 1000)


def test_a_late_start_is_no_frame(standard: Standard) -> None:
    encode, media = standard(Clip(steady(25, 30), start=Fraction(10)), ".mkv")
    assert encode.frame_count == 30
    assert numbers(media) == list(range(30))
    assert media.source_time(0) == 0
    assert abs(encode.start_pts * encode.time_base - 10) < Fraction(1, 10)


def test_a_variable_rate_shows_what_was_on_screen(standard: Standard) -> None:
    gaps = [Fraction(n, 1000) for n in (40, 33, 90, 17, 41, 250, 38, 44, 120, 36, 45, 29, 61, 43, 39)]
    times = [sum(gaps[:n], Fraction(0)) for n in range(len(gaps) + 1)]
    encode, media = standard(Clip(times))
    assert not encode.constant
    assert encode.rate == 24
    shown = numbers(media)
    for n, number in enumerate(shown):
        limit = n / encode.rate + Fraction(1, 2) / encode.rate
        due = max(k for k, time in enumerate(times) if time <= limit)
        assert number == due, n
    assert media.frame_map.source_frame.tolist() == shown


def test_left_out_pictures_are_held(standard: Standard) -> None:
    kept = [n for n in range(50) if n % 7]
    encode, media = standard(Clip([Fraction(n - 1, 25) for n in kept]))
    assert encode.rate == 25
    assert len(numbers(media)) == kept[-1]
    assert media.source_time(6) == Fraction(5, 25)


@pytest.mark.parametrize("stamped", [{0, 1, 3}, {0}])
def test_pictures_without_a_stamp_have_their_place_and_sound_stays_with_them(tmp_path: Path, stamped: set[int]) -> None:
    """A transport stream that starts at 2 s and stamps some pictures of each second, or only the first."""
    clip = Clip(steady(25, 75), start=Fraction(2), rate=25, bursts=[0.5, 1.5])
    path = without_stamps(render(tmp_path / "clip.ts", clip), [n for n in range(75) if n % 25 % 5 not in stamped])
    encode = standardize(path, ML_360P, tmp_path)
    media = Media.from_value(EncodeView("clip", encode))
    assert encode.rate == 25
    assert numbers(media) == list(range(75))
    assert media.audio is not None
    assert onsets(media.audio.samples(0, 3), 16_000) == pytest.approx([0.5, 1.5], abs=0.003)
    assert not any("missing" in note for note in encode.measured.notes)


@pytest.mark.parametrize(
    ("size", "aspect", "active"),
    [
        ((320, 180), Fraction(1), (0, 0, 640, 360)),
        ((320, 240), Fraction(1), (80, 0, 480, 360)),
        ((360, 288), Fraction(16, 15), (80, 0, 480, 360)),
        ((320, 136), Fraction(1), (0, 44, 640, 272)),
        ((162, 122), Fraction(1), (80, 0, 478, 360)),
    ],
)
def test_pixels_become_square(
    standard: Standard, size: tuple[int, int], aspect: Fraction, active: tuple[int, int, int, int]
) -> None:
    encode, media = standard(Clip(steady(25, 10), size=size, sample_aspect=aspect, first_number=0b010110101101))
    assert encode.active == active
    assert numbers(media) == [0b010110101101 + n for n in range(10)]


def test_bars_inside_the_picture_are_found(standard: Standard) -> None:
    encode, media = standard(Clip(steady(25, 80), size=(320, 180), bars=24, first_number=0b010110101101))
    x, y, width, height = encode.active
    assert (x, width) == (0, 640)
    assert abs(y - 48) <= 2
    assert abs(height - 264) <= 4
    assert numbers(media)[:5] == [0b010110101101 + n for n in range(5)]


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("flips", [(False, False), (True, False), (False, True)])
def test_the_picture_is_turned_as_players_turn_it(standard: Standard, degrees: int, flips: tuple[bool, bool]) -> None:
    number = 0b000000000001
    _, media = standard(Clip(steady(25, 6), turn=(degrees, *flips), first_number=number, size=(320, 240)))
    x, y, width, height = media.active
    luma = next(iter(media.video.frames([0]))).y[y : y + height, x : x + width]
    corner = np.array([[1, 0], [0, 0]])
    shown = np.rot90(corner, degrees // 90)
    if flips[0]:
        shown = shown[:, ::-1]
    if flips[1]:
        shown = shown[::-1]
    corners = luma[[10, -10]][:, [10, -10]] > 130
    assert corners.astype(int).tolist() == shown.tolist()
    assert (width < height) == (degrees % 180 == 90)


def test_sound_stands_on_the_clock_of_the_picture(standard: Standard) -> None:
    encode, media = standard(Clip(steady(25, 75), bursts=[0.5, 1.5, 2.5], sound_seconds=3.0))
    sound = media.audio.samples()
    assert sound is not None
    assert len(sound) == 48_000
    assert onsets(sound, 16_000) == pytest.approx([0.5, 1.5, 2.5], abs=0.002)
    assert encode.measured.sound_offset == pytest.approx(0, abs=0.03)
    with av.open(str(encode.video)) as container:
        audio = container.streams.audio[0]
        played = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio)])
    assert onsets(played, 48_000) == pytest.approx([0.5, 1.5, 2.5], abs=0.003)


@pytest.mark.parametrize("late", [0.7, -0.4])
def test_sound_that_starts_elsewhere_is_moved_in_time_not_cut(standard: Standard, late: float) -> None:
    clip = Clip(steady(25, 75), start=Fraction(1), bursts=[0.5, 1.5], sound_start=late, sound_seconds=2.2)
    encode, media = standard(clip, ".mkv")
    sound = media.audio.samples()
    assert sound is not None
    assert onsets(sound, 16_000) == pytest.approx([0.5 + late, 1.5 + late], abs=0.003)
    assert encode.measured.sound_offset == pytest.approx(late, abs=0.03)


def test_a_silent_film_has_no_sound_file(standard: Standard) -> None:
    encode, media = standard(Clip(steady(25, 10)))
    assert encode.sound is None
    row = encode.row()
    assert {row[name] for name in ("sound", "loudness", "silence_share", "sound_offset")} == {None}
    assert set(Media.columns) <= set(row)
    assert media.audio is None
    assert not (encode.video.parent / "sound.flac").exists()


@pytest.mark.parametrize("pixel_format", ["yuv422p", "yuv444p", "yuv420p10le"])
def test_any_pixel_format_is_read(standard: Standard, pixel_format: str) -> None:
    _, media = standard(Clip(steady(25, 8), pixel_format=pixel_format))
    assert numbers(media) == list(range(8))


def test_the_bytes_never_vary(tmp_path: Path) -> None:
    source = render(tmp_path / "clip.mkv", Clip(steady(25, 50), bursts=[0.2, 1.0]))
    seen = set()
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        standardize(source, ML_360P, folder)
        seen.add(tuple((f.name, hashlib.sha256(f.read_bytes()).hexdigest()) for f in sorted(folder.iterdir())))
    assert len(seen) == 1
    assert {name for name, _ in next(iter(seen))} == {
        "frame_map.parquet", "sound.flac", "strip.jpg", "tape.yuv", "video.mp4", "waveform.png",
    }  # fmt: skip


def test_key_frames_stand_at_every_twelfth_frame(standard: Standard) -> None:
    encode, _ = standard(Clip(steady(25, 40)))
    with av.open(str(encode.video)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
    assert [n for n, p in enumerate(packets) if p.is_keyframe] == [0, 12, 24, 36]
    assert all(p.pts == p.dts for p in packets)


def test_progress_rises_to_the_end(tmp_path: Path) -> None:
    told: list[float] = []
    source = render(tmp_path / "clip.mp4", Clip(steady(25, 150)))
    standardize(source, ML_360P, tmp_path, told.append)
    assert told == sorted(told)
    assert 0 <= told[0] < told[-1] <= 1


def test_a_film_cut_short_is_told_apart(tmp_path: Path) -> None:
    whole = render(tmp_path / "whole.mkv", Clip(steady(25, 400)))
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    [found, *_] = judge(standardize(cut, ML_360P, tmp_path).row())
    assert found.verdict == "quarantine"
    assert "cut short" in found.reason


def test_damage_is_skipped_and_counted(tmp_path: Path) -> None:
    source = render(tmp_path / "clip.ts", Clip(steady(25, 300)))
    data = bytearray(source.read_bytes())
    rng = np.random.default_rng(1)
    for at in rng.integers(len(data) // 4, len(data), 60):
        data[at : at + 20] = rng.bytes(20)
    source.write_bytes(data)
    encode = standardize(source, ML_360P, tmp_path)
    assert encode.measured.decodable_share < 1
    assert "decodable" in {found.concern for found in judge(encode.row())}


def test_time_stamps_that_jump_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mediaml_assets.jasper.standard.standardize.LIMITS", Limits(hold_seconds=3))
    source = render(tmp_path / "clip.mkv", Clip([*steady(25, 10), Fraction(10)]))
    with pytest.raises(MediaRefused, match="jump"):
        standardize(source, ML_360P, tmp_path)


def test_a_film_beyond_the_longest_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mediaml_assets.jasper.standard.standardize.LIMITS", Limits(seconds=1))
    source = render(tmp_path / "clip.mkv", Clip(steady(25, 60)))
    with pytest.raises(MediaRefused, match="beyond"):
        standardize(source, ML_360P, tmp_path)


def test_interlaced_pictures_are_made_whole(standard: Standard) -> None:
    options = {"preset": "ultrafast", "crf": "10", "flags": "+ildct+ilme", "x264-params": "tff=1"}
    clip = Clip(steady(25, 20), size=(640, 360), options=options, comb=True)
    _, media = standard(clip)
    for frame in media.video.sequential(2, 18):
        lines = frame.y.astype(int)
        assert np.abs(np.diff(lines, axis=0)).mean() < 12, frame.index


def test_colours_come_out_as_tagged(tmp_path: Path) -> None:
    source = tmp_path / "red.mkv"
    with av.open(str(source), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "5"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = 6, 1
        for n in range(5):
            frame = av.VideoFrame(320, 180, "yuv420p")
            for plane, level in zip(frame.planes, (81, 90, 240), strict=True):  # pure red in BT.601
                plane.update(bytes([level]) * plane.buffer_size)
            frame.pts, frame.time_base = n, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    encode = standardize(source, ML_360P, tmp_path)
    media = Media.from_value(EncodeView("red", encode))
    assert np.abs(next(iter(media.video.frames([2]))).rgb()[100, 100].astype(int) - [255, 0, 0]).max() <= 4


def test_bars_are_seen_when_every_picture_is_held(standard: Standard) -> None:
    times = [Fraction(0), *(Fraction(2 * n + 1, 24) for n in range(40)), Fraction(82, 24), Fraction(83, 24)]
    encode, _ = standard(Clip(times, bars=24, first_number=0b010110101101))
    assert abs(encode.active[1] - 48) <= 2
