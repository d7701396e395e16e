"""What statements give, as columns."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from mediaml_assets.marken.postgres.servers import Connection
from mediaml_assets.marken.query.sql import Sql


def read(connection: Connection, statement: Sql, fields: Sequence[pa.Field]) -> pa.Table:
    """The rows of a statement, whose columns these are; vectors come as `vector_send` writes them."""
    cursor = connection.execute(statement.text, statement.parameters, binary=True)
    columns = list(zip(*cursor.fetchall(), strict=True)) or [()] * len(fields)
    arrays = [_array(values, field.type) for values, field in zip(columns, fields, strict=True)]
    return pa.table(arrays, schema=pa.schema(fields))


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if not pa.types.is_fixed_size_list(kind):
        return pa.array(values, kind)
    size = kind.list_size
    blank = bytes(4 + 4 * size)
    data = np.frombuffer(b"".join(blank if one is None else one for one in values), np.uint8)
    # two numbers of two bytes stand before those of the vector: its dimensions, and 0
    numbers = data.reshape(len(values), 4 + 4 * size)[:, 4:].copy().view(">f4").astype(np.float32)
    mask = pa.array([one is None for one in values], pa.bool_())
    return pa.FixedSizeListArray.from_arrays(pa.array(numbers.ravel()), type=kind, mask=mask)
