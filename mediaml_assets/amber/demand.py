"""Values on demand: what is asked for is computed with everything that it is made from, unless it is stored already.

Nothing is asked of an orchestrator. Claims let any number of processes ask for the same: one computes, the others
wait for it and recall; and the orchestrator later finds the values by their keys.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from mediaml_assets.amber.ask import Ask
from mediaml_assets.amber.evaluation import commit, evaluate
from mediaml_assets.amber.feature import AmberFeature, Scope
from mediaml_assets.amber.ledger import Moment
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.siblings import evaluate_together, siblings
from mediaml_assets.amber.staleness import has_no_value, is_stale, say_damaged
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.view import View
from mediaml_assets.errors import BadInput, Damaged, FeatureError, InputMoved, MediamlError, NotComputed, NotStored

log = logging.getLogger("mediaml")

TRIES = 3
"""How often a title is looked at again when it changes while it is computed."""

Spread = Callable[[Sequence[str], Sequence[str]], dict[str, str]]
"""Brings features (upstream first) up to date for each of some scopes; returns scope -> why it failed."""


@dataclass(frozen=True)
class Level:
    """Features of one kind of scope, upstream first, and the scopes they are wanted for."""

    names: list[str]
    scopes: list[str]


class Demand:
    """The values of one store and mesh.

    Args:
        store: where values are kept.
        mesh: the features there are.
        spread: computes several titles at once; by default they are computed here, one after the other.
    """

    def __init__(self, store: Store, mesh: Mesh, spread: Spread | None = None) -> None:
        self.store = store
        self.mesh = mesh
        self._spread = spread or self._one_by_one

    def value(
        self,
        name: str,
        scope: str | None = None,
        settings: Mapping[str, Any] | None = None,
        as_of: Moment | None = None,
    ) -> View:
        """The value of a feature for a title, a show, or (without `scope`) the catalogue.

        Titles that cannot be used are left out of the values of shows and of the catalogue, as always.

        Args:
            name: the feature.
            scope: the title or the show.
            settings: configuration values that differ from the defaults: an answer of its own, never the current one.
            as_of: what was current at that moment; with settings, the answer to them from the inputs of then.

        Raises:
            FeatureError: there is no such feature, or it is not one of a title (show, the catalogue).
            NotStored: there is no such title, it was withdrawn, or a check holds its value back.
            BadInput: the title's file was refused.
            InputMoved: the title changed each time while it was computed.
        """
        where = self.scope(name, scope)
        if settings:
            return self._answer(name, where, settings, as_of)
        if as_of is None:
            *below, own = self.levels(name, [where])
            self._bring_below(below)
            self.bring(own.names, where)
        return self.current(name, where, as_of)

    def values(self, name: str, scopes: Iterable[str] | str | None = None) -> dict[str, View]:
        """The values of a feature for several titles, or shows.

        Args:
            name: the feature.
            scopes: titles or shows, or one; by default all of them, but those without a value (the log says why).

        Raises:
            FeatureError: there is no such feature, or it is one of the catalogue.
            NotStored: there is no such title or show.
            NotComputed: some of those named could not be computed; the others were.
        """
        named = [scopes] if isinstance(scopes, str) else scopes
        wanted = self.everything(name) if named is None else [self.scope(name, scope) for scope in named]
        *below, own = self.levels(name, wanted)
        self._bring_below(below)
        failed = self._spread(own.names, wanted)
        views = {}
        for scope in wanted:
            try:
                if scope not in failed:
                    views[scope] = self.current(name, scope)
            except NotStored as reason:
                failed[scope] = str(reason)
        if failed and scopes is not None:
            raise NotComputed(name, failed)
        _tell(own.names, failed)
        return views

    def levels(self, name: str, scopes: Sequence[str]) -> list[Level]:
        """What must be up to date for a feature to be had for some scopes, in this order: titles, shows, catalogue."""
        needed = self.mesh.upstream(name)
        names = {scope: [one.name for one in needed if one.scope is scope] for scope in Scope}
        own = Level(names[needed[-1].scope], list(scopes))
        if needed[-1].scope is Scope.TITLE:
            return [own]
        if needed[-1].scope is Scope.SHOW:
            members = {title for show in scopes for title in self.mesh.members(self.store, show)}
            return [Level(names[Scope.TITLE], sorted(members)), own]
        titles, shows = self.mesh.titles(self.store), self.mesh.shows(self.store)
        return [Level(names[Scope.TITLE], titles), Level(names[Scope.SHOW], shows), own]

    def missing(self, names: Sequence[str], scope: str) -> list[str]:
        """Those of the features (upstream first) that are out of date for a scope, or made from one that is.

        A feature that has nothing to be made from (its title was refused) is not among them, nor one of which it
        cannot be told, because something is damaged or lacks a column that is read: the log names it.
        """
        found: list[str] = []
        for name in names:
            upstream = {one.name for one in self.mesh.features[name].inputs}
            try:
                if upstream & set(found) or is_stale(self.store, self._ask(name, scope)):
                    found.append(name)
            except NotStored:
                continue
            except (Damaged, FeatureError) as damage:
                say_damaged(name, scope, damage)
        return found

    def bring(self, names: Sequence[str], scope: str) -> None:
        """Compute those of the features (upstream first) that are out of date for a scope and can be asked of it.

        A title that changes meanwhile is begun again. Raises what `value` raises, and whatever a feature raises.
        """
        for left in reversed(range(TRIES)):
            try:
                wanted = [self.mesh.features[name] for name in names if self.mesh.is_for(self.store, name, scope)]
                for together in siblings(wanted):
                    self._bring_together(together, scope)
                return
            except InputMoved:
                if not left:
                    raise

    def check(self, names: Sequence[str], scope: str) -> None:
        """Raise why one of the features (upstream first) is not up to date for a scope; nothing is computed.

        Raises:
            BadInput: the title's file was refused.
            NotStored: something is missing, out of date or held back.
        """
        for name in names:
            if self._wanted(name, scope) is not None:
                raise NotStored(f"{name} of {scope} is not up to date")

    def _bring_together(self, features: Sequence[AmberFeature], scope: str) -> None:
        """Compute those of some siblings that are out of date; when one fails the others are stored all the same."""
        wanted = [ask for one in features if (ask := self._wanted(one.name, scope)) is not None]
        # who waited for another process to look at a file that it refused need not look at it as well
        failed = []
        for _, answer in evaluate_together(self.store, wanted, self._check_refused):
            if isinstance(answer, Exception):
                failed.append(answer)
            else:
                commit(self.store, answer)
        if failed:
            raise failed[0]

    def _wanted(self, name: str, scope: str) -> Ask | None:
        """What is to be computed for a feature to be up to date; None when it is."""
        ask = self._ask(name, scope)
        self._check_refused(ask)
        return ask if is_stale(self.store, ask) else None

    def _check_refused(self, ask: Ask) -> None:
        head = self.store.ledger.head(ask.feature.name, ask.chain)
        if head is not None and head.refused and head.key == ask.key:
            raise BadInput(f"{ask.feature.name} of {ask.scope} was refused: {head.reason}")

    def _bring_below(self, levels: Sequence[Level]) -> None:
        for level in levels:
            # what fails is left out of the answer, as it is without being asked for
            _tell(level.names, self._spread(level.names, level.scopes) if level.names else {})

    def _one_by_one(self, names: Sequence[str], scopes: Sequence[str]) -> dict[str, str]:
        failed = {}
        for scope in scopes:
            try:
                self.bring(names, scope)
            except Exception as error:  # an algorithm may raise anything for one title; the others go on
                failed[scope] = reason(error)
        return failed

    def _answer(self, name: str, scope: str, settings: Mapping[str, Any], as_of: Moment | None) -> View:
        *below, own = self.levels(name, [scope])
        if as_of is None:
            self._bring_below(below)
            self.bring(own.names[:-1], scope)
        row = commit(self.store, evaluate(self.store, self._ask(name, scope, settings, as_of)))
        return View(self.store, name, row.scope, row)

    def current(self, name: str, scope: str, as_of: Moment | None = None) -> View:
        """What is stored for a scope, without computing anything; raises NotStored when that is no value."""
        view = self.store.view(name, scope, as_of)
        head = view.commit
        if view.withdrawn:
            raise NotStored(f"{name} has no value for {scope}: it was withdrawn; deliver it again, or ask with as_of")
        if as_of is None and head.reason and has_no_value(self._ask(name, scope), head):
            raise NotStored(f"{name} has no value for {scope} as it is now: it is held back by a check ({head.reason})")
        return view

    def scope(self, name: str, scope: str | None) -> str:
        """The scope in the ledger for what was asked for; raises FeatureError or NotStored, with near names."""
        kind = self.kind(name)
        if (kind is Scope.CATALOGUE) != (scope is None):
            wanted = "all titles: ask without naming one" if kind is Scope.CATALOGUE else f"one {kind.value}: name it"
            raise FeatureError(f"{name} is a feature of {wanted}")
        if scope is None:
            return CATALOGUE
        known = self.mesh.titles(self.store) if kind is Scope.TITLE else self.mesh.shows(self.store)
        if scope not in known:
            raise NotStored(f"no {kind.value} {scope!r} has landed; {_near(scope, known)}")
        if not self.mesh.is_for(self.store, name, scope):
            landed = " and ".join(self.mesh.landed_for(name))
            raise NotStored(f"{name} is made from {landed}, which {scope} does not have; deliver that first")
        return scope

    def everything(self, name: str) -> list[str]:
        """Every title, or show, that is there now; raises FeatureError for a feature of the catalogue."""
        kind = self.kind(name)
        if kind is Scope.CATALOGUE:
            raise FeatureError(f"{name} is a feature of all titles: ask for its one value")
        if kind is Scope.TITLE:
            return self.mesh.present(self.store, name)
        landed = self.mesh.present(self.store)
        return [show for show in self.mesh.shows(self.store) if set(self.mesh.members(self.store, show)) & set(landed)]

    def kind(self, name: str) -> Scope:
        """What one value of a feature covers; raises FeatureError, with near names, when there is none."""
        if name not in self.mesh.features:
            raise FeatureError(f"there is no feature {name!r}; {_near(name, self.mesh.features)}")
        return self.mesh.features[name].scope

    def _ask(
        self, name: str, scope: str, settings: Mapping[str, Any] | None = None, as_of: Moment | None = None
    ) -> Ask:
        titles = self.mesh.titles(self.store) if scope == CATALOGUE else [scope]
        return self.mesh.ask(self.store, name, titles, settings, as_of)


def reason(error: BaseException) -> str:
    """Why something failed, for people: our own errors say it, others need their type and what was noted on them."""
    if isinstance(error, MediamlError):
        return str(error)
    return "; ".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])


def _tell(names: Sequence[str], failed: Mapping[str, str]) -> None:
    for scope, why in failed.items():
        named = {"feature": names[-1], "title": scope, "event": "stopped"}
        log.warning("%s of %s: left out: %s", names[-1], scope, why, extra=named)


def _near(name: str, known: Iterable[str]) -> str:
    """Names to say instead."""
    names = sorted(known)
    near = get_close_matches(name, names, 3)
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(names[:20]) or 'none'}"
