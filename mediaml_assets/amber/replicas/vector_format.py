"""How vectors lie in the files of a vector replica: one NumPy array a column, the other columns in Parquet beside."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.amber.replicas.generations import Span
from mediaml_assets.amber.replicas.shards import ParquetFormat
from mediaml_assets.errors import FeatureError

_HEADER = 128
"""Bytes before the numbers: the same for any count of rows, which is known last."""
_FLOATS = (pa.float16(), pa.float32(), pa.float64())


def vector_columns(schema: pa.Schema) -> list[str]:
    """Names of the columns that can be matrices."""
    return [one.name for one in schema if _is_vector(one.type)]


def matrix_file(stem: Path, column: str) -> Path:
    """The NumPy file of a column of a part."""
    return stem.parent / f"{stem.name}.{quote(column, safe='')}.npy"


def matrix_columns(stem: Path) -> list[str]:
    """The columns of which a part has a NumPy file, sorted."""
    files = stem.parent.glob(f"{stem.name}.*.npy")
    return sorted(unquote(file.name[len(stem.name) + 1 : -len(".npy")]) for file in files)


def others(schema: pa.Schema) -> ParquetFormat:
    """How all but the vectors are kept; of a vector column that may have nulls, which rows have a vector."""
    columns = set(vector_columns(schema))
    kept = [pa.field(one.name, pa.bool_()) if one.name in columns else one for one in schema]
    return ParquetFormat(pa.schema([one for one in kept if one.name not in columns or schema.field(one.name).nullable]))


@dataclass(frozen=True)
class VectorFormat:
    """A part is `<stem>.<column>.npy` for each vector column, and `<stem>.parquet` with the rest."""

    schema: pa.Schema

    def kind(self, title: str, rows: pa.Table) -> str:
        """The widths of the vectors, such as `2096,2096`; empty for no rows."""
        if not rows.num_rows:
            return ""
        return ",".join(str(_width(title, name, rows.column(name))) for name in vector_columns(self.schema))

    def writer(self, stem: Path, kind: str) -> "_VectorWriter":
        """Begin a part of vectors of these widths."""
        widths = dict(zip(vector_columns(self.schema), map(int, kind.split(",")), strict=True)) if kind else {}
        return _VectorWriter(stem, self.schema, widths)

    def read(self, stem: Path, span: Span) -> pa.Table:
        """The rows of a title, put together again from all files of the part."""
        rest = others(self.schema).read(stem, span)
        if not span.rows:
            return self.schema.empty_table()
        columns = []
        for one in self.schema:
            if not _is_vector(one.type):
                columns.append(rest.column(one.name))
                continue
            numbers = np.load(matrix_file(stem, one.name), mmap_mode="r")[span.start : span.stop]
            missing = pc.invert(rest.column(one.name)).combine_chunks() if one.nullable else None
            columns.append(_lists(numbers, one.type, missing))
        return pa.table(columns, schema=self.schema)

    def count(self, stem: Path) -> int:
        """Rows, when all files of the part agree; raises ValueError when they do not."""
        rows = others(self.schema).count(stem)
        for name in vector_columns(self.schema) if rows else ():
            # a file that was cut short cannot be mapped
            found = len(np.load(matrix_file(stem, name), mmap_mode="r"))
            if found != rows:
                raise ValueError(f"{matrix_file(stem, name)} has {found} rows, and there should be {rows}")
        return rows


class _VectorWriter:
    def __init__(self, stem: Path, schema: pa.Schema, widths: dict[str, int]) -> None:
        self._schema, self._widths, self._rows = schema, widths, 0
        self._others = others(schema).writer(stem, "")
        self._files = {name: matrix_file(stem, name).open("xb") for name in widths}
        for file in self._files.values():
            file.write(bytes(_HEADER))

    def add(self, title: str, rows: pa.Table) -> None:
        for name, file in self._files.items():
            file.write(np.ascontiguousarray(_numbers(title, name, rows.column(name), self._widths[name])).data)
        kept = {one.name: rows.column(one.name) for one in self._others.schema}
        present = {name: kept[name].is_valid() for name in vector_columns(self._schema) if name in kept}
        self._others.add(title, pa.table(kept | present))
        self._rows += rows.num_rows

    def size(self) -> int:
        return sum(file.tell() for file in self._files.values()) + self._others.size()

    def close(self) -> None:
        for name, file in self._files.items():
            kind = self._schema.field(name).type.value_type.to_pandas_dtype()
            file.seek(0)
            file.write(_header(np.dtype(kind), self._rows, self._widths[name]))
            file.close()
        self._others.close()


def _is_vector(kind: pa.DataType) -> bool:
    if pa.types.is_fixed_size_list(kind):
        return bool(pa.types.is_integer(kind.value_type) or pa.types.is_floating(kind.value_type))
    return bool(pa.types.is_list(kind) and kind.value_type in _FLOATS)


def _width(title: str, name: str, column: pa.ChunkedArray) -> int:
    if pa.types.is_fixed_size_list(column.type):
        return int(column.type.list_size)
    widths = pc.unique(pc.list_value_length(column.drop_null())).to_pylist()
    if len(widths) > 1:
        raise FeatureError(
            f"{name} of {title} has lists of {min(widths)} to {max(widths)} numbers, which are no vectors; take "
            "`vectors` from the feature's replicas, or make its lists equally long"
        )
    return int(widths[0]) if widths else 0


def _numbers(title: str, name: str, column: pa.ChunkedArray, width: int) -> npt.NDArray[Any]:
    """A column of vectors as [rows, width]; NaN (0 where numbers are whole) in rows without a vector."""
    flat = pc.list_flatten(column).combine_chunks() if column.num_chunks != 1 else column.chunk(0).flatten()
    if flat.null_count:
        raise FeatureError(
            f"{name} of {title} has vectors with missing numbers; make the whole vector null, or take `vectors` from "
            "the feature's replicas"
        )
    numbers: npt.NDArray[Any] = flat.to_numpy(zero_copy_only=False)
    numbers = numbers.reshape(len(column) - column.null_count, width)
    if not column.null_count:
        return numbers
    whole = np.full((len(column), width), np.nan if numbers.dtype.kind == "f" else 0, numbers.dtype)
    whole[column.is_valid().to_numpy()] = numbers
    return whole


def _lists(numbers: npt.NDArray[Any], kind: pa.DataType, missing: pa.Array | None) -> pa.Array:
    """The rows of a matrix as a column of lists."""
    rows, width = numbers.shape
    flat = pa.array(numbers.reshape(-1))
    if pa.types.is_fixed_size_list(kind):
        return pa.FixedSizeListArray.from_arrays(flat, type=kind, mask=missing)
    offsets = pa.array(np.arange(rows + 1) * width, pa.int32())
    return pa.ListArray.from_arrays(offsets, flat, type=kind, mask=missing)


def _header(kind: np.dtype[Any], rows: int, width: int) -> bytes:
    """The header of a NumPy file (format 1.0), filled up to `_HEADER` bytes."""
    text = f"{{'descr': {kind.str!r}, 'fortran_order': False, 'shape': ({rows}, {width}), }}"
    return b"\x93NUMPY\x01\x00" + (_HEADER - 10).to_bytes(2, "little") + f"{text:<{_HEADER - 11}}\n".encode()
