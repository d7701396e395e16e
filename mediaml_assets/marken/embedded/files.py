"""Rows as files and as text: immutable Parquet named by its content, and small batches inside an entry.

    rows/<digest>-<random>.parquet

The digest is checked whenever a whole file is read; where some of its columns are, rows are counted, and pages have
checksums. The random part makes names of two attempts differ, so that tidying up after a killed one never takes a file
that another one relies upon.
"""

import base64
import uuid
import zlib

import pyarrow as pa
import pyarrow.parquet as pq
from blake3 import blake3

from mediaml_assets.amber.objects import Objects
from mediaml_assets.errors import Damaged
from mediaml_assets.marken.embedded.packing import packed, unpacked
from mediaml_assets.marken.embedded.state import Part

SEQ = "_seq"
"""Column of merged log files: the entry that a row came with."""
FEW, INLINE = 64, 32 * 1024
"""Rows, and characters that they take, that an entry may hold itself."""
ROW_GROUP = 1 << 17


def encode(rows: pa.Table, merged: bool = False) -> memoryview:
    """Rows as Parquet; what was merged is read often and written once, so it is packed tighter."""
    sink = pa.BufferOutputStream()
    pack = "zstd" if merged else "lz4"
    # numbers of vectors look random; packing them costs much and saves nothing
    rows = packed(rows)
    packing = {_leaf(one): "none" if pa.types.is_fixed_size_binary(one.type) else pack for one in rows.schema}
    repeated = [one.name for one in rows.schema if pa.types.is_string(one.type) and one.name != "id"]
    pq.write_table(
        rows,
        sink,
        compression=packing,
        use_dictionary=repeated,
        write_statistics=False,
        row_group_size=ROW_GROUP,
        # what is read of some columns alone is checked, too
        write_page_checksum=True,
    )
    return memoryview(sink.getvalue()).cast("B")


def digest(encoded: bytes | memoryview) -> str:
    """What names a file."""
    return blake3(encoded).hexdigest()[:32]


def digest_of(name: str) -> str:
    """What the file of a name has as its digest."""
    return name.removeprefix("rows/").split("-")[0]


def write(objects: Objects, encoded: memoryview) -> str:
    """Store rows; returns the name of the file."""
    name = f"rows/{digest(encoded)}-{uuid.uuid4().hex[:8]}.parquet"
    objects.create(name, encoded)
    return name


def read(objects: Objects, part: Part, columns: list[str] | None = None) -> pa.Table:
    """The rows of a part, with versions; log rows with `SEQ` too, unless other columns are asked for.

    Raises:
        NotStored: it was merged into another one and removed.
        Damaged: the file is not what was written.
    """
    rows = unpack(part.inline) if part.inline else _parquet(objects, part.name, columns)
    if rows.num_rows != part.rows or not {*(columns or ())} <= {*rows.column_names}:
        raise damaged(objects, part.name)
    if columns is not None:
        rows = rows.select(columns)
    if not part.versions:
        return rows
    version = rows.schema.get_field_index("version")
    if version >= 0:
        rows = rows.set_column(version, rows.schema.field(version), pa.array(part.versions, pa.int32()))
    return rows if columns is not None else rows.append_column(SEQ, pa.array([part.first] * part.rows, pa.int64()))


def pack(rows: pa.Table) -> str:
    """Rows as text inside an entry."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows)
    return base64.b64encode(zlib.compress(sink.getvalue())).decode()


def unpack(text: str) -> pa.Table:
    """What `pack` made text of."""
    return pa.ipc.open_stream(zlib.decompress(base64.b64decode(text))).read_all()


def _leaf(column: pa.Field) -> str:
    """What Parquet calls the values of a column."""
    return f"{column.name}.list.element" if pa.types.is_nested(column.type) else str(column.name)


def _parquet(objects: Objects, name: str, columns: list[str] | None) -> pa.Table:
    """A file: some of its columns by their ranges alone, or all of it, checked."""
    try:
        if columns is not None:
            # in this thread alone: one of Arrow's that still holds the stream when Python ends makes that an abort
            with objects.open(name) as stream, pq.ParquetFile(stream, page_checksum_verification=True) as file:
                return file.read(columns, use_threads=False)
        encoded = objects.read(name)
        if digest(encoded) == digest_of(name):
            return unpacked(pq.ParquetFile(pa.BufferReader(encoded)).read())
    except (pa.ArrowException, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            # the storage, not the file
            raise
        raise damaged(objects, name) from error
    raise damaged(objects, name)


def damaged(objects: Objects, name: str) -> Damaged:
    """What is said of an object that is not what was written."""
    return Damaged(f"{name} in {objects.where} is not what was written; bring it back from a copy")
