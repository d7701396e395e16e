"""Vectors at length 1."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]


def unit(vector: Floats) -> npt.NDArray[np.float32]:
    """A vector [d] at length 1; a zero vector stays zero."""
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length if length > 0 else vector, np.float32)


def unit_rows(vectors: Floats) -> npt.NDArray[np.float32]:
    """The rows of [n, d] at length 1; zero rows stay zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), np.float32)
