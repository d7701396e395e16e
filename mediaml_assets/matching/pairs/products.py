"""Products of blocks: float32 by NumPy or torch, int8 by torch, on the calling thread alone.

`torch._int_mm` is the one way that torch has to an int8 product with int32 sums on a CPU, and its name says that it is
not promised. So it is asked for, not assumed: it is used where it is there and multiplies a block of the most extreme
codes without an error (kernels for CPUs without VNNI add pairs in 16 bits, and may saturate); else there is none, and
float32 takes its place.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mediaml_assets.matching.pairs.side import LEVELS
from mediaml_assets.matching.pairs.vectors import Vectors

Codes8 = NDArray[np.int8]
Sums = NDArray[np.int32]
Multiply = Callable[[Vectors, Vectors, NDArray[np.float32]], None]
MultiplyCodes = Callable[[Codes8, Codes8, Sums], None]

_WIDEST = 2**31 // (LEVELS + 1) ** 2 - 1  # sums of more products may leave int32


@dataclass(frozen=True)
class Products:
    """left @ right.T into a block: of float32, and of int8 if there is one.

    begin: called once in each thread before it multiplies.
    """

    multiply: Multiply
    multiply_codes: MultiplyCodes | None = None
    begin: Callable[[], None] = lambda: None


def _multiply_numpy(left: Vectors, right: Vectors, block: NDArray[np.float32]) -> None:
    np.matmul(left, right.T, out=block)


BY_NUMPY = Products(_multiply_numpy)


@contextmanager
def by_torch(width: int) -> Iterator[Products]:
    """Products of vectors of this width, float32 in full; the caller's torch settings come back at the end."""
    import torch

    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    with warnings.catch_warnings():  # stored vectors are read-only, and are only read here
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        torch.set_float32_matmul_precision("highest")
        torch.set_num_threads(1)
        try:
            yield Products(_multiply_torch, _of_codes(width), lambda: torch.set_num_threads(1))
        finally:
            torch.set_num_threads(threads)
            torch.set_float32_matmul_precision(precision)


def _multiply_torch(left: Vectors, right: Vectors, block: NDArray[np.float32]) -> None:
    import torch

    torch.mm(torch.from_numpy(left), torch.from_numpy(right).T, out=torch.from_numpy(block))


def _of_codes(width: int) -> MultiplyCodes | None:
    """The int8 product, when it is there and right for this width."""
    import torch

    product = getattr(torch, "_int_mm", None)
    if product is None or width > _WIDEST:
        return None

    def multiply(left: Codes8, right: Codes8, block: Sums) -> None:
        product(torch.from_numpy(left), torch.from_numpy(right).T, out=torch.from_numpy(block))

    codes = np.where(np.arange(64 * width).reshape(64, width) % 67 < 33, -LEVELS, LEVELS).astype(np.int8)
    codes[:2] = [[LEVELS], [-LEVELS]]
    found = np.empty((64, 64), np.int32)
    try:
        multiply(codes, codes, found)
    except (RuntimeError, TypeError, NotImplementedError):
        return None
    wide = codes.astype(np.float64)  # exact: sums stay below 2^53
    return multiply if np.array_equal(found, wide @ wide.T) else None
