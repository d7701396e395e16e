"""What others do with the same vectors and as many threads: NumPy by blocks, faiss, LanceDB; and bare products."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.pairs.data import Vectors
from benchmarks.pairs.oracle import Pair

NUMPY_ROWS = 1000
LANCE_ROWS, LANCE_LIMIT = 1000, 10
LANCE_SECONDS = 300.0


def numpy_blocks(out: Vectors, in_: Vectors, k: int) -> list[Pair]:
    """The best k pairs by float32 products of row blocks and a running threshold; float32 orders them."""
    rows, cols, best = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)
    least = np.float32(-np.inf)
    right = in_.T
    for start in range(0, len(out), NUMPY_ROWS):
        scores = (out[start : start + NUMPY_ROWS] @ right).ravel()
        found = np.flatnonzero(scores >= least) if start else np.argpartition(scores, -k)[-k:]
        rows, cols = np.append(rows, found // len(in_) + start), np.append(cols, found % len(in_))
        best = np.append(best, scores[found])
        first = np.lexsort((cols, rows, -best))[:k]
        rows, cols, best = rows[first], cols[first], best[first]
        least = best[-1]
    return list(zip(rows.tolist(), cols.tolist(), strict=True))


def faiss_range(out: Vectors, in_: Vectors, threads: int) -> Callable[[float], list[Pair]]:
    """Every pair above a score, by a flat index's range search; the index is made beforehand."""
    import faiss

    index = faiss.IndexFlatIP(in_.shape[1])
    index.add(in_)

    def search(score: float) -> list[Pair]:
        faiss.omp_set_num_threads(threads)
        ends, _, cols = index.range_search(out, score)
        rows = np.repeat(np.arange(len(out)), [int(count) for count in np.diff(ends)])
        return list(zip(rows.tolist(), cols.tolist(), strict=True))

    return search


class Lance:
    """LanceDB in its own environment: a batch of queries without an index, each for its best few pairs."""

    def __init__(self, folder: Path, out: Vectors, in_: Vectors, threads: int) -> None:
        self.folder, self.threads = folder, threads
        self.interpreter = peers.python("lancedb")
        np.save(folder / "out.npy", out)
        np.save(folder / "in.npy", in_)

    def search(self, first: int, step: int) -> dict[str, Any]:
        """The pairs of every step-th row from `first` on, with the wall and CPU seconds of the search alone.

        Raises:
            Unavailable: it failed.
        """
        program = Path(__file__).with_name("run_lancedb.py")
        command: list[str | Path] = [self.interpreter, program, self.folder]
        command += [str(first), str(step), str(LANCE_LIMIT)]
        # Lance's own setting for the threads that compute
        answer: dict[str, Any] = peers.answer(command, LANCE_SECONDS, {"LANCE_CPU_THREADS": str(self.threads)})
        return answer


def products(left: Vectors, right: Vectors, threads: int, pool: ThreadPoolExecutor) -> list[Callable[[], None]]:
    """One float32 product left @ right.T by torch with the threads inside, by one-thread workers, and by NumPy."""
    import torch

    a, b = torch.from_numpy(left), torch.from_numpy(right).T
    block = torch.zeros(len(left), len(right))

    def inside() -> None:
        torch.set_num_threads(threads)
        torch.mm(a, b, out=block)

    def one(part: slice) -> None:
        torch.set_num_threads(1)
        torch.mm(a[part], b, out=block[part])

    def workers() -> None:
        step = -(-len(left) // threads)
        list(pool.map(one, [slice(start, start + step) for start in range(0, len(left), step)]))

    def by_numpy() -> None:
        np.matmul(left, right.T, out=block.numpy())

    return [inside, workers, by_numpy]
