"""Whatever the container, codec and rate: each frame shows the picture that was on screen, and the map says so."""

import os
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mediaml_assets.jasper.quality.thresholds import judge
from mediaml_assets.jasper.timecode import Timecode

from ..clips import Clip, read_number, render, steady

NTSC_FILM, NTSC, NTSC_60 = Fraction(24_000, 1001), Fraction(30_000, 1001), Fraction(60_000, 1001)
X264 = {"preset": "ultrafast", "crf": "12", "g": "25", "bf": "2"}
X265 = {"preset": "ultrafast", "crf": "16", "x265-params": "log-level=none:bframes=2:keyint=24"}
OPEN_264 = {**X264, "x264-params": "open-gop=1:bframes=3:keyint=12:b-pyramid=normal"}
OPEN_265 = {**X265, "x265-params": "log-level=none:bframes=3:keyint=12:open-gop=1"}
VPX = {"deadline": "realtime", "cpu-used": "8", "crf": "10", "b": "2M"}
ALTREF = {"deadline": "good", "cpu-used": "5", "auto-alt-ref": "1", "lag-in-frames": "10", "b": "2M"}
AV1 = {"preset": "8", "crf": "10"}
MPEG2 = {"bf": "2", "g": "12", "b": "5M"}


def made(rate: Fraction | int, codec: str, options: dict[str, str], pixel_format: str = "yuv420p", **more: Any) -> Clip:
    clip = Clip(steady(rate, 40), codec=codec, options=options, pixel_format=pixel_format, rate=rate)
    return replace(clip, **more)


def h264(rate: Fraction | int, **more: Any) -> Clip:
    return made(rate, "libx264", X264, **more)


FORMATS: dict[str, tuple[str, Clip]] = {
    **{f"H.264 in {suffix} at {float(rate):.5g}": (suffix, h264(rate))
       for suffix, rate in [(".mp4", NTSC_FILM), (".mp4", 60), (".mov", 24), (".mov", NTSC), (".mkv", 25), (".mkv", 50),
                            (".mkv", NTSC_60), (".ts", 30), (".ts", NTSC_60), (".avi", 25), (".avi", NTSC),
                            (".mxf", 25), (".mxf", NTSC), (".mp4", 12), (".mp4", 120), (".mkv", 48)]},
    "H.264 in .avi with B pyramid": (".avi", made(24, "libx264", OPEN_264)),
    "H.264 with open GOPs in .mkv": (".mkv", made(25, "libx264", OPEN_264)),
    "H.264 with open GOPs in .ts": (".ts", made(25, "libx264", OPEN_264)),
    "H.264 4:2:2 10 bit": (".mkv", h264(50, pixel_format="yuv422p10le")),
    "H.264 4:4:4, odd size": (".mp4", h264(25, pixel_format="yuv444p", size=(161, 121))),
    "H.264 in fragments": (".mp4", h264(25, container_options={"movflags": "frag_keyframe+empty_moov"})),
    "H.264, no edit list": (".mp4", h264(25, container_options={"use_editlist": "0"})),
    "HEVC in .mp4": (".mp4", made(NTSC_FILM, "libx265", X265)),
    "HEVC in .mkv, 10 bit": (".mkv", made(24, "libx265", X265, "yuv420p10le")),
    "HEVC in .ts": (".ts", made(50, "libx265", X265)),
    "HEVC with open GOPs": (".mov", made(25, "libx265", OPEN_265)),
    "VP8 in .webm": (".webm", made(30, "libvpx", VPX)),
    "VP8 with hidden pictures": (".mkv", made(NTSC_FILM, "libvpx", ALTREF)),
    "VP9 in .webm": (".webm", made(NTSC, "libvpx-vp9", VPX)),
    "VP9 with hidden pictures": (".webm", made(24, "libvpx-vp9", ALTREF)),
    "VP9 in .mp4, odd size": (".mp4", made(50, "libvpx-vp9", VPX, size=(161, 121))),
    "AV1 in .mp4": (".mp4", made(25, "libsvtav1", AV1)),
    "AV1 in .webm": (".webm", made(60, "libsvtav1", AV1)),
    "AV1 in .mkv, 10 bit": (".mkv", made(24, "libsvtav1", AV1, "yuv420p10le")),
    "ProRes in .mov": (".mov", made(NTSC_FILM, "prores_ks", {}, "yuv422p10le")),
    "ProRes 4444 in .mov": (".mov", made(25, "prores_ks", {"profile": "4"}, "yuv444p10le")),
    "ProRes in .mxf": (".mxf", made(25, "prores_ks", {}, "yuv422p10le", size=(320, 192))),
    "MPEG-2 in .mxf": (".mxf", made(25, "mpeg2video", MPEG2)),
    "MPEG-2 4:2:2 in .mxf": (".mxf", made(NTSC, "mpeg2video", {**MPEG2, "b": "20M"}, "yuv422p")),
    "MPEG-2 in .ts": (".ts", made(NTSC, "mpeg2video", MPEG2)),
    "MPEG-2 in .mpg": (".mpg", made(25, "mpeg2video", MPEG2)),
    "MPEG-2 in .mov": (".mov", made(NTSC_60, "mpeg2video", MPEG2)),
    "MPEG-2 in .avi": (".avi", made(25, "mpeg2video", MPEG2)),
    "DV in .avi": (".avi", made(25, "dvvideo", {}, size=(720, 576))),
    "DV in .mov": (".mov", made(25, "dvvideo", {}, size=(720, 576))),
    "DV in .mxf": (".mxf", made(25, "dvvideo", {}, size=(720, 576))),
    "DV of NTSC": (".avi", made(NTSC, "dvvideo", {}, "yuv411p", size=(720, 480))),
    "FFV1 in .mkv": (".mkv", made(NTSC, "ffv1", {}, "yuv444p")),
    "FFV1, odd size": (".mkv", made(25, "ffv1", {}, "yuv444p", size=(161, 121))),
    "FFV1 of RGB": (".mkv", made(24, "ffv1", {}, "bgr0")),
    "FFV1, grey of 10 bit": (".mkv", made(24, "ffv1", {}, "gray10le")),
    "MPEG-4 in .avi with B frames": (".avi", made(25, "mpeg4", {"bf": "2", "b": "5M"})),
    "MJPEG in .avi": (".avi", made(25, "mjpeg", {}, "yuvj420p")),
    "v210 in .mov": (".mov", made(25, "v210", {}, "yuv422p10le")),
    "late start in .mp4": (".mp4", h264(25, start=Fraction(10))),
    "late start in .ts": (".ts", h264(25, start=Fraction(3600))),
    "late start in .mpg": (".mpg", made(25, "mpeg2video", MPEG2, start=Fraction(10))),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_every_frame_is_its_own(standard: Callable[..., Any], name: str) -> None:
    suffix, clip = FORMATS[name]
    encode, media = standard(clip, suffix)
    assert (encode.rate, encode.frame_count, encode.constant) == (clip.rate, 40, True)
    assert [read_number(frame.y, media.active) for frame in media.video.sequential()] == list(range(40))
    assert media.frame_map.source_frame.tolist() == list(range(40))
    for n, time in enumerate(clip.times):
        # a whole tick is the best that a container in milliseconds can say
        assert abs(media.source_time(n) - time) <= Fraction(1, 1000)
    # pictures that count their numbers do flash
    assert [found for found in judge(encode.row()) if found.concern != "flash"] == []


def wild(seed: int, count: int = 45) -> list[Fraction]:
    """Times of pictures that keep no rate, in whole milliseconds."""
    gaps = np.random.default_rng(seed).choice([17, 25, 33, 34, 40, 41, 42, 50, 67, 120, 400], count - 1).tolist()
    return [Fraction(sum(gaps[:n]), 1000) for n in range(count)]


VARIABLE: dict[str, tuple[str, Clip]] = {
    "H.264 in .mp4": (".mp4", Clip(wild(1))),
    "H.264 in .mov, late": (".mov", Clip(wild(2), start=Fraction(7, 2))),
    "H.264 in .mkv": (".mkv", Clip(wild(3))),
    "H.264 in .ts": (".ts", Clip(wild(4))),
    "HEVC in .mp4": (".mp4", Clip(wild(5), codec="libx265", options=X265)),
    "VP9 in .webm": (".webm", Clip(wild(6), codec="libvpx-vp9", options=VPX)),
    "VP8 in .webm": (".webm", Clip(wild(7), codec="libvpx", options=VPX)),
    "FFV1 in .mkv": (".mkv", Clip(wild(8), codec="ffv1", options={})),
}


@pytest.mark.parametrize("name", VARIABLE)
def test_a_variable_rate_shows_what_was_on_screen(standard: Callable[..., Any], name: str) -> None:
    suffix, clip = VARIABLE[name]
    encode, media = standard(clip, suffix)
    assert not encode.constant
    half = Fraction(1, 2) / encode.rate
    due = [max(k for k, time in enumerate(clip.times) if time <= n / encode.rate + half)
           for n in range(encode.frame_count)]  # fmt: skip
    assert [read_number(frame.y, media.active) for frame in media.video.sequential()] == due
    assert media.frame_map.source_frame.tolist() == due
    for k, time in enumerate(clip.times):
        assert abs(media.frame_map.picture(k).time - time) <= Fraction(1, 1000)
        shown = [n for n, number in enumerate(due) if number == k]
        assert media.frame_map.frames_of(k) == ((shown[0], shown[-1] + 1) if shown else None)
    assert clip.times[-1] - half <= (encode.frame_count - 1) / encode.rate <= clip.times[-1] + half


def test_a_frame_has_the_timecode_that_its_file_began_with(standard: Callable[..., Any]) -> None:
    start = Timecode.parse("00:59:59;10", 30)
    _, media = standard(h264(NTSC, tags={"timecode": str(start)}), ".mov")
    assert [media.timecode(n, start) for n in (0, 19, 20, 39)] == [
        "00:59:59;10", "00:59:59;29", "01:00:00;00", "01:00:00;19",
    ]  # fmt: skip
    assert media.timecode(39) == "00:00:01:09"


def test_an_edit_list_cuts_what_players_do_not_show(standard: Callable[..., Any]) -> None:
    """A second before time 0: the muxer writes an edit list that starts behind it."""
    encode, media = standard(h264(25, start=Fraction(-1)))
    assert [read_number(frame.y, media.active) for frame in media.video.sequential()] == list(range(25, 40))
    assert (encode.frame_count, media.source_time(14)) == (15, Fraction(14, 25))


def test_a_clock_that_begins_anew_starts_below_zero(standard: Callable[..., Any]) -> None:
    """MPEG-TS counts in 33 bits: half a second before they run over, the film begins at -0.5 s."""
    copied = {"avoid_negative_ts": "disabled", "mpegts_copyts": "1", "muxdelay": "0", "muxpreload": "0"}
    encode, media = standard(h264(25, start=Fraction(2**33, 90_000) - Fraction(1, 2), container_options=copied), ".ts")
    assert encode.start_pts * encode.time_base < Fraction(-2, 5)
    assert [read_number(frame.y, media.active) for frame in media.video.sequential()] == list(range(40))
    assert (media.source_time(39), judge(encode.row())) == (Fraction(39, 25), [])


FIELDS: dict[str, tuple[str, Clip]] = {
    f"{name}, {fields}": (suffix, Clip(steady(25, 12), size=(720, 576), codec=codec, options=options, rate=25,
                                       pixel_format=pixel_format, fields=fields))
    for fields in ("tff", "bff")
    for name, suffix, codec, pixel_format, options in [
        ("H.264", ".mp4", "libx264", "yuv420p",
         {"preset": "fast", "crf": "10", "flags": "+ildct+ilme", "x264-params": f"{fields}=1"}),
        ("MPEG-2", ".mxf", "mpeg2video", "yuv420p", {"flags": "+ildct+ilme", "b": "15M"}),
        ("ProRes", ".mov", "prores_ks", "yuv422p10le", {"flags": "+ildct"}),
        ("v210, as the container says", ".mov", "v210", "yuv422p10le",
         {"field_order": {"tff": "tt", "bff": "bb"}[fields]}),
    ]
}  # fmt: skip
FIELDS["DV"] = (".avi", Clip(steady(25, 12), size=(720, 576), codec="dvvideo", options={}, rate=25, fields="bff"))
FIELDS["MPEG-2, some whole"] = (".ts", replace(FIELDS["MPEG-2, tff"][1], whole=range(4, 8)))


@pytest.mark.parametrize("name", FIELDS)
def test_of_two_fields_the_first_is_shown_without_combs(standard: Callable[..., Any], name: str) -> None:
    suffix, clip = FIELDS[name]
    steps = replace(clip, first_number=5)
    encode, media = standard(steps, suffix)
    assert encode.frame_count == 12
    frames = list(media.video.sequential())
    assert [read_number(frame.y, media.active) for frame in frames] == [5 + n for n in range(12)]
    x, y, width, height = media.active
    # the last one has no next to tell movement by
    for frame in frames[:-1]:
        lines = frame.y[y : y + height, x : x + width].astype(int)
        assert np.abs(np.diff(lines, axis=0)).mean() < 3, frame.index


def test_rendering_av1_leaves_this_process_as_urgent_as_it_was(tmp_path: Path) -> None:
    before = os.sched_getscheduler(0)
    render(tmp_path / "av1.mkv", made(24, "libsvtav1", AV1))
    assert {os.sched_getscheduler(int(thread.name)) for thread in Path("/proc/self/task").iterdir()} == {before}
