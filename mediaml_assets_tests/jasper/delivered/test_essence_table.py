"""The essence, row by row: which remuxes keep it and which edits do not.

Where a row is not what one might wish, its last words say why it is so.
"""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from benchmarks.hostile.films import Kind
from benchmarks.hostile.films import render as render_kind
from mediaml_assets.jasper.delivered.essence import essence

from ..clips import Clip, render, steady, tone
from ..remux import flip_one_bit, remux, retime

H264 = {"preset": "veryfast", "g": "25"}
NO_B = {**H264, "bf": "0"}
HEVC = {"preset": "ultrafast", "x265-params": "log-level=none:keyint=25:pools=none:frame-threads=1"}
VP9 = {"deadline": "good", "cpu-used": "5", "b": "500k", "auto-alt-ref": "1", "lag-in-frames": "16"}
AV1 = {"preset": "12", "svtav1-params": "lp=1"}


def in_every_order() -> str:
    """Suffixes in which each of the four containers comes after each other one, beginning with mp4."""
    wanted = set(permutations(("mp4", "mov", "mkv", "ts"), 2))
    chain = ["mp4"]
    while wanted:
        after = [b for a, b in sorted(wanted) if a == chain[-1]]
        chain.append(after[0] if after else sorted(wanted)[0][0])
        wanted.discard((chain[-2], chain[-1]))
    return " ".join(chain)


REMUXED = {
    "H.264 with B-frames, AAC with and without ADTS": (Kind("mp4", "libx264", "aac", options=H264), in_every_order()),
    "open GOP": (Kind("mp4", "libx264", "aac", options={**H264, "x264-params": "open-gop=1"}), "mkv ts mov mp4"),
    "H.264, AC-3": (Kind("mp4", "libx264", "ac3", options=H264), "mkv ts mov mp4"),
    "H.264, E-AC-3": (Kind("mp4", "libx264", "eac3", options=H264), "mkv ts mov mp4"),
    "H.264, MP3": (Kind("mp4", "libx264", "libmp3lame", options=H264), "mkv ts mov mp4"),
    "H.264, PCM": (Kind("mov", "libx264", "pcm_s16le", options=H264), "mkv mov"),
    "HEVC, AAC": (Kind("mp4", "libx265", "aac", options=HEVC), "mkv ts mov mp4"),
    "HEVC, AC-3": (Kind("mkv", "libx265", "ac3", options=HEVC), "mp4 ts mov mkv"),
    "MPEG-4, MP3": (Kind("avi", "mpeg4", "libmp3lame"), "mkv mp4 avi"),
    "MPEG-2, MP2": (Kind("ts", "mpeg2video", "mp2", options={"bf": "2"}), "mpg mkv mov ts"),
    "MPEG-2, PCM": (Kind("mxf", "mpeg2video", "pcm_s16le", options={"bf": "2"}), "mov mkv mxf"),
    "ProRes, PCM": (Kind("mov", "prores_ks", "pcm_s16le", pixels="yuv422p10le"), "mkv mov"),
    "FFV1, FLAC": (Kind("mkv", "ffv1", "flac"), "avi mkv"),
    "VP9 with superframes, Opus": (Kind("webm", "libvpx-vp9", "libopus", options=VP9), "mkv mp4 webm mp4 mkv"),
    "AV1, Opus": (Kind("mkv", "libsvtav1", "libopus", options=AV1), "mp4 webm mkv"),
}
"""What a file holds -> how it is rendered, and the containers it then goes through, one after the other."""


@pytest.mark.parametrize("name", REMUXED)
def test_remuxing_keeps_the_essence(name: str, tmp_path: Path) -> None:
    kind, chain = REMUXED[name]
    path = render_kind(tmp_path / f"0.{kind.suffix}", kind, 3)
    first = essence(path)
    assert "damaged" not in first.facts
    for number, suffix in enumerate(chain.split(), 1):
        path = remux(path, tmp_path / f"{number}.{suffix}")
        assert essence(path) == first, f"after {number}: {suffix}"


def test_each_container_comes_after_each_other_one() -> None:
    chain = in_every_order().split()
    assert set(pairwise(chain)) >= set(permutations(("mp4", "mov", "mkv", "ts"), 2))


# ---- one edit a row; each takes the film and a folder, and gives the edited film


def packets_of(kind: str, edit: Callable[[list[Any]], list[Any]]) -> Callable[[list[Any]], None]:
    """A change of the packets of one kind of stream; their times stay where they are in the file."""

    def change(packets: list[Any]) -> None:
        places = [n for n, packet in enumerate(packets) if packet.stream.type == kind]
        old = [packets[n] for n in places]
        stamps = [(p.pts, p.dts, p.duration) for p in old]
        new = edit(old)
        for place, packet, stamp in zip(places, new, stamps, strict=False):
            packet.pts, packet.dts, packet.duration = stamp
            packets[place] = packet
        for place in places[len(new) :][::-1]:
            del packets[place]

    return change


def copied(packet: Any, before: bytes = b"") -> Any:
    again = av.Packet(before + bytes(packet))
    again.time_base, again.stream, again.is_keyframe = packet.time_base, packet.stream, packet.is_keyframe
    return again


def removed(packets: list[Any]) -> list[Any]:
    return packets[:30] + packets[31:]


def repeated(packets: list[Any]) -> list[Any]:
    return [*packets[:31], copied(packets[30]), *packets[31:-1]]


def swapped(packets: list[Any]) -> list[Any]:
    return [*packets[:30], packets[31], packets[30], *packets[32:]]


def loud_swapped(packets: list[Any]) -> list[Any]:
    """One of a burst and one of the silence after it."""
    return [*packets[:24], packets[34], *packets[25:34], packets[24], *packets[35:]]


def dropped(packets: list[Any]) -> None:
    """One picture goes away, with its time."""
    del packets[[n for n, packet in enumerate(packets) if packet.stream.type == "video"][40]]


def shifted(seconds: Fraction) -> Callable[[list[Any]], None]:
    """Everything later by the same."""

    def change(packets: list[Any]) -> None:
        for kind in ("video", "audio"):
            retime(kind, shift=seconds)(packets)

    return change


def claiming(**facts: Any) -> Callable[[Any], None]:
    """What the container says of its video stream."""

    def claim(stream: Any) -> None:
        if stream.type == "video":
            for name, value in facts.items():
                setattr(stream if name == "sample_aspect_ratio" else stream.codec_context, name, value)

    return claim


def turned(stream: Any) -> None:
    if stream.type == "video":
        stream.set_display_rotation(90)


def tagged(tag: str) -> Callable[[Any], None]:
    def claim(stream: Any) -> None:
        if stream.type == "video":
            stream.codec_context.codec_tag = tag

    return claim


def with_parameter_sets_in_band(film: Path, target: Path) -> Path:
    """avc3: the parameter sets stand before every key picture too."""
    with av.open(str(film)) as given:
        sets = parameter_sets(given.streams.video[0].codec_context.extradata)

    def prefixed(packets: list[Any]) -> list[Any]:
        return [copied(packet, sets) if packet.is_keyframe else packet for packet in packets]

    return remux(film, target, packets_of("video", prefixed), claim=tagged("avc3"))


def parameter_sets(record: bytes) -> bytes:
    """Those of an AVC configuration record (ISO/IEC 14496-15, 5.3.3.1), each behind its length in four bytes."""
    assert record[4] & 3 == 3
    found, at = b"", 5
    for _ in range(2):
        count, at = record[at] & 31, at + 1
        for _ in range(count):
            size = int.from_bytes(record[at : at + 2], "big")
            found += size.to_bytes(4, "big") + record[at + 2 : at + 2 + size]
            at += 2 + size
    return found


def with_second_sound(layout: str) -> Callable[[Path, Path], Path]:
    """Another language beside the sound, neither flagged as default."""

    def edit(film: Path, target: Path) -> Path:
        target = target.with_suffix(".mkv")
        with av.open(str(film)) as given, av.open(str(target), "w", options={"default_mode": "passthrough"}) as out:
            copies = {s.index: out.add_stream_from_template(s) for s in given.streams}
            second: Any = out.add_stream("aac", rate=48_000, layout=layout)
            for stream in (*copies.values(), second):
                stream.disposition = av.stream.Disposition(0)
            for packet in given.demux():
                if packet.size:
                    packet.stream = copies[packet.stream.index]
                    out.mux(packet)
            samples = np.repeat(tone(2.0, [0.2]), second.codec_context.channels)[None]
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=layout)
            frame.sample_rate = 48_000
            out.mux(second.encode(frame))
            out.mux(second.encode(None))
        return target

    return edit


def with_subtitles(film: Path, target: Path) -> Path:
    texts, target = target.with_suffix(".srt"), target.with_suffix(".mkv")
    texts.write_text("1\n00:00:00,500 --> 00:00:01,500\nHello\n")
    with av.open(str(film)) as given, av.open(str(texts)) as lines, av.open(str(target), "w") as out:
        copies = {s: out.add_stream_from_template(s) for s in (*given.streams, *lines.streams)}
        for packet in (*lines.demux(), *given.demux()):
            if packet.size:
                packet.stream = copies[packet.stream]
                out.mux(packet)
    return target


def via(*suffixes: str, **options: Any) -> Callable[[Path, Path], Path]:
    """Remuxed with these options into each of the containers, one after the other."""

    def edit(film: Path, target: Path) -> Path:
        for number, suffix in enumerate(suffixes):
            film = remux(film, target.with_name(f"{target.stem}-{number}.{suffix}"), **options)
        return film

    return edit


def cut_short(film: Path, target: Path) -> Path:
    """A copy that broke off: the index at the front says that there is more."""
    whole = remux(film, target.with_stem("whole"), options={"movflags": "+faststart"})
    target.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    return target


EQUAL, OTHER = True, False
FRAGMENTS = {"movflags": "frag_keyframe+delay_moov+default_base_moof"}
NO_EDITS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}

EDITS: dict[str, tuple[Callable[[Path, Path], Path], bool]] = {
    "retagged": (via("mp4", title="A title", comment="and a comment"), EQUAL),
    "index at the front": (via("mp4", options={"movflags": "+faststart"}), EQUAL),
    "fragmented": (via("mp4", options=FRAGMENTS), EQUAL),
    "fragmented, and back": (lambda film, target: remux(via("mp4", options=FRAGMENTS)(film, target), target), EQUAL),
    "fragmented without an edit list: that moves the sound against the pictures": (
        via("mp4", options=NO_EDITS), OTHER),
    "avc3: parameter sets in band": (with_parameter_sets_in_band, EQUAL),
    "everything a second later (an edit list that only shifts)": (
        via("mp4", change=shifted(Fraction(1))), EQUAL),
    "everything a second later, in mkv": (via("mkv", change=shifted(Fraction(1))), EQUAL),
    "everything a second later, in ts": (via("ts", change=shifted(Fraction(1))), EQUAL),
    "a second sound that is not chosen": (with_second_sound("mono"), EQUAL),
    "a second sound that is chosen: more channels": (with_second_sound("5.1"), OTHER),
    "subtitles added": (with_subtitles, EQUAL),
    "sound 1 ms later: within its step of 10 ms": (
        via("mkv", change=retime("audio", shift=Fraction(1, 1000))), EQUAL),
    "sound 100 ms later": (via("mkv", change=retime("audio", shift=Fraction(1, 10))), OTHER),
    "sound 20 ms earlier": (via("mkv", change=retime("audio", shift=Fraction(-1, 50))), OTHER),
    "sound left out": (via("mp4", kinds=("video",)), OTHER),
    "pictures at half the pace": (via("mp4", change=retime("video", scale=Fraction(2))), OTHER),
    "pictures at 1000/1001 of the pace": (via("mp4", change=retime("video", scale=Fraction(1001, 1000))), OTHER),
    "one bit of a picture": (via("mp4", change=flip_one_bit), OTHER),
    "one access unit left out, with its time": (via("mp4", change=dropped), OTHER),
    "one access unit left out, the rest moved up": (via("mp4", change=packets_of("video", removed)), OTHER),
    "one access unit repeated in place of the last": (via("mp4", change=packets_of("video", repeated)), OTHER),
    "two access units swapped": (via("mp4", change=packets_of("video", swapped)), OTHER),
    "one packet of sound left out": (via("mp4", change=packets_of("audio", removed)), OTHER),
    "two packets of sound swapped": (via("mp4", change=packets_of("audio", loud_swapped)), OTHER),
    "an edit list that cuts pictures": (
        via("mp4", change=shifted(Fraction(-2, 5)), options={"use_editlist": "1", "avoid_negative_ts": "disabled"}),
        OTHER),
    "turned by the container": (via("mp4", claim=turned), OTHER),
    "other sample aspect": (via("mp4", claim=claiming(sample_aspect_ratio=Fraction(4, 3))), OTHER),
    "other colour tags": (via("mp4", claim=claiming(color_primaries=9, color_trc=16, colorspace=9)), OTHER),
    "cut short: the file says that there is more": (cut_short, OTHER),
    "cut short, then remuxed: what is left is another film than the whole": (
        lambda film, target: remux(cut_short(film, target), target.with_stem("rest")), OTHER),
}  # fmt: skip
"""What is done -> by what, and whether the essence stays."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """H.264 with B-frames, and AAC."""
    folder = tmp_path_factory.mktemp("table")
    return render(folder / "film.mp4", Clip(steady(Fraction(24000, 1001), 72), bursts=[0.5, 1.5]))


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_changes_the_essence_or_not(name: str, film: Path, tmp_path: Path) -> None:
    edit, stays = EDITS[name]
    edited = edit(film, tmp_path / "edited.mp4")
    assert edited.read_bytes() != film.read_bytes()
    before, after = essence(film), essence(edited)
    assert (before == after) == stays, {key: (before.facts.get(key), after.facts.get(key)) for key in after.facts}
    assert (before.digest == after.digest) == stays


def test_hev1_is_hvc1(tmp_path: Path) -> None:
    first = render(tmp_path / "0.mp4", Clip(steady(25, 30), codec="libx265", options=HEVC))
    marks = {}
    for tag in ("hev1", "hvc1"):
        marks[tag] = remux(first, tmp_path / f"{tag}.mp4", claim=tagged(tag))
        assert tag.encode() in marks[tag].read_bytes()
    assert essence(first) == essence(marks["hev1"]) == essence(marks["hvc1"])


def test_pcm_counts_by_its_samples_and_not_by_packets(tmp_path: Path) -> None:
    first = render_kind(tmp_path / "0.mkv", Kind("mkv", "libx264", "pcm_s16le", options=NO_B), 3)

    def joined(packets: list[Any]) -> None:
        """Two packets of sound in one."""
        places = [n for n, packet in enumerate(packets) if packet.stream.type == "audio"]
        for one, other in list(zip(places[::2], places[1::2], strict=False))[::-1]:
            both = av.Packet(bytes(packets[one]) + bytes(packets[other]))
            both.pts, both.dts, both.time_base = packets[one].pts, packets[one].dts, packets[one].time_base
            both.duration, both.stream = 2 * packets[one].duration, packets[one].stream
            packets[one] = both
            del packets[other]

    def count(path: Path) -> int:
        with av.open(str(path)) as given:
            return sum(1 for packet in given.demux(given.streams.audio[0]) if packet.size)

    second = remux(first, tmp_path / "1.mkv", joined)
    assert count(second) < count(first) * 0.6
    assert essence(second) == essence(first)


@pytest.mark.parametrize(("rate", "stays"), [(25, EQUAL), (24, OTHER), (Fraction(30000, 1001), OTHER)])
def test_a_raw_stream_counts_as_25_pictures_a_second_when_it_says_none(
    rate: Fraction | int, stays: bool, tmp_path: Path
) -> None:
    film = render(tmp_path / "film.mp4", Clip(steady(rate, 60)))
    before, after = essence(film), essence(remux(film, tmp_path / "film.h264"))
    assert before.facts["picture"] == after.facts["picture"]
    assert (before == after) == stays


def test_avi_shows_the_first_picture_longer_to_keep_the_sound(tmp_path: Path) -> None:
    """AVI has no start times: what an encoder's delay moves, its muxer pads, and so it is another film."""
    film = render_kind(tmp_path / "0.mp4", Kind("mp4", "mpeg4", "libmp3lame"), 3)
    before, after = essence(film).facts, essence(remux(film, tmp_path / "1.avi")).facts
    assert [key for key in before if before[key] != after[key]] == ["timing", "sound"]
    assert before["picture"] == after["picture"]


@pytest.mark.parametrize("ticks", [600, 1000, 12_800, 30_000, 90_000])
def test_a_variable_rate_survives_the_rounding_of_matroska_and_mpeg_ts(ticks: int, tmp_path: Path) -> None:
    random = np.random.default_rng(ticks)
    times = [Fraction(int(n), ticks) for n in np.cumsum([0, *random.integers(ticks // 60, ticks // 12, 99)])]
    film = render(tmp_path / "0.mp4", Clip(times, size=(64, 36), options=NO_B))
    assert essence(film).facts["timing"]["rate"] is None
    for suffix in ("mkv", "ts", "mov"):
        assert essence(remux(film, tmp_path / f"1.{suffix}")) == essence(film), suffix
    chain = remux(remux(film, tmp_path / "2.ts"), tmp_path / "3.mkv")
    assert essence(remux(chain, tmp_path / "4.mp4")) == essence(film)
