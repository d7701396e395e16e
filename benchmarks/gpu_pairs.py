"""The best of all ordered pairs on a CUDA device: 2 million shots x 512, the best 10,000, exactly.

The vectors are those of `all_pairs`, in host memory. Where torch has no CUDA device the same code runs on the CPU with
16,000 shots: that checks the answer and counts its operations, and the seconds that stand there are a projection, not a
measurement.

identical             1 when the best 100 of 16,000 shots are those of brute force in float64, in order.
rows_wrong            of 500 of the rows in the answer, those whose pairs in it are not the ones that a float64 product
                      of the row with all others puts at or above the last score.
seconds               of the whole: reading host memory, coding, products, exact scores, sorting.
peak_tflops           the best of five float16 products 16,384 x 512 x 16,384 on the device.
fp16_share            2 n m d operations over `seconds`, as a share of that peak.
operations_over_2nmd  operations that were done in the check over 2 n m d: rows that are multiplied again are in it, and
                      blocks that no pair can come from are not. Counted by torch's FlopCounterMode; with 2 million
                      shots the rows that are multiplied again weigh less.
projected_*_s         the projection for 2 million shots on an H100 or H200 SXM, from its data sheet (dense float16
                      989 TFLOP/s, 3.35 or 4.8 TB/s): the operations at 65 % of the peak, and each score written and
                      read once in float16 at 80 % of the memory's rate, as if no block stayed in the cache; without
                      the way from host memory.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.harness import Target
from benchmarks.pairs.data import embedding_like
from benchmarks.pairs.oracle import ranking
from mediaml_assets.matching.pairs.device import best_pairs_on, cuda

if TYPE_CHECKING:
    import torch

TARGETS: dict[str, Target] = {"identical": ("==", 1)}
SHOTS, WIDTH, K = 2_000_000, 512, 10_000
CHECKED, CHECKED_K = 16_000, 100
ROWS, ROUNDS, PEAK = 500, 5, 16_384
FP16, SHARE = 989e12, 0.65
MEMORY, MEMORY_SHARE = {"h100": 3.35e12, "h200": 4.8e12}, 0.8


def run(seed: int) -> dict[str, float]:
    """Every figure; half a minute on a CPU, some minutes with a device, most of them to make the vectors."""
    import torch

    device = cuda() or torch.device("cpu")
    identical, operations = _checked(seed, device)
    return {
        "identical": identical,
        "operations_over_2nmd": operations,
        **(_measured(seed, device) if device.type == "cuda" else _not_measured()),
        **_projected(operations),
    }


def _checked(seed: int, device: "torch.device") -> tuple[bool, float]:
    """Whether the answer is that of brute force, and its operations over 2 n m d."""
    from torch.utils.flop_counter import FlopCounterMode

    out, in_ = embedding_like(seed, CHECKED, WIDTH)
    every = np.arange(CHECKED)
    with FlopCounterMode(display=False) as counter:
        answer = best_pairs_on(device, out, in_, every, every, CHECKED_K)
    found = list(zip(answer.rows.tolist(), answer.cols.tolist(), strict=True))
    return found == ranking(out, in_, CHECKED_K, [None])[0], counter.get_total_flops() / (2 * CHECKED**2 * WIDTH)


def _measured(seed: int, device: "torch.device") -> dict[str, float]:
    """The figures of 2 million shots."""
    import torch

    out, in_ = embedding_like(seed, SHOTS, WIDTH)
    every = np.arange(SHOTS)
    halves = [torch.randn(PEAK, WIDTH, device=device).half() for _ in range(2)]
    peak = 2 * PEAK**2 * WIDTH / min(_seconds(device, lambda: torch.mm(halves[0], halves[1].T)) for _ in range(ROUNDS))
    answers = []
    seconds = _seconds(device, lambda: answers.append(best_pairs_on(device, out, in_, every, every, K)))
    answer, last = answers[0], answers[0].scores[-1]
    rows = np.random.default_rng(seed).permutation(np.unique(answer.rows))[:ROWS]
    right = torch.from_numpy(in_).to(device).double()
    wrong = 0
    for row in rows:
        scores = torch.mv(right, torch.from_numpy(out[row]).to(device).double()).cpu().numpy()
        of_row = answer.rows == row
        # float64 sums in another order: what lies within 1e-12 of the last score may fall on either side
        sure, possible = (set(np.flatnonzero(scores > last + slack).tolist()) for slack in (1e-12, -1e-12))
        wrong += not sure <= set(answer.cols[of_row].tolist()) <= possible
    return {
        "rows_wrong": wrong,
        "seconds": seconds,
        "peak_tflops": peak / 1e12,
        "fp16_share": 2 * SHOTS**2 * WIDTH / seconds / peak,
    }


def _seconds(device: "torch.device", work: Callable[[], object]) -> float:
    import torch

    torch.cuda.synchronize(device)
    start = time.perf_counter()
    work()
    torch.cuda.synchronize(device)
    return time.perf_counter() - start


def _not_measured() -> dict[str, float]:
    return dict.fromkeys(("rows_wrong", "seconds", "peak_tflops", "fp16_share"), float("nan"))


def _projected(operations: float) -> dict[str, float]:
    """Seconds for 2 million shots, products and traffic of scores one after the other."""
    products = operations * 2 * SHOTS**2 * WIDTH / (FP16 * SHARE)
    traffic = 2 * 2 * SHOTS**2
    return {f"projected_{name}_s": products + traffic / (rate * MEMORY_SHARE) for name, rate in MEMORY.items()}
