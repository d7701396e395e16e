"""The Dagster IO manager over the feature store: inputs are views of current values, outputs are committed outcomes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from mediaml_assets.amber.evaluation import Outcome, commit
from mediaml_assets.amber.feature import Members
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.store import Store, open_store
from mediaml_assets.amber.view import View
from mediaml_assets.errors import FeatureError


class FeatureStore(dg.ConfigurableIOManager):
    """Reads and writes Amber Features; also the resource through which their assets ask the memo."""

    root: str
    """Folder of the store."""
    local: str = ""
    """Folder of this machine for scratch files; by default the folder of the store."""
    durable: bool = False
    """Whether what is stored in a folder survives a power cut."""

    @property
    def store(self) -> Store:
        """The store itself, which knows no Dagster."""
        return open_store(self.root, Path(self.local or self.root), self.durable)

    def load_input(self, context: dg.InputContext) -> View | Mapping[str, View]:
        """The current value of the upstream asset: one view, or title -> view when the consumer spans titles.

        A show spans the titles that the value named by the metadata `members` lists.
        Nothing is read yet. Titles that were never computed are left out of a mapping; for one title that raises
        NotStored. What is of the catalogue is read by what is of the catalogue too.
        """
        feature = context.asset_key.path[-1]
        metadata = context.definition_metadata or {}
        if members := metadata.get("members"):
            titles = Members.from_value(self.store.view(members, context.partition_key)).titles
            return self.store.views(feature, titles)
        if metadata.get("many"):
            return self.store.views(feature, list(context.asset_partition_keys))
        return self.store.view(feature, context.partition_key if context.has_partition_key else CATALOGUE)

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Store an outcome: value, memo, ledger row."""
        if not isinstance(obj, Outcome):
            asset, kind = context.asset_key.to_user_string(), type(obj).__name__
            raise FeatureError(
                f"{asset} returned {kind}; the feature store keeps outcomes of Amber Features only: "
                "declare the function with @amber_feature"
            )
        row = commit(self.store, obj, run=context.run_id)
        size = {"bytes": row.value.bytes} if row.value else {}
        context.add_output_metadata({**size, "ledger": f"{row.feature}/{row.scope}/{row.seq}", "event": row.event})
