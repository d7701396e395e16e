"""Where values can be copied to, by the kind that a feature or `mediaml.toml` names.

shards     large Parquet files with sorted titles, for training and scans
vectors    memory-mapped matrices, for matching
delta      a Delta table, for other engines (needs the extra `lake`)
iceberg    an Iceberg table, for other engines (needs the extra `lake`)
"""

from pathlib import Path

import pyarrow as pa

from mediaml_assets.amber.replication import Sink
from mediaml_assets.errors import FeatureError

KINDS = ("shards", "vectors", "delta", "iceberg")


def open_sink(feature: str, kind: str, schema: pa.Schema, folder: Path) -> Sink:
    """The replica of a feature, below the folder of all replicas; nothing is written yet.

    Raises:
        FeatureError: there is no such kind, or the feature's columns cannot be kept in it.
        SettingsError: its package is not installed.
    """
    name, own = f"{feature}__{kind}", folder / feature / kind
    if kind == "shards":
        from mediaml_assets.amber.replicas.shards import shards

        return shards(name, own, schema)
    if kind == "vectors":
        from mediaml_assets.amber.replicas.vectors import vectors

        return vectors(name, own, schema)
    if kind == "delta":
        from mediaml_assets.amber.replicas.delta import DeltaReplica

        return DeltaReplica(name, own, schema)
    if kind == "iceberg":
        from mediaml_assets.amber.replicas.iceberg import IcebergReplica

        return IcebergReplica(name, own, schema)
    raise FeatureError(f"{feature} cannot be copied to {kind!r}; a replica is one of {', '.join(KINDS)}")
