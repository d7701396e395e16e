"""The feature store: Amber Features, their keys, values, ledger and orchestration.

    from mediaml_assets import amber

    amber.value("motion", "night_train").table()    # computed with all that it is made from, or recalled

`value`, `values`, `rows`, `joined` and `submit` are those of `mediaml_assets.on_demand`. They know the installation,
which the store does not: so they are looked up when they are asked for, and importing the store never imports them.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mediaml_assets.on_demand import joined, rows, submit, value, values

__all__ = ["joined", "rows", "submit", "value", "values"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("mediaml_assets.on_demand"), name)
