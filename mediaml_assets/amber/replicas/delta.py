"""A Delta table as a replica (package `deltalake`): one commit a batch, without deletion vectors, readable anywhere."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.amber.replicas import lake
from mediaml_assets.amber.replicas.replication import KEEP_SECONDS, Batch, Held, Incoming, Rows, in_batches, say
from mediaml_assets.errors import Damaged, ReplicaMoved


class DeltaReplica:
    """The sink. A commit is made on top of the version that was last seen, or fails.

    Raises:
        SettingsError: the package is not installed.
        FeatureError: a column cannot be kept in such a table.
    """

    keeps_empty = False

    def __init__(self, name: str, folder: Path, schema: pa.Schema) -> None:
        self.name, self.where, self.schema = name, str(folder), schema
        self._folder = folder
        self._delta: Any = lake.package("delta", "deltalake")
        self._errors: Any = lake.package("delta", "deltalake.exceptions")
        self._columns = lake.lake_schema(schema, name)
        self._table: Any = None
        self._anew = True

    def held(self) -> Mapping[str, Held]:
        """Titles, digests and rows, counted in the table's files; nothing when the table must be begun anew."""
        self._anew = True
        self._table = self._delta.DeltaTable(self.where) if self._delta.DeltaTable.is_deltatable(self.where) else None
        if self._table is None or not _columns(self._table).equals(self._columns):
            return {}
        try:
            found = lake.counted(self._table.file_uris())
        except duckdb.Error as error:
            if self._version() != self._table.version():
                return self.held()
            say(self.name, "copying", f"has lost files and is written anew ({error})", logging.WARNING)
            return {}
        self._anew = False
        return found

    def batches(self, put: Sequence[Incoming], drop: Sequence[str]) -> Iterator[Batch]:
        """Batches in the order of titles, so that few of the table's files are rewritten by each."""
        if self._anew and self._table is not None and not put:
            yield Batch()
        yield from in_batches(put, drop, lake.BATCH_BYTES, lake.BATCH_TITLES)

    def write(self, batch: Batch, rows: Rows) -> int:
        """Replace all rows of the batch's titles in one commit."""
        with lake.written_below(self._folder) as written, self._no_other_writer():
            table = lake.batch_table(batch, rows, self._columns)
            if self._table is None:
                self._table = self._delta.DeltaTable.create(self.where, self._columns)
            titles = ", ".join("'" + title.replace("'", "''") + "'" for title in sorted(batch.titles))
            where = f"{lake.TITLE} IN ({titles})"
            if self._anew:
                self._write(table, schema_mode="overwrite")
            elif table.num_rows:
                self._write(table, predicate=where)
            else:
                self._table.delete(where, commit_properties=self._alone())
        self._anew = False
        return written.bytes

    def tidy(self, keep_seconds: float) -> int:
        """Merge small files into one; remove files that were replaced so long ago, and those of killed writers."""
        if self._table is None:
            return 0
        sizes = self._table.get_add_actions(flatten=True).column("size_bytes").to_pylist()
        with lake.written_below(self._folder) as written, self._no_other_writer():
            if sum(size < lake.FILE_BYTES / 8 for size in sizes) >= lake.SMALL_FILES:
                self._table.optimize.compact(target_size=lake.FILE_BYTES, commit_properties=self._alone())
        # only listed: the table's own vacuum writes to its log each time, also when there is nothing to remove
        replaced = self._table.vacuum(retention_hours=round(keep_seconds / 3600), enforce_retention_duration=False)
        orphans = self._table.vacuum(
            retention_hours=round(max(keep_seconds, KEEP_SECONDS) / 3600), enforce_retention_duration=False, full=True
        )
        for file in (*replaced, *orphans):
            (self._folder / Path(file).name).unlink(missing_ok=True)
        return written.bytes

    def rows(self, title: str) -> pa.Table:
        """The rows of a title, read back from the table."""
        try:
            found = (
                self._delta.DeltaTable(self.where).to_pyarrow_dataset().to_table(filter=pc.field(lake.TITLE) == title)
            )
            return lake.value_rows(found, self.schema)
        except (OSError, pa.ArrowInvalid, self._errors.DeltaError) as error:
            raise Damaged(
                f"{self.name} cannot give {title} ({error}) from {self.where}; `mediaml replicas --repair` copies it "
                "again"
            ) from error

    def _write(self, table: pa.Table, **how: Any) -> None:
        self._delta.write_deltalake(
            self._table,
            table,
            mode="overwrite",
            target_file_size=lake.FILE_BYTES,
            commit_properties=self._alone(),
            **how,
        )

    def _alone(self) -> Any:
        """To be the very next version, or to fail; so nothing is written over what we have not seen."""
        return self._delta.CommitProperties(max_commit_retries=0)

    @contextmanager
    def _no_other_writer(self) -> Iterator[None]:
        seen = self._table.version() if self._table is not None else None
        try:
            yield
        except self._errors.DeltaError as error:
            # an error of its own when the next version was taken; a file that is gone when the other swept, too
            if isinstance(error, self._errors.CommitFailedError) or self._version() != seen:
                raise ReplicaMoved(f"another process wrote {self.name} in {self.where} first; run it again") from error
            raise

    def _version(self) -> int | None:
        there = self._delta.DeltaTable.is_deltatable(self.where)
        return int(self._delta.DeltaTable(self.where).version()) if there else None


def _columns(table: Any) -> pa.Schema:
    return pa.schema(table.schema())
