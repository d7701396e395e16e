"""The mesh of this installation: our own features and those of plugins, with the installation's configuration."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mediaml_assets.amber.feature import AmberFeature
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.replicas import KINDS, Kind, Replica
from mediaml_assets.amber.replicas.replication import Sink
from mediaml_assets.annotations.replicated import rowed
from mediaml_assets.errors import FeatureError, SettingsError
from mediaml_assets.features.artwork import artwork
from mediaml_assets.features.artwork_embedding import artwork_embedding
from mediaml_assets.features.clips import clips
from mediaml_assets.features.colour import colour
from mediaml_assets.features.composition import composition
from mediaml_assets.features.container_facts import container_facts
from mediaml_assets.features.embedded_cues import embedded_cues
from mediaml_assets.features.essence import essence
from mediaml_assets.features.learned import learned
from mediaml_assets.features.motion import motion
from mediaml_assets.features.quality import quality
from mediaml_assets.features.scenes import scenes
from mediaml_assets.features.script import script
from mediaml_assets.features.shot_embedding import shot_embedding
from mediaml_assets.features.shot_groups import shot_groups
from mediaml_assets.features.shot_kinds import shot_kinds
from mediaml_assets.features.shot_prints import shot_prints
from mediaml_assets.features.shots import shots
from mediaml_assets.features.silhouette import silhouette
from mediaml_assets.features.sound import sound
from mediaml_assets.features.standard_encodes import standard_encode, standard_encode_720p, standard_sound
from mediaml_assets.features.subtitle_cues import subtitle_cues
from mediaml_assets.features.unique_shots import unique_shots
from mediaml_assets.landing.arrivals import LANDED
from mediaml_assets.landing.shows import SHOW
from mediaml_assets.matching.match_cuts import match_cuts
from mediaml_assets.plugins import LeftOut, installed, plain
from mediaml_assets.settings import Home, home

MARKEN = "marken"
"""The kind of replica that is annotations: typed, and searched by time, space, text and vector."""

GROUPS: dict[str, tuple[AmberFeature, ...]] = {
    "media": (
        essence,
        container_facts,
        standard_encode,
        standard_encode_720p,
        standard_sound,
        quality,
        artwork,
        artwork_embedding,
    ),
    "texts": (embedded_cues, subtitle_cues, script),
    "shots": (shots, shot_embedding, unique_shots, shot_kinds, scenes, shot_prints, shot_groups, clips),
    "flavours": (silhouette, motion, composition, colour, sound, learned),
    "matching": (match_cuts,),
}
"""Group in the Dagster UI -> our own features."""


@dataclass(frozen=True)
class Assembly:
    """The mesh, where its features stand in the Dagster UI, and what could not join it."""

    mesh: Mesh
    groups: Mapping[str, str]
    """Feature -> group."""
    left_out: tuple[LeftOut, ...]


def mesh() -> Mesh:
    """All features, configured by `mediaml.toml` of the installation."""
    return assemble().mesh


def assemble() -> Assembly:
    """Our own features and those of installed plugins; a plugin that does not fit is left out with its reason.

    Raises:
        FeatureError: mediaml.toml configures what is no feature, or not as that can be configured.
        SettingsError: mediaml.toml cannot be read.
    """
    configs = home().feature_configs()
    waiting, left_out = installed()
    groups = dict(GROUPS)
    while waiting:
        refused = []
        for plugin in waiting:
            group = plain(plugin.distribution)
            joined = {**groups, group: (*groups.get(group, ()), *plugin.features)}
            try:
                _mesh(joined, {})
                _replicas(plugin.features, {})
            except FeatureError as error:
                refused.append((plugin, str(error)))
            else:
                groups = joined
        if len(refused) == len(waiting):
            left_out += [LeftOut(plugin.distribution, plugin.name, reason) for plugin, reason in refused]
            break
        # over again, because one plugin may read what another one makes
        waiting = [plugin for plugin, _ in refused]
    group_of = {feature.name: group for group, members in groups.items() for feature in members}
    # what is configured for a feature that is left out is no mistake
    known = {name: values for name, values in configs.items() if name in group_of or not left_out}
    return Assembly(_mesh(groups, known), group_of, tuple(left_out))


def _mesh(groups: Mapping[str, Sequence[AmberFeature]], configs: Mapping[str, Mapping[str, Any]]) -> Mesh:
    features = [feature for members in groups.values() for feature in members]
    return Mesh(features, sources=LANDED, configs=configs, shows=SHOW)


def replicas() -> list[Replica]:
    """Every replica of this installation: those that features declare, and those that `mediaml.toml` adds.

    Raises:
        FeatureError: there is no such kind of replica.
        SettingsError: mediaml.toml names a feature that there is not.
    """
    assembly, more = assemble(), home().replica_kinds()
    features = assembly.mesh.features
    unknown = sorted(set(more) - set(features))
    # what is wanted of a feature that is left out is no mistake
    if unknown and not assembly.left_out:
        raise SettingsError(
            f"[replicas] of mediaml.toml names {', '.join(unknown)}, which is no feature; it may be one of "
            f"{sorted(features)}"
        )
    return _replicas(features.values(), more)


def _replicas(features: Iterable[AmberFeature], more: Mapping[str, Sequence[str]]) -> list[Replica]:
    here = home()
    kinds = {**KINDS, MARKEN: Kind(_marken, "Search it with `mediaml search`.", _where(here))}
    found = [
        Replica(one.name, kind, one.schema, here.replicas, kinds)
        for one in features
        for kind in dict.fromkeys((*one.replicas, *more.get(one.name, ())))
    ]
    for one in found:
        if one.kind == MARKEN:
            # said now and not when there is something to copy
            rowed(one.feature, dimensions=1)
    return found


def _where(here: Home) -> str:
    servers = len(here.marken_servers())
    return f"{servers} servers of annotations" if servers else here.marken


def _marken(replica: Replica) -> Sink:
    from mediaml_assets.annotated import sink

    return sink(replica)
