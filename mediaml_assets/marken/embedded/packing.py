"""Vectors as files hold them: as bytes of a fixed count, which are written and read faster than lists."""

import numpy as np
import pyarrow as pa


def packed(rows: pa.Table) -> pa.Table:
    """Rows with bytes (float32, little-endian) in the place of vectors."""
    for at, column in enumerate(rows.schema):
        if pa.types.is_fixed_size_list(column.type):
            width = column.type.list_size
            vectors = rows[column.name].combine_chunks()
            # a slice has the values of the whole
            values = vectors.values.to_numpy(zero_copy_only=False).reshape(-1, width)[vectors.offset :][: len(vectors)]
            buffers = [vectors.is_valid().buffers()[1], pa.py_buffer(np.ascontiguousarray(values, "<f4"))]
            packs = pa.Array.from_buffers(pa.binary(4 * width), len(vectors), buffers)
            rows = rows.set_column(at, pa.field(column.name, packs.type), packs)
    return rows


def unpacked(rows: pa.Table) -> pa.Table:
    """Rows that `packed` made, as they were."""
    for at, column in enumerate(rows.schema):
        if pa.types.is_fixed_size_binary(column.type):
            width = column.type.byte_width // 4
            packs = rows[column.name].combine_chunks()
            start = packs.offset * width
            values = np.frombuffer(packs.buffers()[1], "<f4")[start : start + len(packs) * width]
            vectors = pa.FixedSizeListArray.from_arrays(pa.array(values), width, mask=packs.is_null())
            rows = rows.set_column(at, column.name, vectors.cast(pa.list_(pa.float32(), width)))
    return rows
