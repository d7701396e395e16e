"""Subtitle streams in films: rendered in every container that takes text, and real ones."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.texts.embedded import embedded_subtitles
from mediaml_assets_tests.jasper.clips import Clip, render, steady

HEADER = b"[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name\nStyle: Default\n\n[Events]\n"


def with_subtitles(
    path: Path, clip: Path, streams: Sequence[tuple[str, str, Sequence[tuple[int, int, bytes]]]]
) -> Path:
    """The clip with subtitle streams of (codec, language, packets), in ms of the container's clock."""
    with av.open(str(clip)) as source, av.open(str(path), "w") as out:
        picture = out.add_stream_from_template(source.streams.video[0])
        added: list[Any] = []
        for codec, language, _ in streams:
            stream: Any = out.add_stream(codec)
            stream.codec_context.subtitle_header = HEADER
            stream.metadata["language"] = language
            added.append(stream)
        out.start_encoding()
        for stream, (_, _, packets) in zip(added, streams, strict=True):
            for start, end, data in packets:
                packet = av.Packet(data)
                packet.stream, packet.time_base = stream, Fraction(1, 1000)
                packet.pts = packet.dts = start
                packet.duration = end - start
                out.mux(packet)
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = picture
                out.mux(packet)
    return path


def film(folder: Path, start: Fraction = Fraction(0)) -> Path:
    """Two seconds of pictures, stored in the order they are shown."""
    options = {"preset": "ultrafast", "crf": "12", "g": "25", "bf": "0"}
    return render(folder / "clip.mp4", Clip(steady(25, 50), start=start, options=options))


def mov_text(text: str) -> bytes:
    return len(text.encode()).to_bytes(2, "big") + text.encode()


@pytest.mark.parametrize("start", [0, Fraction(7, 5)])
@pytest.mark.parametrize("codec", ["ass", "subrip", "webvtt", "mov_text"])
def test_text_streams_are_timed_from_the_first_picture(tmp_path: Path, codec: str, start: Fraction) -> None:
    suffix = ".mp4" if codec == "mov_text" else ".mkv"
    clip = film(tmp_path, Fraction(start))
    said = {
        "ass": [rb"0,0,Default,Anna,0,0,0,,{\i1}Hello{\i0}\Nthere", b"1,0,Default,,0,0,0,,You & me"],
        "subrip": [b"<i>Hello</i>\nthere", b"You & me"],
        "webvtt": [b"<i>Hello</i>\nthere", b"You &amp; me"],
        "mov_text": [mov_text("Hello\nthere"), mov_text("You & me")],
    }[codec]
    with av.open(str(clip)) as container:
        offset = round(1000 * next(container.decode(video=0)).time)
    packets = [(a + offset, b + offset, data) for (a, b), data in zip(((500, 1000), (1200, 1500)), said, strict=True)]
    path = with_subtitles(tmp_path / f"film{suffix}", clip, [(codec, "ger", packets)])
    [found] = embedded_subtitles(path)
    assert (found.codec, found.language, found.refused) == (codec, "de", "")
    assert found.subtitles is not None
    one, two = found.subtitles.cues
    near = Fraction(1, 1000)
    for cue, (begins, ends) in ((one, (Fraction(1, 2), Fraction(1))), (two, (Fraction(6, 5), Fraction(3, 2)))):
        assert abs(cue.start - begins) <= near and abs(cue.end - ends) <= near
    assert (one.text, two.text) == ("Hello\nthere", "You & me")
    assert one.markup == ("" if codec == "mov_text" else "<i>Hello</i>\nthere")
    assert one.speaker == ("Anna" if codec == "ass" else None)


def test_several_streams_and_none(tmp_path: Path) -> None:
    clip = film(tmp_path)
    assert embedded_subtitles(clip) == ()
    streams = [("subrip", "eng", [(0, 400, b"one")]), ("ass", "und", [(0, 400, b"0,0,Default,,0,0,0,,two")])]
    found = embedded_subtitles(with_subtitles(tmp_path / "film.mkv", clip, streams))
    assert [(one.stream, one.language) for one in found] == [(1, "en"), (2, None)]
    assert [one.subtitles and one.subtitles.cues[0].text for one in found] == ["one", "two"]


def test_a_cue_without_a_duration_lasts_until_the_next(tmp_path: Path) -> None:
    clip = film(tmp_path)
    packets = [(100, 100, b"one"), (700, 700, b"two"), (900, 900, b"never")]
    [found] = embedded_subtitles(with_subtitles(tmp_path / "film.mkv", clip, [("subrip", "eng", packets)]))
    assert found.subtitles is not None
    assert [(cue.text, cue.start, cue.end) for cue in found.subtitles.cues] == [
        ("one", Fraction(1, 10), Fraction(7, 10)),
        ("two", Fraction(7, 10), Fraction(9, 10)),
    ]
    assert found.subtitles.dropped == 1


def test_pictures_of_text_are_noted_as_no_text(tmp_path: Path) -> None:
    clip = film(tmp_path)
    path = tmp_path / "film.mkv"
    bitmap = bytes([0, 4, 0, 4])
    [found] = embedded_subtitles(with_subtitles(path, clip, [("dvdsub", "eng", [(0, 400, bitmap)])]))
    assert found.subtitles is None and "pictures of text" in found.refused and found.codec == "dvd_subtitle"


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("subtitles-in-container__1306a4", {2: [(523, 1016, "oop"), (1523, 1916, "boop")]}),
        (
            "subtitles-in-container__8cd2a2",
            {
                # the picture begins at 21 ms, and so do its subtitles
                2: [(1000, 3500, "Hello world!"), (5000, 7000, "This is a test."), (8500, 10000, "Goodbye!")],
                3: [(1000, 3500, "Hello world!"), (5000, 7000, "This is a test."), (8500, 10000, "Goodbye!")],
            },
        ),
    ],
)
def test_real_files(shared: Path, start: str, expected: dict[int, list[tuple[int, int, str]]]) -> None:
    [path] = (shared / "media" / "nasty").glob(f"{start}*")
    found = {
        one.stream: [(cue.start * 1000, cue.end * 1000, cue.text) for cue in one.subtitles.cues]
        for one in embedded_subtitles(path)
        if one.subtitles is not None
    }
    assert found == expected


def test_what_is_no_film_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("Dear all")
    with pytest.raises(MediaRefused):
        embedded_subtitles(tmp_path / "a.mp4")
