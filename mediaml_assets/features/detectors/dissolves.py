"""Dissolves, found by how the picture's variance bends: a law that movement inside the two shots leaves standing.

A frame that mixes a share s of shot b with 1 - s of shot a has the variance (1-s) var a + s var b - s (1-s) var(a-b):
a parabola below the chord between the ends, whose depth the two ends themselves foretell; its mean lies on the chord.
Pictures that move keep their variance, so both hold where a dissolve of moving shots is no mix of two still pictures
(which is what detectors of linear mixes ask for). The variance curve as a sign of dissolves is Alattar, "Detecting and
compressing dissolve regions in video sequences with a DVI multimedia image compression algorithm", ISCAS 1993; that
its depth is checked against the two ends, and the means with it, is ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mediaml_assets.features.detectors.boundary import Boundary, runs
from mediaml_assets.features.detectors.tape_signals import ActiveTape, Frames, Signal, Signals

HALVES = (3, 4, 5, 6, 8, 10, 12, 16, 20, 26)  # half lengths of the dissolves looked for, in frames
SHARES = (1 / 8, 1 / 4, 3 / 8, 1 / 2, 5 / 8, 3 / 4, 7 / 8)  # of the new shot, where the curves are looked at

ENDS_DIFFER = 10.0  # least root mean square difference of the ends, their means apart, in 8-bit levels
ENDS_CORRELATE = 0.55  # a pan's or an exposure ramp's ends look alike: a dissolve's correlate less than this
ENDS_VARY = 16.0  # least variance of both ends: what ends in a plain colour is a fade
NOISE = 9.0  # variance of what is no picture: grain, and the encoder's
CURVE_OFF = 0.3  # largest departure from the parabola, as a share of its depth, root mean square
BENT_OFF = 0.3  # and from the parabola that fits best, which is looked at first
WEIGHT_MEANS = 1.5  # of the means' departure from their chord, as a share of what differs between the ends
WEIGHT_MIX = 0.3  # of the middle frame's from the mix of the ends, likewise: 1 and more if the shots move much
MOST_OFF = 0.5  # the three departures together are less
AS_GOOD = 0.05  # longer dissolves that fit worse by this at most are taken for the whole
AT_ONCE = 512  # frames whose pictures are looked at together


@dataclass(frozen=True)
class _Fits:
    """Frames that can be the middle of a dissolve of one length, and how far each is from being one."""

    frames: Frames
    off: Signal


def dissolves(tape: ActiveTape, found: Signals) -> list[Boundary]:
    """Every frame that stands best in the middle of what looks like a dissolve, in order."""
    off = np.full((len(HALVES), len(tape)), np.inf, np.float32)
    for place, length in enumerate(HALVES):
        fits = _fits(tape, found, length)
        off[place, fits.frames] = fits.off
    return [_event(off, start, end) for start, end in _bridged(runs(np.asarray(np.isfinite(off).any(axis=0))))]


def _event(off: Signal, start: int, end: int) -> Boundary:
    """The dissolve whose middle is one of frames [start, end): the longest of those that fit about as well as any."""
    least = off[:, start:end].min(axis=1)
    place = int(np.flatnonzero(least <= least.min() + AS_GOOD)[-1])
    at, length = start + int(np.argmin(off[place, start:end])), HALVES[place]
    sure = 1 - float(least.min()) / (2 * MOST_OFF)
    return Boundary("dissolve", at, max(at - length + 1, 0), min(at + length, off.shape[1]), sure)


def _bridged(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges with those that stand one frame apart made one."""
    joined: list[tuple[int, int]] = []
    for start, end in ranges:
        if joined and start - joined[-1][1] <= 1:
            start = joined.pop()[0]
        joined.append((start, end))
    return joined


def _fits(tape: ActiveTape, found: Signals, length: int) -> _Fits:
    """The middles of dissolves of 2 x `length` frames."""
    frames = _dips(found.variance, length)
    parts = [_measured(tape, found, frames[i : i + AT_ONCE], length) for i in range(0, len(frames), AT_ONCE)]
    return _Fits(
        np.concatenate([np.empty(0, np.intp), *(part.frames for part in parts)]),
        np.concatenate([np.empty(0, np.float32), *(part.off for part in parts)]),
    )


def _dips(variance: Signal, length: int) -> Frames:
    """Frames whose variance lies so far below the chord that ends unlike each other can explain it: few."""
    frames = np.arange(length, len(variance) - length)
    if len(frames) == 0:
        return frames
    a, b = variance[frames - length], variance[frames + length]
    apart = np.maximum(a + b - 2 * ENDS_CORRELATE * np.sqrt((a + NOISE) * (b + NOISE)), ENDS_DIFFER**2)
    least = (1 - 2 * CURVE_OFF) * apart / 4 - NOISE
    frames = frames[(a + b) / 2 - variance[frames] > least]
    return frames[_bend(variance, frames, length)]


def _bend(variance: Signal, frames: Frames, length: int) -> npt.NDArray[np.bool_]:
    """Whether the variance around each frame is near the parabola that fits it best, whatever the pictures say."""
    a, b = variance[frames - length], variance[frames + length]
    offsets = _offsets(length)
    shares = (length + offsets) / (2 * length)
    below = (1 - shares) * a[:, None] + shares * b[:, None] - variance[frames[:, None] + offsets]
    shape = 4 * shares * (1 - shares)
    depth = below @ shape / (shape @ shape)
    rest = np.sqrt(((below - depth[:, None] * shape) ** 2).mean(axis=1))
    return np.asarray(rest < BENT_OFF * (depth + NOISE))


def _offsets(length: int) -> npt.NDArray[np.intp]:
    """Frames from the middle at which the curves are looked at, the ends left out."""
    return np.array(sorted({round((2 * share - 1) * length) for share in SHARES} - {-length, length}), np.intp)


def _measured(tape: ActiveTape, found: Signals, frames: Frames, length: int) -> _Fits:
    """Those of `frames` that fit, by their pictures too."""
    variance, means = found.variance, found.means
    ends = frames - length, frames + length
    a, b = variance[ends[0]], variance[ends[1]]
    apart, product, mix = _pictures(tape, found, frames, length)
    depth = apart / 4 + NOISE
    moved = np.abs(means[ends[0]] - means[ends[1]]).sum(axis=1) + np.sqrt(apart) / 2 + 3
    curve, drift = np.zeros((2, len(frames)), np.float32)
    offsets = _offsets(length).tolist()
    for offset in offsets:
        share = (length + offset) / (2 * length)
        there = frames + offset
        curve += ((variance[there] - (1 - share) * a - share * b + share * (1 - share) * apart) / depth) ** 2
        chord = (1 - share) * means[ends[0]] + share * means[ends[1]]
        drift += (np.abs(means[there] - chord).sum(axis=1) / moved) ** 2
    curve, drift = np.sqrt(curve / len(offsets)), np.sqrt(drift / len(offsets))
    off = curve + WEIGHT_MEANS * drift + WEIGHT_MIX * np.minimum(np.sqrt(mix / depth), 1.5)
    holds = (curve < CURVE_OFF) & (off < MOST_OFF) & (apart > ENDS_DIFFER**2)
    holds &= np.minimum(a, b) > ENDS_VARY
    holds &= product < ENDS_CORRELATE * np.sqrt((a + NOISE) * (b + NOISE))
    return _Fits(frames[holds], np.asarray(off[holds], np.float32))


def _pictures(tape: ActiveTape, found: Signals, frames: Frames, length: int) -> tuple[Signal, Signal, Signal]:
    """Of luma and both chroma together, means apart: var(a - b), cov(a, b), and var(middle - (a + b) / 2)."""
    apart, product, mix = np.zeros((3, len(frames)), np.float32)
    for place, plane in enumerate(tape.planes):
        a, middle, b = (
            plane[at].reshape(len(frames), -1) - found.means[at, place, None]
            for at in (frames - length, frames, frames + length)
        )
        apart += ((a - b) ** 2).mean(axis=1)
        product += (a * b).mean(axis=1)
        mix += ((middle - (a + b) / 2) ** 2).mean(axis=1)
    return apart, product, mix
