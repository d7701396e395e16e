"""Pictures for tests of detectors: plain, mixed, and wiped over each other."""

import numpy as np

from mediaml_assets.features.detectors.boundary import Boundary
from mediaml_assets.features.detectors.shot_boundaries import boundaries
from mediaml_assets.features.detectors.tape_signals import active_tape, signals
from mediaml_assets_tests.features.conftest import Picture, Tape

BLACK = np.full((360, 640), 16, np.uint8)
WHITE = np.full((360, 640), 235, np.uint8)


def mix(a: Picture, b: Picture, share: float) -> Picture:
    return np.asarray((1 - share) * a.astype(float) + share * b, np.uint8)


def ramp(a: Picture, b: Picture, count: int) -> list[Picture]:
    return [mix(a, b, (i + 1) / (count + 1)) for i in range(count)]


def dissolve(a: list[Picture], b: list[Picture]) -> list[Picture]:
    return [mix(one, two, (i + 1) / (len(a) + 1)) for i, (one, two) in enumerate(zip(a, b, strict=True))]


def wipe(a: Picture, b: Picture, count: int) -> list[Picture]:
    """From left to right, `count` frames."""
    edges = [round(640 * (i + 1) / (count + 1)) for i in range(count)]
    return [np.concatenate([b[:, :edge], a[:, edge:]], axis=1) for edge in edges]


def found(pictures: list[Picture]) -> list[Boundary]:
    tape = active_tape(Tape(pictures), (0, 0, 640, 360))
    return boundaries(tape, signals(tape))
