"""Shot boundaries from a frame tape: cuts, fades through black, dissolves.

No weights and no decoding. The ingredients are classical: an adaptive frame difference (its ratio to the differences
around it, plain and after block matching, so that neither fast cameras nor fine textures count as cuts), a flash test
(what was there before comes back), runs of black, and the linearity of a dissolve (see `tape_signals`).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from mediaml_assets.features.detectors.block_match import compensated_differences
from mediaml_assets.features.detectors.tape_signals import ActiveTape, Signal, Signals

Kind = Literal["start", "cut", "dissolve", "fade", "end"]

CUT_DIFFERENCE = 10.0  # least difference of a cut to the frame before, in 8-bit levels
CUT_RISE = 1.15  # how many times the mean of its four neighbours a difference must be to be looked at
CUT_RATIO = 2.3  # and to be a cut: the geometric mean of that ratio, of plain and of compensated differences
HELD_DIFFERENCE, HELD_FRAMES = 0.5, 3  # a frame shown once more differs less; longer stills are stills
MOVING_DIFFERENCE = 2.0  # the frame before it differs more from its own: a still scene holds no frames
FLASH_REACH = 6  # frames: a flash is over after this many
FLASH_RETURN = 0.5  # a flash's picture comes back: a difference below this share of the jump

BLACK_MEAN, BLACK_SPREAD = 24.0, 4.0  # a black frame's luma mean and standard deviation lie below these
RAMP_STEP = 0.35  # least change of mean luma a frame, over two, inside a fade's ramp
RAMP_REACH = 60  # frames: the longest ramp followed

LEAST_SHOT = 5  # frames between two boundaries


@dataclass(frozen=True)
class Boundary:
    """Where one shot gives way to the next.

    `at` is the first frame of the new shot; frames [start, end) are touched by the transition (none for a cut).
    `confidence` is in [0, 1].
    """

    kind: Kind
    at: int
    start: int
    end: int
    confidence: float


def boundaries(tape: ActiveTape, found: Signals) -> list[Boundary]:
    """Every boundary inside the film, in order, at least `LEAST_SHOT` frames apart."""
    fades = _fades(found)
    cuts = [cut for cut in _cuts(tape, found.step) if not _near_fade(cut, fades + _dark_ends(found))]
    others = sorted(fades + cuts, key=lambda b: b.at)
    merged = sorted(others + _dissolves(found, others), key=lambda b: b.at)
    kept: list[Boundary] = []
    for boundary in merged:
        if boundary.at - (kept[-1].at if kept else 0) >= LEAST_SHOT:
            kept.append(boundary)
    return kept


def _cuts(tape: ActiveTape, step: Signal) -> list[Boundary]:
    """Frames that differ from the one before far more than their neighbours do, and are no flash."""
    held = _held(step)
    plain = _rise(step, held)
    looked_at = (step >= CUT_DIFFERENCE) & (plain >= CUT_RISE)
    needed = np.flatnonzero(np.convolve(looked_at, np.ones(5), "same"))
    needed = needed[needed > 0]
    compensated = np.zeros_like(step)
    compensated[needed] = compensated_differences(tape.y, needed)
    ratio = np.sqrt(plain * _rise(compensated, held))
    frames = np.flatnonzero(looked_at & (ratio >= CUT_RATIO))
    frames = frames[~_flashes(tape, frames, step)]
    return [Boundary("cut", int(t), int(t), int(t), min(1.0, float(ratio[t]) / (2 * CUT_RATIO))) for t in frames]


def _held(step: Signal) -> list[tuple[int, int]]:
    """The ranges of a few frames that show the one before once more, in the midst of movement."""
    short = [(start, end) for start, end in _runs(step < HELD_DIFFERENCE) if start > 0 and end - start <= HELD_FRAMES]
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


def _runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The ranges [start, end) of frames that are flagged."""
    edges = np.flatnonzero(np.diff(np.pad(flags.astype(np.int8), 1)))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def _flashes(tape: ActiveTape, frames: npt.NDArray[np.intp], step: Signal) -> npt.NDArray[np.bool_]:
    """Whether the picture before each frame comes back shortly after it, or its own stood shortly before it."""
    returns = np.zeros(len(frames), np.bool_)
    last = len(tape) - 1
    for k in range(1, FLASH_REACH + 1):
        after, before = np.minimum(frames + k, last), np.maximum(frames - 1 - k, 0)
        returns |= tape.difference(frames - 1, after) < FLASH_RETURN * step[frames]
        returns |= tape.difference(frames, before) < FLASH_RETURN * step[frames]
    return returns


def _fades(found: Signals) -> list[Boundary]:
    """One boundary in the middle of every run of black frames that does not touch the film's ends."""
    runs = [(start, end) for start, end in _runs(_black(found)) if start > 0 and end < len(found.mean)]
    return [Boundary("fade", (s + e) // 2, _ramp_start(found.mean, s), _ramp_end(found.mean, e), 1.0) for s, e in runs]


def _dark_ends(found: Signals) -> list[Boundary]:
    """The film's opening and closing black with their ramps, where it has them, as if they were fades."""
    count, first, last = len(found.mean), opening(found), closing(found)
    spans = ((0, first), (last, count))
    return [Boundary("fade", start, start, end, 1.0) for start, end in spans if start < end]


def opening(found: Signals) -> int:
    """First frame after the film's opening black and the fade-in from it (0 if it opens on a picture)."""
    lit = np.flatnonzero(~_black(found))
    return _ramp_end(found.mean, int(lit[0])) if len(lit) and lit[0] > 0 else 0


def closing(found: Signals) -> int:
    """First frame of the film's closing fade-out and black (its length if it closes on a picture)."""
    lit = np.flatnonzero(~_black(found))
    count = len(found.mean)
    return _ramp_start(found.mean, int(lit[-1]) + 1) if len(lit) and lit[-1] + 1 < count else count


def _black(found: Signals) -> npt.NDArray[np.bool_]:
    """Which frames are black."""
    return (found.mean < BLACK_MEAN) & (found.spread < BLACK_SPREAD)


def _ramp_end(mean: Signal, frame: int) -> int:
    """First frame from `frame` on at which the mean luma no longer rises: where a fade-in has ended."""
    stop = min(frame + RAMP_REACH, len(mean) - 1)
    while frame < stop and mean[min(frame + 2, len(mean) - 1)] - mean[frame] > 2 * RAMP_STEP:
        frame += 1
    return frame


def _ramp_start(mean: Signal, frame: int) -> int:
    """First frame of the falling luma that leads down to `frame`: where a fade-out begins."""
    return len(mean) - _ramp_end(mean[::-1], len(mean) - frame)


def _near_fade(cut: Boundary, fades: list[Boundary]) -> bool:
    """Whether a cut is only the edge of a fade's black run."""
    return any(fade.start - 2 <= cut.at <= fade.end + 2 for fade in fades)


def _dissolves(found: Signals, others: list[Boundary]) -> list[Boundary]:
    """One boundary at the best frame of every run of frames that look like the middle of a dissolve."""
    frames, black = np.flatnonzero(found.dissolve), _black(found)
    events = []
    for run in np.split(frames, np.flatnonzero(np.diff(frames) > 2) + 1) if len(frames) else []:
        at = int(run[np.argmax(found.dissolve[run])])
        half = int(found.half[at])
        if black[at - half : at + half + 1].any():
            continue  # one end is black: the ramp of a fade
        if all(abs(at - other.at) > half + 4 for other in others):
            events.append(Boundary("dissolve", at, at - half, at + half + 1, min(1.0, float(found.dissolve[at]) / 28)))
    return events
