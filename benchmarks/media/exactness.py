"""Whether every frame of a standard encode is the picture that was on screen, and the frame map says which.

    wrong_frames    frames of standard encodes that show another picture than the one on screen at their time, or that
                    are mapped to another source picture or time; frames that are missing or too many count too
    exact_files     films that were checked, rendered and real
    exact_frames    frames that were checked
    real_refused    real files that were refused, each with its reason in the details

A rendered film's pictures carry their number (`hard_films`). A real film is decoded by bare PyAV, packet by packet: a
frame is right when the picture that it is mapped to has its time and is the one on screen then, and when no other
picture within a second looks more like the frame.
"""

import os
import tempfile
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Measured
from benchmarks.media.hard_films import HardFilm, hard_films
from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.delivered.probe import VideoFacts, probe
from mediaml_assets.jasper.frame_map import FrameMap
from mediaml_assets.jasper.recipe import ML_360P
from mediaml_assets.jasper.standard.standardize import StandardEncode, standardize
from mediaml_assets_tests.jasper.clips import read_number

SHARED = Path(os.environ.get("MEDIAML_SHARED", "../shared")) / "media"
LONGEST_FILM = 5_000_000
"""Bytes of a real film that is still checked: about a minute."""
LOOK = (36, 20)
"""Width and height at which pictures are compared."""
NEARER = 0.7
"""Another picture looks more like a frame when its difference is below this share of the mapped one's, and clearly."""
CLEARLY = 1.5
FAINT = 6.0
"""Standard deviation of luma below which a picture's contrast is not raised: what is left is noise."""

Look = NDArray[np.float32]


@dataclass(frozen=True)
class Outcome:
    """One file: frames checked, how many were wrong, and the first ones in words; a reason where it was refused."""

    name: str
    frames: int
    wrong: int
    words: tuple[str, ...] = ()
    refused: str | None = None


def measure(seed: int, shared: Path = SHARED) -> Measured:
    """The figures, and what was wrong with each file."""
    with tempfile.TemporaryDirectory(prefix="mediaml-bench-") as name:
        folder = Path(name)
        outcomes = [rendered(film, folder) for film in hard_films(seed, folder)]
        outcomes += [real(path, folder) for path in real_films(shared)]
    checked = [one for one in outcomes if one.refused is None]
    return Measured(
        {
            "wrong_frames": sum(one.wrong for one in checked),
            "exact_files": len(checked),
            "exact_frames": sum(one.frames for one in checked),
            "real_refused": len(outcomes) - len(checked),
        },
        details={
            "files": {one.name: one.frames for one in checked},
            "wrong": {one.name: list(one.words) for one in checked if one.wrong},
            "refused": {one.name: one.refused for one in outcomes if one.refused},
        },
    )


def real_films(shared: Path) -> list[Path]:
    """Files made to break readers, and films of up to about a minute; none where the development media are not."""
    nasty = [path for path in sorted((shared / "nasty").glob("*")) if path.suffix != ".md"]
    films = [path for path in sorted((shared / "films").glob("*")) if path.suffix in (".mp4", ".webm")]
    return nasty + [path for path in films if path.stat().st_size <= LONGEST_FILM]


def rendered(film: HardFilm, folder: Path) -> Outcome:
    """Check a film whose numbers are known."""
    encode = _standardized(film.path, folder)
    if isinstance(encode, str):
        return Outcome(film.name, len(film.times), len(film.times), (encode,))
    frame_map = FrameMap.open(encode.frame_map)
    due = _due(film.times, encode)
    wrong = _miscounted(due, encode)
    if film.rate not in (None, encode.rate):
        wrong.append(f"at {encode.rate} frames a second instead of {film.rate}")
    for n, luma in enumerate(_pictures(encode.video)):
        if n >= len(due):
            break
        k, found = due[n], frame_map.at(n)
        shown = _number(luma, encode.active, film.turned)
        if shown != film.numbers[k] or found.frame != k or abs(found.time - film.times[k]) > film.tick:
            wrong.append(
                f"frame {n} shows {shown} for {film.numbers[k]}, is mapped to picture {found.frame} for {k}, "
                f"at {float(found.time):.4f} for {float(film.times[k]):.4f} s"
            )
    return Outcome(film.name, len(due), len(wrong), tuple(wrong[:5]))


def real(path: Path, folder: Path) -> Outcome:
    """Check a film against what bare PyAV decodes."""
    encode = _standardized(path, folder)
    if isinstance(encode, str):
        return Outcome(path.name, 0, 0, refused=encode)
    times, looks, damaged = _decoded(path)
    if len(times) != encode.source_frames:
        words = f"{encode.source_frames} pictures for {len(times)} that PyAV decodes"
        return Outcome(path.name, encode.frame_count, encode.frame_count, (words,))
    frame_map = FrameMap.open(encode.frame_map)
    due = _due(times, encode)
    wrong = _miscounted(due, encode)
    whole = _whole(probe(path).video)
    shown = [_look(_cropped(luma, whole)) for luma in _pictures(encode.video)]
    turn = _best_turn(shown, looks, frame_map)
    for n in range(min(len(due), len(shown))):
        k, found = due[n], frame_map.at(n)
        # what a decoder fills in for damage is not the same twice
        near = k if k in damaged else _nearest(shown[n], looks, found.frame, turn, round(encode.rate))
        if found.frame != k or found.time != times[k] or near != found.frame:
            wrong.append(
                f"frame {n} looks like picture {near}, is mapped to {found.frame} at {float(found.time):.4f} s, where "
                f"{k} is on screen, of {float(times[k]):.4f} s"
            )
    return Outcome(path.name, encode.frame_count, len(wrong), tuple(wrong[:5]))


def _standardized(path: Path, folder: Path) -> StandardEncode | str:
    try:
        return standardize(path, ML_360P, folder)
    except MediaRefused as refused:
        return str(refused)


def _due(times: Sequence[Fraction], encode: StandardEncode) -> list[int]:
    """The picture that is on screen at each frame's time, to half a frame; the first one begins the standard encode."""
    count = round((times[-1] - times[0]) * encode.rate) + 1
    halves = (times[0] + (n + Fraction(1, 2)) / encode.rate for n in range(count))
    return [max(0, bisect_right(times, half) - 1) for half in halves]


def _miscounted(due: list[int], encode: StandardEncode) -> list[str]:
    # a last picture that is held longer than the others has more frames
    excess = encode.frame_count - len(due)
    if excess < -1:
        return [f"{-excess} frames are missing"] * -excess
    due += [due[-1]] * excess
    return []


def _pictures(video: Path) -> Iterator[NDArray[np.uint8]]:
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray()[: frame.height]


def _number(luma: NDArray[np.uint8], active: tuple[int, int, int, int], turned: int) -> int:
    x, y, width, height = active
    return read_number(np.rot90(luma[y : y + height, x : x + width], -turned // 90))


def _decoded(path: Path) -> tuple[list[Fraction], list[Look], set[int]]:
    """The pictures that bare PyAV decodes: seconds from the first shown time stamp on, looks, and which are damaged."""
    stamps: list[int] = []
    own: list[int | None] = []
    looks: list[Look] = []
    corrupt: list[bool] = []
    with av.open(str(path), metadata_errors="ignore") as container:
        stream: Any = container.streams[probe(path).video.index]
        raw = container.format.name in ("h264", "hevc", "mpegvideo")
        rate = stream.codec_context.framerate or stream.average_rate
        base = 1 / Fraction(rate) if raw else stream.time_base
        for packet in container.demux(stream):
            if packet.size and packet.pts is not None and not packet.is_discard:
                stamps.append(packet.pts)
            if packet.size == 0 and packet.dts is not None:
                continue
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue
            for frame in frames:
                own.append(frame.pts)
                corrupt.append(frame.is_corrupt)
                looks.append(_look(frame.reformat(*_small(frame), format="gray").to_ndarray()))
        in_order = container.format.name == "avi"
    first = min(stamps, default=0)
    if raw:
        return [n * base for n in range(len(own))], looks, {k for k, bad in enumerate(corrupt) if bad}
    if in_order:
        rising = [(stamp - first) * base for stamp in sorted(set(stamps))]
        return rising[: len(own)], looks, {k for k, bad in enumerate(corrupt) if bad}
    # what comes out after its time is not shown by any player
    last = np.maximum.accumulate([-(2**62), *(-(2**62) if pts is None else pts for pts in own)])
    shown = [k for k, pts in enumerate(own) if pts is not None and pts > last[k]]
    times = [((own[k] or 0) - first) * base for k in shown]
    return times, [looks[k] for k in shown], {place for place, k in enumerate(shown) if corrupt[k]}


def _small(frame: Any) -> tuple[int, int]:
    # FFmpeg's scaler does the first, large step; the second is the same as the frames' own
    return min(frame.width, 4 * LOOK[0]), min(frame.height, 4 * LOOK[1])


def _look(luma: NDArray[np.uint8]) -> Look:
    """A small picture without its mean and contrast: limited, full and tone-mapped ranges compare."""
    small = cv2.resize(luma, LOOK, interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray((small - small.mean()) * (32 / max(FAINT, float(small.std()))), np.float32)


def _whole(video: VideoFacts) -> Fraction:
    """Width over height of the whole shown picture."""
    shape = Fraction(video.width, video.height) * video.sample_aspect
    return 1 / shape if video.orientation.swaps_sides else shape


def _cropped(luma: NDArray[np.uint8], shape: Fraction) -> NDArray[np.uint8]:
    """The whole picture without the canvas's bars: as wide or high as its shape allows."""
    height, width = luma.shape
    wide, high = min(width, round(height * shape)), min(height, round(width / shape))
    x, y = (width - wide) // 2, (height - high) // 2
    return luma[y : y + high, x : x + wide]


def _turned(look: Look, turn: int) -> Look:
    flipped = look[:, ::-1] if turn >= 4 else look
    upright = np.rot90(flipped, turn % 4)
    return upright if upright.shape == look.shape else cv2.resize(np.ascontiguousarray(upright), LOOK)


def _best_turn(shown: list[Look], looks: list[Look], frame_map: FrameMap) -> int:
    """Which of the eight turns makes the source's pictures most like the frames: the mapping is in question here."""
    frames = range(0, len(shown), max(1, len(shown) // 12))
    pairs = [(shown[n], looks[frame_map.at(n).frame]) for n in frames if n < frame_map.frame_count]
    return min(range(8), key=lambda turn: sum(float(np.abs(a - _turned(b, turn)).mean()) for a, b in pairs))


def _nearest(shown: Look, looks: list[Look], mapped: int, turn: int, around: int) -> int:
    """The picture within `around` that the frame clearly looks like, the mapped one when none looks clearly nearer."""
    window = range(max(0, mapped - around), min(len(looks), mapped + around + 1))
    off = {k: float(np.abs(shown - _turned(looks[k], turn)).mean()) for k in window}
    best = min(off, key=lambda k: off[k])
    return best if off[best] < NEARER * off[mapped] - CLEARLY else mapped
