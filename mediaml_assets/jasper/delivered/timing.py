"""When each picture of a stream is shown, read from its packets without decoding, and the constant rate it follows."""

from array import array
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

STANDARD_RATES: tuple[Fraction, ...] = (
    *(Fraction(n) for n in (24, 25, 30, 48, 50, 60, 100, 120)),
    *(Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120)),
    *(Fraction(n) for n in (1, 5, 10, 12, 15, 20)),
    Fraction(25, 2),
    Fraction(12000, 1001),
    Fraction(15000, 1001),
)
"""Rates that films, television and phones are made at, in pictures a second, the usual ones first."""

_FILM_RATES = tuple(rate for rate in STANDARD_RATES if 23 < rate <= 60)
_SLOWEST, _FASTEST = Fraction(1), Fraction(120)
_TOLERANCE = 0.001
_NEARLY = 0.1
_TELLING_SECONDS = 1.013
"""Below this length, time stamps in whole milliseconds do not tell a rate from its 1000/1001."""


@dataclass(frozen=True)
class StreamTimes:
    """The time stamps of one stream's packets that are to be shown.

    Attributes:
        time_base: seconds of one tick.
        pts: int64 [n], presentation time stamps in ticks, rising, without repetitions; of a stream without them
            (raw bit streams) the ordinal numbers 0..n-1, then in ticks of ``time_base`` = 1/rate.
        trusted: whether each decoded picture's own time stamp may be believed. AVI, raw streams and MXF without an
            index of display order stamp in decoding order; there the k-th shown picture has the k-th smallest stamp.
        packets: packets that hold data and are to be shown (edit lists cut some).
        last_ticks: how long the last picture is shown, in ticks; 0 when unsaid.
        faults: what says that the file is damaged, in sentences; see `damage`.
    """

    time_base: Fraction
    pts: NDArray[np.int64]
    trusted: bool
    packets: int
    last_ticks: int
    faults: tuple[str, ...] = ()

    @property
    def seconds(self) -> NDArray[np.float64]:
        """Times from the first picture on, in seconds: float64 [n]."""
        if not len(self.pts):
            return np.zeros(0)
        seconds: NDArray[np.float64] = (self.pts - self.pts[0]) * float(self.time_base)
        return seconds


@dataclass(frozen=True)
class Rate:
    """The constant rate chosen for a stream: pictures a second, and whether every time stamp lies on its grid."""

    value: Fraction
    constant: bool


class TimesReader:
    """Collects a video stream's time stamps from its packets, in the order they are read."""

    def __init__(self, stream: Any, container: str) -> None:
        """Args: the PyAV video stream, and FFmpeg's name of its container."""
        self._stream = stream
        self._container = container
        self._stamps, self._places = array("q"), array("q")
        self._last: tuple[int, int] = (-1, 0)
        self.packets = 0

    def add(self, packet: Any) -> None:
        """Note one packet of the stream."""
        if packet.size == 0 or packet.is_discard:
            return
        self.packets += 1
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is None:
            return
        self._stamps.append(stamp)
        self._places.append(self.packets)
        if stamp >= self._last[0]:
            self._last = (stamp, packet.duration or 0)

    def times(self) -> StreamTimes:
        """What was read so far."""
        if not self._stamps:
            return StreamTimes(1 / self._said_rate(), self.stamps(), False, self.packets, 1)
        return StreamTimes(
            self._stream.time_base, np.unique(self.stamps()), not self._in_decoding_order(), self.packets,
            max(0, self._last[1]),
        )  # fmt: skip

    def stamps(self) -> NDArray[np.int64]:
        """The time stamps as in `StreamTimes.pts`, but with repetitions: int64 [packets].

        A transport stream need not stamp each picture (ISO/IEC 13818-1, 2.7.4): the others stand between those that it
        stamps, at its rate.
        """
        if not self._stamps:
            return np.arange(self.packets, dtype=np.int64)
        known = np.sort(np.array(self._stamps, dtype=np.int64))
        if len(known) == self.packets:
            return known
        return filled(known, self.packets, float(1 / (self._counted_rate() * self._stream.time_base)))

    def _in_decoding_order(self) -> bool:
        if self._container == "avi":
            return True
        # MXF knows the order shown from an index that some writers leave out: then stamps rise even across B frames
        reorders = bool(self._stream.codec_context.has_b_frames)
        return self._container == "mxf" and reorders and bool(np.all(np.diff(self._stamps) > 0))

    def _counted_rate(self) -> Fraction:
        """What is said, unless the pictures between the first and the last stamp say something else."""
        said, stamps = self._said_rate(), self._stamps
        seconds = (max(stamps) - min(stamps)) * self._stream.time_base
        pictures = self._places[int(np.argmax(stamps))] - self._places[int(np.argmin(stamps))]
        if seconds <= 0 or pictures <= 0 or abs(pictures / seconds / said - 1) < _NEARLY:
            return said
        return nearest_rate(pictures / seconds)

    def _said_rate(self) -> Fraction:
        said = (self._stream.codec_context.framerate, self._stream.average_rate, Fraction(25))
        return next(Fraction(rate) for rate in said if rate and _SLOWEST <= rate <= _FASTEST)


def filled(stamps: NDArray[np.int64], count: int, step: float) -> NDArray[np.int64]:
    """`count` stamps: pictures without one stand where `step` ticks and more are free, the rest after the last."""
    wanted = max(0, count - len(stamps))
    free = np.append(np.maximum(0, np.rint(np.diff(stamps) / step).astype(np.int64) - 1), wanted)
    before = np.cumsum(free) - free
    here = np.clip(wanted - before, 0, free)
    first = np.cumsum(here + 1) - here - 1
    after = np.arange(len(stamps) + wanted) - np.repeat(first, here + 1)
    filled: NDArray[np.int64] = np.repeat(stamps, here + 1) + np.rint(after * step).astype(np.int64)
    return filled[:count]


def grid(seconds: NDArray[np.float64], rate: Fraction) -> NDArray[np.int64] | None:
    """The slot of each time stamp on the grid of `rate`, or None when one is more than 1 ms off the best-placed grid.

    `seconds` rises from 0; slots rise strictly, with gaps where pictures are left out.
    """
    slots = np.rint(seconds * float(rate)).astype(np.int64)
    off = seconds - slots / float(rate)
    if len(slots) and off.max() - off.min() > 2 * _TOLERANCE:
        return None
    return slots if bool(np.all(np.diff(slots) > 0)) else None


def best_grid(
    seconds: NDArray[np.float64], rates: Iterable[Fraction], believed: Collection[Fraction] = ()
) -> tuple[Fraction, NDArray[np.int64]] | None:
    """Of `rates` the one whose grid the time stamps keep best, with their slots; None when they keep none.

    The grid that leaves out fewest pictures comes first, then, in a stream too short to tell, a believed rate, then
    the smallest residual (in a stream too short, the order given). `seconds` holds two or more times.
    """
    short = seconds[-1] < _TELLING_SECONDS
    fits = []
    for order, rate in enumerate(rates):
        slots = grid(seconds, rate)
        if slots is not None:
            residual = 0.0 if short else round(float(np.std(seconds - slots / float(rate))), 5)
            fits.append((int(slots[-1]), short and rate not in believed, residual, order, rate, slots))
    if not fits:
        return None
    *_, rate, slots = min(fits, key=lambda fit: fit[:4])
    return rate, slots


def choose_rate(times: StreamTimes, said: Sequence[Fraction | None]) -> Rate:
    """The constant rate of a stream: its own where its stamps keep one, else the nearest usual rate.

    A stream keeps a rate when most of its pictures fill neighbouring slots of the grid. What the container says
    (`said`, in order of trust) decides only for streams that are too short to tell, and for unusual rates.
    """
    seconds = times.seconds
    claims = [rate for rate in said if rate and _SLOWEST <= rate <= _FASTEST]
    near = [nearest_rate(claim) for claim in claims]
    if len(seconds) < 2:
        return Rate(near[0] if near else Fraction(25), True)
    best = best_grid(seconds, STANDARD_RATES, near) or best_grid(seconds, claims)
    if best is not None and np.median(np.diff(best[1])) == 1:
        return Rate(best[0], True)
    typical = 1 / float(np.median(np.diff(seconds)))
    return Rate(_nearest(_FILM_RATES, typical), False)


def nearest_rate(claim: Fraction) -> Fraction:
    """The standard rate nearest to a claimed one, as a ratio."""
    return _nearest(STANDARD_RATES, float(claim))


def _nearest(rates: Sequence[Fraction], wanted: float) -> Fraction:
    return min(rates, key=lambda rate: abs(np.log(float(rate) / wanted)))
