"""Tiny films whose every frame carries its number, so that frame-exactness can be proved and not believed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.media.priority import kept_priority

BITS_DOWN, BITS_ACROSS = 3, 4
DARK, BRIGHT = 60, 200
TICKS = 90_000


@dataclass(frozen=True)
class Clip:
    """What to render: pictures at `times` (seconds from the first), sound as bursts of tone at `bursts` (seconds).

    With `comb` the two fields of every picture are flat and far apart instead. With `rate` the encoder counts in its
    ticks, as MPEG-2, DV and MXF must. `fields` (tff or bff) makes pictures of two moments: number n in the first field,
    n + 1 in the second; those of `whole` stay whole.
    """

    times: Sequence[Fraction]
    size: tuple[int, int] = (320, 180)
    start: Fraction = Fraction(0)
    sample_aspect: Fraction = Fraction(1)
    turn: tuple[int, bool, bool] | None = None
    bursts: Sequence[float] | None = None
    sound_start: float = 0.0
    sound_seconds: float | None = None
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    options: dict[str, str] = field(default_factory=lambda: {"preset": "ultrafast", "crf": "12", "g": "25", "bf": "2"})
    first_number: int = 0
    bars: int = 0
    comb: bool = False
    ticks: int = TICKS
    rate: Fraction | int | None = None
    fields: Literal["tff", "bff"] | None = None
    whole: range = range(0)
    container_options: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


def steady(rate: Fraction | int, count: int) -> list[Fraction]:
    return [Fraction(n) / rate for n in range(count)]


def numbered(number: int, size: tuple[int, int], bars: int = 0) -> NDArray[np.uint8]:
    """Luma of a picture that shows `number` as 3 x 4 dark and bright cells, between black bars above and below."""
    width, height = size
    luma = np.full((height, width), 16, np.uint8)
    picture = luma[bars : height - bars]
    for bit in range(BITS_DOWN * BITS_ACROSS):
        row, column = divmod(bit, BITS_ACROSS)
        ys = slice(row * picture.shape[0] // BITS_DOWN, (row + 1) * picture.shape[0] // BITS_DOWN)
        xs = slice(column * width // BITS_ACROSS, (column + 1) * width // BITS_ACROSS)
        picture[ys, xs] = BRIGHT if number >> bit & 1 else DARK
    return luma


def read_number(luma: NDArray[np.uint8], box: tuple[int, int, int, int] | None = None) -> int:
    """The number that a picture shows inside `box` (x, y, width, height)."""
    x, y, width, height = box or (0, 0, luma.shape[1], luma.shape[0])
    number = 0
    for bit in range(BITS_DOWN * BITS_ACROSS):
        row, column = divmod(bit, BITS_ACROSS)
        cy = y + int((row + 0.5) * height / BITS_DOWN)
        cx = x + int((column + 0.5) * width / BITS_ACROSS)
        cell = luma[max(0, cy - 3) : cy + 4, max(0, cx - 3) : cx + 4].mean()
        number |= int(cell > (DARK + BRIGHT) / 2) << bit
    return number


def picture(luma: NDArray[np.uint8], pixel_format: str) -> Any:
    """A grey PyAV picture of this luma (limited range), of any size."""
    height, width = luma.shape
    grey = np.full((-(-height // 2), -(-width // 2)), 128, np.uint8)
    frame = frame_of("yuv420p", luma, grey, grey)
    return frame if pixel_format == "yuv420p" else frame.reformat(format=pixel_format)


def frame_of(pixel_format: str, *planes: NDArray[Any]) -> Any:
    """A PyAV picture of these planes, whatever its format: uint8 or uint16 [height, width] each."""
    height, width = planes[0].shape
    frame = av.VideoFrame(width, height, pixel_format)
    for plane, values in zip(frame.planes, planes, strict=True):
        rows = np.zeros((plane.height, plane.line_size // values.itemsize), values.dtype)
        rows[:, : values.shape[1]] = values
        plane.update(rows)
    return frame


def render(path: Path, clip: Clip) -> Path:
    """Write `clip` to `path`, in the container that its suffix names."""
    ticks = clip.rate or clip.ticks
    with kept_priority(), av.open(str(path), "w", container_options=clip.container_options) as out:
        out.metadata.update(clip.tags)
        video: Any = out.add_stream(clip.codec, rate=Fraction(clip.rate or 25), options=clip.options)
        video.width, video.height, video.pix_fmt = *clip.size, clip.pixel_format
        if clip.rate is None:
            video.codec_context.time_base = Fraction(1, clip.ticks)
        video.codec_context.sample_aspect_ratio = clip.sample_aspect
        video.codec_context.thread_count = 1
        if clip.turn is not None:
            video.set_display_rotation(clip.turn[0], hflip=clip.turn[1], vflip=clip.turn[2])
        audio = None if clip.bursts is None else out.add_stream("aac", rate=48_000, layout="mono")
        for n, time in enumerate(clip.times):
            frame = _frame(clip, n)
            frame.pts, frame.time_base = round((clip.start + time) * ticks), 1 / Fraction(ticks)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        if audio is not None:
            _sound(out, audio, clip)
    return path


def without_stamps(path: Path, pictures: Collection[int]) -> Path:
    """Take the time stamps of these pictures, as they stand in the file, out of a transport stream's PES headers."""
    data = bytearray(path.read_bytes())
    picture = -1
    for at in range(0, len(data), 188):
        begins, has_field = data[at + 1] & 0x40, data[at + 3] & 0x20
        pes = at + 4 + (1 + data[at + 4] if has_field else 0)
        if begins and data[pes : pes + 3] == b"\0\0\1" and 0xE0 <= data[pes + 3] <= 0xEF:
            picture += 1
            if picture in pictures:
                length = data[pes + 8]
                data[pes + 7] &= 0x3F
                data[pes + 9 : pes + 9 + length] = b"\xff" * length
    path.write_bytes(data)
    return path


def _frame(clip: Clip, n: int) -> Any:
    luma = numbered(clip.first_number + n, clip.size, clip.bars)
    if clip.comb:
        luma[::2], luma[1::2] = 60 + 120 * (n % 2), 180 - 120 * (n % 2)
    if clip.fields is None:
        return picture(luma, clip.pixel_format)
    if n in clip.whole:
        return marked(picture(luma, clip.pixel_format), "prog")
    second = int(clip.fields == "tff")
    luma[second::2] = numbered(clip.first_number + n + 1, clip.size)[second::2]
    return marked(picture(luma, clip.pixel_format), clip.fields)


def marked(frame: Any, fields: str) -> Any:
    """The picture, flagged as two fields (tff, bff) or whole (prog)."""
    graph = av.filter.Graph()
    shape = f"{frame.width}x{frame.height}"
    source = graph.add("buffer", video_size=shape, pix_fmt=frame.format.name, time_base="1/1", pixel_aspect="1/1")
    graph.link_nodes(source, graph.add("setfield", fields), graph.add("buffersink")).configure()
    frame.pts, frame.time_base = 0, Fraction(1)
    graph.push(frame)
    return graph.pull()


def _sound(out: Any, audio: Any, clip: Clip) -> None:
    seconds = clip.sound_seconds or float(clip.times[-1]) + 0.1
    samples = tone(seconds, clip.bursts or ())
    at = round((float(clip.start) + clip.sound_start) * 48_000)
    for begin in range(0, len(samples), 1024):
        frame = av.AudioFrame.from_ndarray(samples[None, begin : begin + 1024], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, at + begin, Fraction(1, 48_000)
        out.mux(audio.encode(frame))
    out.mux(audio.encode(None))


def tone(seconds: float, bursts: Sequence[float]) -> NDArray[np.int16]:
    """Silence with a loud 1 kHz tone of 50 ms at each of `bursts`, at 48 kHz."""
    samples = np.zeros(round(seconds * 48_000), np.int16)
    for start in bursts:
        at = round(start * 48_000)
        length = min(2400, len(samples) - at)
        samples[at : at + length] = (16_000 * np.sin(2 * np.pi * np.arange(length) / 48)).astype(np.int16)
    return samples


def onsets(sound: NDArray[np.floating[Any]], rate: int) -> list[float]:
    """Where bursts of tone start, in seconds."""
    loud = np.abs(sound) > 0.1
    found: list[float] = []
    for at in np.flatnonzero(loud):
        if not found or at / rate - found[-1] > 0.1:
            found.append(at / rate)
    return found
