"""What a frame tape says of every frame: how much it changed, how bright and how varied it is.

The tape is 64x36 luma and 32x18 chroma of every frame (uint8, limited range: black is 16). Letterbox bars are cut away
first, so that they do not dilute differences. A frame's numbers come from it and the one before alone: memory stays
bounded whatever the film's length, and the result does not depend on how many are worked on together.
"""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

Planes = npt.NDArray[np.uint8]
Signal = npt.NDArray[np.float32]
Frames = npt.NDArray[np.intp]

AT_ONCE = 2048  # frames worked on together
CELL = 20  # canvas pixels of a chroma cell of the tape, two luma cells


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

    @property
    def planes(self) -> tuple[Planes, Planes, Planes]:
        """Luma and both chroma planes."""
        return self.y, self.u, self.v

    def difference(self, a: Frames, b: Frames) -> Signal:
        """Mean absolute difference of frames `a` and `b`, luma + both chroma: float32 [len(a)] in [0, 765]."""
        total = np.zeros(len(a), np.float32)
        for plane in self.planes:
            gap = plane[a].astype(np.int16) - plane[b]
            total += np.abs(gap).mean(axis=(1, 2), dtype=np.float32)
        return total


@dataclass(frozen=True)
class Signals:
    """Numbers of each frame.

    `step` float32 [n] is the difference to the frame before, in levels of luma and both chroma together (0 for the
    first); `means` and `spreads` float32 [n, 3] are the mean and the standard deviation of luma and both chroma.
    """

    step: Signal
    means: Signal
    spreads: Signal

    @property
    def mean(self) -> Signal:
        """Mean luma [n]."""
        return self.means[:, 0]

    @property
    def spread(self) -> Signal:
        """Standard deviation of luma [n]."""
        return self.spreads[:, 0]

    @property
    def variance(self) -> Signal:
        """Variance of luma and both chroma together [n]."""
        return np.asarray((self.spreads**2).sum(axis=1), np.float32)


def active_tape(tape: Tape, active: tuple[int, int, int, int]) -> ActiveTape:
    """Cut the bars off: `active` is (x, y, width, height) of the picture on the 640x360 canvas."""
    left, top, width, height = active
    rows = slice(-(-top // CELL), (top + height) // CELL)
    columns = slice(-(-left // CELL), (left + width) // CELL)
    if rows.stop - rows.start < 4 or columns.stop - columns.start < 4:
        return ActiveTape(tape.y, tape.u, tape.v)
    double_rows, double_columns = (slice(2 * s.start, 2 * s.stop) for s in (rows, columns))
    return ActiveTape(tape.y[:, double_rows, double_columns], tape.u[:, rows, columns], tape.v[:, rows, columns])


def signals(tape: ActiveTape, at_once: int = AT_ONCE) -> Signals:
    """Measure every frame of `tape`, `at_once` at a time; that changes nothing but the memory it takes."""
    step, moments = np.zeros(len(tape)), np.zeros((len(tape), 3, 2))
    for place, plane in enumerate(tape.planes):
        cells = plane.shape[1] * plane.shape[2]
        for start in range(0, len(tape), at_once):
            before = max(start - 1, 0)
            pictures = np.ascontiguousarray(plane[before : start + at_once])
            moments[before : before + len(pictures), place] = [_moments(picture) for picture in pictures]
            rows = pictures.reshape(-1, cells)
            if len(rows) > 1:
                changes = cv2.reduce(cv2.absdiff(rows[1:], rows[:-1]), 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
                step[before + 1 : before + len(rows)] += changes[:, 0] / cells
    means, spreads = np.moveaxis(moments.astype(np.float32), 2, 0)
    return Signals(step.astype(np.float32), means, spreads)


def _moments(picture: Planes) -> tuple[float, float]:
    """Mean and standard deviation."""
    mean, spread = cv2.meanStdDev(picture)
    return mean[0, 0], spread[0, 0]
