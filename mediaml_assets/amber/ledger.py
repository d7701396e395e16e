"""The ledger: an append-only chain of commits for each feature and scope.

    ledger/<feature>/<scope>/<seq // 64>/<seq>.json

A commit is created only if absent at head + 1 and carries the digest of the commit before it, so two writers can
never both be right and a removed or forged row breaks the chain. The folder for each 64 commits keeps the cost of
finding the head the same for the thousandth commit as for the first.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any, Literal

from mediaml_assets.amber.keys import digest_of, to_json
from mediaml_assets.amber.objects import Objects

CHAPTER = 64
"""Commits in one folder of a chain."""

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
    environment: Mapping[str, str] = field(default_factory=dict)
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
        """The identity of this commit, carried by the next one."""
        return digest_of(self.document)

    @property
    def document(self) -> dict[str, Any]:
        """The commit as plain values."""
        # not `asdict`, which copies every value again
        value, current = (vars(one) if one else None for one in (self.value, self.current))
        return {**vars(self), "value": value, "current": current}


Moment = datetime | Commit
"""A time (with its time zone), or a commit: its own chain stands there, the others at the time it was made."""


class Ledger:
    """The chains of one store."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def head(self, feature: str, scope: str) -> Commit | None:
        """The newest commit of a chain; None when there is none. Three store operations, whatever its length."""
        chain = f"ledger/{feature}/{scope}"
        for chapter in reversed(self._objects.folders(chain)):
            names = self._objects.names(f"{chain}/{chapter}")
            # a chapter's folder is there a moment before its first commit, or for ever if its writer was killed then
            if names:
                return self._read(f"{chain}/{chapter}/{names[-1]}")
        return None

    def append(self, commit: Commit, head: Commit | None) -> Commit | None:
        """Add the commit after `head`; None when somebody else did so first (read the head again)."""
        following = replace(commit, seq=head.seq + 1 if head else 0, before=head.digest if head else "")
        created = self._objects.create(_name(following), to_json(following.document))
        return following if created else None

    def chain(self, feature: str, scope: str) -> list[Commit]:
        """Every commit of a chain, the oldest first."""
        root = f"ledger/{feature}/{scope}"
        return [
            self._read(f"{root}/{chapter}/{name}")
            for chapter in self._objects.folders(root)
            for name in self._objects.names(f"{root}/{chapter}")
        ]

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

    def _read(self, name: str) -> Commit:
        document = json.loads(self._objects.read(name))
        for part in ("value", "current"):
            document[part] = value_from(document[part])
        return Commit(**document)


def value_from(document: Mapping[str, Any] | None) -> Value | None:
    """A Value from its JSON form."""
    if document is None:
        return None
    return Value(**{part.name: document[part.name] for part in fields(Value)})


def _name(commit: Commit) -> str:
    return f"ledger/{commit.feature}/{commit.scope}/{commit.seq // CHAPTER:06d}/{commit.seq:08d}.json"
