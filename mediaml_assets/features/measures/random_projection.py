"""Fixed random projections, which make long vectors short and keep what lies between them."""

from functools import cache

import numpy as np
import numpy.typing as npt


@cache
def random_projection(width: int, numbers: int) -> npt.NDArray[np.float32]:
    """A matrix [width, numbers] of Gaussian numbers that never changes, scaled to keep lengths.

    After it, a cosine c keeps its value up to a deviation of about (1 - c^2) / sqrt(numbers): close pairs are kept best
    (Johnson & Lindenstrauss, 1984; Dasgupta & Gupta, 2003).
    """
    # the legacy generator, whose numbers never change from one numpy to the next
    drawn = np.random.RandomState(width).standard_normal((width, numbers))
    matrix = np.asarray(drawn / np.sqrt(numbers), np.float32)
    matrix.setflags(write=False)
    return matrix
