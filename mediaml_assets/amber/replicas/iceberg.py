"""An Iceberg table as a replica (package `pyiceberg`), in a catalogue of its own: one SQLite file beside the data.

    <folder>/catalog.db                            catalogue "mediaml", table mediaml.<feature>__iceberg
    <folder>/mediaml/<feature>__iceberg/metadata/  *.metadata.json, which engines without this catalogue open
    <folder>/mediaml/<feature>__iceberg/data/      Parquet files

Iceberg's metadata names files by absolute paths: a folder that was moved is written anew.
"""

import logging
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import unquote, urlparse
from uuid import uuid4

import duckdb
import pyarrow as pa

from mediaml_assets.amber.replicas import lake
from mediaml_assets.amber.replicas.replication import KEEP_SECONDS, Batch, Held, Incoming, Rows, in_batches, say
from mediaml_assets.errors import Damaged, NotStored, ReplicaMoved

NAMESPACE = "mediaml"
_CATALOGUE = "catalog.db"
_SCHEMA = "mediaml.schema"
_UNFINISHED = ".unfinished"
_ENDINGS = (".parquet", ".avro", ".json", _UNFINISHED)
_LOCKED_SECONDS = 60
_PROPERTIES = {
    # a commit that another one overtook must fail: rows are replaced only on top of what was seen
    "commit.retry.num-retries": "0",
    "write.target-file-size-bytes": str(lake.FILE_BYTES),
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "commit.manifest-merge.enabled": "true",
}


class IcebergReplica:
    """The sink. A commit is made on top of the snapshot that was last seen, or fails.

    Raises:
        SettingsError: the package is not installed.
        FeatureError: a column cannot be kept in such a table.
    """

    keeps_empty = False

    def __init__(self, name: str, folder: Path, schema: pa.Schema) -> None:
        self.name, self.where, self.schema = name, str(folder), schema
        self._folder = folder
        self._sql: Any = lake.package("iceberg", "pyiceberg.catalog.sql")
        self._errors: Any = lake.package("iceberg", "pyiceberg.exceptions")
        self._expressions: Any = lake.package("iceberg", "pyiceberg.expressions")
        self._columns = lake.lake_schema(schema, name)
        self._table: Any = None
        self._there: frozenset[str] = frozenset()
        self._anew = True
        self._lost = False

    def held(self) -> Mapping[str, Held]:
        """Titles, digests and rows, counted in the table's files; nothing when the table must be begun anew."""
        self._anew, self._there = True, frozenset()
        self._table = self._load()
        if self._table is None or self._table.properties.get(_SCHEMA) != str(self._columns):
            return {}
        try:
            found = lake.counted([_path(file) for file, _ in self._files()])
        except (duckdb.Error, OSError) as error:
            if self._moved():
                return self.held()
            say(self.name, "copying", f"has lost files and is written anew ({error})", logging.WARNING)
            return {}
        self._anew, self._there = False, frozenset(found)
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
            if self._anew:
                self._begin()
            self._replace(table, batch.titles & self._there)
        self._there = self._there - set(batch.drop) | {one.title for one in batch.put}
        return written.bytes

    def tidy(self, keep_seconds: float) -> int:
        """Merge small files into one; remove snapshots older than so many seconds with what only they had."""
        if self._table is None:
            return 0
        until, known = time() - keep_seconds, set[Path]()
        with lake.written_below(self._folder) as written, self._no_other_writer():
            small = [_path(file) for file, size in self._files() if size < lake.FILE_BYTES / 8]
            if len(small) >= lake.SMALL_FILES:
                titles = lake.counted(small).keys()
                self._replace(self._read(titles), set(titles))
            if any(one.timestamp_ms / 1000 < until for one in self._table.metadata.snapshots[:-1]):
                known = self._known()
                self._table.maintenance.expire_snapshots().older_than(datetime.fromtimestamp(until, UTC)).commit()
                self._table.refresh()
            self._sweep(known)
        return written.bytes

    def rows(self, title: str) -> pa.Table:
        """The rows of a title, read back from the table."""
        self._table = self._load()
        if self._table is None:
            raise NotStored(f"{self.where} has no table yet; run `mediaml ingest`")
        try:
            return lake.value_rows(self._read([title]), self.schema)
        except (OSError, pa.ArrowInvalid) as error:
            raise Damaged(
                f"{self.name} cannot give {title} ({error}) from {self.where}; `mediaml replicas --repair` copies it "
                "again"
            ) from error

    @cached_property
    def _catalog(self) -> Any:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder.resolve() / _CATALOGUE
        if not file.exists():
            self._make_catalog(file)
        return self._open_catalog(file)

    def _make_catalog(self, file: Path) -> None:
        """A catalogue appears whole or not at all: of processes that make it at once, each finds the first one's."""
        unfinished = file.with_name(f"{uuid4().hex}{_UNFINISHED}")
        try:
            catalog = self._open_catalog(unfinished)
            catalog.create_namespace(NAMESPACE)
            catalog.close()
            with suppress(FileExistsError):
                os.link(unfinished, file)
        finally:
            unfinished.unlink(missing_ok=True)

    def _open_catalog(self, file: Path) -> Any:
        # a writer that sleeps in the middle of a commit locks the others out; what it holds up waits, and is no error
        uri = f"sqlite:///{file}?timeout={_LOCKED_SECONDS}"
        return self._sql.SqlCatalog(NAMESPACE, uri=uri, warehouse=file.parent.as_uri())

    @property
    def _name(self) -> str:
        return f"{NAMESPACE}.{self.name}"

    def _load(self) -> Any:
        """The table as it is now; None when there is none, or its metadata are lost."""
        self._lost = False
        if not (self._folder / _CATALOGUE).exists():
            return None
        with suppress(self._errors.NoSuchTableError):
            try:
                return self._catalog.load_table(self._name)
            except FileNotFoundError:
                self._lost = True
        return None

    def _moved(self) -> bool:
        """Whether the table is another one than when it was last looked at."""
        now = self._load()
        return now is not None and (self._table is None or now.metadata_location != self._table.metadata_location)

    def _begin(self) -> None:
        """An empty table in place of what there is."""
        if self._table is not None or self._lost:
            self._catalog.drop_table(self._name)
        properties = {**_PROPERTIES, _SCHEMA: str(self._columns)}
        self._table = self._catalog.create_table(self._name, self._columns, properties=properties)
        self._anew, self._there = False, frozenset()

    def _replace(self, table: pa.Table, titles: set[str]) -> None:
        """Rows in place of what is held of some titles, in one commit."""
        theirs = self._expressions.In(lake.TITLE, titles)
        with self._table.transaction() as transaction:
            if titles and table.num_rows:
                transaction.overwrite(table, overwrite_filter=theirs)
            elif titles:
                transaction.delete(theirs)
            elif table.num_rows:
                transaction.append(table)

    def _read(self, titles: Collection[str]) -> pa.Table:
        found = self._table.scan(row_filter=self._expressions.In(lake.TITLE, titles)).to_arrow()
        return found.cast(self._columns).sort_by([(lake.TITLE, "ascending"), (lake.ROW, "ascending")])

    def _files(self) -> list[tuple[str, int]]:
        """Address and size of each data file of the newest snapshot."""
        return [(task.file.file_path, task.file.file_size_in_bytes) for task in self._table.scan().plan_files()]

    def _known(self) -> set[Path]:
        """Every file that a snapshot names, or that the table's metadata name."""
        meta = self._table.metadata
        addresses = [self._table.metadata_location, *(entry.metadata_file for entry in meta.metadata_log)]
        addresses += [snapshot.manifest_list for snapshot in meta.snapshots]
        addresses += self._table.inspect.all_manifests().column("path").to_pylist()
        addresses += self._table.inspect.all_files().column("file_path").to_pylist()
        return {Path(_path(address)) for address in addresses}

    def _sweep(self, before: set[Path]) -> None:
        """Remove files that were known `before`, and old ones of killed writers, that no snapshot names now."""
        until = time() - KEEP_SECONDS
        files = {file for file in self._folder.resolve().rglob("*") if file.suffix in _ENDINGS}
        old = {file for file, stat in lake.stats(files) if file in before or stat.st_mtime < until}
        for file in old - self._known() if old else ():
            file.unlink(missing_ok=True)

    @contextmanager
    def _no_other_writer(self) -> Iterator[None]:
        errors = self._errors
        late = (errors.CommitFailedException, errors.ValidationException)
        try:
            yield
        except (*late, errors.TableAlreadyExistsError, errors.NoSuchTableError, FileNotFoundError) as error:
            # a file is gone when the other writer swept, or when it is lost
            if isinstance(error, FileNotFoundError) and not self._moved():
                raise
            raise ReplicaMoved(f"another process wrote {self.name} in {self.where} first; run it again") from error


def _path(address: str) -> str:
    """The path of a file from its address."""
    return unquote(urlparse(address).path)
