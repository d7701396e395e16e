"""Putting damage right: what `verify` finds is moved away, computed again, and what cannot be is written down as lost.

    1  move damaged objects to damaged/<time>/<name>, and the memos of damaged values with them; nothing is deleted
    2  write down, in the chains that landing writes, which rows and values are gone
    3  settle: the installation lands and computes what its keys now say is missing
    4  verify what was touched; what is missing still is lost: a row "repaired" of each chain that named it says so

From then on `verify` accepts the gaps and tells them as notes. Killed anywhere, another run goes on: what was moved
away is missing, and what is missing is found.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath

from mediaml_assets.amber.commits import keep_environment, record
from mediaml_assets.amber.ledger import Row, Value
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.names import CATALOGUE, memo_name, value_name
from mediaml_assets.amber.objects import is_stored
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.upkeep.chain_check import Finding, row_of_witness
from mediaml_assets.amber.upkeep.object_check import Wrong, read_memo, read_value
from mediaml_assets.amber.upkeep.verify import Watch, verify
from mediaml_assets.errors import Damaged, MediamlError, NotStored

Settle = Callable[[], Mapping[str, str]]
"""Lands and computes whatever is missing or out of date; title -> why it could not be."""


@dataclass
class Repaired:
    """What one repair did."""

    found: list[Finding]
    """What was damaged."""
    moved: list[str] = field(default_factory=list)
    """Objects that were moved away, under their former names."""
    lost: dict[str, str] = field(default_factory=dict)
    """Object -> feature and scope whose history has a gap there now, written down in the ledger."""
    failed: dict[str, str] = field(default_factory=dict)
    """Title (or feature of title) -> why it could not be computed."""
    remaining: list[Finding] = field(default_factory=list)
    """What is still damaged: repair again once the failures are seen to."""


def repair(
    store: Store,
    mesh: Mesh,
    settle: Settle,
    features: Sequence[str] = (),
    watch: Watch = lambda part, done, total: None,
) -> Repaired:
    """Put right what `verify` finds in a store, or in some features of it; the store may be in use meanwhile.

    Args:
        store: what to repair.
        mesh: the features that can be computed again.
        settle: computes what is missing, also what landing writes.
        features: names; all by default.
        watch: told how far the verification is.
    """
    report = verify(store, features, watch=watch)
    work = _Repair(store, mesh, Repaired(report.findings))
    for note in report.notes:
        work.vouch(note)
    touched = sorted({finding.feature for finding in report.findings if finding.feature})
    for finding in report.findings:
        work.move_away(finding)
    if touched:
        keep_environment(store)
        work.write_down([finding for finding in report.findings if finding.feature not in mesh.features])
        work.done.failed.update(settle())
        work.ask_again(report.findings)
        work.write_down(verify(store, touched).findings)
        work.done.remaining = verify(store, touched).findings
        # what landing wrote down as lost may have landed again
        work.done.lost = {name: where for name, where in work.done.lost.items() if not is_stored(store.objects, name)}
    return work.done


class _Repair:
    """The steps of one repair."""

    def __init__(self, store: Store, mesh: Mesh, done: Repaired) -> None:
        self.store, self.objects, self.mesh, self.done = store, store.objects, mesh, done
        self.folder = f"damaged/{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"

    def vouch(self, note: Finding) -> None:
        """Put back the witness of a row that the row after it vouches for; of the newest row nobody knows better."""
        row = row_of_witness(note.name)
        if row is not None and any(one.name == row for one in self._rows(note)[:-1]):
            self.objects.create(note.name, b"")

    def move_away(self, finding: Finding) -> None:
        """Move a damaged object to damaged/, and the memos that would still give it to somebody."""
        folder, name = finding.name.split("/")[0], PurePosixPath(finding.name)
        row = row_of_witness(finding.name)
        if folder == "folds":
            # nobody can make it again: a person may bring it back from a copy
            return
        if row is None:
            self._move(finding.name)
        elif self._rows(finding)[-1].name == row:
            # two witnesses of the newest row: nobody knows which is right
            self._move(row)
        if folder == "values":
            self._move_memos(finding.feature, {name.stem})
        elif folder == "blobs" and finding.feature:
            self._move_memos(finding.feature, self._values_naming(finding.feature, name.name))

    def write_down(self, findings: Iterable[Finding]) -> None:
        """Say in every chain that referred to them which objects are lost; what failed just now may come yet."""
        gone: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        for finding in findings:
            for name in self._lost_with(finding):
                for scope in finding.titles:
                    if not self._may_come(finding.feature, scope, name):
                        known = gone[finding.feature, scope]
                        # of one row more than one can have been lost
                        known[name] = f"{known.get(name, '')} {finding.digest}".strip()
        for (feature, scope), lost in sorted(gone.items()):
            said = ", ".join(f"{name} {digest}".strip() for name, digest in sorted(lost.items()))
            generation = self._generation(scope) if feature in self.mesh.sources else 0
            record(self.store, feature, scope, "repaired", lost, f"lost: {said}", generation)
            self.done.lost.update({name: f"{feature} of {scope}" for name in lost})

    def ask_again(self, findings: Iterable[Finding]) -> None:
        """Compute the current answers that nobody keeps up to date by itself: ad-hoc ones, features made when asked."""
        for name, feature in self.mesh.features.items():
            for scope in sorted({scope for one in findings if one.feature == name for scope in one.titles}):
                title, _, ad_hoc = scope.partition("@")
                head = self.store.ledger.head(name, scope)
                if head is None or head.current is None or (feature.automatic and not ad_hoc):
                    continue
                try:
                    titles = self._titles() if title == CATALOGUE else [title]
                    self.mesh.compute(self.store, name, titles, head.config)
                except MediamlError as error:
                    self.done.failed[scope] = f"{name}: {error}"

    def _move(self, name: str) -> None:
        with suppress(NotStored):
            self.objects.move(name, f"{self.folder}/{name}")
            self.done.moved.append(name)

    def _move_memos(self, feature: str, digests: Set[str]) -> None:
        """Move every memo away that gives one of the values."""
        for one in list(self.objects.walk(f"memo/{feature}")):
            found = read_memo(self.objects, one.name)
            if isinstance(found, Value) and found.digest in digests:
                self._move(one.name)

    def _values_naming(self, feature: str, blob: str) -> set[str]:
        """Digests of the values of a feature that name a blob."""
        found = set()
        for one in self.objects.walk(f"values/{feature}"):
            named = read_value(self.objects, one.name, None)
            if not isinstance(named, Wrong) and blob in named:
                found.add(PurePosixPath(one.name).stem)
        return found

    def _lost_with(self, finding: Finding) -> Iterable[str]:
        """What is lost when the object of a finding cannot be made again."""
        if finding.name.startswith("blobs/"):
            naming = self._values_naming(finding.feature, PurePosixPath(finding.name).name)
            return [value_name(finding.feature, digest) for digest in naming]
        return [row_of_witness(finding.name) or finding.name]

    def _may_come(self, feature: str, scope: str, name: str) -> bool:
        """Whether an object is current and only could not be computed this time."""
        if scope not in self.done.failed:
            return False
        head = self.store.ledger.head(feature, scope)
        if head is None or head.current is None or head.refused:
            return False
        return name in (value_name(feature, head.current.digest), memo_name(feature, head.current.key))

    def _generation(self, title: str) -> int:
        """The highest landing generation that anything of a title was made from: a lost one must not come again."""
        seen = [0]
        for feature in self.mesh.features:
            # another feature's damage is its own matter
            with suppress(Damaged):
                head = self.store.ledger.head(feature, title)
                seen.append(head.generation if head else 0)
        return max(seen)

    def _rows(self, finding: Finding) -> list[Row]:
        return self.store.ledger.stored(finding.feature, finding.titles[0]).rows

    def _titles(self) -> list[str]:
        return sorted({title for source in self.mesh.sources for title in self.store.ledger.scopes(source)})
