"""Why a value is what it is, what asking for it would do now, and why its key is or would be another one.

    explanation = explain(store, mesh, "motion", "night_train")

Nothing is computed and nothing is written.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from mediaml_assets.amber.commits import versions
from mediaml_assets.amber.demand import Demand
from mediaml_assets.amber.explain.key_changes import EXPANDED, Difference, KeyChanges, Made
from mediaml_assets.amber.explain.verdict import Judge, Verdict
from mediaml_assets.amber.feature import AmberFeature
from mediaml_assets.amber.ledger import Commit, Value
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.staleness import say_damaged
from mediaml_assets.amber.store import Store
from mediaml_assets.errors import Damaged, NotStored


@dataclass(frozen=True)
class Standing:
    """The current value, and how it became that."""

    value: Value
    commit: Commit
    """The commit by which it became current; `inputs`, `config`, `who`, `run` and `made_at` say the rest."""
    maker: Commit | None
    """The commit of whoever computed it, which may be of another title; None when the ledger does not know any more."""
    seconds: float | None
    """How long computing it took."""
    code: str
    """Fingerprint of the code that computed it."""
    libraries: Mapping[str, str]
    """Library -> version, of those that are part of the key."""
    environment: Mapping[str, str]
    """The other versions that it was computed with; empty when they are not kept."""


@dataclass(frozen=True)
class Explanation:
    """What there is to say about a feature for a scope."""

    feature: str
    scope: str
    """A title, a show, or CATALOGUE."""
    head: Commit | None
    """The newest commit; None when the feature never looked at this scope."""
    standing: Standing | None
    """The current value; None when there is none, and `head` says why."""
    before: Value | None
    """The value that was current before it."""
    since: tuple[Difference, ...]
    """Why the current value has another key than the one before it."""
    now: Verdict
    """What asking for it would do now; `changed` says why its key is not that of the current value."""
    recorded: tuple[Difference, ...]
    """What is not as it was when the current value was computed, and is no part of the key."""


def explain(store: Store, mesh: Mesh, name: str, scope: str | None = None) -> Explanation:
    """Explain the current value of a feature.

    Args:
        store: where it is.
        mesh: the features as they are loaded now.
        name: the feature.
        scope: the title, or the show; None for a feature of the catalogue.

    Raises:
        FeatureError: there is no such feature, or it is not one of a title (show, the catalogue); with near names.
        NotStored: no such title or show has landed; with near names.
        Damaged: the ledger of this scope, or what its values are, is not what it should be. Of others it is left out.
    """
    return _Explaining(store, mesh).explain(name, Demand(store, mesh).scope(name, scope))


class _Explaining:
    def __init__(self, store: Store, mesh: Mesh) -> None:
        self.store, self.mesh = store, mesh
        self.judge, self.changes = Judge(store, mesh), KeyChanges(store, mesh)

    def explain(self, name: str, scope: str) -> Explanation:
        chain = self.store.ledger.chain(name, scope)
        spans = list(_spans(chain))
        current = chain[-1].current if chain else None
        standing = self._standing(spans[-1], current) if current is not None else None
        earlier = [span for span in (spans[:-1] if standing else spans) if span.current is not None]
        before = earlier[-1] if earlier else None
        since: tuple[Difference, ...] = ()
        if standing is not None and before is not None and before.current is not None:
            made = self.changes.made(before, before.current)
            since = self.changes.between(made, self.changes.made(standing.commit, standing.value))
        return Explanation(
            feature=name,
            scope=scope,
            head=chain[-1] if chain else None,
            standing=standing,
            before=before.current if before else None,
            since=since,
            now=self._now(name, scope),
            recorded=tuple(self._recorded(self.mesh.features[name], standing)) if standing else (),
        )

    def _standing(self, commit: Commit, value: Value) -> Standing:
        maker = self._maker(commit, value)
        memo = self.store.recall(commit.feature, value.key)
        material = self.store.material(commit.feature, value.key)
        return Standing(
            value=value,
            commit=commit,
            maker=maker,
            seconds=maker.metrics.get("seconds") if maker else None,
            code=memo.code if memo else commit.code,
            libraries=material["libs"] if material else {},
            environment=self._environment(maker),
        )

    def _maker(self, commit: Commit, value: Value) -> Commit | None:
        """Who computed a value: this scope, or the first of any other."""
        if commit.event == "computed":
            return commit
        # the memo says when a key was first answered, not where: that takes a look at every chain
        made = []
        for scope in self.store.ledger.scopes(commit.feature):
            try:
                chain = self.store.ledger.chain(commit.feature, scope)
            except Damaged as damage:
                say_damaged(commit.feature, scope, damage)
                continue
            made += [one for one in chain if one.event == "computed" and one.key == value.key]
        return min(made, key=lambda one: one.made_at, default=None)

    def _environment(self, commit: Commit | None) -> Mapping[str, str]:
        try:
            return self.store.environment(commit.environment) if commit and commit.environment else {}
        except NotStored:
            return {}

    def _now(self, name: str, scope: str) -> Verdict:
        now = self.judge.verdict(name, scope)
        causes = [self._with_changes(one) for one in now.causes[:EXPANDED]]
        return replace(self._with_changes(now), causes=(*causes, *now.causes[EXPANDED:]))

    def _with_changes(self, verdict: Verdict) -> Verdict:
        """The verdict with the reasons why its key is not that of the value that stands, as far as they can be read."""
        if not verdict.key:
            return verdict
        try:
            standing = self._stands(verdict.feature, verdict.scope)
            if standing is None:
                return verdict
            asked = self.changes.asked(self.judge.ask(verdict.feature, verdict.scope))
            return replace(verdict, changed=self.changes.between(standing, asked))
        except Damaged as damage:
            say_damaged(verdict.feature, verdict.scope, damage)
            return verdict

    def _stands(self, name: str, scope: str) -> Made | None:
        """How the current value was made; None when there is none."""
        spans = list(_spans(self.store.ledger.chain(name, scope)))
        last = spans[-1] if spans else None
        return self.changes.made(last, last.current) if last is not None and last.current is not None else None

    def _recorded(self, feature: AmberFeature, standing: Standing) -> Iterator[Difference]:
        was, is_ = standing.environment, versions()
        for name in sorted(was.keys() | is_.keys()) if was else ():
            if name not in feature.libs and was.get(name) != is_.get(name):
                yield Difference("library", name, was.get(name, ""), is_.get(name, ""))
        same = feature.version is not None and feature.version == standing.commit.version
        if same and standing.code != feature.code:
            code = self.changes.code(feature.name, standing.code, feature.code)
            yield Difference("code", feature.name, standing.code, feature.code, code=code)


def _spans(chain: list[Commit]) -> Iterator[Commit]:
    """The commits of a chain by which another value than before became current, or none."""
    before: tuple[str, str] | None = None
    for commit in chain:
        current = commit.current and (commit.current.digest, commit.current.key)
        if current != before:
            yield commit
        before = current or None
