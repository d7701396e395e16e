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
        streams: streams in one container; subtitles and attachments are streams too.
        sound_rate: samples a second of sound; a stream beyond it counts as one that cannot be decoded.
        channels: channels of sound, alike.
        tags: tags of the container that are read, and characters of one: what is beyond is left out.
        tag_chars: see `tags`.
        lead_packets: packets of a stream that are tried for its first decodable frame.
        memory: bytes that the process which reads the file may take beyond what it has when it starts. Address space
            is what is counted: a decoder that holds 17 pictures of 8192 x 4352 in 10 bits takes 1.8 GB.
        written: bytes of one file that this process may write. The frame tape of 12 hours at 120 pictures a second
            takes 18 GB.
        stall_seconds: how long that process may neither report progress nor read or write a byte, in seconds.
        base_seconds: how long it may take for an empty file, in seconds, reading from a bucket left out.
        bytes_a_second: the slowest pace at which it may get through a larger one.
    """

    pixels: int = 8192 * 4352
    seconds: int = 12 * 3600
    packets: int = 12 * 3600 * 240
    hold_seconds: int = 600
    io_seconds: float = 60.0
    streams: int = 64
    sound_rate: int = 768_000
    channels: int = 64
    tags: int = 1000
    tag_chars: int = 10_000
    lead_packets: int = 3000
    memory: int = 4 << 30
    written: int = 32 << 30
    stall_seconds: float = 120.0
    base_seconds: float = 1800.0
    bytes_a_second: float = 25_000.0

    def wall_seconds(self, size: int) -> float:
        """How long reading a file of `size` bytes may take, in seconds; its CPU time is bounded alike."""
        return self.base_seconds + size / self.bytes_a_second


LIMITS = Limits()
"""The bounds that apply everywhere."""
