"""What may become of a film's bytes: every kind of damage as a function of the bytes and a random generator."""

from collections.abc import Callable, Mapping

import numpy as np

Damage = Callable[[bytes, bytes, np.random.Generator], bytes]
"""Takes the film, another film and the generator; returns the damaged film."""

_HEADER = 2048


def flip_bits(film: bytes, other: bytes, random: np.random.Generator) -> bytes:
    """1 to 64 bits anywhere."""
    return _flipped(film, random.integers(0, len(film), int(2 ** random.uniform(0, 6))), random)


def flip_a_burst(film: bytes, other: bytes, random: np.random.Generator) -> bytes:
    """Every byte of a stretch of up to 512 replaced."""
    at, size = int(random.integers(0, len(film))), int(random.integers(1, 512))
    return film[:at] + random.bytes(min(size, len(film) - at)) + film[at + size :]


def truncate(film: bytes, other: bytes, random: np.random.Generator) -> bytes:
    """The end is missing: a copy that broke off."""
    return film[: int(random.integers(1, len(film)))]


def cut_the_front(film: bytes, other: bytes, random: np.random.Generator) -> bytes:
    """Up to a third of the front is missing: a recording that started in the middle."""
    return film[int(random.integers(1, len(film) // 3)) :]


def lose_bytes(film: bytes, other: bytes, random: np.random.Generator) -> bytes:
    """A stretch is missing, the rest moves up: lost packets."""
    at, size = int(random.integers(0, len(film))), int(2 ** random.uniform(0, 13))
    return film[:at] + film[at + size :]


def zero_a_range(film: bytes, other: bytes, random: np.random.Generator) -> bytes:
    """A stretch reads as zeros: a block that a disk lost, or a download with holes."""
    at, size = int(random.integers(0, len(film))), int(2 ** random.uniform(4, 15))
    return film[:at] + bytes(min(size, len(film) - at)) + film[at + size :]


def splice(film: bytes, other: bytes, random: np.random.Generator) -> bytes:
    """Another film goes on in the middle."""
    return film[: int(random.integers(1, len(film)))] + other[int(random.integers(0, len(other))) :]


def change_the_header(film: bytes, other: bytes, random: np.random.Generator) -> bytes:
    """1 to 8 fields of four bytes at the front or the end, where containers keep theirs, get telling values."""
    data = bytearray(film)
    for _ in range(int(random.integers(1, 9))):
        near = int(random.integers(0, min(_HEADER, len(film) - 4)))
        at = near if random.random() < 0.5 else len(film) - 4 - near
        value = int(random.choice([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, int(random.integers(0, 1 << 32))]))
        data[at : at + 4] = value.to_bytes(4, "big")
    return bytes(data)


DAMAGES: Mapping[str, Damage] = {
    "bits": flip_bits,
    "burst": flip_a_burst,
    "truncated": truncate,
    "front": cut_the_front,
    "lost": lose_bytes,
    "zeros": zero_a_range,
    "splice": splice,
    "header": change_the_header,
}


def _flipped(film: bytes, places: "np.typing.NDArray[np.int64]", random: np.random.Generator) -> bytes:
    data = bytearray(film)
    for place in places:
        data[int(place)] ^= 1 << int(random.integers(0, 8))
    return bytes(data)
