"""Bounds within which a delivered file is read at all: media is hostile input.

A file outside them is refused with the bound it breaks, before memory or hours are spent on it. The allow-lists keep
playlists, image sequences, network addresses and every exotic demuxer away from FFmpeg's probing.
"""

from dataclasses import dataclass

FORMATS: tuple[str, ...] = (
    "mov",
    "matroska",
    "mpegts",
    "mpeg",
    "avi",
    "ogg",
    "mxf",
    "mpegvideo",
    "h264",
    "hevc",
)
"""FFmpeg demuxers that may open a delivered file (``mov`` is MP4 and QuickTime, ``matroska`` is WebM too)."""

PROTOCOLS: tuple[str, ...] = ("file",)
"""FFmpeg protocols that a demuxer may use: a file cannot name another address to be read."""


@dataclass(frozen=True)
class Limits:
    """What one title may cost.

    Attributes:
        pixels: coded pixels of one picture.
        seconds: length of the picture, in seconds.
        packets: packets of the picture's stream.
        hold_seconds: the longest time between two pictures that is still a held picture, in seconds.
        io_seconds: how long one read may block, in seconds.
        streams: number of streams in one container.
        lead_packets: packets of a stream that are tried for its first decodable frame.
    """

    pixels: int = 8192 * 4352
    seconds: int = 12 * 3600
    packets: int = 12 * 3600 * 240
    hold_seconds: int = 600
    io_seconds: float = 60.0
    streams: int = 64
    lead_packets: int = 3000


LIMITS = Limits()
"""The bounds that apply everywhere."""
