"""The identity of a title's content: what its file shows and sounds, whatever its name, tags or container.

Two files have the same essence when the chosen picture and sound streams hold the same coded units, shown at the same
times and in the same way. Reading it costs one pass over the packets; beyond the first picture, which tells the
rotation, nothing is decoded.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.delivered.access_units import Reducer, reducer
from mediaml_assets.jasper.delivered.container import opened
from mediaml_assets.jasper.delivered.damage import DamageReader
from mediaml_assets.jasper.delivered.probe import Probe, VideoFacts, probe
from mediaml_assets.jasper.delivered.timing import STANDARD_RATES, StreamTimes, TimesReader, best_grid
from mediaml_assets.jasper.files import MediaFile
from mediaml_assets.jasper.limits import LIMITS

# Steps of 10 ms whose edges lie 1 ms after each: 0 and the usual encoder delays (1,024, 1,105, 2,048 and 2,112 samples
# at 44.1 and 48 kHz) are inside a step by what Matroska's whole milliseconds may move them.
_OFFSET_STEP, _OFFSET_EDGE = Fraction(1, 100), Fraction(1, 1000)


@dataclass(frozen=True)
class Essence:
    """The identity of a title's content.

    Attributes:
        digest: sha256 over the facts, in hex.
        facts: what the digest covers, as plain JSON values: the digests of both streams' coded units, the picture's
            timing, how it is shown, and ``damaged`` where the file itself says that it is.
    """

    digest: str
    facts: Mapping[str, Any]


def essence(file: MediaFile) -> Essence:
    """Read the essence of the film that `file` is.

    Raises:
        MediaRefused: as `probe` does, or the file cannot be read to its end.
    """
    probed = probe(file)
    with DamageReader(file, probed) as damage, opened(file) as container:
        video = container.streams[probed.video.index]
        audio = None if probed.audio is None else container.streams[probed.audio.index]
        picture = _CodedUnits(reducer(video))
        sound = None if audio is None else _CodedUnits(reducer(audio), framed=not _is_pcm(probed))
        times = TimesReader(video, probed.container)
        first_sound: Fraction | None = None
        streams = len(container.streams)
        for packet in container.demux([s for s in (video, audio) if s is not None]):
            damage.add(packet)
            if packet.stream.index == video.index:
                times.add(packet)
                if times.packets > LIMITS.packets:
                    raise MediaRefused(f"{file.name} has more than {LIMITS.packets} pictures; cut it")
                if packet.size and not packet.is_discard:
                    picture.add(packet)
            elif sound is not None and packet.size:
                # An encoder's priming is cut by an edit list in MP4 and by nothing in MPEG-TS: it always counts.
                sound.add(packet)
                if first_sound is None and packet.pts is not None:
                    first_sound = packet.pts * packet.time_base
        shown = times.times()
    if not len(shown.pts):
        raise MediaRefused(f"{file.name} has no picture that is shown; deliver it again")
    facts = _facts(probed, shown, picture, sound, first_sound)
    # What the quality verdict is about, and what copying the packets that are left would hide.
    return _digest({**facts, "damaged": True} if damage.faults(shown, streams) else facts)


class _CodedUnits:
    """A running digest of one stream's coded units."""

    def __init__(self, reduce: Reducer, framed: bool = True) -> None:
        self._reduce, self._framed = reduce, framed
        self._hash = hashlib.sha256()

    def add(self, packet: Any) -> None:
        for unit in self._reduce(bytes(packet)):
            if self._framed:
                self._hash.update(len(unit).to_bytes(8, "big"))
            self._hash.update(unit)

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def _is_pcm(probed: Probe) -> bool:
    # Containers cut PCM into packets as they like: only its bytes count.
    return probed.audio is not None and probed.audio.codec.startswith("pcm_")


def _facts(
    probed: Probe, times: StreamTimes, picture: _CodedUnits, sound: _CodedUnits | None, first_sound: Fraction | None
) -> dict[str, Any]:
    start = int(times.pts[0]) * times.time_base
    facts: dict[str, Any] = {
        "picture": {"codec": probed.video.codec, "units": picture.hexdigest()},
        "timing": _timing(times),
        "shown": _shown(probed.video),
        "sound": None,
    }
    if sound is not None and probed.audio is not None:
        facts["sound"] = {
            "codec": probed.audio.codec,
            "units": sound.hexdigest(),
            "rate": probed.audio.rate,
            "channels": probed.audio.channels,
            "offset": None if first_sound is None else _offset_steps(first_sound - start),
        }
    return facts


def _offset_steps(seconds: Fraction) -> int:
    return math.floor((seconds - _OFFSET_EDGE) / _OFFSET_STEP) + 1


def _timing(times: StreamTimes) -> dict[str, Any]:
    """The standard rate whose grid every time stamp keeps, with the slots left out, else durations in ms."""
    seconds = times.seconds
    if len(seconds) < 2:
        return {"rate": None, "slots": len(seconds), "durations_ms": None}
    best = best_grid(seconds, STANDARD_RATES)
    if best is not None:
        return {"rate": str(best[0]), "slots": len(seconds), "left_out": _digest_of(np.diff(best[1]) - 1)}
    return {"rate": None, "slots": len(seconds), "durations_ms": _digest_of(np.diff(_whole_ms(times)))}


def _whole_ms(times: StreamTimes) -> NDArray[np.int64]:
    """Times from the first picture on, in whole ms, int64 [n], as remuxing rounds them.

    MPEG-TS rounds to 90 kHz and Matroska to ms, halves up. Done one after the other, all three containers agree for any
    tick that divides 90 kHz, and for others but where a stamp lies within 5.6 us of half a ms.
    """
    first, num, den = int(times.pts[0]), times.time_base.numerator, times.time_base.denominator
    ticks = (_half_up((int(pts) - first) * num * 90_000, den) for pts in times.pts)
    return np.array([_half_up(tick, 90) for tick in ticks], np.int64)


def _half_up(value: int, divisor: int) -> int:
    return (2 * value + divisor) // (2 * divisor)


def _digest_of(steps: NDArray[np.int64]) -> str:
    return hashlib.sha256(steps.astype("<i8").tobytes()).hexdigest()


def _shown(video: VideoFacts) -> dict[str, Any]:
    order = "progressive" if video.field_order == "unspecified" else video.field_order
    return {
        "width": video.width,
        "height": video.height,
        "sample_aspect": str(video.sample_aspect),
        "rotation": video.orientation.rotation,
        "mirrored": video.orientation.mirrored,
        "range": video.color_range,
        "primaries": video.color_primaries,
        "transfer": video.color_transfer,
        "matrix": video.color_space,
        "field_order": order,
    }


def _digest(facts: Mapping[str, Any]) -> Essence:
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return Essence(hashlib.sha256(canonical.encode()).hexdigest(), facts)
