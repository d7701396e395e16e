"""Subtitle streams of a film that are text, as cues on the film's own clock."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av

from mediaml_assets.jasper.delivered.container import opened
from mediaml_assets.jasper.delivered.probe import probe
from mediaml_assets.jasper.delivered.source import scan
from mediaml_assets.jasper.files import MediaFile
from mediaml_assets.jasper.texts.ass import event_text
from mediaml_assets.jasper.texts.cues import MOST_CUES, Cue, Subtitles, shown
from mediaml_assets.jasper.texts.languages import language_tag


@dataclass(frozen=True)
class EmbeddedSubtitles:
    """One subtitle stream of a film.

    Attributes:
        stream: its number in the file.
        codec: FFmpeg's name of its format.
        language: BCP 47, where the file says it.
        subtitles: what was read; None when it cannot be.
        refused: why it cannot be read; empty otherwise.
    """

    stream: int
    codec: str
    language: str | None
    subtitles: Subtitles | None
    refused: str = ""


@dataclass
class _Reading:
    """One stream while it is read."""

    stream: Any
    refused: str
    cues: list[tuple[Fraction, Fraction | None, list[str]]] = field(default_factory=list)
    damaged: int = 0


def embedded_subtitles(file: MediaFile) -> tuple[EmbeddedSubtitles, ...]:
    """Read every subtitle stream of a film, in one pass over its packets; none of its pictures beyond the first.

    Times are seconds since the first picture that is shown: the clock of the standard encode. A cue without a duration
    lasts until the next one of its stream.

    Returns:
        The streams in their order in the file, also those that are pictures of text or in a format that cannot be
        read.

    Raises:
        MediaRefused: the file is no film, as `probe` says.
    """
    with opened(file) as container:
        if not any(stream.type == "subtitle" for stream in container.streams):
            return ()
    zero = _first_picture(file)
    with opened(file) as container:
        found = [_Reading(one, _why_not(one)) for one in container.streams if one.type == "subtitle"]
        by_index = {one.stream.index: one for one in found if not one.refused}
        for packet in container.demux([one.stream for one in by_index.values()]) if by_index else ():
            _take(by_index[packet.stream.index], packet, zero)
        return tuple(_read(one) for one in found)


def _first_picture(file: MediaFile) -> Fraction:
    """When the first picture is shown, in seconds of the container's clock."""
    probed = probe(file)
    first, base = probed.video.first_pts, probed.video.time_base
    if first is None:
        times, _ = scan(file, probed)
        first, base = int(times.pts[0]), times.time_base
    return first * Fraction(base)


def _why_not(stream: Any) -> str:
    if stream.codec_context is None:
        return "its format cannot be read here; deliver it beside the film as SRT, WebVTT, TTML or ASS"
    if not stream.codec_context.codec.text_sub:
        return "it is pictures of text; deliver its text beside the film as SRT, WebVTT, TTML or ASS"
    return ""


def _take(reading: _Reading, packet: Any, zero: Fraction) -> None:
    """Keep what a packet says, until there are too many."""
    if packet.pts is None or not packet.size or reading.refused:
        return
    try:
        rectangles = list(reading.stream.codec_context.decode(packet))
    except av.FFmpegError:
        reading.damaged += 1
        return
    events = [
        one.ass.decode("utf-8", "replace") for one in rectangles if isinstance(one, av.subtitles.subtitle.AssSubtitle)
    ]
    start = packet.pts * Fraction(packet.time_base) - zero
    end = start + packet.duration * Fraction(packet.time_base) if packet.duration else None
    # also what says nothing: it ends what has no duration before it
    reading.cues.append((start, end, events))
    if len(reading.cues) > MOST_CUES:
        reading.refused = f"it has more than {MOST_CUES:,} cues; deliver the subtitles of one film"


def _read(reading: _Reading) -> EmbeddedSubtitles:
    stream = reading.stream
    codec = "unknown" if stream.codec_context is None else str(stream.codec_context.codec.canonical_name)
    language = language_tag(stream.language)
    if reading.refused:
        return EmbeddedSubtitles(stream.index, codec, language, None, reading.refused)
    subtitles = shown(_cues(reading, language), codec)
    dropped = subtitles.dropped + reading.damaged
    return EmbeddedSubtitles(stream.index, codec, language, Subtitles(subtitles.cues, codec, dropped))


def _cues(reading: _Reading, language: str | None) -> Iterator[Cue]:
    times = sorted(reading.cues, key=lambda one: one[0])
    for (start, end, events), following in zip(times, [*times[1:], None], strict=True):
        until = end if end is not None else following[0] if following else start
        for event in events:
            said, speaker, style = event_text(event)
            yield Cue(start, until, said.plain, said.markup, speaker, style, language)
