"""Features of other packages: what they declare under the entry point group `mediaml.features` joins the mesh.

    [project.entry-points."mediaml.features"]
    sharpness = "shot_sharpness:sharpness"      # a feature, several in a tuple, or a module that declares them

A package that cannot be used is left out with its reason, which names it: a broken one must not stop the catalogue.
"""

import importlib.metadata
import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from mediaml_assets.amber.feature import AmberFeature
from mediaml_assets.entry_points import LeftOut as LeftOut
from mediaml_assets.entry_points import added
from mediaml_assets.errors import FeatureError

ENTRY_POINTS = "mediaml.features"


@dataclass(frozen=True)
class Plugin:
    """What one entry point of an installed distribution adds."""

    distribution: str
    name: str
    """Name of the entry point."""
    features: tuple[AmberFeature, ...]


def installed() -> tuple[list[Plugin], list[LeftOut]]:
    """The plugins that can be imported, by distribution and name, and those that cannot."""
    found, left_out = added(ENTRY_POINTS, "features", _features)
    return [Plugin(one.distribution, one.name, one.value) for one in found], left_out


def plain(name: str) -> str:
    """A distribution or entry point as a name in Dagster, where its features form a group of their own."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


def _features(entry: importlib.metadata.EntryPoint) -> tuple[AmberFeature, ...]:
    loaded = entry.load()
    features = _declared_in(loaded) if isinstance(loaded, ModuleType) else _flat(loaded)
    if not features or not all(isinstance(one, AmberFeature) for one in features):
        raise FeatureError(
            f"{entry.value} is {type(loaded).__name__} and no feature; name a function declared with @amber_feature, a "
            "tuple of them, or a module that declares some"
        )
    for one in features:
        if one.version is None:
            # read here, where what it imports may fail without harm
            _ = one.code
    return features


def _flat(loaded: Any) -> tuple[Any, ...]:
    return tuple(loaded) if isinstance(loaded, Sequence) else (loaded,)


def _declared_in(module: ModuleType) -> tuple[AmberFeature, ...]:
    """The features that the module's own package declares; those that it imports to read them are not its own."""
    package = module.__name__.partition(".")[0]
    features = [one for one in vars(module).values() if isinstance(one, AmberFeature)]
    # a feature may have two names there
    return tuple({id(one): one for one in features if one.fn.__module__.partition(".")[0] == package}.values())
