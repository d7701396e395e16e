# mypy: ignore-errors
# lancedb lives in an environment of its own
"""LanceDB asked the same: `run_lancedb.py <folder>`; prints what it found and the seconds of each question as JSON.

As its documentation advises for filters that keep few rows: scalar indices on what is filtered (LABEL_LIST for words,
BTREE for numbers, BITMAP for titles), the filter before the search, and no vector index. It has no groups: a client
fetches more and more of the nearest until every group that counts is whole.
"""

import json
import sys
import time
from pathlib import Path

import lancedb
import numpy as np
import pyarrow.parquet as pq

FIRST = 1_000


def main(folder):
    """Load, then ask every question twice; the second time counts."""
    shots = pq.read_table(folder / "shots.parquet")
    began = time.perf_counter()
    table = lancedb.connect(folder / "lance").create_table("shots", shots)
    for column, kind in (("words", "LABEL_LIST"), ("title", "BITMAP"), ("time_start", "BTREE"), ("time_end", "BTREE")):
        table.create_scalar_index(column, index_type=kind)
    loaded = time.perf_counter() - began
    asked = json.loads((folder / "questions.json").read_text())
    vectors, near = np.load(folder / "vectors.npy"), np.load(folder / "near.npy")
    combined = [timed(groups, table, one, vector) for one, vector in zip(asked["combined"], vectors, strict=True)]
    subsets = [timed(nearest, table, titles, vector) for titles, vector in zip(asked["subsets"], near, strict=True)]
    print(json.dumps({"load_s": loaded, "combined": combined, "subsets": subsets}))


def timed(ask, *what):
    """The answer, and the seconds it took when asked again."""
    ask(*what)
    began = time.perf_counter()
    answer = ask(*what)
    return {"answer": answer, "seconds": time.perf_counter() - began}


def search(table, where, vector, limit, columns):
    """Exact, over what a condition leaves."""
    asked = table.search(vector, vector_column_name="embedding").distance_type("cosine").bypass_vector_index()
    return asked.where(where, prefilter=True).limit(limit).select([*columns, "_distance"]).to_arrow()


def groups(table, one, vector):
    """The best three of each of the ten titles whose best is nearest."""
    x0, y0, x1, y1 = one["box"]
    where = (
        f"array_has_any(words, ['{one['word']}']) AND time_start < {one['end']} AND time_end > {one['start']}"
        f" AND x0 <= {x1} AND x1 >= {x0} AND y0 <= {y1} AND y1 >= {y0} AND confidence >= {one['sure']}"
    )
    limit = FIRST
    while True:
        found = search(table, where, vector, limit, ["id", "title"])
        whole = {}
        for name, id in zip(found["title"].to_pylist(), found["id"].to_pylist(), strict=True):
            whole.setdefault(name, []).append(id)
        best = list(whole.items())[: one["groups"]]
        if len(found) < limit or (len(best) == one["groups"] and all(len(ids) >= one["size"] for _, ids in best)):
            return [[name, ids[: one["size"]]] for name, ids in best]
        limit *= 4


def nearest(table, titles, vector):
    """The ten nearest of some titles."""
    names = ", ".join(f"'{title}'" for title in titles)
    return search(table, f"title IN ({names})", vector, 10, ["id"])["id"].to_pylist()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
