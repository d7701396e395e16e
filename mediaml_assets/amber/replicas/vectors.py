"""The vector matrix: a feature's vectors as memory-mapped NumPy arrays, ready for matching.

    <id>.<column>.npy      rows x width, the column's own type, one row a row of the feature
    <id>.parquet           the title and the other columns of these rows

    vectors = VectorMatrix.open(folder)        of a feature with several vector columns: open(folder, "first")
    vectors.matrix                             [rows, width], all titles
    vectors.vectors("a-title")                 its rows, a view of the file
    vectors.index                              title, row and the other columns of each row of the matrix
    vectors.of(["a-title", "another"])         the matrix of these titles alone, and its index

A vector column is a fixed-size list of numbers, or a list of floats that has one length in all rows of a title. Titles
of another length lie in parts of their own. A row without a vector is NaN in the matrix, and False in the index's
column of that name (0 where the numbers are whole).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from mediaml_assets.amber.replicas.file_replica import FileReplica
from mediaml_assets.amber.replicas.generations import Generation, Generations
from mediaml_assets.amber.replicas.replication import check_free
from mediaml_assets.amber.replicas.shards import TITLE, parquet_file
from mediaml_assets.amber.replicas.vector_format import VectorFormat, matrix_columns, matrix_file, vector_columns
from mediaml_assets.errors import FeatureError, NotStored

_ROW = "row"

PART_BYTES = 1 << 30
"""Size at which a part is full: the unit of rewriting, a second's work. Below it a replica made at once is one part."""


def vectors(name: str, folder: Path, schema: pa.Schema, part_bytes: int = PART_BYTES) -> FileReplica:
    """The sink; raises FeatureError for a feature without a column of vectors."""
    if not vector_columns(schema):
        raise FeatureError(
            f"{name} cannot be made: the feature has no column of vectors; declare one as a fixed-size list of "
            "numbers or a list of floats, or take `vectors` from its replicas"
        )
    check_free(schema, [TITLE, _ROW], name)
    return FileReplica(name, folder, schema, VectorFormat(schema), part_bytes)


@dataclass(frozen=True)
class VectorMatrix:
    """One whole state of a vector replica, memory-mapped; opening it again sees a newer one."""

    column: str
    blocks: tuple[npt.NDArray[Any], ...]
    """The parts one after the other, each [rows, width]: memory maps of whole files."""
    rows: dict[str, range]
    """Title -> its rows, counted through all blocks; empty for a title whose value has none. Sorted by title."""
    tables: tuple[pq.ParquetFile, ...]
    """Parquet files with `title` and the other columns, one a block; open, so that they outlive a newer state."""

    @classmethod
    def open(cls, folder: Path | str, column: str | None = None) -> Self:
        """Map the newest state of the replica in a folder.

        Args:
            folder: `<home>/replicas/<feature>/vectors`.
            column: the column of vectors; may be left out where the feature has only one.

        Raises:
            NotStored: nothing was copied there yet.
            FeatureError: the feature has no such column of vectors, or several and none was named.
        """
        generations = Generations(Path(folder))
        while True:
            generation = generations.newest()
            try:
                return cls._map(generations.files, generation, column)
            except FileNotFoundError:
                # replaced and swept away between two looks; if it is still the newest, a file is lost
                if generations.newest().number == generation.number:
                    raise

    @classmethod
    def _map(cls, files: Path, generation: Generation, column: str | None) -> Self:
        if not generation.number:
            raise NotStored(f"there is no vector replica in {files.parent} yet; run `mediaml ingest`")
        parts = sorted((part for part in generation.parts if part.rows), key=lambda part: part.spans[0].title)
        named = _chosen(files / parts[0].stem, column) if parts else column or ""
        rows = {title: range(0) for title, (part, _) in generation.places.items() if not part.rows}
        start = 0
        for part in parts:
            rows |= {span.title: range(start + span.start, start + span.stop) for span in part.spans}
            start += part.rows
        return cls(
            column=named,
            blocks=tuple(np.load(matrix_file(files / part.stem, named), mmap_mode="r") for part in parts),
            rows=dict(sorted(rows.items())),
            tables=tuple(pq.ParquetFile(parquet_file(files / part.stem)) for part in parts),
        )

    @property
    def titles(self) -> list[str]:
        """Titles with a value, sorted."""
        return list(self.rows)

    @cached_property
    def matrix(self) -> npt.NDArray[Any]:
        """All vectors, [rows, width]: the memory map itself where there is one block, else a copy of all blocks.

        What does not fit in memory is read through `blocks`.

        Raises:
            FeatureError: titles have vectors of different widths; read `blocks` or `vectors`.
        """
        return self._together(self.blocks)

    def vectors(self, title: str) -> npt.NDArray[Any]:
        """The rows of a title, [rows, width]: a view of the memory map; raises NotStored."""
        if title not in self.rows:
            raise NotStored(f"the vector replica has nothing of {title}; its titles are in `titles`")
        rows, start = self.rows[title], 0
        for block in self.blocks:
            if rows and rows.start < start + len(block):
                return block[rows.start - start : rows.stop - start]
            start += len(block)
        return self._together([block[:0] for block in self.blocks[:1]])

    def of(self, titles: Sequence[str]) -> tuple[npt.NDArray[Any], pa.Table]:
        """The vectors of some titles in the order given, [rows, width], and the index of these rows.

        A copy of no more than these rows; of one title, its view of the memory map.

        Raises:
            NotStored: there is nothing of one of them.
            FeatureError: they have vectors of different widths.
        """
        parts = [part for part in map(self.vectors, titles) if len(part)]
        matrix = self._together(parts or [block[:0] for block in self.blocks[:1]])
        spans = [self.rows[title] for title in titles]
        return matrix, pa.concat_tables([self.index[:0], *(self.index[rows.start : rows.stop] for rows in spans)])

    def _together(self, parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        widths = sorted({part.shape[1] for part in parts})
        if len(widths) > 1:
            raise FeatureError(
                f"{self.column} has vectors of {' and '.join(map(str, widths))} numbers, so there is no one matrix; "
                "read `blocks`, take titles of one width, or wait until every title is computed again"
            )
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.empty((0, 0), np.float32)

    @cached_property
    def index(self) -> pa.Table:
        """Of each row of the matrix: its `title`, its `row` within the title, and the feature's other columns."""
        if not self.tables:
            return pa.table({TITLE: pa.array([], pa.string()), _ROW: pa.array([], pa.int32())})
        others = pa.concat_tables([table.read() for table in self.tables])
        in_order = sorted(self.rows.values(), key=lambda rows: rows.start)
        row = np.concatenate([np.arange(len(rows), dtype=np.int32) for rows in in_order])
        return others.add_column(1, _ROW, [pa.array(row)])


def _chosen(stem: Path, column: str | None) -> str:
    """The vector column that is meant, among those of a part."""
    there = matrix_columns(stem)
    if not there:
        raise FileNotFoundError(f"{stem} has no matrices")
    if column is None and len(there) == 1:
        return there[0]
    if column not in there:
        wanted = f"no vectors named {column}" if column else "several columns of vectors"
        raise FeatureError(f"the replica in {stem.parent.parent} has {wanted}; choose one of {', '.join(there)}")
    return column
