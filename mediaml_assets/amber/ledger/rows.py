"""The rows of the ledger: what a commit says, and how it is written as text.

    Commit   who made, reused, refused or withdrew which value, when, from what
    Value    a stored value: what its rows are and where they came from
    Row      a commit's text as it lies in the store, not yet believed

A row is canonical JSON without what goes without saying, so equal commits are equal bytes and a row is small.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal

from blake3 import blake3

from mediaml_assets.amber.keys import to_json
from mediaml_assets.errors import Damaged

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


def sparse(one: Value | Commit) -> dict[str, Any]:
    """The fields that are not at their defaults: what is worth writing down."""
    # not `asdict`, which copies every value again
    return {name: value for name, value in vars(one).items() if value != _DEFAULTS[type(one)][name]}


def _defaults(kind: type[Value | Commit]) -> dict[str, Any]:
    return {one.name: one.default if one.default_factory is MISSING else one.default_factory() for one in fields(kind)}


_DEFAULTS = {kind: _defaults(kind) for kind in (Value, Commit)}
