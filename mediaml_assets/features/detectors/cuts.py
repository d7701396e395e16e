"""Cuts: frames that differ from the one before far more than their neighbours do, and are no flash."""

import numpy as np
import numpy.typing as npt

from mediaml_assets.features.detectors.block_match import compensated_differences
from mediaml_assets.features.detectors.boundary import Boundary, runs
from mediaml_assets.features.detectors.tape_signals import ActiveTape, Signal, Signals

CUT_DIFFERENCE = 10.0  # least difference of a cut to the frame before, in 8-bit levels
DARK_DIFFERENCE, DARK_SHARE = 4.0, 0.25  # in low light: this, or this share of the pictures' standard deviation
CUT_RISE = 1.15  # how many times the mean of its four neighbours a difference must be to be looked at
CUT_RATIO = 2.3  # and to be a cut: the geometric mean of that ratio, of plain and of compensated differences
HELD_DIFFERENCE, HELD_FRAMES = 0.5, 3  # a frame shown once more differs less; longer stills are stills
MOVING_DIFFERENCE = 2.0  # the frame before it differs more from its own: a still scene holds no frames
FLASH_REACH = 6  # frames: a flash is over after this many
FLASH_RETURN = 0.5  # a flash's picture comes back: a difference below this share of the jump


def cuts(tape: ActiveTape, found: Signals) -> list[Boundary]:
    """Every cut, in order."""
    step = found.step
    held = _held(step)
    plain = _rise(step, held)
    contrast = np.maximum(found.spread, np.roll(found.spread, 1))
    looked_at = (step >= np.clip(DARK_SHARE * contrast, DARK_DIFFERENCE, CUT_DIFFERENCE)) & (plain >= CUT_RISE)
    needed = np.flatnonzero(np.convolve(looked_at, np.ones(5))[2:-2])
    needed = needed[needed > 0]
    compensated = np.zeros_like(step)
    compensated[needed] = compensated_differences(tape.y, needed)
    ratio = np.sqrt(plain * _rise(compensated, held))
    frames = np.flatnonzero(looked_at & (ratio >= CUT_RATIO))
    frames = frames[~_flashes(tape, frames, step)]
    return [Boundary("cut", int(t), int(t), int(t), min(1.0, float(ratio[t]) / (2 * CUT_RATIO))) for t in frames]


def _held(step: Signal) -> list[tuple[int, int]]:
    """The ranges of a few frames that show the one before once more, in the midst of movement."""
    short = [(start, end) for start, end in runs(step < HELD_DIFFERENCE) if start > 0 and end - start <= HELD_FRAMES]
    return [(start, end) for start, end in short if step[start - 1] >= MOVING_DIFFERENCE]


def _rise(values: Signal, held: list[tuple[int, int]]) -> Signal:
    """Each value over the mean of the two before and the two after it, which is raised by one level.

    The jump after `held` frames (ranges in which the picture was shown once more, as when a rate was converted) is what
    moved in the meantime: it is shared out among them, and they count as neighbours that are like those beside them.
    """
    shared, around = values.copy(), values.copy()
    for start, end in held:
        around[start:end] = min(values[start - 1], values[min(end, len(values) - 1)])
        shared[end : end + 1] /= end - start + 1
    padded = np.pad(around, 2)
    return np.asarray(shared / ((padded[:-4] + padded[1:-3] + padded[3:-1] + padded[4:]) / 4 + 1), np.float32)


def _flashes(tape: ActiveTape, frames: npt.NDArray[np.intp], step: Signal) -> npt.NDArray[np.bool_]:
    """Whether the picture before each frame comes back shortly after it, or its own stood shortly before it."""
    returns = np.zeros(len(frames), np.bool_)
    last = len(tape) - 1
    for k in range(1, FLASH_REACH + 1):
        after, before = np.minimum(frames + k, last), np.maximum(frames - 1 - k, 0)
        returns |= tape.difference(frames - 1, after) < FLASH_RETURN * step[frames]
        returns |= tape.difference(frames, before) < FLASH_RETURN * step[frames]
    return returns
