"""Small films that are hard to read exactly, each with what is hard about it as its name."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from mediaml_assets.jasper.delivered.container import decode, opened, use_one_thread
from mediaml_assets.jasper.delivered.probe import choose_video

from ..clips import Clip, render, steady
from ..remux import remux

COUNT = 90
FILM = steady(Fraction(24000, 1001), COUNT)
OPEN_GOP = {"preset": "veryfast", "bf": "3", "g": "15", "x264-params": "open-gop=1:b-pyramid=normal:scenecut=0"}
B_FRAMES = {"preset": "veryfast", "bf": "3", "g": "15", "sc_threshold": "0"}
HIDDEN = {"g": "20", "auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "8"}
PLAIN = {"preset": "ultrafast", "bf": "0", "g": "15"}


def uneven(count: int = COUNT) -> list[Fraction]:
    """Times of a phone: now and then a picture is late, or missing."""
    steps = [Fraction(1 + n % 3 + (n % 17 == 0) * 5, 60) for n in range(count)]
    return [sum(steps[:n], Fraction(0)) for n in range(count)]


def fragmented(path: Path, clip: Clip) -> Path:
    source = render(path.with_name("whole.mp4"), clip)
    with (
        av.open(str(source)) as given,
        av.open(str(path), "w", options={"movflags": "frag_keyframe+empty_moov+default_base_moof"}) as out,
    ):
        copy = out.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.size:
                packet.stream = copy
                out.mux(packet)
    return path


def without_beginning(path: Path, clip: Clip) -> Path:
    """A recording that was switched on between two key frames."""

    def cut(packets: list[Any]) -> None:
        del packets[:20]

    return remux(render(path.with_name("whole.mp4"), clip), path, cut)


def one_damaged(path: Path, clip: Clip) -> Path:
    """A picture that others refer to is noise."""

    def damage(packets: list[Any]) -> None:
        old = packets[40]
        noise = np.random.default_rng(1).integers(0, 256, old.size, np.uint8).tobytes()
        new = av.Packet(bytes(old)[:4] + noise[4:])
        new.pts, new.dts, new.duration, new.time_base, new.stream = (
            old.pts, old.dts, old.duration, old.time_base, old.stream,
        )  # fmt: skip
        packets[40] = new

    return remux(render(path.with_name("whole.mp4"), clip), path, damage)


Make = Callable[[Path, Clip], Path]
HARD: dict[str, tuple[str, Clip, Make]] = {
    "film rate": (".mp4", Clip(FILM, options=B_FRAMES), render),
    "variable rate": (".mp4", Clip(uneven(), options=B_FRAMES), render),
    "variable rate, Matroska": (".mkv", Clip(uneven(), options=B_FRAMES), render),
    "open GOP": (".mp4", Clip(FILM, options=OPEN_GOP), render),
    "open GOP, Matroska": (".mkv", Clip(FILM, options=OPEN_GOP), render),
    "open GOP, transport stream": (".ts", Clip(FILM, options=OPEN_GOP), render),
    "starts late": (".mp4", Clip(FILM, start=Fraction(5, 2), options=B_FRAMES), render),
    "starts late, transport stream": (".ts", Clip(FILM, start=Fraction(5, 2), options=B_FRAMES), render),
    "starts below 0: an edit list cuts": (".mp4", Clip(FILM, start=Fraction(-1), options=OPEN_GOP), render),
    "starts below 0, Matroska": (".mkv", Clip(FILM, start=Fraction(-1), options=B_FRAMES), render),
    "every second a key frame": (".mp4", Clip(FILM, options={**PLAIN, "g": "2"}), render),
    "AVI": (".avi", Clip(steady(25, COUNT), codec="mpeg4", options={"g": "12", "bf": "0"}, ticks=25), render),
    "AVI with B-frames": (".avi", Clip(steady(25, COUNT), options=B_FRAMES), render),
    "MPEG-2 program stream": (
        ".mpg", Clip(steady(25, COUNT), codec="mpeg2video", options={"g": "12", "bf": "2"}, ticks=25), render,
    ),
    "MXF": (
        ".mxf", Clip(steady(25, COUNT), codec="mpeg2video", options={"g": "12", "bf": "2"}, ticks=25), render,
    ),
    "raw H.264": (".h264", Clip(steady(25, COUNT), options=B_FRAMES), render),
    "rotated": (".mp4", Clip(FILM, turn=(90, False, False), options=B_FRAMES), render),
    "fragmented": (".mp4", Clip(FILM, options=B_FRAMES), fragmented),
    "intra refresh": (".ts", Clip(FILM, options={**PLAIN, "x264-params": "intra-refresh=1"}), render),
    "HEVC, open GOP": (
        ".mp4", Clip(FILM, codec="libx265", options={"x265-params": "keyint=15:log-level=none"}), render,
    ),
    "VP8 with hidden pictures": (".webm", Clip(FILM, codec="libvpx", options=HIDDEN), render),
    "VP9 with hidden pictures": (".webm", Clip(FILM, codec="libvpx-vp9", options=HIDDEN), render),
    "begins between key frames": (".ts", Clip(FILM, options=B_FRAMES), without_beginning),
}  # fmt: skip
"""Name -> suffix, what it shows, how it is made."""


def every_picture(path: Path) -> list[tuple[int | None, bytes]]:
    """The plain truth: (stamp, luma) of every picture that decoding from end to end gives, in that order."""
    found = []
    with opened(path) as container:
        stream = choose_video(path, container)
        use_one_thread(stream)
        for packet in container.demux(stream):
            try:
                frames = decode(stream, packet)
            except av.FFmpegError:
                continue
            found += [(frame.pts, frame.to_ndarray(format="gray").tobytes()) for frame in frames]
    return found
