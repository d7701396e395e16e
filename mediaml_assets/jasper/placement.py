"""Where a picture of any shape lies on a canvas."""

from dataclasses import dataclass
from fractions import Fraction

from mediaml_assets.errors import MediaRefused

_WIDEST = 20


@dataclass(frozen=True)
class Placement:
    """Where the whole picture lies on the canvas, in pixels, all even: ``[x, x + width)`` by ``[y, y + height)``."""

    x: int
    y: int
    width: int
    height: int


def place(width: int, height: int, aspect: Fraction, canvas: tuple[int, int]) -> Placement:
    """The largest centred place for a shown picture of `width` x `height` pixels of shape `aspect` (width : height).

    Raises:
        MediaRefused: the shown picture is more than 20 times as wide as high, or as high as wide.
    """
    shape = Fraction(width, height) * aspect
    if not Fraction(1, _WIDEST) <= shape <= _WIDEST:
        raise MediaRefused(f"the picture's shape {float(shape):.3g}:1 is not a film's; check its sample aspect ratio")
    across, down = canvas
    fits_across = shape >= Fraction(across, down)
    wide = across if fits_across else min(across, _even(down * shape))
    high = min(down, _even(across / shape)) if fits_across else down
    return Placement(_even_below((across - wide) / 2), _even_below((down - high) / 2), wide, high)


def _even(value: Fraction | float) -> int:
    return max(2, 2 * round(value / 2))


def _even_below(value: float) -> int:
    return 2 * int(value // 2)
