"""What a frame tape says of every frame: how much it changed, how dark and flat it is, whether a dissolve passes it.

The tape is 64x36 luma and 32x18 chroma of every frame (uint8, limited range: black is 16). Letterbox bars are cut away
first, so that they do not dilute differences. Each signal looks at a bounded neighbourhood and is computed in blocks
with a halo: memory stays bounded whatever the film's length, and the result does not depend on the block's size.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Planes = npt.NDArray[np.uint8]
Signal = npt.NDArray[np.float32]
Frames = npt.NDArray[np.intp]

BLOCK = 2048  # frames worked on at once
CELL = 20  # canvas pixels of a chroma cell of the tape, two luma cells

HALVES = (4, 6, 8, 12, 16, 24)  # half lengths of the dissolves looked for, in frames
HALO = 2 * max(HALVES)  # frames either side that a signal may look at
ENDS_DIFFER = 11.0  # least luma difference between a dissolve's ends, their means apart, in 8-bit levels
MIDDLE_RESIDUAL = 0.13  # largest departure of the middle frame from the mean of the ends, as a share of that difference
QUARTER_RESIDUAL = 0.3  # and of the frames half-way to the ends from their mixes
ENDS_SPREAD = 6.0  # a flat end is a fade's: both ends' luma deviates more
ENDS_CORRELATE = 0.5  # a pan's or an exposure ramp's ends look alike: a dissolve's correlate less than this
SIDE_RATIO = 3.0  # the ends differ this many times more than the calmer side moves in the same time


class Tape(Protocol):
    """A frame tape: every frame of a title, reduced by area averaging."""

    @property
    def y(self) -> Planes:
        """Luma, uint8 [n, 36, 64]."""

    @property
    def u(self) -> Planes:
        """Blue difference, uint8 [n, 18, 32]."""

    @property
    def v(self) -> Planes:
        """Red difference, uint8 [n, 18, 32]."""


@dataclass(frozen=True)
class ActiveTape:
    """A tape without its letterbox bars: uint8 planes [n, h, w] of the cells that lie wholly in the active picture."""

    y: Planes
    u: Planes
    v: Planes

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.y)

    def difference(self, a: Frames, b: Frames) -> Signal:
        """Mean absolute difference of frames `a` and `b`, luma + both chroma: float32 [len(a)] in [0, 765]."""
        total = np.zeros(len(a), np.float32)
        for plane in (self.y, self.u, self.v):
            gap = plane[a].astype(np.int16) - plane[b]
            total += np.abs(gap).mean(axis=(1, 2), dtype=np.float32)
        return total


@dataclass(frozen=True)
class Signals:
    """One number a frame, each [n].

    `step` is the difference to the frame before (0 for the first), `mean` and `spread` are of the luma, `dissolve` is
    how well the frame stands in the middle of a dissolve (0: not at all), `half` the half length that fits best, in
    frames.
    """

    step: Signal
    mean: Signal
    spread: Signal
    dissolve: Signal
    half: npt.NDArray[np.int32]


def active_tape(tape: Tape, active: tuple[int, int, int, int]) -> ActiveTape:
    """Cut the bars off: `active` is (x, y, width, height) of the picture on the 640x360 canvas."""
    left, top, width, height = active
    rows = slice(-(-top // CELL), (top + height) // CELL)
    columns = slice(-(-left // CELL), (left + width) // CELL)
    if rows.stop - rows.start < 4 or columns.stop - columns.start < 4:
        return ActiveTape(tape.y, tape.u, tape.v)
    double_rows, double_columns = (slice(2 * s.start, 2 * s.stop) for s in (rows, columns))
    return ActiveTape(tape.y[:, double_rows, double_columns], tape.u[:, rows, columns], tape.v[:, rows, columns])


def signals(tape: ActiveTape, block: int = BLOCK) -> Signals:
    """Measure every frame of `tape`, `block` frames at a time. The result does not depend on `block`."""
    n = len(tape)
    step, mean, spread, dissolve = np.zeros((4, n), np.float32)
    found = Signals(step, mean, spread, dissolve, np.zeros(n, np.int32))
    for start in range(0, n, block):
        end = min(start + block, n)
        frames = np.arange(start, end)
        later = frames[frames > 0]
        found.step[later] = tape.difference(later - 1, later)
        found.mean[start:end] = tape.y[start:end].mean(axis=(1, 2), dtype=np.float32)
        found.spread[start:end] = tape.y[start:end].std(axis=(1, 2), dtype=np.float32)
        found.dissolve[start:end], found.half[start:end] = _dissolves(tape.y, start, end)
    return found


def _dissolves(luma: Planes, start: int, end: int) -> tuple[Signal, npt.NDArray[np.int32]]:
    """Best dissolve score and its half length for frames [start, end)."""
    low, high = max(start - HALO, 0), min(end + HALO, len(luma))
    halved = luma[low:high].astype(np.float32)
    small: Signal = halved.reshape(len(halved), halved.shape[1] // 2, 2, -1, 2).mean(axis=(2, 4))
    small -= small.mean(axis=(1, 2), keepdims=True)  # a ramp of light alone must not look like a dissolve
    score, half = np.zeros(end - start, np.float32), np.zeros(end - start, np.int32)
    for length in HALVES:
        frames = np.arange(max(start, length), min(end, len(luma) - length))
        if len(frames) == 0:
            continue
        fitting, fit = _linear_mixes(small, frames - low, length)
        place = fitting + low - start
        better = fit > score[place]
        score[place[better]], half[place[better]] = fit[better], length
    return score, half


def _linear_mixes(small: Signal, frames: Frames, length: int) -> tuple[Frames, Signal]:
    """Those of `frames` that are the middle of a dissolve of 2 x `length` frames, and how well."""
    ends = _gap(small[frames + length], small[frames - length])
    frames, ends = frames[ends > ENDS_DIFFER], ends[ends > ENDS_DIFFER]
    a, b = small[frames - length], small[frames + length]
    residuals = [
        _gap(small[frames + shift], (1 - share) * a + share * b) / ends
        for shift, share in ((0, 0.5), (-(length // 2), 0.25), (length // 2, 0.75))
    ]
    last = len(small) - 1
    calmer = np.minimum(
        _gap(small[np.maximum(frames - 2 * length, 0)], a), _gap(small[np.minimum(frames + 2 * length, last)], b)
    )
    holds = (residuals[0] < MIDDLE_RESIDUAL) & (np.maximum(*residuals[1:]) < QUARTER_RESIDUAL)
    holds &= np.minimum(a.std(axis=(1, 2)), b.std(axis=(1, 2))) > ENDS_SPREAD
    holds &= (_standard(a) * _standard(b)).mean(axis=(1, 2)) < ENDS_CORRELATE
    holds &= ends > SIDE_RATIO * calmer
    return frames[holds], (ends * (1 - np.max(residuals, axis=0)))[holds]


def _gap(a: Signal, b: Signal) -> Signal:
    """Mean absolute difference of two stacks of pictures, [n]."""
    return np.asarray(np.abs(a - b).mean(axis=(1, 2)), np.float32)


def _standard(pictures: Signal) -> Signal:
    """Zero mean and unit spread; 4 levels are added so that flat pictures stay near zero."""
    mean, spread = pictures.mean(axis=(1, 2), keepdims=True), pictures.std(axis=(1, 2), keepdims=True)
    return np.asarray((pictures - mean) / (spread + 4), np.float32)
