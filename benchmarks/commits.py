"""What Amber costs around a feature: one value of 2,000 x 128 float32, and the thousandth commit beside the first.

The value is a table of 2,000 rows and 128 float32 columns.

over_bare_parquet       everything from the question to the ledger row (inputs looked up, memo key, recall that misses,
                        claim, the function, which hands out a table made before, digests, value, memo, commit) over
                        `pyarrow.parquet.write_table` of the same table to a file, with the same codec and no
                        dictionary on floats. Both alternate on the same file system with tables not seen before; each
                        keeps the best of its five rounds.
over_bare_parquet_cpu   the same by CPU seconds of all threads: waiting for a busy machine is not in it.
*_median                the same by the medians of the rounds.
*_vectors               the same numbers as one column of 2,000 vectors: Parquet needs half the time for it, and Amber's
                        part stays as it is.
bookkeeping_ms          best of Amber less best of the bare write, in ms.
ops_last_over_first     store operations (`Objects.operations`) of the thousandth commit of one chain over those of the
                        first one that has a commit before it; the very first has none to read (`ops_very_first`).
ms_first_100, ms_last_100   mean wall time of a small commit at both ends of that chain.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.harness import Target
from mediaml_assets.amber.feature import AmberFeature, amber_feature
from mediaml_assets.amber.keys import column_digests
from mediaml_assets.amber.ledger import Commit
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.store import COMPRESSION, Store

TARGETS: dict[str, Target] = {
    "over_bare_parquet": ("<=", 1.5),
    "ops_last_over_first": ("==", 1),
    "bookkeeping_ms": ("<=", 10),
}
SHOTS, WIDTH, COMMITS = 2_000, 128, 1_000
ROUNDS, WARM_UP = 5, 3
TITLE = "title"
SOURCE = pa.schema([("n", pa.int64())])


@dataclass(frozen=True)
class Number:
    """The upstream value: a number that changes with each round, so that each asks for another key."""

    n: int
    columns: ClassVar[tuple[str, ...]] = ("n",)

    @classmethod
    def from_value(cls, view: Any) -> Self:
        """Made without reading a file: the bare write reads none."""
        return cls(view.generation)


def run(seed: int) -> dict[str, float]:
    """Every figure; about ten seconds on one core."""
    random = np.random.default_rng(seed)
    draws = [random.standard_normal((SHOTS, WIDTH), dtype=np.float32) for _ in range(WARM_UP + ROUNDS)]
    with tempfile.TemporaryDirectory(prefix="mediaml-bench-") as folder:
        table = _around_a_function([_columns(draw) for draw in draws], Path(folder, "columns"))
        vectors = _around_a_function([_vectors(draw) for draw in draws], Path(folder, "vectors"))
        chain = _one_chain(Path(folder, "chain"))
    shown = ("over_bare_parquet", "over_bare_parquet_cpu", "bookkeeping_ms", "bare_ms")
    return {**table, **{f"{key}_vectors": vectors[key] for key in shown}, **chain}


def _vectors(draw: Any) -> pa.Table:
    return pa.table({"vector": pa.FixedSizeListArray.from_arrays(pa.array(draw.ravel()), WIDTH)})


def _columns(draw: Any) -> pa.Table:
    return pa.table({f"c{n}": draw[:, n].copy() for n in range(WIDTH)})


def _around_a_function(tables: list[pa.Table], folder: Path) -> dict[str, float]:
    """Amber and the bare write in turns, some rounds first that do not count."""
    store = Store(folder / "store")
    mesh = Mesh([_handing_out(tables)], sources=["source"])
    ours, bare = [], []
    for number, table in enumerate(tables, start=1):
        _deliver(store, number)
        file = folder / f"{number}.parquet"
        bare.append(_seconds(lambda: pq.write_table(table, file, compression=COMPRESSION, use_dictionary=False)))  # noqa: B023
        ours.append(_seconds(lambda: mesh.compute(store, "made", [TITLE])))
    (wall, cpu), (bare_wall, bare_cpu) = (zip(*rounds[WARM_UP:], strict=True) for rounds in (ours, bare))
    return {
        "over_bare_parquet": min(wall) / min(bare_wall),
        "over_bare_parquet_cpu": min(cpu) / min(bare_cpu),
        "over_bare_parquet_median": median(wall) / median(bare_wall),
        "amber_ms": 1000 * min(wall),
        "bookkeeping_ms": 1000 * (min(wall) - min(bare_wall)),
        "bookkeeping_ms_median": 1000 * (median(wall) - median(bare_wall)),
        "bare_ms": 1000 * min(bare_wall),
        "amber_cpu_s": min(cpu),
        "bare_cpu_s": min(bare_cpu),
    }


def _one_chain(folder: Path) -> dict[str, float]:
    """A chain of small commits."""
    store = Store(folder)
    small = [pa.table({"n": [number]}) for number in range(COMMITS)]
    mesh = Mesh([_handing_out(small)], sources=["source"])
    seconds, operations = [], []
    for number in range(1, COMMITS + 1):
        _deliver(store, number)
        store.objects.operations.clear()
        seconds.append(_seconds(lambda: mesh.compute(store, "made", [TITLE]))[0])
        operations.append(store.objects.operations.total())
    return {
        "ops_last_over_first": operations[-1] / operations[1],
        "ops_very_first": operations[0],
        "ops_first": operations[1],
        "ops_last": operations[-1],
        "ms_first_100": 1000 * fmean(seconds[:100]),
        "ms_last_100": 1000 * fmean(seconds[-100:]),
    }


def _handing_out(tables: list[pa.Table]) -> AmberFeature:
    """A feature that costs nothing itself: its value is the table of the delivery's number."""

    def made(source: Number) -> pa.Table:
        return tables[source.n - 1]

    return amber_feature(version="1", schema=tables[0].schema)(made)


def _deliver(store: Store, number: int) -> None:
    """Another value of the source, as a landed file would be."""
    rows = pa.table({"n": [number]}, schema=SOURCE)
    value = store.write_rows("source", rows, f"{number:064}", column_digests(rows))
    store.ledger.append(
        Commit("source", TITLE, "computed", value, value, value.key, number), store.ledger.head("source", TITLE)
    )


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu
