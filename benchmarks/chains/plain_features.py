"""The chain as plain functions: the truth that every system is held to."""

from .helpers import brightness, called, changes


def levels(path: str) -> list[int]:
    """Mean luma of each frame."""
    called("levels")
    return brightness(path)


def cuts(levels: list[int]) -> int:
    """How many frames begin with a change."""
    called("cuts")
    count = changes(levels)
    return count


def label(cuts: int) -> str:
    """The number in words."""
    called("label")
    return f"{cuts} cuts"
