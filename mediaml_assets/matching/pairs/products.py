"""Products of blocks: float32 by NumPy or torch, int8 by torch, on the calling thread alone.

`torch._int_mm` is the one way that torch has to an int8 product with int32 sums on a CPU, and its name says that it is
not promised. So it is asked for, not assumed: it is used where it is there, multiplies a block of the most extreme
codes without an error (kernels for CPUs without VNNI add pairs in 16 bits, and may saturate) and is faster than the
float32 product; else there is none, and float32 takes its place.
"""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

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
    """The int8 product, when it is there, right for this width, and faster than the float32 one."""
    import torch

    product = getattr(torch, "_int_mm", None)
    if product is None or width > _WIDEST or not is_right(product, width) or not is_faster(product, width):
        return None

    def multiply(left: Codes8, right: Codes8, block: Sums) -> None:
        product(torch.from_numpy(left), torch.from_numpy(right).T, out=torch.from_numpy(block))

    return multiply


@cache
def is_right(product: Callable[..., Any], width: int) -> bool:
    """Whether an int8 product of the most extreme codes has no error."""
    import torch

    codes = np.where(np.arange(64 * width).reshape(64, width) % 67 < 33, -LEVELS, LEVELS)
    codes[:2] = [[LEVELS], [-LEVELS]]
    given, found = torch.from_numpy(codes.astype(np.int8)), torch.empty(64, 64, dtype=torch.int32)
    try:
        product(given, given.T, out=found)
    except (RuntimeError, TypeError, NotImplementedError):
        return False
    return np.array_equal(found.numpy(), codes @ codes.T)


@cache
def is_faster(product: Callable[..., Any], width: int) -> bool:
    """Whether an int8 product takes less of this thread's time than a float32 one: some machines have only a loop."""
    import torch

    def seconds(work: Callable[[], object]) -> float:
        start = time.thread_time()
        work()
        return time.thread_time() - start

    def least(work: Callable[[], object]) -> float:
        return min(seconds(work) for _ in range(4))

    codes, rows = torch.ones(512, width, dtype=torch.int8), torch.ones(512, width)
    sums, scores = torch.empty(512, 512, dtype=torch.int32), torch.empty(512, 512)
    return least(lambda: product(codes, codes.T, out=sums)) < least(lambda: torch.mm(rows, rows.T, out=scores))
