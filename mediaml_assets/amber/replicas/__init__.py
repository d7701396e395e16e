"""Where values can be copied to, by the kind that a feature or `mediaml.toml` names.

| kind | what it is |
|---|---|
| shards | large Parquet files with sorted titles, for training and scans |
| vectors | memory-mapped matrices, for matching |
| delta | a Delta table, for other engines (needs the extra `lake`) |
| iceberg | an Iceberg table, for other engines (needs the extra `lake`) |
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from mediaml_assets.amber.replicas.replication import Sink, difference
from mediaml_assets.amber.store import Store
from mediaml_assets.errors import FeatureError, MediamlError


@dataclass(frozen=True)
class Kind:
    """A kind of replica."""

    open: Callable[["Replica"], Sink]
    """Makes its sink; nothing is written yet."""
    how_to_read: str
    """What people do to read it, in a sentence; `{folder}` and `{name}` stand for those of the replica."""
    where: str | None = None
    """For people: where all replicas of this kind are, which is not a folder of their own."""


# each kind brings libraries of its own, which only its replicas import
def _shards(replica: "Replica") -> Sink:
    from mediaml_assets.amber.replicas.shards import shards

    return shards(replica.name, replica.folder, replica.schema)


def _vectors(replica: "Replica") -> Sink:
    from mediaml_assets.amber.replicas.vectors import vectors

    return vectors(replica.name, replica.folder, replica.schema)


def _delta(replica: "Replica") -> Sink:
    from mediaml_assets.amber.replicas.delta import DeltaReplica

    return DeltaReplica(replica.name, replica.folder, replica.schema)


def _iceberg(replica: "Replica") -> Sink:
    from mediaml_assets.amber.replicas.iceberg import IcebergReplica

    return IcebergReplica(replica.name, replica.folder, replica.schema)


KINDS: Mapping[str, Kind] = {
    "shards": Kind(
        _shards, "Read it with `mediaml_assets.amber.replicas.shards.Shards.open(folder)`: `.table()`, `.files`."
    ),
    "vectors": Kind(
        _vectors,
        "Read it with `mediaml_assets.amber.replicas.vectors.VectorMatrix.open(folder, column)`: `.matrix` is "
        "memory-mapped, `.index` says which row is whose, `.of(titles)` gives both of some titles.",
    ),
    "delta": Kind(
        _delta, "DuckDB, Spark or Trino read it as a Delta table, `deltalake.DeltaTable(folder)` does in Python."
    ),
    "iceberg": Kind(
        _iceberg, "Engines read it as an Iceberg table: `mediaml.{name}` of the catalogue `catalog.db` in that folder."
    ),
}
"""The kinds that every feature can have; an installation may add others."""


@dataclass(frozen=True)
class Replica:
    """A replica that a feature should have."""

    feature: str
    kind: str
    schema: pa.Schema
    """The feature's."""
    root: Path
    """Folder of all replicas."""
    kinds: Mapping[str, Kind] = field(default_factory=lambda: KINDS, compare=False, repr=False)
    """Name -> kind, of those there are."""

    def __post_init__(self) -> None:
        if self.kind not in self.kinds:
            raise FeatureError(
                f"{self.feature} cannot be copied to {self.kind!r}; a replica is one of {', '.join(self.kinds)}"
            )

    @property
    def name(self) -> str:
        """Of its Dagster asset."""
        return f"{self.feature}__{self.kind}"

    @property
    def folder(self) -> Path:
        """Where it is, if its kind is one of folders."""
        return self.root / self.feature / self.kind

    @property
    def where(self) -> str:
        """For people: where it is."""
        return self.kinds[self.kind].where or str(self.folder)

    @property
    def how_to_read(self) -> str:
        """What people do to read it, in a sentence."""
        return self.kinds[self.kind].how_to_read.format(folder=self.folder, name=self.name)

    def open(self) -> Sink:
        """The sink; nothing is written yet.

        Raises:
            FeatureError: the feature's columns cannot be kept in it.
            SettingsError: its package is not installed.
        """
        return self.kinds[self.kind].open(self)


def is_behind(store: Store, replica: Replica) -> bool:
    """Whether there is something to copy; also when the replica cannot be opened, which its run will say."""
    try:
        change = difference(store, replica.feature, replica.open())
    except MediamlError:
        return True
    return bool(change.put or change.drop)
