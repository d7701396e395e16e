"""Shards: a feature's current values as few large Parquet files, for training and scans.

Each row has its title in front. Rows of a title lie together, titles are sorted in each file, and row groups end
where a title ends once they hold `GROUP_BYTES`, so that one title is read without its neighbours.

    shards = Shards.open(folder)
    shards.files                       the Parquet files of one whole state, for any engine
    shards.table(["vector"])           all titles, or some
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mediaml_assets.amber.replicas.file_replica import FileReplica
from mediaml_assets.amber.replicas.generations import Generation, Generations, Span
from mediaml_assets.amber.replicas.replication import check_free

SHARD_BYTES = 128 << 20
"""Size at which a shard is full."""
GROUP_BYTES = 4 << 20
"""Size in memory at which a row group ends, at the next title."""

TITLE = "title"
"""The column that replicas add."""


def shards(name: str, folder: Path, schema: pa.Schema, part_bytes: int = SHARD_BYTES) -> FileReplica:
    """The sink; raises FeatureError for a feature with a column named `title`."""
    check_free(schema, [TITLE], name)
    return FileReplica(name, folder, schema, ParquetFormat(schema), part_bytes)


@dataclass(frozen=True)
class Shards:
    """One whole state of a feature's shards; opening it again sees a newer one."""

    folder: Path
    generation: Generation

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The newest state; its files stay for an hour after they were replaced."""
        return cls(folder, Generations(folder).newest())

    @property
    def titles(self) -> list[str]:
        """Titles with a value, sorted."""
        return list(self.generation.places)

    @property
    def files(self) -> list[Path]:
        """The Parquet files; every row in them is current."""
        return [parquet_file(Generations(self.folder).files / part.stem) for part in self.generation.parts]

    def table(self, columns: Sequence[str] | None = None, titles: Sequence[str] | None = None) -> pa.Table:
        """Rows with their `title`, of all titles or of some, and all columns or some (with `title` when named)."""
        wanted = None if titles is None else pc.field(TITLE).isin(list(titles))
        return pq.read_table(self.files, columns=list(columns) if columns is not None else None, filters=wanted)


@dataclass(frozen=True)
class ParquetFormat:
    """A part is one Parquet file `<stem>.parquet`: `title`, then the columns of the schema."""

    schema: pa.Schema

    def kind(self, title: str, rows: pa.Table) -> str:
        """Any rows of the schema can share a file."""
        return ""

    def writer(self, stem: Path, kind: str) -> "ShardWriter":
        """Begin a file."""
        return ShardWriter(parquet_file(stem), self.schema)

    def read(self, stem: Path, span: Span) -> pa.Table:
        """The rows of a title, from the row groups that hold them; raises ValueError when they name another title."""
        with pq.ParquetFile(parquet_file(stem), page_checksum_verification=True) as file:
            groups, start, skipped = [], 0, 0
            for group in range(file.num_row_groups):
                stop = start + file.metadata.row_group(group).num_rows
                if start < span.stop and span.start < stop:
                    groups.append(group)
                elif stop <= span.start:
                    skipped = stop
                start = stop
            rows = file.read_row_groups(groups).slice(span.start - skipped, span.rows)
        if not pc.all(pc.equal(rows.column(TITLE), span.title), min_count=0, skip_nulls=False).as_py():
            raise ValueError(f"rows {span.start} to {span.stop} of {parquet_file(stem)} are not all of {span.title}")
        return rows.select(self.schema.names).cast(self.schema)

    def count(self, stem: Path) -> int:
        """Rows, by the file's footer."""
        return int(pq.read_metadata(parquet_file(stem)).num_rows)


class ShardWriter:
    """Writes one Parquet file, a title at a time."""

    def __init__(self, file: Path, schema: pa.Schema) -> None:
        self.schema = schema
        self._schema = pa.schema([pa.field(TITLE, pa.string(), nullable=False), *schema])
        texts = [one.name for one in self._schema if pa.types.is_string(one.type)]
        self._writer = pq.ParquetWriter(
            file, self._schema, compression="zstd", use_dictionary=texts, write_page_checksum=True
        )
        self._file = file
        self._waiting: list[pa.Table] = []
        self._bytes = 0

    def add(self, title: str, rows: pa.Table) -> None:
        """Append the rows of a title."""
        named = rows.add_column(0, self._schema.field(0), pa.repeat(title, rows.num_rows)).cast(self._schema)
        self._waiting.append(named)
        self._bytes += named.nbytes
        if self._bytes >= GROUP_BYTES:
            self._flush()

    def size(self) -> int:
        """Bytes written so far."""
        return self._file.stat().st_size

    def close(self) -> None:
        """Write what waits, and the footer."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        rows = pa.concat_tables([self._schema.empty_table(), *self._waiting])
        if rows.num_rows:
            self._writer.write_table(rows, row_group_size=rows.num_rows)
        self._waiting, self._bytes = [], 0


def parquet_file(stem: Path) -> Path:
    """The Parquet file of a part."""
    return stem.parent / f"{stem.name}.parquet"
