"""Vectors as bytes and back."""

import pyarrow as pa
import pytest

from mediaml_assets.marken.embedded.packing import packed, unpacked

VECTORS = pa.list_(pa.float32(), 3)


@pytest.mark.parametrize("rows", [[], [None], [[1, 2, 3]], [None, [1, 2.5, -3], None, [0, -0.0, 1e-30]]])
@pytest.mark.parametrize("start", [0, 1])
def test_vectors_come_back_as_they_were(rows: list[list[float] | None], start: int) -> None:
    table = pa.table({"id": [str(at) for at in range(len(rows))], "look": pa.array(rows, VECTORS)}).slice(start)
    bytes_of = packed(table)
    assert bytes_of.schema.field("look").type == pa.binary(12)
    assert unpacked(bytes_of).equals(table) and unpacked(bytes_of).schema == table.schema
    twice = pa.concat_tables([table, table])
    assert unpacked(packed(twice)).to_pylist() == twice.to_pylist()
