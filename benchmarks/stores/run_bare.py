"""Bare Parquet files: what the bytes and the times of all stores are held against. No versions, no readers' safety."""

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.stores.worker import Kept, bare_file, serve


class Bare(Kept):
    """A file for each version of each title."""

    def open(self) -> None:
        """Nothing to open."""

    def add(self, title: int, version: int) -> None:
        """Write one file; the codec and the settings of the feature store."""
        file = bare_file(self.root, title, version)
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(self.ready[title, version], file, compression="zstd", use_dictionary=False)

    replace = add

    def maintain(self) -> None:
        """Nothing to maintain."""

    def read(self, title: int) -> pa.Table:
        """Nobody knows which file is current."""
        raise NotImplementedError

    def read_all(self) -> pa.Table:
        """Nobody knows which files are current."""
        raise NotImplementedError

    def read_at(self, moment: Any) -> pa.Table:
        """There is no history."""
        raise NotImplementedError

    def moment(self) -> Any:
        """There is no history."""
        return None

    def commits(self) -> int:
        """There is no history."""
        return 0


if __name__ == "__main__":
    serve(Bare)
