"""The mesh of this installation: every feature there is, with the installation's configuration."""

from mediaml_assets.amber.feature import AmberFeature
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.replicas import Replica
from mediaml_assets.errors import SettingsError
from mediaml_assets.features.clips import clips
from mediaml_assets.features.container_facts import container_facts
from mediaml_assets.features.essence import essence
from mediaml_assets.features.motion import motion
from mediaml_assets.features.shot_embedding import shot_embedding
from mediaml_assets.features.shots import shots
from mediaml_assets.features.silhouette import silhouette
from mediaml_assets.features.standard_encode import standard_encode
from mediaml_assets.features.unique_shots import unique_shots
from mediaml_assets.landing.arrivals import SOURCE
from mediaml_assets.landing.shows import SHOW
from mediaml_assets.matching.match_cuts import match_cuts
from mediaml_assets.settings import home

GROUPS: dict[str, tuple[AmberFeature, ...]] = {
    "media": (essence, container_facts, standard_encode),
    "shots": (shots, shot_embedding, unique_shots, clips),
    "flavours": (silhouette, motion),
    "matching": (match_cuts,),
}
"""Group in the Dagster UI -> its features."""


def replicas() -> list[Replica]:
    """Every replica of this installation: those that features declare, and those that `mediaml.toml` adds.

    Raises:
        FeatureError: there is no such kind of replica.
        SettingsError: mediaml.toml names a feature that there is not.
    """
    here, features = home(), mesh().features
    more = here.replica_kinds()
    if unknown := sorted(set(more) - set(features)):
        raise SettingsError(
            f"[replicas] of mediaml.toml names {', '.join(unknown)}, which is no feature; it may be one of "
            f"{sorted(features)}"
        )
    return [
        Replica(name, kind, feature.schema, here.replicas)
        for name, feature in features.items()
        for kind in dict.fromkeys((*feature.replicas, *more.get(name, ())))
    ]


def mesh() -> Mesh:
    """All features, configured by `mediaml.toml` of the installation."""
    features = [feature for group in GROUPS.values() for feature in group]
    return Mesh(features, sources=[SOURCE], configs=home().feature_configs(), shows=SHOW)
