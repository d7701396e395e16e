"""Where values can be copied to, by the kind that a feature or `mediaml.toml` names.

| kind | what it is |
|---|---|
| shards | large Parquet files with sorted titles, for training and scans |
| vectors | memory-mapped matrices, for matching |
| delta | a Delta table, for other engines (needs the extra `lake`) |
| iceberg | an Iceberg table, for other engines (needs the extra `lake`) |
"""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from mediaml_assets.amber.replicas.replication import Sink, difference
from mediaml_assets.amber.store import Store
from mediaml_assets.errors import FeatureError, MediamlError

KINDS = ("shards", "vectors", "delta", "iceberg")

_READ = {
    "shards": "Read it with `mediaml_assets.amber.replicas.shards.Shards.open(folder)`: `.table()`, `.files`.",
    "vectors": (
        "Read it with `mediaml_assets.amber.replicas.vectors.VectorMatrix.open(folder, column)`: `.matrix` is "
        "memory-mapped, `.index` says which row is whose, `.of(titles)` gives both of some titles."
    ),
    "delta": "DuckDB, Spark or Trino read it as a Delta table, `deltalake.DeltaTable(folder)` does in Python.",
    "iceberg": "Engines read it as an Iceberg table: `mediaml.{name}` of the catalogue `catalog.db` in that folder.",
}


@dataclass(frozen=True)
class Replica:
    """A replica that a feature should have."""

    feature: str
    kind: str
    schema: pa.Schema
    """The feature's."""
    root: Path
    """Folder of all replicas."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise FeatureError(
                f"{self.feature} cannot be copied to {self.kind!r}; a replica is one of {', '.join(KINDS)}"
            )

    @property
    def name(self) -> str:
        """Of its Dagster asset."""
        return f"{self.feature}__{self.kind}"

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self.root / self.feature / self.kind

    @property
    def how_to_read(self) -> str:
        """What people do to read it, in a sentence."""
        return _READ[self.kind].format(folder=self.folder, name=self.name)

    def open(self) -> Sink:
        """The sink; nothing is written yet.

        Raises:
            FeatureError: the feature's columns cannot be kept in it.
            SettingsError: its package is not installed.
        """
        # each kind brings libraries of its own
        if self.kind == "shards":
            from mediaml_assets.amber.replicas.shards import shards

            return shards(self.name, self.folder, self.schema)
        if self.kind == "vectors":
            from mediaml_assets.amber.replicas.vectors import vectors

            return vectors(self.name, self.folder, self.schema)
        if self.kind == "delta":
            from mediaml_assets.amber.replicas.delta import DeltaReplica

            return DeltaReplica(self.name, self.folder, self.schema)
        from mediaml_assets.amber.replicas.iceberg import IcebergReplica

        return IcebergReplica(self.name, self.folder, self.schema)


def is_behind(store: Store, replica: Replica) -> bool:
    """Whether there is something to copy; also when the replica cannot be opened, which its run will say."""
    try:
        change = difference(store, replica.feature, replica.open())
    except MediamlError:
        return True
    return bool(change.put or change.drop)
