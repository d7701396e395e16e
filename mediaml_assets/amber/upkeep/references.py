"""What refers to what: from the ledger's rows to values and memos, from memos to values, from values to blobs.

A row refers to its value and to the memo that remembers it, unless a later row of the same chain says that they are
gone: forgotten, or lost and written down as lost.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from mediaml_assets.amber.columns import is_blob
from mediaml_assets.amber.ledger import Commit, Value
from mediaml_assets.amber.names import code_name, environment_name, memo_name, value_name


@dataclass
class Held:
    """A stored value that something refers to."""

    files: set[tuple[int, str]] = field(default_factory=set)
    """Size and BLAKE3 of its file, as whoever refers to it says."""
    titles: set[str] = field(default_factory=set)
    """Scopes whose history refers to it; empty when only memos do."""
    keys: set[str] = field(default_factory=set)
    """Keys of the memos that remember it."""


@dataclass
class References:
    """Everything that the ledger of one feature refers to; as large as its history, not as its values."""

    values: dict[str, Held] = field(default_factory=dict)
    """Digest of a value -> who holds it."""
    memos: dict[str, list[tuple[str, Value]]] = field(default_factory=dict)
    """Memo key -> scope and value of every row that was answered by it."""
    gone: set[str] = field(default_factory=set)
    """Objects that some chain has said are gone; another may still refer to them."""

    def add_chain(self, commits: Iterable[Commit]) -> None:
        """Add what the rows of a chain refer to, given the oldest first."""
        newest_first = list(commits)[::-1]
        gone: set[str] = set()
        for commit in newest_first:
            gone |= commit.gone.keys()
            for value in (commit.value, None if commit.current == commit.value else commit.current):
                if value is not None:
                    self._add(commit, value, gone)
        self.gone |= gone

    def add_memo(self, key: str, value: Value) -> None:
        """Add what a memo refers to."""
        self._held(value).keys.add(key)

    def _held(self, value: Value) -> Held:
        held = self.values.setdefault(value.digest, Held())
        held.files.add((value.bytes, value.blake3))
        return held

    def _add(self, commit: Commit, value: Value, gone: set[str]) -> None:
        if value_name(commit.feature, value.digest) not in gone:
            self._held(value).titles.add(commit.scope)
        if is_memoised(value) and memo_name(commit.feature, value.key) not in gone:
            answers = self.memos.setdefault(value.key, [])
            if (commit.scope, value) not in answers:
                answers.append((commit.scope, value))


def kept(commits: Sequence[Commit]) -> list[Value]:
    """The values that ever were current in a chain, the oldest first, without those that a later row says are gone."""
    found: list[Value] = []
    gone: set[str] = set()
    for commit in reversed(commits):
        gone |= commit.gone.keys()
        if commit.current is not None and value_name(commit.feature, commit.current.digest) not in gone:
            found.append(commit.current)
    return found[::-1]


def circumstances(commits: Iterable[Commit]) -> set[str]:
    """The environments that rows were written in, and the code that computed their values."""
    commits = list(commits)
    named = {environment_name(one.environment) for one in commits if one.environment}
    return named | {code_name(one.feature, one.code) for one in commits if one.event == "computed" and one.code}


def is_memoised(value: Value) -> bool:
    """Whether a memo remembers the value; landing keeps its own values under the digest of their rows, without one."""
    return value.key != value.digest


def blob_columns(schema: pa.Schema) -> list[str]:
    """Names of the columns that hold names of stored files."""
    return [one.name for one in schema if is_blob(one)]


def blob_names(rows: pa.Table) -> Iterator[str]:
    """The stored files that a value names."""
    for column in blob_columns(rows.schema):
        yield from (name for name in rows.column(column).to_pylist() if name is not None)
