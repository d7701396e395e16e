"""Copies a film's packets into another container, as a delivery does, or with one thing changed."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

Change = Callable[[list[Any]], None]


def remux(
    source: Path,
    target: Path,
    change: Change | None = None,
    *,
    options: dict[str, str] | None = None,
    kinds: tuple[str, ...] = ("video", "audio"),
    claim: Callable[[Any], None] | None = None,
    **tags: str,
) -> Path:
    """Copy picture and sound of `source` to `target`.

    `change` may alter the packets on the way, `options` are the muxer's, only streams of `kinds` are copied, and
    `claim` may alter what the container says of each.
    """
    with av.open(str(source)) as given, av.open(str(target), "w", options=options or {}) as out:
        out.metadata.update(tags)
        streams = [s for s in given.streams if s.type in kinds]
        copies = {
            s.index: out.add_stream_from_template(s, opaque=s.codec_context.name == "libdav1d" or None) for s in streams
        }
        for copy in copies.values():
            if claim is not None:
                claim(copy)
        packets = [packet for packet in given.demux(streams) if packet.size]
        for stream in streams:
            _give_times([p for p in packets if p.stream.index == stream.index])
        if change is not None:
            change(packets)
        for packet in packets:
            packet.stream = copies[packet.stream.index]
            out.mux(packet)
    return target


def _give_times(packets: list[Any]) -> None:
    """Decoding times and durations, which Matroska does not keep and other containers need."""
    shown = sorted(packet.pts for packet in packets)
    lead = max(at - packet.pts for at, packet in zip(shown, packets, strict=True))
    step = round((shown[-1] - shown[0]) / max(1, len(shown) - 1))
    missing = any(packet.dts is None for packet in packets)
    for at, packet in zip(shown, packets, strict=True):
        packet.dts = at - lead if missing else packet.dts
        packet.duration = packet.duration or step


def flip_one_bit(packets: list[Any]) -> None:
    """Change the last byte of one picture in the middle."""
    pictures = [n for n, packet in enumerate(packets) if packet.stream.type == "video"]
    at = pictures[len(pictures) // 2]
    old = packets[at]
    data = bytearray(bytes(old))
    data[-1] ^= 1
    new = av.Packet(bytes(data))
    new.pts, new.dts, new.duration, new.time_base, new.stream = (
        old.pts, old.dts, old.duration, old.time_base, old.stream,
    )  # fmt: skip
    packets[at] = new


def retime(kind: str, scale: Fraction = Fraction(1), shift: Fraction = Fraction(0)) -> Change:
    """Scale and shift, in seconds, the times of all packets of one kind of stream."""

    def change(packets: list[Any]) -> None:
        for packet in packets:
            if packet.stream.type == kind:
                ticks = round(shift / packet.time_base)
                packet.pts, packet.dts = round(packet.pts * scale) + ticks, round(packet.dts * scale) + ticks
                packet.duration = round(packet.duration * scale)

    return change
