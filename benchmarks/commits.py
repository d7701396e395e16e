"""What Amber costs around a feature, from the first commit to the thousandth, beside bare Parquet, Delta and LanceDB.

Around one function. The value is a table of 2,000 rows and 128 float32 columns:

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

The race (benchmarks/stores). 1,000 titles of 20 shots x 256 float32, one commit each, the stores in turns of 50; then
200 new versions by 4 processes at once; the upkeep that each store's documentation advises; then reads. Without a
prefix the figures are Amber's; `deltalake_` and `lancedb_` are peers at their pinned versions:

lost, duplicate         rows of the current versions that are missing or wrong, and rows too many, after the 4 writers
lost_one_title          versions that are not in the history, when all 4 write the same title; `conflicts` were repeated
bytes_over_live         apparent bytes of everything in the store, upkeep done, history kept as by default, over the
                        bytes of every version as a bare Parquet file with the same codec (for Amber with its sources)
point_read_over_bare    the current value of one of 100 titles, by feature and title in a store that is open, over
                        `pyarrow.parquet.read_table` of the same rows by path: medians of the best of three rounds each;
                        `_cold` with the store opened anew, and both out of the page cache
as_of_right, as_of_over_now     all titles as they were half-way through the first commits: whether that is right, and
                        its time over reading all titles as they are now (of which there are twice as many)
commit_ms_first_100, commit_ms_last_100, commit_over_bare_last_100      wall time of a commit at both ends
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.table import Table

from benchmarks.harness import Measured, Target
from benchmarks.stores.handed_out import FEATURE, deliver, handing_out
from benchmarks.stores.race import STORES, Course, Lane, race
from mediaml_assets.amber.store import COMPRESSION, Store

TARGETS: dict[str, Target] = {
    "over_bare_parquet": ("<=", 1.5),
    "ops_last_over_first": ("==", 1),
    "bookkeeping_ms": ("<=", 10),
    "lost": ("==", 0),
    "duplicate": ("==", 0),
    "bytes_over_live": ("<=", 1.1),
    "point_read_over_bare": ("<=", 2),
}
SHOTS, WIDTH, COMMITS = 2_000, 128, 1_000
ROUNDS, WARM_UP = 5, 3
TITLE = "title"


def run(seed: int) -> Measured:
    """Every figure; two minutes on two cores, most of them other stores'."""
    random = np.random.default_rng(seed)
    draws = [random.standard_normal((SHOTS, WIDTH), dtype=np.float32) for _ in range(WARM_UP + ROUNDS)]
    with tempfile.TemporaryDirectory(prefix="mediaml-bench-") as folder:
        table = _around_a_function([_columns(draw) for draw in draws], Path(folder, "columns"))
        vectors = _around_a_function([_vectors(draw) for draw in draws], Path(folder, "vectors"))
        chain = _one_chain(Path(folder, "chain"))
    shown = ("over_bare_parquet", "over_bare_parquet_cpu", "bookkeeping_ms", "bare_ms")
    lanes = race(Course(seed))
    figures = {**table, **{f"{key}_vectors": vectors[key] for key in shown}, **chain, **race_figures(lanes)}
    missing = {lane.store: lane.unavailable for lane in lanes if lane.unavailable}
    return Measured(figures, [_side_by_side(lanes)], {"unavailable": missing})


def race_figures(lanes: Sequence[Lane]) -> dict[str, float]:
    """The figures of each store under its prefix; NaN for what a peer that could not run would have."""
    (ours,) = (lane for lane in lanes if lane.store == STORES[0])
    names = [*ours.figures, "bytes_over_current_without_history"]
    peers = [lane for lane in lanes if lane is not ours]
    theirs = {f"{lane.store}_{name}": lane.figures.get(name, float("nan")) for lane in peers for name in names}
    return {**ours.figures, **theirs}


def _side_by_side(lanes: Sequence[Lane]) -> Table:
    table = Table(title="side by side", title_justify="left")
    table.add_column("figure")
    for lane in lanes:
        table.add_column(lane.store, justify="right")
    for name in dict.fromkeys(name for lane in lanes for name in lane.figures):
        cells = (f"{lane.figures[name]:,.4g}" if name in lane.figures else "" for lane in lanes)
        table.add_row(name, *cells)
    table.caption = "\n".join(f"{lane.store} was not run: {lane.unavailable}" for lane in lanes if lane.unavailable)
    return table


def _vectors(draw: Any) -> pa.Table:
    return pa.table({"vector": pa.FixedSizeListArray.from_arrays(pa.array(draw.ravel()), WIDTH)})


def _columns(draw: Any) -> pa.Table:
    return pa.table({f"c{n}": draw[:, n].copy() for n in range(WIDTH)})


def _around_a_function(tables: list[pa.Table], folder: Path) -> dict[str, float]:
    """Amber and the bare write in turns, some rounds first that do not count."""
    store = Store(folder / "store")
    mesh = handing_out(lambda one: tables[one.generation - 1], tables[0].schema)
    ours, bare = [], []
    for number, table in enumerate(tables, start=1):
        deliver(store, TITLE, number)
        file = folder / f"{number}.parquet"
        bare.append(_seconds(lambda: pq.write_table(table, file, compression=COMPRESSION, use_dictionary=False)))  # noqa: B023
        ours.append(_seconds(lambda: mesh.compute(store, FEATURE, [TITLE])))
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
    mesh = handing_out(lambda one: small[one.generation - 1], small[0].schema)
    seconds, operations = [], []
    for number in range(1, COMMITS + 1):
        deliver(store, TITLE, number)
        store.objects.operations.clear()
        seconds.append(_seconds(lambda: mesh.compute(store, FEATURE, [TITLE]))[0])
        operations.append(store.objects.operations.total())
    return {
        "ops_last_over_first": operations[-1] / operations[1],
        "ops_very_first": operations[0],
        "ops_first": operations[1],
        "ops_last": operations[-1],
        "ms_first_100": 1000 * fmean(seconds[:100]),
        "ms_last_100": 1000 * fmean(seconds[-100:]),
    }


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu
