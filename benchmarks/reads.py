"""Reading a whole catalogue: one embedding column of 1,000 titles x 2,000 rows x 128 float32, about 1 GB.

catalogue_read_over_flat        all titles through the feature store (`scan`: ledger, values, one column of two, threads
                                of its own), over `pyarrow.parquet.read_table` of the same column of one flat Parquet
                                file of the same rows (row groups of 65,536 rows, the same codec, pyarrow's threads);
                                both end as one Arrow table in memory, which are compared
catalogue_read_over_flat_cpu    the same by CPU seconds of all threads: waiting for a busy machine is not in it
sql_read_over_flat              sum over all vectors by DuckDB, in the feature's SQL view over the same in the flat file
vector_replica_over_memmap      sum over all vectors of the feature's vector replica, opened as a user does, over the
                                same of one flat .npy file, memory-mapped
scan_extra_memory_mb            growth of the peak resident memory while all titles are summed one by one: what is read
                                ahead, and what the allocator keeps

Every file lies in the page cache, which all rounds before the first that counts have filled; the best of five rounds
counts, and the two sides of a ratio alternate. What is read is equal on both sides, and checked.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.harness import Target
from benchmarks.stores.handed_out import FEATURE, deliver, handing_out
from mediaml_assets.amber.replicas.replication import replicate
from mediaml_assets.amber.replicas.vectors import VectorMatrix, vectors
from mediaml_assets.amber.scan import scan
from mediaml_assets.amber.sql import connect
from mediaml_assets.amber.store import COMPRESSION, Store

TARGETS: dict[str, Target] = {
    "catalogue_read_over_flat": ("<=", 1.3),
    "vector_replica_over_memmap": ("<=", 1.1),
}
TITLES, ROWS, WIDTH = 1_000, 2_000, 128
ROW_GROUP = 65_536
ROUNDS = 5
SCHEMA = pa.schema([pa.field("index", pa.int32()), pa.field("vector", pa.list_(pa.float32(), WIDTH))])


def run(seed: int) -> dict[str, float]:
    """Every figure; two minutes on two cores, half of them to fill the store; 4 GB of disk."""
    with tempfile.TemporaryDirectory(prefix="mediaml-bench-") as folder:
        return measured(Path(folder), seed, TITLES, ROWS)


def measured(folder: Path, seed: int, titles: int, rows: int) -> dict[str, float]:
    """The figures of a catalogue of any size, kept in a folder."""
    store = Store(folder / "store")
    flat, matrix = folder / "flat.parquet", folder / "flat.npy"
    _fill(store, flat, matrix, seed, titles, rows)
    replicate(store, FEATURE, vectors("vectors", folder / "replica", SCHEMA))
    extra = _extra_memory(store)

    ours, theirs = _in_turns(
        lambda: pa.concat_tables([table for _, table in scan(store, FEATURE, columns=["vector"])]),
        lambda: pq.read_table(flat, columns=["vector"]),
        same=lambda one, other: one.equals(other),
    )
    with connect(store) as views, duckdb.connect() as plain:
        in_view, in_flat = _in_turns(
            lambda: views.execute(f"SELECT sum(list_sum(vector)), count(*) FROM {FEATURE}").fetchone(),
            lambda: plain.execute(f"SELECT sum(list_sum(vector)), count(*) FROM '{flat}'").fetchone(),
            same=lambda one, other: one[1] == other[1] and bool(np.isclose(one[0], other[0], atol=1)),
        )
    replica, memmap = _in_turns(
        lambda: VectorMatrix.open(folder / "replica").matrix.sum(),
        lambda: np.load(matrix, mmap_mode="r").sum(),
        same=lambda one, other: bool(np.isclose(one, other, rtol=1e-3, atol=10)),
    )
    return {
        "catalogue_read_over_flat": ours[0] / theirs[0],
        "catalogue_read_over_flat_cpu": ours[1] / theirs[1],
        "sql_read_over_flat": in_view[0] / in_flat[0],
        "sql_read_over_flat_cpu": in_view[1] / in_flat[1],
        "vector_replica_over_memmap": replica[0] / memmap[0],
        "scan_extra_memory_mb": extra,
        "gb": titles * rows * WIDTH * 4 / 1e9,
        "scan_s": ours[0],
        "flat_s": theirs[0],
        "sql_s": in_view[0],
        "sql_flat_s": in_flat[0],
        "replica_s": replica[0],
        "memmap_s": memmap[0],
    }


def _fill(store: Store, flat: Path, matrix: Path, seed: int, titles: int, rows: int) -> None:
    """The same rows into the feature store, one Parquet file and one .npy file, in the order of the titles."""
    made: list[pa.Table] = []
    mesh = handing_out(lambda one: made[-1], SCHEMA)
    random = np.random.default_rng(seed)
    waiting = 0
    with (
        pq.ParquetWriter(flat, SCHEMA, compression=COMPRESSION, use_dictionary=False) as writer,
        # written like any file: one that was filled through a memory map lies otherwise in the page cache
        matrix.open("wb") as array,
    ):
        header = {"descr": "<f4", "fortran_order": False, "shape": (titles * rows, WIDTH)}
        np.lib.format.write_array_header_1_0(array, header)
        for number in range(titles):
            draw = random.standard_normal((rows, WIDTH), dtype=np.float32)
            array.write(draw.data)
            lists = pa.FixedSizeListArray.from_arrays(pa.array(draw.ravel()), WIDTH)
            made.append(pa.table([pa.array(range(rows), pa.int32()), lists], schema=SCHEMA))
            title = f"title_{number:05}"
            deliver(store, title, number)
            mesh.compute(store, FEATURE, [title])
            waiting += rows
            if waiting >= ROW_GROUP or number == titles - 1:
                together = pa.concat_tables(made).combine_chunks()
                writer.write_table(together, row_group_size=ROW_GROUP)
                made.clear()
                waiting = 0


def _in_turns(
    one: Callable[[], Any], other: Callable[[], Any], same: Callable[[Any, Any], bool]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Best wall and CPU seconds of two ways to the same answer, in turns, after a round that only compares them."""
    if not same(one(), other()):
        raise AssertionError("the two sides did not read the same")
    seconds: tuple[list[tuple[float, float]], ...] = ([], [])
    for _ in range(ROUNDS):
        for work, spent in zip((one, other), seconds, strict=True):
            wall, cpu = time.perf_counter(), time.process_time()
            answer = work()
            spent.append((time.perf_counter() - wall, time.process_time() - cpu))
            del answer
    best = [(min(wall for wall, _ in spent), min(cpu for _, cpu in spent)) for spent in seconds]
    return best[0], best[1]


def _extra_memory(store: Store) -> float:
    """MB (10^6 bytes) by which the peak rises while a consumer sums one title after the other."""
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak, proc(5)
    before, total = _memory("VmRSS"), 0.0
    for _, table in scan(store, FEATURE, columns=["vector"]):
        total += pc.sum(table.column("vector").combine_chunks().flatten()).as_py()
    return (_memory("VmHWM") - before) / 1e6


def _memory(key: str) -> int:
    """A line of /proc/self/status, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key + ":"))
