"""Hard films drawn from a seed, each picture carrying its number, with what should be on screen when.

Codec, container and the difficulty are fixed, so that each is there whatever the seed; numbers, lengths, rates, starts,
gaps, group lengths and shapes are drawn.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from mediaml_assets_tests.jasper.clips import Clip, render

RATES = tuple(Fraction(n) for n in (24, 25, 30, 50, 60)) + tuple(Fraction(n * 1000, 1001) for n in (24, 30, 60))
FAST_RATES = tuple(rate for rate in RATES if rate > 40)
Draw = np.random.Generator


@dataclass(frozen=True)
class HardFilm:
    """One film.

    Attributes:
        name: what is hard about it.
        path: the file.
        times: seconds of each picture that a player shows, from the first of them.
        numbers: what each shows.
        rate: pictures a second; None where it varies.
        turned: degrees clockwise by which it is turned when shown.
        tick: how exact its container's time stamps are, in seconds.
    """

    name: str
    path: Path
    times: tuple[Fraction, ...]
    numbers: tuple[int, ...]
    rate: Fraction | None
    turned: int
    tick: Fraction


def hard_films(seed: int, folder: Path) -> Iterator[HardFilm]:
    """Render them one by one into `folder`, the same for the same seed."""
    for place, (name, (suffix, make)) in enumerate(_FILMS.items()):
        draw = np.random.default_rng([seed, place])
        clip = make(draw)
        path = render(folder / f"{place:02}{suffix}", clip)
        # an edit list starts the film at time 0: what the file holds before it is not shown
        shown = [k for k, time in enumerate(clip.times) if clip.start + time >= 0]
        first = clip.times[shown[0]]
        steady = clip.rate is not None and len(clip.times) > 1 and clip.times[1] * clip.rate == 1
        yield HardFilm(
            name,
            path,
            tuple(clip.times[k] - first for k in shown),
            tuple(clip.first_number + k for k in shown),
            Fraction(clip.rate) if steady and clip.rate is not None else None,
            clip.turn[0] % 360 if clip.turn else 0,
            Fraction(1, 1000) if suffix in (".mkv", ".webm") else Fraction(1, 9000),
        )


def _constant(codec: str, options: dict[str, str], rates: tuple[Fraction, ...] = RATES, **more: Any) -> Any:
    def make(draw: Draw) -> Clip:
        rate = rates[draw.integers(len(rates))]
        count = int(draw.integers(40, 90))
        settings = {name: value(draw) if callable(value) else value for name, value in more.items()}
        return Clip(
            [n / rate for n in range(count)], codec=codec, options=_drawn(options, draw), rate=rate,
            first_number=int(draw.integers(0, 3000)), **settings,
        )  # fmt: skip

    return make


def _variable(codec: str, options: dict[str, str], gaps: tuple[int, ...], **more: Any) -> Any:
    def make(draw: Draw) -> Clip:
        steps = draw.choice(gaps, int(draw.integers(40, 80))).tolist()
        times = [Fraction(sum(steps[:n]), 1000) for n in range(len(steps) + 1)]
        settings = {name: value(draw) if callable(value) else value for name, value in more.items()}
        return Clip(times, codec=codec, options=_drawn(options, draw), first_number=int(draw.integers(0, 3000)),
                    **settings)  # fmt: skip

    return make


def _drawn(options: dict[str, str], draw: Draw) -> dict[str, str]:
    return {name: value.format(g=draw.integers(5, 40)) for name, value in options.items()}


def _seconds(low: float, high: float) -> Callable[[Draw], Fraction]:
    return lambda draw: Fraction(round(float(draw.uniform(low, high)) * 90_000), 90_000)


def _before_zero(draw: Draw) -> Fraction:
    return Fraction(-int(draw.integers(3, 25)), 25)


def _size(draw: Draw) -> tuple[int, int]:
    return 2 * int(draw.integers(60, 180)) + 1, 2 * int(draw.integers(60, 120)) + 1


def _aspect(draw: Draw) -> Fraction:
    return Fraction(int(draw.integers(8, 20)), int(draw.integers(8, 20)))


_X264 = {"preset": "veryfast", "crf": "14", "g": "{g}", "bf": "3"}
_OPEN_264 = {**_X264, "x264-params": "open-gop=1:b-pyramid=normal"}
_X265 = {"preset": "ultrafast", "crf": "16", "x265-params": "log-level=none:bframes=3:keyint={g}:open-gop=1"}
_VPX = {"deadline": "good", "cpu-used": "5", "auto-alt-ref": "1", "lag-in-frames": "10", "b": "2M", "g": "{g}"}
_AV1 = {"preset": "8", "crf": "12", "g": "{g}"}
_MPEG2 = {"bf": "2", "g": "{g}", "b": "8M"}
_FIELDS = {"flags": "+ildct+ilme", "b": "15M"}
_TV: dict[str, Any] = {"size": (720, 576), "rates": (Fraction(25),)}
_PHONE = (16, 17, 25, 32, 33, 34, 35, 41, 50, 66, 100, 350)
_SPARSE = (200, 400, 1000, 2100, 40)

_FILMS: dict[str, tuple[str, Callable[[Draw], Clip]]] = {
    "H.264 with B frames in mp4": (".mp4", _constant("libx264", _X264)),
    "H.264 that starts late": (".mp4", _constant("libx264", _X264, start=_seconds(1, 90))),
    "H.264 cut by an edit list": (".mov", _constant("libx264", _X264, (Fraction(25),), start=_before_zero)),
    "H.264 in fragments": (
        ".mp4",
        _constant("libx264", _X264, container_options={"movflags": "frag_keyframe+empty_moov"}),
    ),
    "H.264 with open GOPs in ts": (".ts", _constant("libx264", _OPEN_264, start=_seconds(0, 40_000))),
    "H.264 in avi, stamped in decoding order": (".avi", _constant("libx264", _OPEN_264)),
    "H.264 in MXF without display order": (".mxf", _constant("libx264", _X264)),
    "H.264 at a fast rate in mkv": (".mkv", _constant("libx264", _X264, FAST_RATES)),
    "H.264 turned by a quarter": (".mp4", _constant("libx264", _X264, turn=(270, False, False), size=(320, 240))),
    "H.264 upside down": (".mov", _constant("libx264", _X264, turn=(180, False, False))),
    "H.264 of odd pixels": (".mkv", _constant("libx264", _X264, sample_aspect=_aspect)),
    "H.264 of variable rate": (".mp4", _variable("libx264", _X264, _PHONE)),
    "H.264 of variable rate that starts late": (".mkv", _variable("libx264", _X264, _PHONE, start=_seconds(1, 9))),
    "H.264 with pictures that stand for seconds": (".mp4", _variable("libx264", _X264, _SPARSE)),
    "H.264 of two fields": (
        ".mp4",
        _constant("libx264", {**_FIELDS, "crf": "8", "x264-params": "tff=1"}, fields="tff", **_TV),
    ),
    "HEVC of 10 bit with open GOPs": (".mp4", _constant("libx265", _X265, pixel_format="yuv420p10le")),
    "HEVC of variable rate in ts": (".ts", _variable("libx265", _X265, _PHONE)),
    "VP8 with hidden pictures": (".webm", _constant("libvpx", _VPX)),
    "VP9 of variable rate": (".webm", _variable("libvpx-vp9", _VPX, _PHONE)),
    "VP9 of odd size": (".webm", _constant("libvpx-vp9", _VPX, size=_size)),
    "AV1": (".mp4", _constant("libsvtav1", _AV1)),
    "ProRes": (".mov", _constant("prores_ks", {}, pixel_format="yuv422p10le")),
    "MPEG-2 in MXF": (".mxf", _constant("mpeg2video", _MPEG2, RATES)),
    "MPEG-2 in ts": (".ts", _constant("mpeg2video", _MPEG2, RATES, start=_seconds(0, 9000))),
    "MPEG-2 of two fields, some whole": (
        ".ts",
        _constant("mpeg2video", {**_FIELDS, "bf": "2"}, fields="bff", whole=range(10, 20), **_TV),
    ),
    "DV of two fields": (".avi", _constant("dvvideo", {}, fields="bff", **_TV)),
    "FFV1 of variable rate": (".mkv", _variable("ffv1", {}, _PHONE)),
}  # fmt: skip
