"""The feature mesh: which features there are, in an order that respects who reads whom, and what is out of date.

Keys are the truth about what must run; the orchestrator's events are hints. `stale` compares the two.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from mediaml_assets.amber.ask import Ask, Inputs
from mediaml_assets.amber.evaluation import commit, evaluate
from mediaml_assets.amber.feature import AmberFeature, Input, Members, Scope
from mediaml_assets.amber.ledger import Commit, Moment
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.staleness import is_stale, newest, say_damaged
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.view import View
from mediaml_assets.errors import Damaged, FeatureError, NotStored


class Mesh:
    """Features by name, upstream first.

    Args:
        features: the declared features.
        sources: names of per-title values that something else writes (the landing room).
        configs: feature name -> configuration values of this installation.
        shows: name of the per-show value, written by something else too, whose column `title` says which titles
            belong to a show; without it there can be no features of a show.

    Raises:
        FeatureError: a parameter names nothing, features form a circle, or a name is taken twice.
    """

    def __init__(
        self,
        features: Sequence[AmberFeature],
        sources: Sequence[str],
        configs: Mapping[str, Mapping[str, Any]] | None = None,
        shows: str | None = None,
    ) -> None:
        configs = configs or {}
        landed = dict.fromkeys(sources, Scope.TITLE) | ({shows: Scope.SHOW} if shows else {})
        # SQL knows no upper case
        counted = Counter(name.lower() for name in (*landed, *(one.name for one in features)))
        twice = [name for name, times in counted.items() if times > 1]
        if twice:
            raise FeatureError(f"two features have the name {', '.join(twice)}; rename one of them")
        by_name = {one.name: one.configured(configs.get(one.name, {})) for one in features}
        unknown = sorted(set(configs) - set(by_name))
        if unknown:
            raise FeatureError(
                f"mediaml.toml configures {', '.join(unknown)}, which is no feature; it may be one of {sorted(by_name)}"
            )
        scopes = {name: feature.scope for name, feature in by_name.items()} | landed
        for feature in features:
            _check_inputs(feature, scopes, shows)
        self.sources = tuple(sources)
        self._shows = shows
        graph = {name: [one.name for one in feature.inputs] for name, feature in by_name.items()}
        try:
            order = [name for name in TopologicalSorter(graph).static_order() if name in by_name]
        except CycleError as circle:
            raise FeatureError(f"features read each other in a circle: {' -> '.join(circle.args[1])}") from circle
        wanted: set[str] = set()
        for name in reversed(order):
            if by_name[name].automatic or name in wanted:
                wanted |= {name, *graph[name]}
        bound = (_bound(by_name[name], scopes, shows) for name in order)
        self.features = {one.name: replace(one, automatic=one.name in wanted) for one in bound}

    def per_title(self) -> list[AmberFeature]:
        """Features that are kept up to date for each title, upstream first."""
        return [one for one in self.features.values() if one.scope is Scope.TITLE and one.automatic]

    def per_show(self) -> list[AmberFeature]:
        """Features that are kept up to date for each show, upstream first."""
        return [one for one in self.features.values() if one.scope is Scope.SHOW and one.automatic]

    def over_catalogue(self) -> list[AmberFeature]:
        """Features that are kept up to date over all titles, upstream first."""
        return [one for one in self.features.values() if one.scope is Scope.CATALOGUE and one.automatic]

    def upstream(self, name: str) -> list[AmberFeature]:
        """A feature and every feature that it is made from, directly or not, upstream first."""
        wanted = {name}
        for one in reversed(self.features.values()):
            if one.name in wanted:
                wanted.update(upstream.name for upstream in one.inputs)
        return [one for one in self.features.values() if one.name in wanted]

    def titles(self, store: Store) -> list[str]:
        """Every title that ever landed."""
        return sorted({title for source in self.sources for title in store.ledger.scopes(source)})

    def present(self, store: Store, name: str | None = None) -> list[str]:
        """The titles that landed and were not withdrawn; with a feature, those that have all that it is made from."""
        named = self.landed_for(name) if name is not None else ()
        there = {
            source: {head.scope for head in newest(store, source, store.ledger.scopes(source)) if head.current}
            for source in (named or self.sources)
        }
        return sorted(set.intersection(*there.values()) if named else set.union(set(), *there.values()))

    def landed_for(self, name: str) -> tuple[str, ...]:
        """Which of the sources a feature is made from, directly or not."""
        read = {one.name for feature in self.upstream(name) for one in feature.inputs}
        return tuple(source for source in self.sources if source in read)

    def is_for(self, store: Store, name: str, title: str) -> bool:
        """Whether a feature can be asked of a title: it has, or had, all of what lands that the feature is made from.

        One of a show or of the catalogue can always be asked.

        A title without a film has none of the film's features: they are neither missing nor out of date.
        """
        if self.features[name].scope is not Scope.TITLE:
            return True
        return all(_has_landed(store, source, title) for source in self.landed_for(name))

    def per_title_of(self, store: Store, title: str) -> list[AmberFeature]:
        """Those of `per_title` that can be asked of a title."""
        return [one for one in self.per_title() if self.is_for(store, one.name, title)]

    def shows(self, store: Store) -> list[str]:
        """Every show that ever had a title."""
        return store.ledger.scopes(self._shows) if self._shows else []

    def members(self, store: Store, show: str, as_of: Moment | None = None) -> tuple[str, ...]:
        """The titles that belong to a show, or did at a moment; raises NotStored when there was no such show."""
        if self._shows is None:
            raise NotStored(f"there is no show {show}: this mesh knows no shows")
        return Members.from_value(store.view(self._shows, show, as_of)).titles

    def ask(
        self,
        store: Store,
        name: str,
        titles: Sequence[str],
        settings: Mapping[str, Any] | None = None,
        as_of: Moment | None = None,
    ) -> Ask:
        """What is asked when a feature is wanted, from what is current now, or was at a moment.

        Args:
            store: where its inputs are.
            name: the feature.
            titles: one title, one show, or for a feature of the catalogue every title.
            settings: configuration values that differ from the feature's defaults.
            as_of: with it the inputs are those of then, and the answer has a scope of its own in the ledger: it is
                kept, and never becomes the current value.

        Raises:
            NotStored: an input that is read as one value has none yet.
        """
        feature = self.features[name]
        scope = CATALOGUE if feature.scope is Scope.CATALOGUE else titles[0]
        inputs: Inputs = {one.name: self._views(store, one, scope, titles, as_of) for one in feature.inputs}
        return Ask(feature, scope, inputs, settings or {}, as_of)

    def _views(
        self, store: Store, one: Input, scope: str, titles: Sequence[str], as_of: Moment | None
    ) -> View | Mapping[str, View]:
        if not one.many:
            return store.view(one.name, scope, as_of)
        if one.over is Scope.SHOW:
            return store.views(one.name, self.shows(store), as_of)
        return store.views(one.name, self.members(store, scope, as_of) if one.members else titles, as_of)

    def compute(
        self, store: Store, name: str, titles: Sequence[str], settings: Mapping[str, Any] | None = None
    ) -> Commit:
        """Answer one ask and write it down, without any orchestrator; returns the newest commit."""
        return commit(store, evaluate(store, self.ask(store, name, titles, settings)))

    def stale(self, store: Store, titles: Sequence[str]) -> Iterator[tuple[str, str]]:
        """(feature, title) of every per-title value that is not what its key says, upstream first for each title.

        Values below a stale one are not listed: whether they must change is known once it has been made. A value
        whose memo or ledger is damaged, or that reads a column which its input lacks, is not listed either; the log
        names it, and the others go on.
        """
        return self._stale(store, self.per_title(), titles)

    def stale_shows(self, store: Store, shows: Sequence[str]) -> Iterator[tuple[str, str]]:
        """(feature, show) of every per-show value that is not what its key says, as `stale` gives those of titles."""
        return self._stale(store, self.per_show(), shows)

    def stale_over_catalogue(self, store: Store, titles: Sequence[str]) -> list[str]:
        """Names of the catalogue's features whose value is not what their key says."""
        return [one.name for one in self.over_catalogue() if self._seems_stale(store, one, titles)]

    def _stale(
        self, store: Store, features: Sequence[AmberFeature], scopes: Sequence[str]
    ) -> Iterator[tuple[str, str]]:
        for scope in scopes:
            behind: set[str] = set()
            for feature in features:
                if behind & {one.name for one in feature.inputs}:
                    behind.add(feature.name)
                    continue
                stale = self._seems_stale(store, feature, [scope])
                if stale is not False:
                    behind.add(feature.name)
                if stale:
                    yield feature.name, scope

    def _seems_stale(self, store: Store, feature: AmberFeature, titles: Sequence[str]) -> bool | None:
        """Whether a value is not what its key says; None when that cannot be told: the log says why."""
        try:
            return self._is_stale(store, feature, titles)
        except (Damaged, FeatureError) as damage:
            scope = CATALOGUE if feature.scope is Scope.CATALOGUE else titles[0]
            say_damaged(feature.name, scope, damage)
            return None

    def _is_stale(self, store: Store, feature: AmberFeature, titles: Sequence[str]) -> bool:
        try:
            return is_stale(store, self.ask(store, feature.name, titles))
        except NotStored:
            return False


def _has_landed(store: Store, source: str, title: str) -> bool:
    try:
        return store.ledger.head(source, title) is not None
    except Damaged:
        # whoever reads it says so
        return True


_MANY = {
    (Scope.TITLE, Scope.TITLE): False,
    (Scope.SHOW, Scope.TITLE): True,
    (Scope.SHOW, Scope.SHOW): False,
    (Scope.CATALOGUE, Scope.TITLE): True,
    (Scope.CATALOGUE, Scope.SHOW): True,
    (Scope.CATALOGUE, Scope.CATALOGUE): False,
}
"""(scope of the reader, scope of what it reads) -> whether that is many values; other pairs cannot be."""


def _check_inputs(feature: AmberFeature, scopes: Mapping[str, Scope], shows: str | None) -> None:
    """Raise FeatureError for a parameter that names nothing, or that cannot be read from the feature's scope."""
    if feature.scope is Scope.SHOW and shows is None:
        raise FeatureError(f"{feature.name} is a feature of a show, and this mesh knows no shows; give it `shows`")
    for one in feature.inputs:
        if one.name not in scopes:
            raise FeatureError(
                f"{feature.name} reads {one.name}, which is no feature; it may be one of {sorted(scopes)}"
            )
        if one.many != _MANY.get((feature.scope, scopes[one.name])):
            raise FeatureError(
                f"{feature.name} ({feature.scope.value}) cannot read {one.name} ({scopes[one.name].value}) like that: "
                "a title reads its own values as T; a show reads its titles' values as Mapping[str, T] and its own as "
                "T; over the catalogue, values of titles and of shows are read as Mapping[str, T]"
            )


def _bound(feature: AmberFeature, scopes: Mapping[str, Scope], shows: str | None) -> AmberFeature:
    """The feature, its inputs knowing what they read; that of a show depends on the list of its titles too."""
    inputs = [replace(one, over=scopes[one.name]) for one in feature.inputs]
    if feature.scope is Scope.SHOW and shows is not None:
        inputs = [replace(one, members=shows if one.many else "") for one in inputs]
        if shows not in {one.name for one in inputs}:
            inputs.append(Input(shows, Members, many=False, over=Scope.SHOW))
    return replace(feature, inputs=tuple(inputs))
