"""All ordered pairs of 20,000 shots x 512, the best 1,000 of them, exactly: against the matrix product, and others.

The shots are like embeddings (`benchmarks/pairs/data.py`); `*_isotropic` is measured on independent directions. All
have the same number of threads, and their runs alternate and each keeps its best of five, so that a busy machine slows
all. `*_cpu` has CPU seconds of all threads in place of wall time: waiting for a busy machine is not in it.

gemm_share       rate of `top_k` over all 400 M pairs (2 n m d floating-point operations over its wall time, the
                 reading, coding, ranking and float64 scores included) as a share of the peak: the fastest float32
                 product 8192 x 512 x 8192, by torch with the threads inside, by torch in one-thread workers, or by
                 NumPy.
over_numpy       time of NumPy over ours: products of 1,000 rows with all, a running threshold, sorted by float32.
over_faiss       time of faiss over ours: range search of a flat index, which is given the 1,000th score for nothing
                 (less 1e-6, for its float32), and leaves its pairs unsorted.
over_lancedb     time of LanceDB over ours: batches of 1,000 of the queries without an index, of a table on disk that
                 the system has in memory, scaled to all queries; ten pairs a query, which need not be all there are.
lancedb_recall   share of the 1,000 best pairs, of those queries that were asked, that it found.
faiss_missed     of the 1,000 best pairs, how many faiss did not give; its scores are float32.
extra_memory_mb  growth of the process's peak resident memory (VmHWM, reset just before) during the first run, above
                 what the inputs and the loaded libraries already held.
identical        1 when pairs and their order are those of brute force: every score as a float64 matrix product, sorted
                 by (score descending, a, b).
identical_cap2   the same with at most two uses of a shot, and left out: pairs of one cluster, which fill the top, and
                 every third of the best 900 others, as if they had been rejected.
int8             1 when torch has an int8 product here that is right; without it float32 takes its place.
"""

import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Measured, Target
from benchmarks.pairs.clocks import Best, with_memory
from benchmarks.pairs.data import CLUSTER, Vectors, embedding_like, isotropic
from benchmarks.pairs.oracle import Indices, Pair, ranking, under_cap
from benchmarks.pairs.others import LANCE_ROWS, Lance, faiss_range, numpy_blocks, products
from benchmarks.peers import Unavailable
from mediaml_assets.matching.pairs.products import by_torch
from mediaml_assets.matching.pairs.top_k import Pairs, top_k

TARGETS: dict[str, Target] = {
    "gemm_share": (">=", 1.3),
    "over_faiss": (">=", 2),
    "identical": ("==", 1),
    "identical_cap2": ("==", 1),
    "extra_memory_mb": ("<", 300),
}
SHOTS, WIDTH, K, CAP = 20_000, 512, 1_000, 2
PEAK, ROUNDS = 8_192, 5
THREADS = len(os.sched_getaffinity(0))
ALL_PAIRS_GFLOP = 2 * SHOTS * SHOTS * WIDTH / 1e9
PEAK_GFLOP = 2 * PEAK * PEAK * WIDTH / 1e9
RANKED = 65_536  # pairs of brute force that are kept: enough for K pairs under the cap


def run(seed: int) -> Measured:
    """Every figure for the shots of a seed; some three minutes on two cores."""
    import torch

    out, in_ = embedding_like(seed, SHOTS, WIDTH)
    even = isotropic(seed, SHOTS, WIDTH)
    torch.set_num_threads(THREADS)
    with by_torch(WIDTH) as ways:
        int8 = ways.multiply_codes is not None
    pairs, memory = with_memory(lambda: top_k(out, in_, K))
    best = ranking(out, in_, RANKED, [None, _one_cluster])
    excluded = _leaving_out(best[1][:900:3])
    capped, capped_memory = with_memory(lambda: top_k(out, in_, K, cap=CAP, excluded=excluded))
    wanted = under_cap(ranking(out, in_, RANKED, [excluded])[0], SHOTS, K, CAP)
    times, others = _alternating(out, in_, even, float(pairs.scores[-1]), set(best[0][:K]), excluded)
    ours, peak = times["ours"], times["peak"]
    wall, cpu = ALL_PAIRS_GFLOP / PEAK_GFLOP * peak.wall, ALL_PAIRS_GFLOP / PEAK_GFLOP * peak.cpu
    return Measured(
        {
            "gemm_share": wall / ours.wall,
            "over_faiss": times["faiss"].wall / ours.wall,
            "identical": _listed(pairs) == best[0][:K],
            "identical_cap2": _listed(capped) == wanted,
            "extra_memory_mb": memory,
            "over_numpy": times["numpy"].wall / ours.wall,
            "over_lancedb": times["lancedb"].wall / ours.wall,
            "gemm_share_isotropic": wall / times["isotropic"].wall,
            "gemm_share_cap2": wall / times["cap2"].wall,
            "gemm_share_cpu": cpu / ours.cpu,
            "gemm_share_isotropic_cpu": cpu / times["isotropic"].cpu,
            "gemm_share_cap2_cpu": cpu / times["cap2"].cpu,
            **{f"over_{name}_cpu": times[name].cpu / ours.cpu for name in ("faiss", "numpy", "lancedb")},
            **{name: others[name] for name in ("faiss_missed", "numpy_missed", "lancedb_recall")},
            "extra_memory_mb_cap2": capped_memory,
            "looked_at_cap2": capped.scored,
            "peak_gflops": PEAK_GFLOP / peak.wall,
            "wall_s": ours.wall,
            "cpu_s": ours.cpu,
            "int8": int8,
            "threads": THREADS,
        },
        details={name: value for name, value in others.items() if isinstance(value, str)},
    )


def _alternating(
    out: Vectors,
    in_: Vectors,
    even: tuple[Vectors, Vectors],
    score: float,
    best: set[Pair],
    excluded: Callable[[Indices, Indices], NDArray[np.bool_]],
) -> tuple[dict[str, Best], dict[str, Any]]:
    """The best times of everything over alternating runs, and what the others found."""
    names = ("peak", "ours", "isotropic", "cap2", "numpy", "faiss", "lancedb")
    times = {name: Best() for name in names}
    found: dict[str, list[Pair]] = {}
    faiss = faiss_range(out, in_, THREADS)

    def keep(name: str, answer: list[Pair]) -> None:
        found[name] = answer

    with ThreadPoolExecutor(THREADS) as pool, tempfile.TemporaryDirectory() as folder:
        lance, why_not = _lance(Path(folder), out, in_)
        asked: list[dict[str, Any]] = []
        for number in range(ROUNDS):
            for product in products(out[:PEAK], in_[:PEAK], THREADS, pool):
                times["peak"].run(product)
            times["ours"].run(lambda: top_k(out, in_, K))
            times["isotropic"].run(lambda: top_k(*even, K))
            times["cap2"].run(lambda: top_k(out, in_, K, cap=CAP, excluded=excluded))
            times["numpy"].run(lambda: keep("numpy", numpy_blocks(out, in_, K)))
            times["faiss"].run(lambda: keep("faiss", faiss(score - 1e-6)))
            try:
                asked += [lance.search(number, SHOTS // LANCE_ROWS)] if lance else []
            except Unavailable as error:
                lance, why_not = None, str(error)
    others: dict[str, Any] = {f"{name}_missed": len(best - set(pairs)) for name, pairs in found.items()}
    others["lancedb_recall"] = float("nan")
    if lance:
        for one in asked:
            scale = SHOTS / one["queries"]
            times["lancedb"].add(one["wall"] * scale, one["cpu"] * scale)
        of_asked = {(a, b) for a, b in best if a % (SHOTS // LANCE_ROWS) < ROUNDS}
        given = {(a, b) for one in asked for a, b in one["pairs"]}
        others["lancedb_recall"] = len(of_asked & given) / len(of_asked)
    else:
        times["lancedb"] = Best(float("nan"), float("nan"))
        others["lancedb_unavailable"] = why_not
    return times, others


def _lance(folder: Path, out: Vectors, in_: Vectors) -> tuple[Lance | None, str]:
    try:
        return Lance(folder, out, in_, THREADS), ""
    except Unavailable as error:
        return None, str(error)


def _one_cluster(rows: Indices, cols: Indices) -> NDArray[np.bool_]:
    return np.asarray(rows // CLUSTER == cols // CLUSTER)


def _leaving_out(rejected: list[Pair]) -> Callable[[Indices, Indices], NDArray[np.bool_]]:
    """Pairs of one cluster, and the rejected ones."""
    numbers = np.sort(np.array([a * SHOTS + b for a, b in rejected], np.int64))

    def excluded(rows: Indices, cols: Indices) -> NDArray[np.bool_]:
        wanted = rows * SHOTS + cols
        places = np.minimum(np.searchsorted(numbers, wanted), len(numbers) - 1)
        return np.asarray(_one_cluster(rows, cols) | (numbers[places] == wanted))

    return excluded


def _listed(pairs: Pairs) -> list[Pair]:
    return list(zip(pairs.rows.tolist(), pairs.cols.tolist(), strict=True))
