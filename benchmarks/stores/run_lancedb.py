# mypy: ignore-errors
# lancedb lives in an environment of its own
"""A LanceDB table of all titles.

As its documentation advises: merge_insert for upserts, a scalar index on the column that is looked up and merged by,
and optimize (compaction, pruning at the default retention of a week, index upkeep) after many small writes.
"""

from datetime import timedelta

import lancedb

from benchmarks.stores.shots import TABLE, with_title
from benchmarks.stores.worker import Kept, serve


class Lance(Kept):
    """The table, kept open."""

    conflicts = (RuntimeError, OSError)

    def open(self):
        """Open the table, or create it."""
        connection = lancedb.connect(self.root)
        self.table = connection.create_table("made", schema=TABLE, exist_ok=True)

    def add(self, title, version):
        """Append."""
        self.table.add(with_title(title, self.ready[title, version]))

    def replace(self, title, version):
        """Merge by title and shot."""
        rows = with_title(title, self.ready[title, version])
        merge = self.table.merge_insert(["title", "shot"]).when_matched_update_all().when_not_matched_insert_all()
        merge.execute(rows)

    def expect_upserts(self):
        """Make the index, and optimise."""
        self.table.create_scalar_index("title")
        self.table.optimize()

    def maintain(self):
        """Optimise."""
        self.table.checkout_latest()
        self.table.optimize()

    def clean(self):
        """Prune without retention."""
        self.table.optimize(cleanup_older_than=timedelta(0), delete_unverified=True)

    def read(self, title):
        """By the index."""
        return self.table.search().where(f"title = {title}").limit(10_000).to_arrow()

    def read_all(self):
        """The newest version."""
        self.table.checkout_latest()
        return self.table.to_arrow()

    def read_at(self, moment):
        """By version, through a handle of its own."""
        past = lancedb.connect(self.root).open_table("made")
        past.checkout(moment)
        return past.to_arrow()

    def moment(self):
        """The version."""
        self.table.checkout_latest()
        return self.table.version

    def commits(self):
        """Versions."""
        return len(self.table.list_versions())


if __name__ == "__main__":
    serve(Lance)
