"""Small pictures that show what a film is: a strip of moments, and one that tells most."""

import cv2
import numpy as np

from mediaml_assets.jasper.reading.frame import Rgb

STRIP_HEIGHT = 90
POSTER_CANDIDATES = 24
_LEVELS = 32


def moments(length: int, count: int) -> list[tuple[int, int]]:
    """(first frame, middle frame) of `count` equal parts of the frames [0, length), or of as many as there are."""
    count = min(count, length)
    return [(part * length // count, (2 * part + 1) * length // (2 * count)) for part in range(count)]


def information(picture: Rgb) -> float:
    """Bits a pixel of a picture's grey levels in 32 steps, 0 to 5: next to none when it is black, blank or faded out.

    Shannon's entropy of the histogram. Of several moments of a film, the one with the most shows the most.
    """
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    share = np.bincount(gray.ravel() // (256 // _LEVELS), minlength=_LEVELS) / gray.size
    share = share[share > 0]
    return float(-(share * np.log2(share)).sum())
