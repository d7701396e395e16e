"""Which tools made a standard encode: their versions are kept with it."""

import functools
import re
from fractions import Fraction

import av

_X264 = re.compile(rb"x264 - core (\d+)(?: r(\d+))?")


@functools.cache
def tool_versions() -> tuple[str, ...]:
    """Name and version of PyAV, of FFmpeg and each of its libraries, and of x264, one each."""
    libraries = (f"{name} {'.'.join(map(str, version))}" for name, version in sorted(av.library_versions.items()))
    return f"av {av.__version__}", f"FFmpeg {av.ffmpeg_version_info}", *libraries, f"x264 {_x264()}"


def _x264() -> str:
    """What x264 writes of itself into the first picture that it encodes."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 64, 64, "yuv420p", Fraction(1, 25)
    packets = [*encoder.encode(av.VideoFrame(64, 64, "yuv420p")), *encoder.encode(None)]
    said = _X264.search(b"".join(map(bytes, packets)))
    return "unknown" if said is None else f"core {said[1].decode()}"
