"""From a delivered file to the one derivative that every algorithm reads, in one decoding pass."""

import math
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.delivered.probe import Probe, probe
from mediaml_assets.jasper.delivered.snapshot import chosen_facts
from mediaml_assets.jasper.delivered.source import Picture, Sound, Source, scan
from mediaml_assets.jasper.delivered.timing import StreamTimes, choose_rate
from mediaml_assets.jasper.files import MediaFile
from mediaml_assets.jasper.frame_map import FrameMapWriter
from mediaml_assets.jasper.frame_tape import FrameTape
from mediaml_assets.jasper.limits import LIMITS
from mediaml_assets.jasper.planes import planes_of
from mediaml_assets.jasper.quality.active_picture import ActivePicture, ActiveRange, Box
from mediaml_assets.jasper.quality.combs import EVERY, CombFinder
from mediaml_assets.jasper.quality.levels import SoundLevels
from mediaml_assets.jasper.quality.loudness import LoudnessMeter
from mediaml_assets.jasper.quality.measure import Measured, SoundSeen, measure
from mediaml_assets.jasper.quality.thumbnails import ThumbnailStrip
from mediaml_assets.jasper.recipe import Recipe
from mediaml_assets.jasper.standard.canvas import CanvasFilter
from mediaml_assets.jasper.standard.sound import SoundClock
from mediaml_assets.jasper.standard.tools import tool_versions
from mediaml_assets.jasper.standard.writer import MAP, SOUND, TAPE, VIDEO, PictureWriter, SoundWriter

_HELD_FRAMES = Fraction(5, 2)
_STRIP, _WAVEFORM = "strip.jpg", "waveform.png"


@dataclass(frozen=True)
class StandardEncode:
    """A standard encode and all that is known of how it came about.

    Attributes:
        recipe: what it was made by.
        video: MP4 with the picture and, if there is sound, AAC.
        sound: FLAC, in the recipe's rate and layout, as long as the picture; None without sound.
        tape: frame tape, see `frame_tape`.
        frame_map: frame map, see `frame_map`.
        strip: twelve of its pictures in one JPEG.
        waveform: its sound drawn, a PNG; None without sound.
        rate: frames a second, constant.
        frame_count: number of frames.
        active: x, y, width, height of the active picture on the canvas, without bars, in pixels.
        start_pts: time stamp of the source's first picture.
        time_base: seconds of one tick of the source's time stamps.
        source_frames: pictures of the source that were decoded.
        constant: whether the source keeps the rate; else its pictures were placed on the nearest usual grid.
        active_ranges: the active picture of each part, where it changes; they cover the title.
        measured: the numbers that say how good it is, see `thresholds.judge`.
        probed: what was found in the file, of the streams that were chosen.
    """

    recipe: Recipe
    video: Path
    sound: Path | None
    tape: Path
    frame_map: Path
    strip: Path
    waveform: Path | None
    rate: Fraction
    frame_count: int
    active: Box
    start_pts: int
    time_base: Fraction
    source_frames: int
    constant: bool
    active_ranges: list[ActiveRange]
    measured: Measured
    probed: Probe

    def row(self) -> dict[str, Any]:
        """Plain values by column name, as the feature stores them; what is measured on sound is None without it."""
        x, y, width, height = self.active
        return {
            "recipe": self.recipe.name, "recipe_version": self.recipe.version,
            "video": self.video, "sound": self.sound, "tape": self.tape,
            "frame_map": self.frame_map, "strip": self.strip, "waveform": self.waveform,
            "width": self.recipe.width, "height": self.recipe.height,
            "gop": self.recipe.gop, "sound_rate": self.recipe.sound_rate,
            "frame_count": self.frame_count, "rate_num": self.rate.numerator, "rate_den": self.rate.denominator,
            "active_x": x, "active_y": y, "active_w": width, "active_h": height,
            "start_pts": self.start_pts, "time_base_num": self.time_base.numerator,
            "time_base_den": self.time_base.denominator, "source_frames": self.source_frames,
            "constant_rate": self.constant,
            "active_ranges": [
                {"start": one.start, "end": one.end, **dict(zip("xywh", one.box, strict=True))}
                for one in self.active_ranges
            ],
            **asdict(self.measured),
            "source_facts": chosen_facts(self.probed), "tools": list(tool_versions()),
        }  # fmt: skip


def standardize(
    file: MediaFile, recipe: Recipe, folder: Path, progress: Callable[[float], None] | None = None
) -> StandardEncode:
    """Write the standard encode of the film that `file` is into the existing `folder`.

    Frame n shows the source picture that was on screen at n / rate seconds after the first one, to within half a
    frame; nothing is re-timed. `progress` is called with the share done, in [0, 1].

    Raises:
        MediaRefused: the file is no film, is beyond the bounds, or its time stamps jump.
    """
    probed = probe(file)
    times, first_sound = scan(file, probed)
    rate = choose_rate(times, (probed.video.average_rate, probed.video.nominal_rate))
    source = Source(file, probed, times, rate.value)
    frames = frame_count(file, times, rate.value, source.start_pts)
    frame_map = FrameMapWriter(rate.value, times.time_base, int(times.pts[0]))
    work = _Pass(source, probed, recipe, rate.value, frames, folder, frame_map)
    work.run(lambda done: progress(min(1.0, done / max(1, times.packets))) if progress else None)
    if work.frames == 0:
        raise MediaRefused(f"{file.name} has no picture that can be decoded; deliver it again")
    tape = FrameTape.open(folder / TAPE)
    ranges = work.active.ranges(work.frames, rate.value)
    sound = None
    if probed.audio is not None:
        offset = Fraction(0) if first_sound is None else first_sound - source.start_pts * times.time_base
        sound = SoundSeen(work.levels, work.meter, offset, work.sound_end)
    return StandardEncode(
        recipe=recipe,
        video=folder / VIDEO,
        sound=folder / SOUND if probed.audio else None,
        tape=folder / TAPE,
        frame_map=folder / MAP,
        strip=work.strip.save(folder / _STRIP),
        waveform=work.levels.draw(folder / _WAVEFORM) if probed.audio else None,
        rate=rate.value,
        frame_count=work.frames,
        active=work.active.box(),
        start_pts=source.start_pts,
        time_base=times.time_base,
        source_frames=source.pictures,
        constant=rate.constant,
        active_ranges=ranges,
        measured=measure(probed, times, source, tape, rate, work.combs, len(ranges), sound),
        probed=probed,
    )


class _Pass:
    """The one decoding pass: pictures through the canvas filter onto the constant grid, sound onto its clock."""

    def __init__(
        self, source: Source, probed: Probe, recipe: Recipe, rate: Fraction, frames: int, folder: Path,
        frame_map: FrameMapWriter,
    ) -> None:  # fmt: skip
        self._source, self._recipe, self._rate, self._most = source, recipe, rate, frames
        self._folder, self._has_sound = folder, probed.audio is not None
        self._map = frame_map
        self._filter = CanvasFilter(probed.video, (recipe.width, recipe.height))
        self.active = ActivePicture(self._filter.placement)
        self.combs = CombFinder()
        self.strip = ThumbnailStrip(frames, (recipe.width, recipe.height))
        self.levels, self.meter = SoundLevels(recipe.sound_rate), LoudnessMeter()
        self.sound_end = Fraction(0)
        self.frames = 0
        self._times: dict[int, Picture] = {}
        self._waiting: Any = None

    def run(self, tell: Callable[[int], None]) -> None:
        with ExitStack() as stack:
            self._writer = stack.enter_context(
                PictureWriter(self._folder, self._recipe, self._rate, self._has_sound, self._map)
            )
            clocks = self._clocks(stack) if self._has_sound else []
            for item in self._source:
                if isinstance(item, Sound):
                    self.meter.push(item.frame)
                    self.sound_end = item.start + Fraction(item.frame.samples, item.frame.sample_rate)
                    for clock in clocks:
                        clock.push(item.frame, item.start)
                else:
                    self._take(item)
                    if item.number % 64 == 0:
                        tell(item.number)
            self._show_all(self._filter.flush())
            self._hold_until(self._most)
            for clock in clocks:
                clock.finish()
            self.meter.finish()

    def _clocks(self, stack: ExitStack) -> list[SoundClock]:
        seconds = self._most / self._rate
        flac = stack.enter_context(SoundWriter(self._folder / SOUND, self._recipe))

        def keep(samples: Any) -> None:
            self.levels.push(samples)
            flac.write(samples)

        return [
            SoundClock(self._recipe.sound_rate, self._recipe.sound_layout, seconds, keep),
            SoundClock(self._recipe.play_rate, "stereo", seconds, self._writer.play),
        ]

    def _take(self, picture: Picture) -> None:
        self._times[picture.number] = picture
        if picture.number % EVERY == 0 and not self._filter.deinterlaces(picture.frame):
            self.combs.look(picture.frame)
        self._show_all(self._filter.push(picture.frame, picture.number))

    def _show_all(self, ready: Any) -> None:
        for number, frame in ready:
            picture = self._times.pop(number)
            self._hold_until(_slot(picture.time, self._rate))
            self._map.add(picture.pts, self.frames)
            self._waiting = frame

    def _hold_until(self, slot: int) -> None:
        """Write the waiting picture into every frame before `slot`; it is dropped when there is none."""
        times = min(slot, self._most) - self.frames
        if self._waiting is None or times <= 0:
            return
        frame = self._waiting
        if -self.frames % self._recipe.gop < times:
            self.active.look(planes_of(frame)[0], self.frames)
        self.strip.look(frame, self.frames + times)
        self._writer.write(frame, times)
        self.frames += times


def _slot(time: Fraction, rate: Fraction) -> int:
    """The first frame n for which a picture that starts at `time` is on screen at n / rate, to half a frame."""
    return max(0, math.ceil(time * rate - Fraction(1, 2)))


def frame_count(file: MediaFile, times: StreamTimes, rate: Fraction, start_pts: int) -> int:
    """How many frames a standard encode has, from the time stamps of its picture alone.

    Raises:
        MediaRefused: the time stamps jump, or the film is too long.
    """
    gaps = np.diff(times.pts) * float(times.time_base)
    if len(gaps) and gaps.max() > LIMITS.hold_seconds:
        raise MediaRefused(
            f"{file.name}: the time stamps jump by {gaps.max():.0f} s, more than a held picture; remux it first"
        )
    last = int(times.pts[-1] - start_pts) * times.time_base
    held = times.last_ticks * times.time_base
    # Headers often state a wrong length for every picture: only a last one that is clearly held is believed.
    end = last + (held if _HELD_FRAMES / rate < held <= LIMITS.hold_seconds else 1 / rate)
    if end > LIMITS.seconds:
        raise MediaRefused(f"{file.name} is {float(end) / 3600:.1f} h long, beyond {LIMITS.seconds // 3600} h; cut it")
    return max(_slot(last, rate) + 1, round(end * rate))
