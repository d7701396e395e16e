# mypy: ignore-errors
# lancedb lives in an environment of its own
"""A batch of queries: `run_lancedb.py <folder> <first> <step> <limit>`; prints pairs and seconds as JSON.

The table is made from <folder>/in.npy by the first run. The queries are every step-th row of out.npy from `first` on.
"""

import json
import sys
import time
from pathlib import Path

import lancedb
import numpy as np
import pyarrow as pa


def main(folder, first, step, limit):
    """Search once to warm up, then by the clock."""
    connection = lancedb.connect(folder / "lance")
    if "shots" not in connection.list_tables().tables:
        in_ = np.load(folder / "in.npy")
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(in_.ravel()), in_.shape[1])
        connection.create_table("shots", pa.table({"shot": pa.array(np.arange(len(in_))), "vector": vectors}))
    table = connection.open_table("shots")
    queries = np.load(folder / "out.npy")[first::step]

    def search(some):
        query = table.search(list(some), vector_column_name="vector").distance_type("dot").bypass_vector_index()
        return query.limit(limit).select(["shot", "_distance"]).to_arrow()

    search(queries[:8])
    wall, cpu = time.perf_counter(), time.process_time()
    found = search(queries)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    rows = found["query_index"].to_numpy().astype(int) * step + first
    pairs = list(zip(rows.tolist(), found["shot"].to_numpy().tolist(), strict=True))
    print(json.dumps({"wall": wall, "cpu": cpu, "queries": len(queries), "pairs": pairs}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(int(value) for value in sys.argv[2:]))
