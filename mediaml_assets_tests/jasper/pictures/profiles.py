"""ICC profiles made by hand, so that what a conversion must give is known (ICC.1:2010, version 2 profiles)."""

import struct
from collections.abc import Callable, Sequence

ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
"""XYZ of red, green and blue, adapted to D50, of Adobe RGB (1998)."""
DISPLAY_P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
_D50 = (0.9642, 1.0, 0.8249)


def matrix_profile(primaries: Sequence[Sequence[float]], gamma: float, name: str) -> bytes:
    """An RGB profile of three primaries and one gamma."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    tags = {b"desc": _description(name), b"cprt": b"text" + bytes(4) + b"none\0\0\0\0", b"wtpt": _xyz(_D50)}
    for letter, primary in zip(b"rgb", primaries, strict=True):
        tags[bytes([letter]) + b"XYZ"] = _xyz(primary)
        tags[bytes([letter]) + b"TRC"] = curve
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags)


def press_profile(lab_of: Callable[[int, int, int, int], tuple[float, float, float]], name: str) -> bytes:
    """A CMYK profile: `lab_of` says what the 16 mixtures of full and no ink look like."""
    straight = bytes(range(256))
    table = bytearray()
    for c in (0, 1):
        for m in (0, 1):
            for y in (0, 1):
                for k in (0, 1):
                    light, a, b = lab_of(c, m, y, k)
                    table += bytes([round(light * 2.55), round(a) + 128, round(b) + 128])
    unit = struct.pack(">9i", *(65536 if place % 4 == 0 else 0 for place in range(9)))
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + unit + straight * 4 + bytes(table) + straight * 3
    tags = {b"desc": _description(name), b"cprt": b"text" + bytes(4) + b"none\0\0\0\0", b"wtpt": _xyz(_D50)}
    return _profile(b"prtr", b"CMYK", b"Lab ", {**tags, b"A2B0": lut, b"A2B1": lut})


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    at, directory, body = 128 + 4 + 12 * len(tags), b"", b""
    for tag, data in tags.items():
        data += bytes(-len(data) % 4)
        directory += tag + struct.pack(">II", at + len(body), len(data))
        body += data
    header = struct.pack(">I4sI4s4s4s", at + len(body), bytes(4), 0x02400000, kind, space, connection)
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", *(round(one * 65536) for one in _D50))
    return header + bytes(128 - len(header)) + struct.pack(">I", len(tags)) + directory + body


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(one * 65536) for one in values))


def _description(name: str) -> bytes:
    text = name.encode() + b"\0"
    return b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78)
