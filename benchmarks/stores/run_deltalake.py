# mypy: ignore-errors
# deltalake lives in an environment of its own
"""A Delta table through delta-rs: one table of all titles.

As its documentation advises: a table that stays open while it is appended to, a merge for upserts with a predicate that
prunes files, checkpoints every 100 commits (its default), and when writing is over optimise with Z order by the column
that is looked up (earlier, every merge would rewrite the one big file) and vacuum at the default retention of a week.
A writer that meets a conflict loads the table again and repeats.
"""

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from benchmarks.stores.shots import TABLE, with_title
from benchmarks.stores.worker import Kept, serve

WRITING = WriterProperties(compression="ZSTD")
SORTED = WriterProperties(compression="ZSTD", max_row_group_size=1024)
"""Small row groups in the one file that optimising makes: a title is found in one of them."""


class Delta(Kept):
    """The table, kept open."""

    conflicts = (CommitFailedError, DeltaError)

    def open(self):
        """Open the table, or create it."""
        try:
            self.table = DeltaTable(self.root / "table")
        except TableNotFoundError:
            self.table = DeltaTable.create(self.root / "table", TABLE)

    def add(self, title, version):
        """Append."""
        rows = with_title(title, self.ready[title, version])
        write_deltalake(self.table, rows, mode="append", writer_properties=WRITING)

    def replace(self, title, version):
        """Merge by title and shot."""
        rows = with_title(title, self.ready[title, version])
        merge = self.table.merge(
            rows,
            f"t.title = {title} AND t.title = s.title AND t.shot = s.shot",
            source_alias="s",
            target_alias="t",
            writer_properties=WRITING,
        )
        merge.when_matched_update_all().when_not_matched_insert_all().execute()

    def maintain(self):
        """Optimise and vacuum."""
        self.table.update_incremental()
        self.table.optimize.z_order(["title"], writer_properties=SORTED)
        self.table.vacuum(dry_run=False)
        self.table.create_checkpoint()
        self.table.cleanup_metadata()

    def clean(self):
        """Vacuum without retention, also what writers left that met a conflict."""
        self.table.update_incremental()
        self.table.vacuum(0, dry_run=False, enforce_retention_duration=False, full=True)

    def read(self, title):
        """By a query, which prunes row groups: many times faster here than `to_pyarrow_table(filters=...)`."""
        query = QueryBuilder().register("t", self.table).execute(f"SELECT * FROM t WHERE title = {title}")
        return pa.table(query.read_all())

    def read_all(self):
        """The newest version."""
        self.table.update_incremental()
        return self.table.to_pyarrow_table()

    def read_at(self, moment):
        """By version."""
        return DeltaTable(self.root / "table", version=moment).to_pyarrow_table()

    def moment(self):
        """The version."""
        self.table.update_incremental()
        return self.table.version()

    def commits(self):
        """Versions."""
        return self.moment()


if __name__ == "__main__":
    serve(Delta)
