"""What a file holds is read exactly, and what is no film is refused with a reason that says what to do."""

import itertools
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.delivered.probe import probe
from mediaml_assets.jasper.limits import Limits

from ..clips import Clip, numbered, picture, render, steady, tone

NTSC = Fraction(30000, 1001)


def test_facts_are_exact(tmp_path: Path) -> None:
    clip = Clip(steady(NTSC, 30), size=(360, 288), sample_aspect=Fraction(16, 15), bursts=[0.2], tags={"title": "Ä b"})
    found = probe(render(tmp_path / "clip.mp4", clip))
    video, audio = found.video, found.audio
    assert found.container.startswith("mov")
    assert (video.codec, video.width, video.height, video.sample_aspect) == ("h264", 360, 288, Fraction(16, 15))
    assert (video.pixel_format, video.field_order, video.interlaced) == ("yuv420p", "progressive", False)
    assert (video.time_base, video.first_pts, video.orientation.rotation) == (Fraction(1, 90_000), 0, 0)
    assert video.nominal_rate == NTSC
    assert audio is not None
    assert (audio.codec, audio.rate, audio.channels, audio.layout) == ("aac", 48_000, 1, "mono")
    assert found.tags["title"] == "Ä b"
    assert (found.audio_streams, found.subtitles, found.timecode) == (1, (), None)


NTSC_60 = 2 * NTSC
MPEG2 = {"b": "5M", "bf": "2"}


@pytest.mark.parametrize(
    ("suffix", "codec", "rate", "label"),
    [
        (".mov", "libx264", Fraction(25), "01:00:00:12"),
        (".mov", "libx264", NTSC, "01:00:00;02"),
        (".mov", "libx264", NTSC, "01:00:00:02"),
        (".mp4", "libx264", NTSC_60, "10:59:59;58"),
        (".mov", "prores_ks", Fraction(24_000, 1001), "23:59:59:23"),
        (".mov", "libx264", Fraction(50), "00:00:01:49"),
        (".mxf", "mpeg2video", NTSC, "01:00:00;02"),
        (".mxf", "mpeg2video", Fraction(25), "09:58:00:00"),
        (".mkv", "libx264", NTSC, "01:00:00;02"),
        (".mkv", "libx264", Fraction(24), "01:00:00:02"),
        (".avi", "dvvideo", Fraction(25), "01:00:00:00"),
    ],
)
def test_timecode_is_read_with_its_rate(tmp_path: Path, suffix: str, codec: str, rate: Fraction, label: str) -> None:
    size, pixel_format = ((720, 576), "yuv420p") if codec == "dvvideo" else ((320, 180), "yuv420p")
    pixel_format = "yuv422p10le" if codec == "prores_ks" else pixel_format
    options = {"libx264": {"preset": "ultrafast"}, "mpeg2video": MPEG2}.get(codec, {})
    clip = Clip(steady(rate, 5), size=size, codec=codec, options=options, pixel_format=pixel_format, rate=rate,
                tags={"timecode": label})  # fmt: skip
    code = probe(render(tmp_path / f"film{suffix}", clip)).timecode
    assert code is not None
    assert (str(code), code.rate, code.drop) == (label, round(rate), ";" in label)


def test_a_timecode_of_pairs_is_told_by_its_track(tmp_path: Path) -> None:
    """50 pictures a second under a track of 25: the track counts frames, and its label alone would not say which."""
    clip = Clip(steady(50, 5), rate=50, tags={"timecode": "01:00:00:12"})
    path = render(tmp_path / "film.mov", clip)
    data = bytearray(path.read_bytes())
    # QuickTime's timecode description: flags, time scale, frame duration (uint32 each), number of frames (uint8)
    described = data.index(b"tmcd", data.index(b"stsd", data.index(b"gmhd"))) + 4 + 12
    _, scale, duration, frames = struct.unpack_from(">IIIB", data, described)
    assert (scale / duration, frames) == (50, 50)
    struct.pack_into(">IIIB", data, described, 0, scale, 2 * duration, 25)
    count = (3600 * 50 + 12).to_bytes(4, "big")
    assert data.count(count) == 1
    path.write_bytes(data.replace(count, (3600 * 25 + 12).to_bytes(4, "big")))
    code = probe(path).timecode
    assert code is not None
    assert (str(code), code.rate) == ("01:00:00:12", 25)


@pytest.mark.parametrize("label", ["noon", "01:00:00:25", "01:00:00;00", "25:00:00:00"])
def test_a_timecode_that_does_not_exist_is_none(tmp_path: Path, label: str) -> None:
    assert probe(render(tmp_path / "film.mkv", Clip(steady(25, 5), tags={"timecode": label}))).timecode is None


def test_the_flagged_stream_wins_then_the_larger(tmp_path: Path) -> None:
    def two_streams(path: Path, default: int | None) -> Path:
        with av.open(str(path), "w") as out:
            sizes = [(160, 90), (320, 180)]
            streams = []
            for n, size in enumerate(sizes):
                stream = out.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
                stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
                stream.disposition = av.stream.Disposition.default if n == default else av.stream.Disposition(0)
                streams.append(stream)
            for n in range(5):
                for stream, size in zip(streams, sizes, strict=True):
                    frame = picture(numbered(n, size), "yuv420p")
                    frame.pts, frame.time_base = n, Fraction(1, 25)
                    out.mux(stream.encode(frame))
            for stream in streams:
                out.mux(stream.encode(None))
        return path

    assert probe(two_streams(tmp_path / "first.mkv", 0)).video.width == 160
    assert probe(two_streams(tmp_path / "none.mkv", None)).video.width == 320


@pytest.mark.parametrize(
    ("flagged", "expected"),
    [(None, ("5.1", 3)), (0, ("mono", 3)), (2, ("stereo", 3))],
    ids=["none flagged: the most channels", "the first flagged", "the last flagged"],
)
def test_of_several_sounds_the_flagged_one_is_read_then_the_widest(
    tmp_path: Path, flagged: int | None, expected: tuple[str, int]
) -> None:
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w") as out:
        video: Any = out.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        sounds: list[Any] = [out.add_stream("aac", rate=48_000, layout=layout) for layout in ("mono", "5.1", "stereo")]
        for n, sound in enumerate(sounds):
            default = av.stream.Disposition.default
            sound.disposition = default if n == flagged else av.stream.Disposition(0)
        frame = picture(numbered(0, (320, 180)), "yuv420p")
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        out.mux(video.encode(frame))
        for sound, n in itertools.product(sounds, range(4)):
            channels = sound.layout.nb_channels
            silence = np.zeros((channels, 1024), np.float32)
            heard = av.AudioFrame.from_ndarray(silence, format="fltp", layout=sound.layout.name)
            heard.sample_rate, heard.pts, heard.time_base = 48_000, 1024 * n, Fraction(1, 48_000)
            out.mux(sound.encode(heard))
        for stream in (video, *sounds):
            out.mux(stream.encode(None))
    found = probe(path)
    assert found.audio is not None
    assert (found.audio.layout, found.audio_streams) == expected


def audio_only(path: Path) -> None:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone(0.2, [0.0])[None], format="s16", layout="mono")
        frame.sample_rate = 48_000
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def truncated(path: Path) -> None:
    whole = render(path.with_name("whole.mp4"), Clip(steady(25, 25)))
    path.write_bytes(whole.read_bytes()[:600])


def playlist(text: str) -> bytes:
    return text.format(target=Path(__file__).resolve()).encode()


REFUSALS = {
    "empty": (b"", "empty"),
    "text": (b"The quick brown fox jumps over the lazy dog. " * 50, "no readable film|not allowed"),
    "zeros": (bytes(5000), "no readable film|not allowed"),
    "hls": (
        playlist("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{target}\n#EXT-X-ENDLIST\n"),
        "no readable film|not allowed",
    ),
    "concat": (playlist("ffconcat version 1.0\nfile '{target}'\n"), "not allowed"),
    "sdp": (
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 5004 RTP/AVP 96\r\n",
        "not allowed|not readable",
    ),
    "dash": (b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="x"></MPD>', "not "),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(200), "not allowed|not readable"),
    "subtitles": (b"1\n00:00:00,000 --> 00:00:01,000\nHello\n\n", "not allowed|not readable"),
}


@pytest.mark.parametrize("name", sorted(REFUSALS))
def test_what_is_no_film_is_refused(tmp_path: Path, name: str) -> None:
    content, reason = REFUSALS[name]
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaRefused, match=reason) as refused:
        probe(path)
    assert "film.mp4" in str(refused.value)
    assert "deliver" in str(refused.value)
    assert str(tmp_path) not in str(refused.value)


def test_audio_only_truncated_and_missing_are_refused(tmp_path: Path) -> None:
    audio_only(tmp_path / "audio.mp4")
    truncated(tmp_path / "cut.mp4")
    for name, reason in [("audio.mp4", "no video stream"), ("cut.mp4", "damaged|truncated"), ("none.mp4", "not a file"),
                         (".", "not a file")]:  # fmt: skip
        with pytest.raises(MediaRefused, match=reason):
            probe(tmp_path / name)


def test_no_permission_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = render(tmp_path / "film.mp4", Clip(steady(25, 5)))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(MediaRefused, match="read permission"):
        probe(path)


def test_a_picture_beyond_the_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = render(tmp_path / "film.mp4", Clip(steady(25, 5)))
    monkeypatch.setattr("mediaml_assets.jasper.delivered.probe.LIMITS", Limits(pixels=320 * 180 - 1))
    with pytest.raises(MediaRefused, match="320x180"):
        probe(path)


def test_an_odd_turn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaRefused, match="upright"):
        probe(render(tmp_path / "film.mp4", Clip(steady(25, 5), turn=(30, False, False))))


@pytest.mark.parametrize(
    "name", ["a film & 'quotes' %03d.mp4", "фильм.mp4", "http:film.mp4", "concat:a|b.mp4", "-i.mp4"]
)
def test_names_are_only_names(tmp_path: Path, name: str) -> None:
    assert probe(render(tmp_path / "film.mp4", Clip(steady(25, 5))).rename(tmp_path / name)).video.width == 320


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts"])
def test_more_streams_than_the_bound_are_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"many.{suffix}"
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 64, 36, "yuv420p"
        sounds = [out.add_stream("aac", rate=48_000, layout="mono") for _ in range(Limits().streams)]
        frame = picture(numbered(1, (64, 36)), "yuv420p")
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        out.mux(video.encode(frame))
        out.mux(video.encode(None))
        for stream in sounds:
            frame = av.AudioFrame.from_ndarray(tone(0.1, [0.0])[None], format="s16", layout="mono")
            frame.sample_rate = 48_000
            out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    with pytest.raises(MediaRefused, match=f"many.{suffix} has more than 64 streams; deliver it with those"):
        probe(path)


def test_tags_are_bounded(tmp_path: Path) -> None:
    tags = {"title": "x" * 50_000, **{f"tag{n}": "y" for n in range(1500)}}
    found = probe(render(tmp_path / "film.mkv", Clip(steady(25, 5), tags=tags))).tags
    assert len(found) <= 1000
    assert len(found["title"]) == 10_000


def test_sound_beyond_the_bounds_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = render(tmp_path / "film.mp4", Clip(steady(25, 25), bursts=[0.2]))
    monkeypatch.setattr("mediaml_assets.jasper.delivered.probe.LIMITS", Limits(sound_rate=44_100))
    found = probe(path)
    assert found.audio is None and found.audio_streams == 1
