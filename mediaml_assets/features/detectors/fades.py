"""Fades: where a film passes through black or another plain colour, and where black stands for itself.

Black of a quarter of a second and more is a stretch of its own: it begins and ends with a boundary, each a cut or a
fade as the picture goes and comes. Shorter black, and plain colour that pictures blend into, is one transition.
"""

import numpy as np
import numpy.typing as npt

from mediaml_assets.features.detectors.boundary import Boundary, runs
from mediaml_assets.features.detectors.tape_signals import ActiveTape, Signal, Signals

BLACK_MEAN, BLACK_SPREAD = 22.0, 2.0  # a black frame's luma mean and standard deviation lie below these
STANDS = 6  # frames of still black that are a stretch of its own: a quarter of a second
STILL = 1.0  # a still frame differs less from the one before, in levels
ABRUPT = 0.5  # a cut to or from black makes this share of the difference in one frame, a ramp less
ABRUPT_REACH = 5  # frames

PLAIN_SPREAD = 2.5  # standard deviation of luma of a frame of plain colour, and of both chroma together
PLAIN_MEAN = 40.0  # and its mean luma is above this: what is darker is a matter of black
PLAIN_LONGEST = 24  # frames: longer plain colour is a picture
PICTURE_SPREAD = 8.0  # what blends into it deviates more
SAME = 0.7  # pictures either side of plain colour that correlate more are one shot: it was a flash

RAMP_STEP = 0.35  # least change of mean luma a frame, over two, inside a fade's ramp
RAMP_REACH = 60  # frames: the longest ramp followed


def fades(tape: ActiveTape, found: Signals) -> list[Boundary]:
    """Every boundary at black or plain colour, in order."""
    through = [one for run in runs(black_frames(found)) for one in _at_black(tape, found, *run)]
    return sorted(through + _through_plain(tape, found), key=lambda one: one.at)


def black_frames(found: Signals) -> npt.NDArray[np.bool_]:
    """Which frames are black."""
    return (found.mean < BLACK_MEAN) & (found.spread < BLACK_SPREAD)


def opening(found: Signals) -> int:
    """First frame after the film's opening black and the fade-in from it (0 if it opens on a picture)."""
    lit = np.flatnonzero(~black_frames(found))
    return _ramp_end(found.mean, int(lit[0])) if len(lit) and lit[0] > 0 else 0


def closing(found: Signals) -> int:
    """First frame of the film's closing fade-out and black (its length if it closes on a picture)."""
    lit = np.flatnonzero(~black_frames(found))
    count = len(found.mean)
    return _ramp_start(found.mean, int(lit[-1]) + 1) if len(lit) and lit[-1] + 1 < count else count


def _at_black(tape: ActiveTape, found: Signals, start: int, end: int) -> list[Boundary]:
    """The boundaries of a run of black frames [start, end): none, one or two."""
    count = len(tape)
    still = [(a + start + 1, b + start + 1) for a, b in runs(found.step[start + 1 : end] < STILL)]
    first, last = max(still, key=lambda run: run[1] - run[0], default=(end, end))
    leaves = start > 0 and _abrupt(tape, found, start, max(start - ABRUPT_REACH, 0))
    comes = end < count and _abrupt(tape, found, end, min(end + ABRUPT_REACH, count) - 1)
    out, back = _ramp_start(found.mean, start), _ramp_end(found.mean, end)
    if last - first + 1 >= STANDS:
        # where black stands: from the frame before its first still one on
        goes = Boundary("cut", start, start, start, 1.0) if leaves else Boundary("fade", first - 1, out, first - 1, 1.0)
        lights = Boundary("cut", end, end, end, 1.0) if comes else Boundary("fade", last, last, back, 1.0)
        return [*([goes] if start > 0 else []), *([lights] if end < count else [])]
    if start == 0 or end == count or (leaves and comes):
        return []  # what changes at once both ways is a matter of cuts and flashes
    at = end if comes else start if leaves else (start + end) // 2
    return [Boundary("fade", at, out, back, 1.0)]


def _abrupt(tape: ActiveTape, found: Signals, edge: int, lit: int) -> bool:
    """Whether the step to frame `edge` makes most of the difference between black and the picture at frame `lit`."""
    black = edge if lit < edge else edge - 1
    whole = tape.difference(np.array([black]), np.array([lit]))[0]
    return bool(found.step[edge] > ABRUPT * whole)


def _through_plain(tape: ActiveTape, found: Signals) -> list[Boundary]:
    """One boundary in the middle of every short run of plain colour that one picture turns into, and another leaves."""
    plain = (found.spread < PLAIN_SPREAD) & (found.spreads[:, 1:].sum(axis=1) < PLAIN_SPREAD)
    plain &= found.mean > PLAIN_MEAN
    found_here = []
    for start, end in runs(plain):
        before, after = _picture(found.spread, start - 1, -1), _picture(found.spread, end, 1)
        if end - start > PLAIN_LONGEST or before is None or after is None or _alike(tape, before, after):
            continue
        if _abrupt(tape, found, start, before) and _abrupt(tape, found, end, after):
            continue
        found_here.append(Boundary("fade", (start + end) // 2, before + 1, after, 1.0))
    return found_here


def _picture(spread: Signal, frame: int, way: int) -> int | None:
    """The next frame from `frame` on whose luma varies like a picture's and no longer gains; None without."""
    for _ in range(RAMP_REACH):
        further = frame + 2 * way
        if not 0 <= frame < len(spread) or not 0 <= further < len(spread):
            return None
        if spread[frame] > PICTURE_SPREAD and spread[further] < spread[frame] + 1:
            return frame
        frame += way
    return None


def _alike(tape: ActiveTape, a: int, b: int) -> bool:
    """Whether two frames show the same, however bright."""
    return bool(np.corrcoef(tape.y[a].ravel(), tape.y[b].ravel())[0, 1] > SAME)


def _ramp_end(mean: Signal, frame: int) -> int:
    """First frame from `frame` on at which the mean luma no longer rises: where a fade-in has ended."""
    stop = min(frame + RAMP_REACH, len(mean) - 1)
    while frame < stop and mean[min(frame + 2, len(mean) - 1)] - mean[frame] > 2 * RAMP_STEP:
        frame += 1
    return frame


def _ramp_start(mean: Signal, frame: int) -> int:
    """First frame of the falling luma that leads down to `frame`: where a fade-out begins."""
    return len(mean) - _ramp_end(mean[::-1], len(mean) - frame)
