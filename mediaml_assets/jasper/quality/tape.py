"""What the frame tape says of a title: where it is black, where it stands still, where it flashes."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from mediaml_assets.jasper.frame_tape import FrameTape
from mediaml_assets.jasper.quality.flashes import FlashCounter
from mediaml_assets.jasper.quality.stretches import Stretch, frames_in, runs

_CHUNK = 1024
_BLACK_MEAN, _BLACK_DEVIATION = 24.0, 6.0
_BLACK_SECONDS = Fraction(1, 2)
_STILL_CHANGE = 0.1
_FROZEN_SECONDS = 2


@dataclass(frozen=True)
class TapeFacts:
    """Shares in [0, 1] and stretches of frames.

    Attributes:
        black_share: frames with mean luma below 24 and a deviation below 6.
        black: stretches of half a second or more of them.
        frozen_share: frames in the frozen stretches.
        frozen: stretches of 2 s or more in which no frame differs from the one before by more than 0.1 of luma on
            average; black is none.
        flashes: most flashes within one second, see `flashes`.
        flashing: where there are more than three within a second.
    """

    black_share: float
    black: list[Stretch]
    frozen_share: float
    frozen: list[Stretch]
    flashes: float
    flashing: list[Stretch]


def tape_facts(tape: FrameTape, rate: Fraction) -> TapeFacts:
    """Look through a whole tape of `rate` frames a second, in bounded pieces."""
    black, still = np.zeros(len(tape), np.bool_), np.zeros(len(tape), np.bool_)
    flashes = FlashCounter(rate)
    for start in range(0, len(tape), _CHUNK):
        first = max(0, start - 1)
        luma = tape.y[first : start + _CHUNK]
        new = luma[start - first :]
        flashes.look(new)
        end = start + len(new)
        black[start:end] = (new.mean(axis=(1, 2)) < _BLACK_MEAN) & (new.std(axis=(1, 2)) < _BLACK_DEVIATION)
        change = np.abs(np.diff(luma.astype(np.int16), axis=0)).mean(axis=(1, 2))
        still[first + 1 : end] = change < _STILL_CHANGE
    # the frame that the first still one is like stands still too
    still_runs = runs(still & ~black, max(1, frames_in(_FROZEN_SECONDS, rate) - 1))
    frozen = [Stretch(max(0, one.start - 1), one.end) for one in still_runs]
    count = max(1, len(tape))
    return TapeFacts(
        black_share=float(np.count_nonzero(black) / count),
        black=runs(black, frames_in(_BLACK_SECONDS, rate)),
        frozen_share=sum(map(len, frozen)) / count,
        frozen=frozen,
        flashes=float(flashes.in_a_second().max(initial=0.0)),
        flashing=flashes.stretches(),
    )
