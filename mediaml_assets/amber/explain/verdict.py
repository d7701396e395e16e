"""What asking for a value would do now, and what stands in the way: nothing is computed and nothing is written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from mediaml_assets.amber.ask import Ask
from mediaml_assets.amber.explain.key_changes import Difference
from mediaml_assets.amber.feature import AmberFeature, Scope
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.staleness import is_stale
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.view import View
from mediaml_assets.errors import Damaged, FeatureError, InputMoved, NotStored

Outcome = Literal[
    "up to date",
    "recalled",
    "computed",
    "being computed",
    "to be withdrawn",
    "waits",
    "held back",
    "refused",
    "withdrawn",
]

UNSETTLED = ("recalled", "computed", "being computed", "to be withdrawn", "waits")
"""Outcomes after which the value may be another one."""


@dataclass(frozen=True)
class Verdict:
    """What asking for a value would do now."""

    feature: str
    scope: str
    """A title, a show, or CATALOGUE."""
    outcome: Outcome
    why: str
    key: str = ""
    """The memo key of what is asked; empty when an input is missing, or the title is withdrawn."""
    causes: tuple["Verdict", ...] = ()
    """Of the values that it is made from, those that are not up to date; the topmost first."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Over many titles (or shows): those that are not among the inputs -> why."""
    changed: tuple[Difference, ...] = ()
    """Why the key is not that of the value that stands; `explain` fills it in."""


class Judge:
    """Verdicts on the values of one store, each worked out once.

    Args:
        store: what is looked at.
        mesh: the features as they are loaded now.
    """

    def __init__(self, store: Store, mesh: Mesh) -> None:
        self.store = store
        self.mesh = mesh
        self._known: dict[tuple[str, str], Verdict] = {}

    def verdict(self, name: str, scope: str) -> Verdict:
        """The verdict on a feature for a title, a show or CATALOGUE, which must have landed.

        What cannot be told, because something that it needs is damaged or lacks a column that is read, waits for that.
        """
        if (name, scope) not in self._known:
            self._known[name, scope] = self._judge(self.mesh.features[name], scope)
        return self._known[name, scope]

    def ask(self, name: str, scope: str) -> Ask:
        """What would be asked now; raises NotStored when an input has no value, and Damaged."""
        titles = self.mesh.titles(self.store) if scope == CATALOGUE else [scope]
        return self.mesh.ask(self.store, name, titles)

    def _judge(self, feature: AmberFeature, scope: str) -> Verdict:
        causes: tuple[Verdict, ...] = ()
        try:
            single, several = self._made_from(feature, scope)
            causes = _topmost([*single, *several])
            ask = self.ask(feature.name, scope)
            if any(one.outcome in UNSETTLED for one in single):
                why = "whether its key is another one is known once what it is made from is up to date"
                return Verdict(feature.name, scope, "waits", why, causes=causes)
            if ask.withdrawn:
                return self._withdrawn(ask)
            ask.check_congruent()
            outcome, why = self._outcome(ask)
            return Verdict(feature.name, scope, outcome, why, ask.key, causes, self._left_out(ask))
        except (NotStored, InputMoved, Damaged, FeatureError) as reason:
            return Verdict(feature.name, scope, "waits", str(reason), causes=causes)

    def _made_from(self, feature: AmberFeature, scope: str) -> tuple[list[Verdict], list[Verdict]]:
        """Verdicts on what is read as one value, and on what is read as many."""
        single, several = [], []
        for one in feature.inputs:
            if one.name not in self.mesh.features:
                continue
            if not one.many:
                single.append(self.verdict(one.name, scope))
                continue
            if one.over is Scope.SHOW:
                scopes: Iterable[str] = self.mesh.shows(self.store)
            else:
                scopes = self.mesh.members(self.store, scope) if one.members else self.mesh.titles(self.store)
            if one.over is Scope.TITLE:
                scopes = [title for title in scopes if self.mesh.is_for(self.store, one.name, title)]
            several += [self.verdict(one.name, each) for each in scopes]
        return single, several

    def _withdrawn(self, ask: Ask) -> Verdict:
        if is_stale(self.store, ask):
            return Verdict(ask.feature.name, ask.scope, "to be withdrawn", "its title was taken away")
        return Verdict(ask.feature.name, ask.scope, "withdrawn", "its title was taken away; deliver it again")

    def _outcome(self, ask: Ask) -> tuple[Outcome, str]:
        name, head = ask.feature.name, self.store.ledger.head(ask.feature.name, ask.chain)
        if head is not None and head.refused and head.key == ask.key:
            return "refused", head.reason
        memo = self.store.recall(name, ask.key)
        if memo is None:
            if self.store.is_claimed(name, ask.key):
                return "being computed", "a process holds the claim on its key, or held it until it died"
            return "computed", "nothing is remembered under its key"
        blocking = [one.name for one in ask.feature.checks if one.blocking and one.name in memo.failed]
        if blocking:
            return "held back", "; ".join(f"check {one}: {memo.failed[one]}" for one in blocking)
        if is_stale(self.store, ask):
            return "recalled", "its key is remembered: that value becomes current without a call"
        return "up to date", "its key is remembered, and that value is current"

    def _left_out(self, ask: Ask) -> dict[str, str]:
        left_out: dict[str, str] = {}
        for one in ask.feature.inputs:
            views, present = ask.inputs[one.name], ask.present[one.name]
            if isinstance(views, View) or isinstance(present, View):
                continue
            for title in sorted(views.keys() - present.keys()):
                left_out.setdefault(title, self._absence(one.name, views[title]))
        return left_out

    def _absence(self, name: str, view: View) -> str:
        if not view.withdrawn:
            return (
                "its values were made from different states of it, lack a column that is read, or are not asked for by "
                "the configuration"
            )
        if name in self.mesh.features and not view.commit.withdrawn:
            found = self.verdict(name, view.title)
            return f"{name} {found.outcome}: {found.why}"
        return f"{name} is withdrawn"


def _topmost(below: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """All verdicts that matter to what is made from these, each once, upstream first."""
    found: dict[tuple[str, str], Verdict] = {}
    for one in below:
        for each in (*one.causes, one):
            if each.outcome not in ("up to date", "withdrawn"):
                found.setdefault((each.feature, each.scope), each)
    return tuple(found.values())
