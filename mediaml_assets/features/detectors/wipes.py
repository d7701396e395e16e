"""Wipes: the new shot uncovers the picture along an edge that crosses it.

Half-way, and a quarter of the length before and after, the cells on one side of a straight edge look like the frame in
which the wipe ends, and those on the other side like the one in which it begins; the edge stands where the share says.
Cells vote by how much nearer they are to the one end than to the other, so that movement within the shots, which both
ends share, cancels out. In a dissolve and in a pan the votes have no such edge.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from mediaml_assets.features.detectors.boundary import Boundary, runs
from mediaml_assets.features.detectors.tape_signals import ActiveTape, Frames, Planes, Signal

HALVES = (3, 4, 6, 9, 13)  # half lengths of the wipes looked for, in frames
COARSE = 4  # luma cells of the tape across and down that are one here
WAYS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1))  # in which the edge moves
SHARES = (0.25, 0.5, 0.75)

ENDS_DIFFER = 10.0  # least difference of the ends, in levels of luma
ENDS_CORRELATE = 0.6  # their luma correlates less
AGREE = 0.8  # share of the votes that agree with the edge, less those that do not
AT_ONCE = 2048  # frames worked on together
BOTH = 0.08  # least share of the votes on either side: else the edge is not in the picture
SURE = 0.55  # votes together, as a share of the ends' difference: in a dissolve nobody knows


def wipes(tape: ActiveTape) -> list[Boundary]:
    """The frame in the middle of everything that looks like a wipe, in order."""
    down, across = tape.y.shape[1] // COARSE, tape.y.shape[2] // COARSE
    cells, sides = _coarse(tape.y, down, across), _sides(down, across)
    best, half = np.zeros(len(tape), np.float32), np.zeros(len(tape), np.int32)
    for length in HALVES:
        frames = _unlike(cells, length)
        agreed = _agreement(cells, frames, length, sides)
        better = agreed > best[frames]
        best[frames[better]], half[frames[better]] = agreed[better], length
    events = []
    for start, end in runs(best > 0):
        at = start + int(np.argmax(best[start:end]))
        length = int(half[at])
        events.append(Boundary("wipe", at, at - length + 1, at + length, float(best[at])))
    return events


def _coarse(luma: Planes, down: int, across: int) -> Planes:
    """Every frame in a few cells: uint8 [n, down x across]; what fills no whole cell at the far edges is left out."""
    cells = np.empty((len(luma), down * across), np.uint8)
    for start in range(0, len(luma), AT_ONCE):
        some = np.ascontiguousarray(luma[start : start + AT_ONCE, : down * COARSE, : across * COARSE])
        tall = some.reshape(-1, across * COARSE)
        small = cv2.resize(tall, (across, len(some) * down), interpolation=cv2.INTER_AREA)
        cells[start : start + AT_ONCE] = small.reshape(len(some), -1)
    return cells


def _unlike(cells: Planes, length: int) -> Frames:
    """Frames whose neighbours at `length` either side look different."""
    if len(cells) <= 2 * length:
        return np.empty(0, np.intp)
    apart = cv2.reduce(cv2.absdiff(cells[: -2 * length], cells[2 * length :]), 1, cv2.REDUCE_SUM, dtype=cv2.CV_32F)
    return np.flatnonzero(apart[:, 0] > ENDS_DIFFER * cells.shape[1]) + length


def _sides(down: int, across: int) -> list[npt.NDArray[np.float32]]:
    """For each share: 1 where the picture is still the old one, -1 where it is the new, for each way: [cells, ways]."""
    y, x = np.mgrid[0.5:down, 0.5:across]
    every = []
    for share in SHARES:
        sides = []
        for right, low in WAYS:
            along = right * x / across + low * y / down
            least, most = min(right, 0) + min(low, 0), max(right, 0) + max(low, 0)
            sides.append(np.where(along.ravel() > least + share * (most - least), 1, -1))
        every.append(np.asarray(sides, np.float32).T)
    return every


def _agreement(cells: Planes, frames: Frames, length: int, edges: Sequence[npt.NDArray[np.float32]]) -> Signal:
    """How well each of `frames` stands in the middle of a wipe of 2 x `length` frames, in [0, 1]; 0 for not at all."""
    agreed = np.zeros(len(frames), np.float32)
    if len(frames) == 0:
        return agreed
    a, b = cells[frames - length], cells[frames + length]
    unlike = _correlation(a, b) < ENDS_CORRELATE
    places, worst = np.flatnonzero(unlike), np.ones(len(WAYS), np.float32)
    for share, sides in zip(SHARES, edges, strict=True):
        if len(places) == 0:
            return agreed
        a, b = cells[frames[places] - length], cells[frames[places] + length]
        middle = cells[frames[places] + round((2 * share - 1) * length)]
        votes = cv2.subtract(cv2.absdiff(middle, b), cv2.absdiff(middle, a), dtype=cv2.CV_32F)
        said = np.abs(votes).sum(axis=1)
        sure = said > SURE * cv2.reduce(cv2.absdiff(a, b), 1, cv2.REDUCE_SUM, dtype=cv2.CV_32F)[:, 0]
        worst = np.minimum(worst, votes @ sides / np.maximum(said, 1)[:, None])
        fewer = np.minimum(np.maximum(votes, 0).sum(axis=1), np.maximum(-votes, 0).sum(axis=1))
        left = sure & (worst.max(axis=1) > AGREE) & (fewer > BOTH * said)
        places, worst = places[left], worst[left]
    agreed[places] = worst.max(axis=1)
    return agreed


def _correlation(a: Planes, b: Planes) -> Signal:
    """Of each row of one with the same of the other."""
    x, y = (one - one.mean(axis=1, keepdims=True, dtype=np.float32) for one in (a, b))
    together, alone, other = (np.einsum("ij,ij->i", p, q) for p, q in ((x, y), (x, x), (y, y)))
    return np.asarray(together / np.sqrt(alone * other + 1), np.float32)
