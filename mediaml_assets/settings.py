"""The settings of an installation, each with its one place.

MEDIAML_HOME      where everything lives (default: data/)
MEDIAML_SHARED    where development media are read by tests and benchmarks (default: ../shared)
MEDIAML_LANDING   the landing folder, when it is not <home>/landing
<home>/mediaml.toml
    [store]
    durable = true      what is stored in a folder survives a power cut (default: false)
    [features.<name>]   default configuration of a feature, e.g.
    [features.shot_embedding]
    model = "hf:/models/dinov2-small"
"""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mediaml_assets.errors import SettingsError


@dataclass(frozen=True)
class Home:
    """The folders of one installation."""

    root: Path
    landing: Path

    @property
    def store(self) -> str:
        """Where feature values, memo, ledger and blobs are: the path of a folder."""
        return str(self.root / "store")

    @property
    def local(self) -> Path:
        """What concerns this machine alone: scratch files, caches, which runs are alive."""
        return self.root / "local"

    @property
    def durable(self) -> bool:
        """Whether what is stored in a folder must survive a power cut; raises SettingsError."""
        return self._table("store").get("durable", False) is True

    @property
    def dagster(self) -> Path:
        """DAGSTER_HOME: runs, events, partitions."""
        return self.root / "dagster"

    @property
    def out(self) -> Path:
        """What people look at: contact sheets, pages, preview clips."""
        return self.root / "out"

    def feature_configs(self) -> dict[str, dict[str, Any]]:
        """The `[features.<name>]` tables of mediaml.toml, empty when there is no such file; raises SettingsError."""
        return {name: dict(table) for name, table in self._table("features").items()}

    def _table(self, name: str) -> dict[str, Any]:
        """A table of mediaml.toml, empty when there is none."""
        file = self.root / "mediaml.toml"
        if not file.exists():
            return {}
        try:
            return dict(tomllib.loads(file.read_text()).get(name, {}))
        except (ValueError, TypeError, AttributeError, OSError) as error:
            raise SettingsError(
                f"{file} cannot be read ({error}); it holds tables like [features.match_cuts]"
            ) from error


def home() -> Home:
    """The installation that the environment names; read at each call, never at import."""
    root = Path(os.environ.get("MEDIAML_HOME") or "data").resolve()
    landing = os.environ.get("MEDIAML_LANDING")
    return Home(root=root, landing=Path(landing).resolve() if landing else root / "landing")
