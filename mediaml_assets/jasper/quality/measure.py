"""From what the standardising pass saw to the numbers that `thresholds` judges."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import Any

from mediaml_assets.jasper.delivered.probe import Probe
from mediaml_assets.jasper.delivered.source import Source
from mediaml_assets.jasper.delivered.timing import Rate, StreamTimes
from mediaml_assets.jasper.frame_tape import FrameTape
from mediaml_assets.jasper.quality.combs import CombFinder
from mediaml_assets.jasper.quality.levels import BLOCKS, SoundLevels
from mediaml_assets.jasper.quality.loudness import ABSOLUTE_GATE, LoudnessMeter
from mediaml_assets.jasper.quality.stretches import Stretch
from mediaml_assets.jasper.quality.tape import tape_facts


def _number(about: str) -> Any:
    return field(metadata={"about": about})


@dataclass(frozen=True)
class Found:
    """A stretch of time, in seconds from the first frame ``[start, end)``, in which a concern is so."""

    concern: str
    start: float
    end: float


@dataclass(frozen=True)
class Measured:
    """What the standardising pass measured. Shares are in [0, 1]; what is measured on sound is None without it."""

    seconds: float = _number("Length of the picture, in seconds.")
    decodable_share: float = _number("Pictures decoded without damage, of the packets that should each give one.")
    duration_drift: float = _number("Length of the picture less what the container claims, in seconds.")
    rate_drift: float = _number("Constant rate that was found over the one that the container claims, less 1.")
    black_share: float = _number("Share of the frames that are black.")
    longest_black: float = _number("Longest black stretch of half a second or more, in seconds.")
    frozen_share: float = _number("Share of the frames in stretches of 2 s or more in which nothing moves.")
    longest_frozen: float = _number("Longest stretch of 2 s or more in which nothing moves, in seconds.")
    flashes: float = _number("Most flashes within one second.")
    combed_share: float = _number("Share of the pictures looked at that are combed and were not deinterlaced.")
    active_pictures: int = _number("How many stretches with other bars than before there are, the first one counted.")
    silence_share: float | None = _number("Share of tenths of a second below -60 dB of full scale.")
    longest_silence: float | None = _number("Longest silence of 2 s or more, in seconds.")
    clipping_share: float | None = _number("Share of the delivered samples at full scale or above.")
    loudness: float | None = _number("Integrated loudness of the delivered channels, in LUFS; none of silence.")
    loudness_range: float | None = _number("Loudness range, in LU.")
    loudest: float | None = _number("Loudest 3 s, in LUFS.")
    true_peak: float | None = _number("Highest true peak of any channel, in dBTP.")
    sound_damaged: int | None = _number("Packets of sound that cannot be decoded.")
    sound_offset: float | None = _number("Start of the source's sound less start of its picture, in seconds.")
    sound_end_offset: float | None = _number("End of the source's sound less end of its picture, in seconds.")
    stretches: tuple[Found, ...] = ()
    notes: tuple[str, ...] = ()


NUMBERS: dict[str, tuple[type, str]] = {
    one.name: (int if one.type in (int, int | None) else float, one.metadata["about"])
    for one in fields(Measured)
    if one.metadata
}
"""Name of every number -> its type, and what it says."""


@dataclass(frozen=True)
class SoundSeen:
    """What listened to the sound, and from when to when there was some, in seconds of the source's clock."""

    levels: SoundLevels
    meter: LoudnessMeter
    start: Fraction
    end: Fraction


def measure(
    probed: Probe,
    times: StreamTimes,
    source: Source,
    tape: FrameTape,
    rate: Rate,
    combs: CombFinder,
    active_pictures: int,
    sound: SoundSeen | None,
) -> Measured:
    """The numbers of one title.

    Args:
        probed: what the file holds.
        times: the time stamps of its picture.
        source: the reader, after its last packet.
        tape: the frame tape of the whole title.
        rate: frames a second of the tape, and whether the source keeps that rate.
        combs: what looked at the pictures before they were deinterlaced.
        active_pictures: how many stretches of one active picture there are.
        sound: what heard the whole sound; None without sound.
    """
    seconds = len(tape) / rate.value
    start = source.start_pts * times.time_base
    seen = tape_facts(tape, rate.value)
    frames = 1 / float(rate.value)
    silences = sound.levels.silences() if sound else []
    return Measured(
        seconds=float(seconds),
        decodable_share=max(0.0, min(1.0, (source.pictures - source.damaged) / max(1, times.packets))),
        duration_drift=_drift(seconds, probed.video.duration or probed.duration, start),
        rate_drift=_rate_drift(rate, times, (probed.video.average_rate, probed.video.nominal_rate)),
        black_share=seen.black_share,
        longest_black=_longest(seen.black, frames),
        frozen_share=seen.frozen_share,
        longest_frozen=_longest(seen.frozen, frames),
        flashes=seen.flashes,
        combed_share=combs.share,
        active_pictures=active_pictures,
        silence_share=sound.levels.silence_share if sound else None,
        longest_silence=_longest(silences, 1 / BLOCKS) if sound else None,
        clipping_share=sound.meter.clipping_share if sound else None,
        loudness=sound.meter.loudness if sound and sound.meter.loudness > ABSOLUTE_GATE else None,
        loudness_range=sound.meter.loudness_range if sound else None,
        loudest=sound.meter.loudest if sound else None,
        true_peak=sound.meter.true_peak if sound else None,
        sound_damaged=source.sound_damaged if sound else None,
        sound_offset=float(sound.start) if sound else None,
        sound_end_offset=float(sound.end - seconds) if sound else None,
        stretches=(
            *_found("black", seen.black, frames),
            *_found("frozen", seen.frozen, frames),
            *_found("flash", seen.flashing, frames),
            *_found("silence", silences, 1 / BLOCKS),
        ),
        notes=tuple(_notes(probed, times, source)),
    )


def _longest(stretches: Sequence[Stretch], unit: float) -> float:
    return max((len(one) for one in stretches), default=0) * unit


def _found(concern: str, stretches: Sequence[Stretch], unit: float) -> list[Found]:
    return [Found(concern, round(one.start * unit, 3), round(one.end * unit, 3)) for one in stretches]


def _drift(seconds: Fraction, claimed: Fraction | None, start: Fraction) -> float:
    # Some containers count their length from time 0 and not from the first picture; the kinder reading counts.
    if claimed is None:
        return 0.0
    return float(min(seconds - claimed, seconds - claimed + start, key=abs))


def _rate_drift(rate: Rate, times: StreamTimes, claims: Sequence[Fraction | None]) -> float:
    # One claim may be of fields and one of pictures; the kinder one counts. A variable rate is held to none, and a
    # stream without time stamps of its own has only the claim.
    drifts = [float(rate.value / claim) - 1 for claim in claims if claim]
    return min(drifts, key=abs) if drifts and rate.constant and times.trusted else 0.0


def _notes(probed: Probe, times: StreamTimes, source: Source) -> list[str]:
    notes = list(times.faults)
    if not times.trusted and probed.video.first_pts is None:
        notes.append("the stream has no time stamps; its stated rate was taken")
    if source.restamped:
        notes.append(f"{source.restamped} pictures had no time stamp that follows the one before")
    if probed.audio is None and probed.audio_streams:
        notes.append("its sound cannot be decoded and is left out")
    return notes
