"""A standard encode as its readers see a stored value, without a store."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mediaml_assets.jasper.standard.standardize import StandardEncode


@dataclass(frozen=True)
class EncodeView:
    """A standard encode seen as a stored value."""

    title: str
    encode: StandardEncode

    def row(self) -> dict[str, Any]:
        """Its columns."""
        return self.encode.row()

    def blob(self, name: str) -> Path:
        """The file that a column names."""
        return Path(self.encode.row()[name])
