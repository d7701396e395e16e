"""The feature mesh: which features there are, in an order that respects who reads whom, and what is out of date.

Keys are the truth about what must run; the orchestrator's events are hints. `stale` compares the two.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from mediaml_assets.amber.ask import Ask, Inputs
from mediaml_assets.amber.evaluation import commit, evaluate
from mediaml_assets.amber.feature import AmberFeature, Scope
from mediaml_assets.amber.ledger import Commit
from mediaml_assets.amber.store import CATALOGUE, Store
from mediaml_assets.errors import FeatureError, NotStored


class Mesh:
    """Features by name, upstream first.

    Args:
        features: the declared features.
        sources: names of per-title values that something else writes (the landing room).
        configs: feature name -> configuration values of this installation.

    Raises:
        FeatureError: a parameter names nothing, features form a circle, or a name is taken twice.
    """

    def __init__(
        self,
        features: Sequence[AmberFeature],
        sources: Sequence[str],
        configs: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        configs = configs or {}
        twice = [name for name, times in Counter([*sources, *(one.name for one in features)]).items() if times > 1]
        if twice:
            raise FeatureError(f"two features have the name {', '.join(twice)}; rename one of them")
        by_name = {one.name: one.configured(configs.get(one.name, {})) for one in features}
        unknown = sorted(set(configs) - set(by_name))
        if unknown:
            raise FeatureError(
                f"mediaml.toml configures {', '.join(unknown)}, which is no feature; it may be one of {sorted(by_name)}"
            )
        scopes = {name: feature.scope for name, feature in by_name.items()} | dict.fromkeys(sources, Scope.TITLE)
        for feature in features:
            _check_inputs(feature, scopes)
        self.sources = tuple(sources)
        graph = {name: [one.name for one in feature.inputs] for name, feature in by_name.items()}
        try:
            order = [name for name in TopologicalSorter(graph).static_order() if name in by_name]
        except CycleError as circle:
            raise FeatureError(f"features read each other in a circle: {' -> '.join(circle.args[1])}") from circle
        self.features = {name: by_name[name] for name in order}

    def per_title(self) -> list[AmberFeature]:
        """Features that are kept up to date for each title, upstream first."""
        return [one for one in self.features.values() if one.scope is Scope.TITLE and one.automatic]

    def over_catalogue(self) -> list[AmberFeature]:
        """Features that are kept up to date over all titles, upstream first."""
        return [one for one in self.features.values() if one.scope is Scope.CATALOGUE and one.automatic]

    def ask(self, store: Store, name: str, titles: Sequence[str], settings: Mapping[str, Any] | None = None) -> Ask:
        """What is asked when a feature is wanted for a title (or over the titles), from what is current now.

        Raises:
            NotStored: an input of a per-title feature has no value yet.
        """
        feature = self.features[name]
        scope = CATALOGUE if feature.scope is Scope.CATALOGUE else titles[0]
        inputs: Inputs = {
            one.name: store.views(one.name, titles) if one.many else store.view(one.name, scope)
            for one in feature.inputs
        }
        return Ask(feature, scope, inputs, settings or {})

    def compute(
        self, store: Store, name: str, titles: Sequence[str], settings: Mapping[str, Any] | None = None
    ) -> Commit:
        """Answer one ask and write it down, without any orchestrator; returns the newest commit."""
        return commit(store, evaluate(store, self.ask(store, name, titles, settings)))

    def stale(self, store: Store, titles: Sequence[str]) -> Iterator[tuple[str, str]]:
        """(feature, title) of every per-title value that is not what its key says, upstream first for each title.

        Values below a stale one are not listed: whether they must change is known once it has been made.
        """
        for title in titles:
            behind: set[str] = set()
            for feature in self.per_title():
                if behind & {one.name for one in feature.inputs}:
                    behind.add(feature.name)
                elif self._is_stale(store, feature, [title]):
                    behind.add(feature.name)
                    yield feature.name, title

    def stale_over_catalogue(self, store: Store, titles: Sequence[str]) -> list[str]:
        """Names of the catalogue's features whose value is not what their key says."""
        return [one.name for one in self.over_catalogue() if self._is_stale(store, one, titles)]

    def _is_stale(self, store: Store, feature: AmberFeature, titles: Sequence[str]) -> bool:
        try:
            ask = self.ask(store, feature.name, titles)
        except NotStored:
            return False
        head = store.ledger.head(feature.name, ask.chain)
        if ask.withdrawn:
            return head is not None and head.current is not None
        if head is not None and head.refused and head.key == ask.key:
            return False
        memo = store.recall(feature.name, ask.key)
        if memo is None:
            return True
        blocking = {check.name for check in feature.checks if check.blocking}
        if blocking & set(memo.failed):
            return head is None or head.key != ask.key
        return head is None or head.current is None or head.current.digest != memo.value.digest


def _check_inputs(feature: AmberFeature, scopes: Mapping[str, Scope]) -> None:
    """Raise FeatureError for a parameter that names nothing, or that cannot be read from the feature's scope."""
    for one in feature.inputs:
        if one.name not in scopes:
            raise FeatureError(
                f"{feature.name} reads {one.name}, which is no feature; it may be one of {sorted(scopes)}"
            )
        many = feature.scope is Scope.CATALOGUE and scopes[one.name] is Scope.TITLE
        if one.many != many or (feature.scope, scopes[one.name]) == (Scope.TITLE, Scope.CATALOGUE):
            raise FeatureError(
                f"{feature.name} ({feature.scope.value}) cannot read {one.name} ({scopes[one.name].value}) like that: "
                "over the catalogue, titles are read as Mapping[str, T]; a title reads its own values as T"
            )
