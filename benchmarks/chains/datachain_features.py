# mypy: ignore-errors
# datachain lives in an environment of its own
"""The chain as functions that DataChain maps over files."""

from datachain import File

from .helpers import brightness, called, changes


def levels(file: File) -> list[int]:
    """Mean luma of each frame."""
    called("levels")
    return brightness(str(file.get_local_path() or file.get_fs_path()))


def cuts(levels: list[int]) -> int:
    """How many frames begin with a change."""
    called("cuts")
    count = changes(levels)
    return count


def label(cuts: int) -> str:
    """The number in words."""
    called("label")
    return f"{cuts} cuts"
