"""What is wanted, and its memo key: the feature, for which scope, from which inputs, under which configuration."""

import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache, cached_property
from typing import Any

from mediaml_assets.amber.feature import AmberFeature, Input, Scope, config_from
from mediaml_assets.amber.keys import digest_of
from mediaml_assets.amber.ledger import Commit, Moment
from mediaml_assets.amber.view import View
from mediaml_assets.errors import FeatureError, InputMoved

Inputs = Mapping[str, View | Mapping[str, View]]
"""Parameter -> the view it reads, or title -> view for a parameter over many titles."""


@dataclass(frozen=True)
class Ask:
    """A wanted value: the feature, for which scope, from which inputs, under which configuration."""

    feature: AmberFeature
    scope: str
    """A title, a show, or CATALOGUE."""
    inputs: Inputs
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Configuration values that differ from the feature's defaults."""
    as_of: Moment | None = None
    """When the inputs were current; None for now."""

    @cached_property
    def config(self) -> Any:
        """The configuration that the function receives, or None."""
        return config_from(self.feature, self.settings)

    @cached_property
    def chain(self) -> str:
        """Scope in the ledger; another configuration or moment has its own, and never moves the current value."""
        if self.config == self.feature.config and self.as_of is None:
            return self.scope
        config = asdict(self.config) if self.config is not None else {}
        moment = self.as_of.digest if isinstance(self.as_of, Commit) else self.as_of and self.as_of.isoformat()
        return f"{self.scope}@{digest_of([config, moment] if moment else config)[:12]}"

    @cached_property
    def present(self) -> Inputs:
        """The inputs without the titles that must be left out: withdrawn, in the middle of a change, or not asked for.

        So are those whose value lacks columns that are read, such as an older one while a check holds the newer back;
        where it is so of all of them, the key raises FeatureError.

        A configuration narrows the catalogue by a field named `titles`.
        """
        kept = {over: self._kept(over) for over in Scope}
        found: dict[str, View | Mapping[str, View]] = {}
        for one in self.feature.inputs:
            views = self.inputs[one.name]
            if not isinstance(views, View):
                views = {name: views[name] for name in kept[one.over] if name in views}
            found[one.name] = views
        return found

    def _kept(self, over: Scope) -> list[str]:
        """The titles, or the shows, that are not left out."""
        wanted = getattr(self.config, "titles", None) if over is Scope.TITLE else None
        values = [(one, self.inputs[one.name]) for one in self.feature.inputs if one.over is over]
        mappings = [(one, views) for one, views in values if not isinstance(views, View)]
        names = sorted({name for _, views in mappings for name in views if not wanted or name in wanted})
        kept = [name for name in names if _is_congruent([views[name] for _, views in mappings if name in views])]
        for one, views in mappings:
            lacking = {name for name in kept if name in views and _columns_missing(one, views[name])}
            if lacking != views.keys() & set(kept):
                kept = [name for name in kept if name not in lacking]
        return kept

    def check_congruent(self) -> None:
        """Raise InputMoved when an input of one title was made from another state of a second one."""
        views = [view for view in self.inputs.values() if isinstance(view, View)]
        for view in views:
            for upstream in views:
                if not view.was_made_from(upstream):
                    raise InputMoved(
                        f"{view.feature} and {upstream.feature} of {self.scope} belong to different states of the "
                        f"title; make {view.feature} again first"
                    )

    @cached_property
    def reads(self) -> dict[str, dict[str, str]]:
        """Upstream feature -> digest of each column read, of values of the same title or show; empty over all."""
        if self.feature.scope is Scope.CATALOGUE:
            return {}
        return {one.name: self.material["inputs"][one.name] for one in self.feature.inputs if not one.many}

    @cached_property
    def withdrawn(self) -> bool:
        """Whether the title was taken away upstream."""
        return any(isinstance(view, View) and view.withdrawn for view in self.inputs.values())

    @cached_property
    def material(self) -> dict[str, Any]:
        """What the memo key is the digest of, in readable form."""
        feature = self.feature
        return {
            "feature": feature.name,
            "version": feature.version if feature.version is not None else {"code": feature.code},
            "config": {**asdict(self.config), **_files_named_by(self.config)} if self.config is not None else {},
            "libs": {lib: _version(lib) for lib in feature.libs},
            "inputs": {one.name: _columns_read(one, self.present[one.name]) for one in feature.inputs},
        }

    @cached_property
    def key(self) -> str:
        """The memo key: equal keys have equal values."""
        return digest_of(self.material)

    @cached_property
    def input_digests(self) -> dict[str, Any]:
        """Parameter -> digest of the value read (or {title: digest}); "withdrawn" for a title taken away."""
        return {name: _digests(view) for name, view in self.present.items()}

    @cached_property
    def generation(self) -> int:
        """Landing generation of the inputs; over many titles, the sum of each title's newest."""
        newest: dict[tuple[Scope, str], int] = {}
        for one in self.feature.inputs:
            views = self.inputs[one.name]
            for view in [views] if isinstance(views, View) else views.values():
                newest[one.over, view.title] = max(newest.get((one.over, view.title), 0), view.generation)
        return sum(newest.values())


def _is_congruent(views: Sequence[View]) -> bool:
    """Whether the values of one title are all there and were made from one another."""
    if any(view.withdrawn for view in views):
        return False
    return all(view.was_made_from(upstream) for view in views for upstream in views)


@cache
def _version(distribution: str) -> str:
    return importlib.metadata.version(distribution)


def _columns_missing(one: Input, view: View) -> list[str]:
    return [name for name in one.reads.columns if name != "*" and name not in view.value.columns]


def _columns_read(one: Input, view: View | Mapping[str, View]) -> Any:
    if not isinstance(view, View):
        return {title: _columns_read(one, each) for title, each in view.items()}
    columns = view.value.columns
    if tuple(one.reads.columns) == ("*",):
        return dict(columns)
    missing = _columns_missing(one, view)
    if missing:
        raise FeatureError(
            f"{one.reads.__name__} reads {', '.join(missing)}, which {one.name} of {view.title} does not have; "
            f"it has {', '.join(columns)}. Compute {one.name} again with a newer version"
        )
    return {name: columns[name] for name in one.reads.columns}


def _digests(view: View | Mapping[str, View]) -> Any:
    if isinstance(view, View):
        return view.commit.current.digest if view.commit.current else "withdrawn"
    return {title: _digests(each) for title, each in view.items()}


def _files_named_by(config: Any) -> Mapping[str, str]:
    """Digests of files that a configuration names (model weights): a config may have `key_parts()`."""
    parts: Mapping[str, str] = config.key_parts() if hasattr(config, "key_parts") else {}
    return parts
