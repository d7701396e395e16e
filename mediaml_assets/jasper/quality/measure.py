"""From what the standardising pass saw to the numbers that `quality` judges."""

from fractions import Fraction

from mediaml_assets.jasper.delivered.probe import Probe
from mediaml_assets.jasper.delivered.source import Source
from mediaml_assets.jasper.delivered.timing import StreamTimes
from mediaml_assets.jasper.frame_tape import FrameTape
from mediaml_assets.jasper.quality.loudness import SoundMeter
from mediaml_assets.jasper.quality.verdict import Measured, picture_shares


def measure(
    probed: Probe,
    times: StreamTimes,
    source: Source,
    tape: FrameTape,
    rate: Fraction,
    meter: SoundMeter,
    first_sound: Fraction | None,
) -> Measured:
    """The numbers of one title.

    Args:
        probed: what the file holds.
        times: the time stamps of its picture.
        source: the reader, after its last packet.
        tape: the frame tape of the whole title.
        rate: frames a second of the tape.
        meter: what heard the whole sound.
        first_sound: time stamp of the first sound in seconds; None without sound.
    """
    seconds = len(tape) / rate
    start = source.start_pts * times.time_base
    black, frozen = picture_shares(tape, rate)
    return Measured(
        decodable_share=max(0.0, min(1.0, (source.pictures - source.damaged) / max(1, times.packets))),
        duration_drift=_drift(seconds, probed.video.duration or probed.duration, start),
        seconds=float(seconds),
        black_share=black,
        frozen_share=frozen,
        has_sound=probed.audio is not None,
        silence_share=meter.silence_share,
        clipping_share=meter.clipping_share,
        loudness=meter.loudness,
        sound_offset=0.0 if first_sound is None else float(first_sound - start),
        notes=tuple(_notes(probed, times, source)),
    )


def _drift(seconds: Fraction, claimed: Fraction | None, start: Fraction) -> float:
    # Some containers count their length from time 0 and not from the first picture; the kinder reading counts.
    if claimed is None:
        return 0.0
    return float(min(seconds - claimed, seconds - claimed + start, key=abs))


def _notes(probed: Probe, times: StreamTimes, source: Source) -> list[str]:
    notes = list(times.faults)
    if not times.trusted and probed.video.first_pts is None:
        notes.append("the stream has no time stamps; its stated rate was taken")
    if source.restamped:
        notes.append(f"{source.restamped} pictures had no time stamp that follows the one before")
    if probed.audio is None and probed.audio_streams:
        notes.append("its sound cannot be decoded and is left out")
    return notes
