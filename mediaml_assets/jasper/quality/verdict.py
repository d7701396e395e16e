"""Whether a title is fit for use: numbers measured while it was standardised, and a verdict with its reasons."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mediaml_assets.jasper.frame_tape import FrameTape

Verdict = Literal["ok", "warn", "quarantine"]

_CHUNK = 1024
_BLACK_MEAN, _BLACK_STD = 24.0, 6.0
_FROZEN_CHANGE = 0.1
_FROZEN_SECONDS = 2


@dataclass(frozen=True)
class Measured:
    """What the standardising pass counted. Shares are in [0, 1].

    Attributes:
        decodable_share: decoded pictures without damage, of the packets that should each give one.
        duration_drift: seconds of picture found less the seconds that the container claims; 0 when it claims none.
        seconds: length of the picture.
        black_share: frames with mean luma below 24 and a deviation below 6.
        frozen_share: frames in stretches of 2 s or more in which nothing moves.
        has_sound: whether there is sound that can be decoded.
        silence_share: 400 ms blocks of sound below -60 dB.
        clipping_share: samples of sound at full scale.
        loudness: integrated loudness in LUFS, see `loudness`; -70 for silence.
        sound_offset: seconds by which the source's sound starts after its picture.
        notes: what was handled but deserves a look, in words.
    """

    decodable_share: float
    duration_drift: float
    seconds: float
    black_share: float
    frozen_share: float
    has_sound: bool
    silence_share: float
    clipping_share: float
    loudness: float
    sound_offset: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Quality:
    """The numbers, the verdict, and why it is not ``ok``: one sentence a reason, the gravest first."""

    measured: Measured
    verdict: Verdict
    reasons: tuple[str, ...]


def judge(measured: Measured) -> Quality:
    """Give the verdict: ``quarantine`` when one number is beyond use, ``warn`` when one deserves a look.

    | number | warn | quarantine |
    |---|---|---|
    | decodable share | < 0.999 | < 0.95 |
    | picture shorter than claimed | > 1 s and 2 % | > 2 s and 10 % |
    | picture longer than claimed | > 1 s and 2 % | |
    | black share | > 0.5 | > 0.98 |
    | frozen share | > 0.5 | > 0.98 |
    | silence share, clipping share | > 0.9, > 0.01 | |
    | loudness | < -45 or > -5 LUFS | |
    | sound starts away from the picture | > 1 s | |
    """
    grave, light = tuple(_grave(measured)), (*_light(measured), *measured.notes)
    verdict: Verdict = "quarantine" if grave else "warn" if light else "ok"
    return Quality(measured, verdict, grave + light)


def _grave(m: Measured) -> Iterator[str]:
    if m.decodable_share < 0.95:
        yield f"only {m.decodable_share:.1%} of the pictures can be decoded; deliver the file again"
    if _is_off(m, -m.duration_drift, seconds=2.0, share=0.1):
        yield f"{-m.duration_drift:.1f} s of the claimed length are missing: cut short; deliver the file again"
    if m.black_share > 0.98:
        yield f"{m.black_share:.1%} of the picture is black"
    if m.frozen_share > 0.98:
        yield f"{m.frozen_share:.1%} of the picture stands still"


def _light(m: Measured) -> Iterator[str]:
    if 0.95 <= m.decodable_share < 0.999:
        yield f"{1 - m.decodable_share:.2%} of the pictures are damaged"
    if _is_off(m, abs(m.duration_drift), seconds=1.0, share=0.02):
        yield f"the picture is {m.duration_drift:+.1f} s off the claimed length"
    if 0.5 < m.black_share <= 0.98:
        yield f"{m.black_share:.0%} of the picture is black"
    if 0.5 < m.frozen_share <= 0.98:
        yield f"{m.frozen_share:.0%} of the picture stands still"
    if m.has_sound:
        yield from _light_sound(m)


def _light_sound(m: Measured) -> Iterator[str]:
    if m.silence_share > 0.9:
        yield f"{m.silence_share:.0%} of the sound is silence"
    elif not -45 <= m.loudness <= -5:
        yield f"the sound's loudness is {m.loudness:.1f} LUFS"
    if m.clipping_share > 0.01:
        yield f"{m.clipping_share:.1%} of the sound is clipped"
    if abs(m.sound_offset) > 1:
        yield f"the sound starts {m.sound_offset:+.2f} s from the picture"


def _is_off(m: Measured, by: float, *, seconds: float, share: float) -> bool:
    claimed = m.seconds - m.duration_drift
    return by > seconds and by > share * claimed


def picture_shares(tape: FrameTape, rate: Fraction) -> tuple[float, float]:
    """The black share and the frozen share of a frame tape, read in bounded pieces."""
    black = 0
    still = np.zeros(len(tape), bool)
    for start in range(0, len(tape), _CHUNK):
        first = max(0, start - 1)
        luma = tape.y[first : start + _CHUNK].astype(np.float32)
        change = np.abs(np.diff(luma, axis=0)).mean(axis=(1, 2))
        still[first + 1 : first + len(luma)] = change < _FROZEN_CHANGE
        new = luma[start - first :]
        black += int(np.count_nonzero((new.mean(axis=(1, 2)) < _BLACK_MEAN) & (new.std(axis=(1, 2)) < _BLACK_STD)))
    count = max(1, len(tape))
    return black / count, _frozen(still, max(1, round(_FROZEN_SECONDS * rate))) / count


def _frozen(still: NDArray[np.bool_], shortest: int) -> int:
    """Frames in runs of at least `shortest` still frames; the frame that starts the run counts with it."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], still, [False]]).astype(np.int8)))
    lengths = edges[1::2] - edges[::2] + 1
    return int(lengths[lengths >= shortest].sum())
