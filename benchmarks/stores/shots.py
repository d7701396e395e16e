"""The rows that every store keeps: 20 shots of a title, each a vector of 256 float32, drawn from the seed."""

import numpy as np
import pyarrow as pa

SHOTS, WIDTH = 20, 256
SHOT = pa.field("shot", pa.int32())
VECTOR = pa.field("vector", pa.list_(pa.float32(), WIDTH))
ROWS = pa.schema([SHOT, VECTOR])
"""A value of one title, as a store with one value a title keeps it."""
TABLE = pa.schema([pa.field("title", pa.int32()), SHOT, VECTOR])
"""All titles in one table."""


def rows_of(seed: int, title: int, version: int) -> pa.Table:
    """The value of one title; every version has other vectors."""
    vectors = np.random.default_rng([seed, title, version]).standard_normal((SHOTS, WIDTH), dtype=np.float32)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), WIDTH)
    return pa.table([pa.array(range(SHOTS), pa.int32()), lists], schema=ROWS)


def with_title(title: int, rows: pa.Table) -> pa.Table:
    """The same rows as rows of the table of all titles."""
    return pa.table([pa.array([title] * rows.num_rows, pa.int32()), *rows.columns], schema=TABLE)
