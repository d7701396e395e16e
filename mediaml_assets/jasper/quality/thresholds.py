"""From which number on a title deserves a look, and from which on it is not fit for use: the one table of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, Literal

from mediaml_assets.jasper.quality.flashes import ALLOWED

Verdict = Literal["ok", "warn", "quarantine"]


@dataclass(frozen=True)
class Bound:
    """A number breaks it below `low` or above `high`, if it is also more than this share of the claimed length."""

    low: float = -inf
    high: float = inf
    of_length: float = 0.0

    def broken(self, number: float, length: float) -> bool:
        """Whether a number breaks it, in a title of this many seconds."""
        return not self.low <= number <= self.high and abs(number) >= self.of_length * length

    def __str__(self) -> str:
        sides = [f"below {self.low:g}"] if self.low > -inf else []
        sides += [f"above {self.high:g}"] if self.high < inf else []
        return " or ".join(sides) + (f", and {self.of_length:.0%} of the length" if self.of_length else "")


@dataclass(frozen=True)
class Rule:
    """What one number may be.

    Attributes:
        concern: what it is about, which is the name of a check.
        number: name of the number, see `Measured`.
        says: the reason in words, with the number in it.
        warn: beyond this it deserves a look.
        quarantine: beyond this the title is not fit for use; None when the number alone never makes it so.
        advice: what to do then, added to the reason.
    """

    concern: str
    number: str
    says: str
    warn: Bound
    quarantine: Bound | None = None
    advice: str = ""


RULES = (
    Rule("decodable", "decodable_share", "only {:.2%} of the pictures can be decoded",
         Bound(low=0.999), Bound(low=0.95), "deliver the file again"),
    Rule("decodable", "sound_damaged", "{} packets of sound cannot be decoded", Bound(high=0)),
    Rule("duration", "duration_drift", "the picture is {:+.1f} s off the claimed length",
         Bound(-1, 1, of_length=0.02), Bound(low=-2, of_length=0.1), "cut short: deliver the file again"),
    Rule("duration", "rate_drift", "the rate is {:+.2%} off the claimed one", Bound(-0.005, 0.005)),
    Rule("black", "black_share", "{:.1%} of the picture is black", Bound(high=0.5), Bound(high=0.98)),
    Rule("black", "longest_black", "the picture is black for {:.0f} s without a break", Bound(high=20)),
    Rule("frozen", "frozen_share", "{:.1%} of the picture stands still", Bound(high=0.5), Bound(high=0.98)),
    Rule("frozen", "longest_frozen", "the picture stands still for {:.0f} s", Bound(high=30)),
    Rule("flash", "flashes", "it flashes {:g} times within a second; it may harm viewers", Bound(high=ALLOWED)),
    Rule("interlace", "combed_share", "{:.0%} of the pictures are combed, though not flagged interlaced; flag them",
         Bound(high=0.1)),
    Rule("active_picture", "active_pictures", "the bars around the picture change, {} parts in all", Bound(high=1)),
    Rule("silence", "silence_share", "{:.0%} of the sound is silence", Bound(high=0.9)),
    Rule("silence", "longest_silence", "the sound is silent for {:.0f} s without a break", Bound(high=60)),
    Rule("clipping", "clipping_share", "{:.2%} of the sound is clipped", Bound(high=0.001)),
    Rule("loudness", "loudness", "its loudness is {:.1f} LUFS", Bound(-40, -8)),
    Rule("loudness", "true_peak", "its true peak is {:+.1f} dBTP", Bound(high=3)),
    Rule("sync", "sound_offset", "the sound starts {:+.2f} s from the picture", Bound(-1, 1)),
    Rule("sync", "sound_end_offset", "the sound ends {:+.2f} s from the picture", Bound(-2, 2)),
)  # fmt: skip
"""Every threshold there is."""

CONCERNS = tuple(dict.fromkeys(rule.concern for rule in RULES))
"""What the rules are about, in order."""
NOTES = "handled"
"""The concern of what was handled and deserves a look, which no number says."""


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    concern: str
    verdict: Verdict
    reason: str


def judge(measured: Mapping[str, Any]) -> list[Finding]:
    """What is wrong with a title, the gravest first; nothing when it is ok.

    Args:
        measured: every number by its name (see `Measured`), None where it could not be measured, and ``notes``.
    """
    found = list(_judged(measured))
    return sorted(found, key=lambda one: one.verdict != "quarantine")


def numbers_of(concern: str) -> tuple[str, ...]:
    """The numbers that a concern is judged by."""
    return tuple(rule.number for rule in RULES if rule.concern == concern)


def verdict(findings: list[Finding]) -> Verdict:
    """The gravest of all findings: ``quarantine``, ``warn``, or ``ok`` when there is none."""
    return findings[0].verdict if findings else "ok"


def _judged(measured: Mapping[str, Any]) -> Iterator[Finding]:
    length = measured["seconds"] - measured["duration_drift"]
    for rule in RULES:
        number = measured[rule.number]
        if number is None:
            continue
        if rule.quarantine is not None and rule.quarantine.broken(number, length):
            advice = f"; {rule.advice}" if rule.advice else ""
            yield Finding(rule.concern, "quarantine", rule.says.format(number) + advice)
        elif rule.warn.broken(number, length):
            yield Finding(rule.concern, "warn", rule.says.format(number))
    yield from (Finding(NOTES, "warn", note) for note in measured["notes"])
