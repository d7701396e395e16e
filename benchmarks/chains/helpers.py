"""What the features of the chain call: a user's own helpers, in the same package."""

import os
from itertools import pairwise

STEP = 8
"""Levels of mean luma from which on a change between two frames counts."""


def called(feature: str) -> None:
    """Write down that a feature's function ran; one short append is atomic, so workers may share the file."""
    with open(os.environ["CHAIN_CALLS"], "a") as file:
        file.write(f"{feature}\n")


def brightness(path: str) -> list[int]:
    """Mean luma of each frame of a film, rounded."""
    import av

    with av.open(path) as film:
        return [round(float(frame.to_ndarray(format="gray").mean())) for frame in film.decode(video=0)]


def changes(levels: list[int]) -> int:
    """How often the level changes by at least STEP from one frame to the next."""
    return sum(abs(after - before) >= STEP for before, after in pairwise(levels))
