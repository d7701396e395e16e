"""What a file holds is read exactly, and what is no film is refused with a reason that says what to do."""

from fractions import Fraction
from pathlib import Path

import av
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


def test_timecode_is_read_and_checked(tmp_path: Path) -> None:
    good = render(tmp_path / "good.mov", Clip(steady(25, 5), tags={"timecode": "01:00:00:12"}))
    bad = render(tmp_path / "bad.mkv", Clip(steady(25, 5), tags={"timecode": "noon"}))
    assert probe(good).timecode == "01:00:00:12"
    assert probe(bad).timecode is None


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
