"""Marken of this installation: where annotations are, which types it knows, and how its features fill it."""

import logging
from functools import lru_cache
from typing import TYPE_CHECKING

from mediaml_assets.installation import installed_store
from mediaml_assets.settings import home

if TYPE_CHECKING:
    from mediaml_assets.amber.replicas import Replica
    from mediaml_assets.annotations.sink import MarkenSink
    from mediaml_assets.marken.engine import Engine
    from mediaml_assets.marken.marken import Marken


def installed_engine() -> "Engine":
    """Where annotations of the installation are kept that the environment names; one for each process.

    Raises:
        SettingsError: mediaml.toml or the environment does not say so in a way that can be used.
        TitlesUnreachable: a server does not answer.
    """
    here = home()
    return _engine(here.marken, here.marken_servers(), here.marken_servers("read_servers"), here.durable)


@lru_cache(maxsize=4)
def _engine(where: str, servers: tuple[str, ...], read_servers: tuple[str, ...], durable: bool) -> "Engine":
    if servers:
        from mediaml_assets.marken.postgres.engine import PostgresEngine

        return PostgresEngine(servers, read_servers=read_servers)
    from mediaml_assets.amber.store import open_objects
    from mediaml_assets.marken.embedded.engine import EmbeddedEngine

    return EmbeddedEngine(open_objects(where, durable))


def installed_marken() -> "Marken":
    """The annotations of the installation that the environment names: load, search, decide.

    Raises as `installed_engine`; ModelMissing when the model of `shot_embedding` is not there.
    """
    from mediaml_assets.annotations.encoders import ShotEncoder
    from mediaml_assets.annotations.types import package_types
    from mediaml_assets.features.shot_embedding import width
    from mediaml_assets.marken.marken import Marken
    from mediaml_assets.marken.types import with_installed

    model = _model()
    types, left_out = with_installed(package_types(width(model)))
    for one in left_out:
        logging.getLogger("mediaml").error(str(one))
    return Marken(installed_engine(), types, {"shot_embedding": ShotEncoder(model)})


def sink(replica: "Replica") -> "MarkenSink":
    """The sink that copies a feature into the annotations of the installation; raises FeatureError, SettingsError."""
    from mediaml_assets.annotations.replicated import rowed
    from mediaml_assets.annotations.sink import MarkenSink
    from mediaml_assets.features.shot_embedding import width

    # only embeddings ask for the model, which may be a large one
    dimensions = width(_model()) if replica.feature == "shot_embedding" else 1
    return MarkenSink(replica.name, installed_engine(), rowed(replica.feature, dimensions), installed_store())


def _model() -> str:
    """What `shot_embedding` is configured to describe shots with."""
    from mediaml_assets.mesh import mesh

    return str(mesh().features["shot_embedding"].config.model)
