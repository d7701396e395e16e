# mypy: ignore-errors
# pixeltable lives in an environment of its own
"""The chain as Pixeltable UDFs of a module."""

import pixeltable as pxt

from .helpers import brightness, called, changes


@pxt.udf
def levels(film: pxt.Video) -> pxt.Json:
    """Mean luma of each frame."""
    called("levels")
    return brightness(str(film))


@pxt.udf
def cuts(levels: pxt.Json) -> int:
    """How many frames begin with a change."""
    called("cuts")
    count = changes(levels)
    return count


@pxt.udf
def label(cuts: int) -> str:
    """The number in words."""
    called("label")
    return f"{cuts} cuts"
