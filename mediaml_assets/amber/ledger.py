"""The ledger: an append-only chain of commits for each feature and scope.

    ledger/<feature>/<scope>/<seq // 64>/<seq>.json             one row: a commit
    ledger/<feature>/<scope>/<seq // 64>/<seq>.<16 hex digits>  its witness: empty, named by the row's digest

A row is created only if absent at head + 1 and carries the digest of the row before it, so two writers can never both
be right and a removed or forged row breaks the chain. The witness, created right after its row, tells the same of the
newest one, which no row follows yet. The folder for each 64 commits keeps the cost of finding the head the same for
the thousandth commit as for the first.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any, Literal

from blake3 import blake3

from mediaml_assets.amber.keys import to_json
from mediaml_assets.amber.objects import Objects
from mediaml_assets.errors import Damaged

CHAPTER = 64
"""Commits in one folder of a chain."""

_ROW = re.compile(r"(\d{8})\.json")
_WITNESS = re.compile(r"(\d{8})\.([0-9a-f]{16})")

Event = Literal["computed", "reused", "refused", "withdrawn", "forgotten", "repaired"]


@dataclass(frozen=True)
class Value:
    """A stored value: what its rows are and where they came from."""

    digest: str
    """Digest of the rows: the name of the Parquet file."""
    key: str
    """Memo key that this value was stored under."""
    columns: Mapping[str, str]
    """Digest of each column."""
    rows: int
    bytes: int
    """Size of the Parquet file."""
    blake3: str
    """Digest of the Parquet file, for `verify`."""
    schema: str = ""
    """Digest of the names and types of the columns, 16 hex digits: values that share it can be read as one table."""
    reads: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Upstream feature -> digest of each of its columns that this value was made from; empty over many titles."""


@dataclass(frozen=True)
class Commit:
    """One row of the ledger: who made, reused, refused or withdrew which value, when, from what."""

    feature: str
    scope: str
    event: Event
    value: Value | None
    """The value that this commit is about; None when refused or withdrawn."""
    current: Value | None
    """What the feature's value for this scope is after this commit."""
    key: str
    """Memo key of what was asked; empty when withdrawn."""
    generation: int
    """The highest landing generation that this chain has seen."""
    made_at: str = ""
    """UTC, ISO 8601 with microseconds."""
    who: str = ""
    run: str = ""
    """Dagster run id, or the process that asked."""
    version: str = ""
    code: str = ""
    """Fingerprint of the function's code."""
    environment: str = ""
    """Digest of the versions of machine and libraries; see `Store.environment`."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """Parameter -> value digest (or {title: digest})."""
    config: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    """Why a file was refused or a check failed, or what was repaired."""
    gone: Mapping[str, str] = field(default_factory=dict)
    """Object -> what is known of it, of objects that this chain referred to until now and that are no longer there."""
    seq: int = 0
    before: str = ""
    """Digest of the commit before this one; empty for the first."""

    @property
    def withdrawn(self) -> bool:
        """Whether there is no current value because the title was taken away; a repair leaves that as it was."""
        return self.current is None and not self.key

    @property
    def refused(self) -> bool:
        """Whether what was asked could not be computed from its file."""
        return self.value is None and bool(self.key)

    @property
    def digest(self) -> str:
        """The identity of this commit, carried by the next one: BLAKE3 (hex) of its text."""
        return blake3(self.text).hexdigest()

    @property
    def text(self) -> bytes:
        """The commit as it is stored: canonical JSON without what goes without saying.

        Left out are fields at their defaults, `current` where it is `value`, and `key` where it is that of `value`.
        """
        document = sparse(self)
        if self.value is not None:
            document["value"] = sparse(self.value)
            if self.key == self.value.key:
                del document["key"]
        if self.current == self.value:
            del document["current"]
        elif self.current is not None:
            document["current"] = sparse(self.current)
        return to_json(document)


@dataclass(frozen=True)
class Row:
    """A row as it lies in the store, not yet believed."""

    feature: str
    scope: str
    seq: int
    name: str
    """The object that holds it."""
    text: bytes

    @property
    def digest(self) -> str:
        """What the next row carries and the witness begins with."""
        return blake3(self.text).hexdigest()

    @property
    def commit(self) -> Commit:
        """What the row says; raises Damaged when that is no commit of this place."""
        try:
            document = json.loads(self.text)
            value = None if document["value"] is None else Value(**document["value"])
            current = document.get("current", document["value"])
            document["value"] = value
            document["current"] = None if current is None else Value(**current)
            commit = Commit(**{"key": value.key if value else "", **document})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Damaged(
                f"{self.name} is no row of the ledger ({error}); run `mediaml verify {self.feature}`"
            ) from error
        if (commit.feature, commit.scope, commit.seq) != (self.feature, self.scope, self.seq):
            raise Damaged(
                f"{self.name} holds row {commit.seq} of {commit.feature} of {commit.scope}; run `mediaml verify "
                f"{self.feature}`"
            )
        return commit


@dataclass(frozen=True)
class Chain:
    """Everything that lies in the store of one chain, not yet believed."""

    rows: list[Row]
    """The oldest first; a row that was removed is not among them."""
    witnesses: Mapping[int, tuple[str, ...]]
    """Seq -> the first 16 hex digits of the digest of that row; more than one when something is wrong."""


Moment = datetime | Commit
"""A time (with its time zone), or a commit: its own chain stands there, the others at the time it was made."""


class Ledger:
    """The chains of one store."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def head(self, feature: str, scope: str) -> Commit | None:
        """The newest commit of a chain; None when there is none. Three store operations, whatever its length.

        Raises:
            Damaged: it is not what its witness says.
        """
        root = f"ledger/{feature}/{scope}"
        for chapter in reversed(self._objects.folders(root)):
            names = self._objects.names(f"{root}/{chapter}")
            # a chapter's folder is there a moment before its first commit, or for ever if its writer was killed then
            rows = [name for name in names if _ROW.fullmatch(name)]
            if rows:
                row = self._row(feature, scope, chapter, rows[-1])
                witnesses = _witnesses(names).get(row.seq)
                if witnesses and row.digest[:16] not in witnesses:
                    raise Damaged(f"{row.name} is not what it was when it was written; run `mediaml verify {feature}`")
                return row.commit
        return None

    def append(self, commit: Commit, head: Commit | None) -> Commit | None:
        """Add the commit after `head`; None when somebody else did so first (read the head again)."""
        following = replace(commit, seq=head.seq + 1 if head else 0, before=head.digest if head else "")
        name, text = _name(following), following.text
        if not self._objects.create(f"{name}.json", text):
            return None
        self._objects.create(f"{name}.{blake3(text).hexdigest()[:16]}", b"")
        return following

    def stored(self, feature: str, scope: str) -> Chain:
        """Everything that lies in the store of one chain."""
        root = f"ledger/{feature}/{scope}"
        rows: list[Row] = []
        witnesses: dict[int, tuple[str, ...]] = {}
        for chapter in self._objects.folders(root):
            names = self._objects.names(f"{root}/{chapter}")
            rows.extend(self._row(feature, scope, chapter, name) for name in names if _ROW.fullmatch(name))
            witnesses.update(_witnesses(names))
        return Chain(rows, witnesses)

    def chain(self, feature: str, scope: str) -> list[Commit]:
        """Every commit of a chain, the oldest first; raises Damaged."""
        return [row.commit for row in self.stored(feature, scope).rows]

    def as_of(self, feature: str, scope: str, moment: Moment) -> Commit | None:
        """The newest commit of a chain at a moment; None when there was none yet."""
        if isinstance(moment, Commit):
            if (moment.feature, moment.scope) == (feature, scope):
                return moment
            until = moment.made_at
        else:
            until = moment.astimezone(UTC).isoformat(timespec="microseconds")
        earlier = [commit for commit in self.chain(feature, scope) if commit.made_at <= until]
        return earlier[-1] if earlier else None

    def scopes(self, feature: str) -> list[str]:
        """Every scope of a feature that has a chain."""
        return self._objects.folders(f"ledger/{feature}")

    def _row(self, feature: str, scope: str, chapter: str, name: str) -> Row:
        place = f"ledger/{feature}/{scope}/{chapter}/{name}"
        return Row(feature, scope, int(name[:8]), place, self._objects.read(place))


def sparse(one: Value | Commit) -> dict[str, Any]:
    """The fields that are not at their defaults: what is worth writing down."""
    # not `asdict`, which copies every value again
    return {name: value for name, value in vars(one).items() if value != _DEFAULTS[type(one)][name]}


def _defaults(kind: type[Value | Commit]) -> dict[str, Any]:
    return {one.name: one.default if one.default_factory is MISSING else one.default_factory() for one in fields(kind)}


_DEFAULTS = {kind: _defaults(kind) for kind in (Value, Commit)}


def _witnesses(names: Iterable[str]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for name in names:
        if match := _WITNESS.fullmatch(name):
            seq = int(match[1])
            found[seq] = (*found.get(seq, ()), match[2])
    return found


def _name(commit: Commit) -> str:
    return f"ledger/{commit.feature}/{commit.scope}/{commit.seq // CHAPTER:06d}/{commit.seq:08d}"
