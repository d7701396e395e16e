"""SMPTE timecode: a label for each frame of a day, and the arithmetic on it (SMPTE ST 12-1).

Labels count whole frames at a nominal rate. At 30000/1001 and 60000/1001 frames a second such a count runs 3.6 s an
hour slow against the clock; drop frame keeps to it by leaving out labels: the first two (at 60: four) of each minute,
but not of each tenth one. No frame is dropped, only its label.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from mediaml_assets.errors import TimecodeRefused

_LABEL = re.compile(r"(\d{2}):(\d{2}):(\d{2})([:;])(\d{2,3})", re.ASCII)
_DROP_RATES = (30, 60)
_FASTEST = 120


@dataclass(frozen=True)
class Timecode:
    """One label: how many labels stand before it on its day, and what it counts in.

    Attributes:
        frames: frames since 00:00:00:00, in [0, frames of a day).
        rate: nominal frames a second, a whole number, 1 to 120: 24 for 23.976, 30 for 29.97.
        drop: whether labels are left out to keep to the clock; at 30 and 60 only.

    Raises:
        TimecodeRefused: a field is outside its range.
    """

    frames: int
    rate: int
    drop: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.rate <= _FASTEST:
            raise TimecodeRefused(f"timecode counts 1 to {_FASTEST} frames a second, not {self.rate}")
        if self.drop and self.rate not in _DROP_RATES:
            raise TimecodeRefused(f"drop frame is for 30 and 60 frames a second, not for {self.rate}; write `:`")
        if not 0 <= self.frames < self.day:
            raise TimecodeRefused(f"frame {self.frames} is not within a day of {self.day} frames")

    @classmethod
    def parse(cls, label: str, rate: int) -> "Timecode":
        """Read ``HH:MM:SS:FF``, or ``HH:MM:SS;FF`` for drop frame, of `rate` frames a second.

        Raises:
            TimecodeRefused: it is no label, or one that does not exist at this rate, as 00:01:00;00.
        """
        found = _LABEL.fullmatch(label)
        if found is None:
            raise TimecodeRefused(f"{label!r} is no timecode; write HH:MM:SS:FF, or HH:MM:SS;FF for drop frame")
        hours, minutes, seconds, frames = (int(found[group]) for group in (1, 2, 3, 5))
        if hours > 23 or minutes > 59 or seconds > 59 or frames >= rate:
            raise TimecodeRefused(f"{label!r} does not exist at {rate} frames a second; check the rate")
        drop, minute = found[4] == ";", hours * 60 + minutes
        if drop and rate in _DROP_RATES and minute % 10 and seconds == 0 and frames < rate // 15:
            following = f"{label[:-2]}{rate // 15:02}"
            raise TimecodeRefused(f"{label!r} does not exist: drop frame leaves it out; the next is {following}")
        count = (minute * 60 + seconds) * rate + frames
        return cls(count - _left_out(minute, rate) if drop else count, rate, drop)

    @property
    def day(self) -> int:
        """Frames of 24 hours; the label after the last is 00:00:00:00 again."""
        return 86_400 * self.rate - (_left_out(1440, self.rate) if self.drop else 0)

    @property
    def exact_rate(self) -> Fraction:
        """Frames a second that these labels keep to the clock at: 30000/1001 and 60000/1001 in drop frame."""
        return Fraction(self.rate * 1000, 1001) if self.drop else Fraction(self.rate)

    def __add__(self, frames: int) -> "Timecode":
        """The label this many frames later, or earlier when negative; it wraps at 24 hours."""
        return Timecode((self.frames + frames) % self.day, self.rate, self.drop)

    def __str__(self) -> str:
        """``HH:MM:SS:FF``, with ``;`` before the frames in drop frame; three digits of frames above 100 a second."""
        hours, minutes, seconds, frames = self._label()
        digits = len(str(max(10, self.rate - 1)))
        return f"{hours:02}:{minutes:02}:{seconds:02}{';' if self.drop else ':'}{frames:0{digits}}"

    def _label(self) -> tuple[int, int, int, int]:
        number = self.frames + (self._skipped() if self.drop else 0)
        seconds, frames = divmod(number, self.rate)
        return seconds // 3600, seconds // 60 % 60, seconds % 60, frames

    def _skipped(self) -> int:
        """Labels left out before this one."""
        dropped = self.rate // 15
        tens, rest = divmod(self.frames, 600 * self.rate - 9 * dropped)
        # the first minute of ten is whole; each later one is short of the dropped labels at its start
        later = max(0, rest - 60 * self.rate) // (60 * self.rate - dropped) + (rest >= 60 * self.rate)
        return dropped * (9 * tens + later)


def _left_out(minutes: int, rate: int) -> int:
    """Labels that drop frame leaves out in the first `minutes` minutes of a day and at the start of the next one."""
    return rate // 15 * (minutes - minutes // 10)
