"""Why two memo keys of a feature differ: which inputs, settings, libraries, version or code, down to the landed file.

A memo keeps what its key is the digest of (`Ask.material`), and a commit which values were read; from a differing
input the comparison goes on to the two values of the upstream feature, and so on.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mediaml_assets.amber.ask import Ask
from mediaml_assets.amber.code import parts as code_parts
from mediaml_assets.amber.code.drift import Change, changes
from mediaml_assets.amber.keys import to_json
from mediaml_assets.amber.ledger import Commit, Value
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.staleness import say_damaged
from mediaml_assets.amber.store import Store
from mediaml_assets.errors import Damaged

EXPANDED = 20
"""Of how many titles of one parameter it is said why their values differ."""


@dataclass(frozen=True)
class Difference:
    """One thing that is not what it was."""

    kind: Literal["input", "landed", "config", "library", "version", "code", "unknown"]
    """`landed` is a column of what landing wrote; `unknown` stands for a key whose material is no longer stored."""
    name: str
    """The upstream feature, or the name of the column, configuration value or library."""
    before: str
    """A digest, a version or a value as JSON; empty when there was none."""
    after: str
    scope: str = ""
    """Of an input: its title, or show."""
    columns: tuple[str, ...] = ()
    """Of an input: the columns that are read and differ."""
    code: tuple[Change, ...] = ()
    """Of code: what changed in it; empty when one of the two was not kept."""
    because: tuple["Difference", ...] = ()
    """Of an input: why its value differs."""


@dataclass(frozen=True)
class Made:
    """One side of a comparison: how a value was made, or would be."""

    feature: str
    scope: str
    key: str
    material: Mapping[str, Any] | None
    """None when it is no longer stored."""
    inputs: Mapping[str, Any]
    """Parameter -> digest of the value read (or {title: digest})."""
    code: str
    """Fingerprint of the code."""
    until: str
    """When: the inputs are looked for up to here."""


class KeyChanges:
    """Comparisons of values of one store.

    Args:
        store: where the values are.
        mesh: the features as they are loaded now.
    """

    def __init__(self, store: Store, mesh: Mesh) -> None:
        self.store = store
        self.mesh = mesh

    def asked(self, ask: Ask) -> Made:
        """How what is asked now would be made."""
        material: dict[str, Any] = json.loads(to_json(ask.material))
        return Made(ask.feature.name, ask.scope, ask.key, material, ask.input_digests, ask.feature.code, "")

    def made(self, commit: Commit, value: Value) -> Made:
        """How a value was made that a commit is about."""
        memo = self.store.recall(commit.feature, value.key)
        material = self.store.material(commit.feature, value.key)
        code = memo.code if memo else commit.code
        return Made(commit.feature, commit.scope, value.key, material, commit.inputs, code, commit.made_at)

    def between(self, before: Made, after: Made) -> tuple[Difference, ...]:
        """Everything in which two keys of a feature differ; empty when they are equal."""
        if before.key == after.key:
            return ()
        old, new = before.material, after.material
        if old is None or new is None:
            return (Difference("unknown", before.feature, before.key, after.key),)
        return (*self._of_code(before, after), *_plain(old, new), *self._of_inputs(before, after))

    def code(self, feature: str, before: str, after: str) -> tuple[Change, ...]:
        """What changed between two fingerprints of a feature's code; empty when one of them was not kept."""
        old, new = self._code(feature, before), self._code(feature, after)
        return tuple(changes(old, new)) if old and new else ()

    def _code(self, feature: str, fingerprint: str) -> code_parts.Code | None:
        loaded = self.mesh.features.get(feature)
        if loaded is not None and loaded.code == fingerprint:
            return code_parts.code_of(loaded)
        return code_parts.kept(self.store.objects, feature, fingerprint)

    def _of_code(self, before: Made, after: Made) -> Iterator[Difference]:
        old, new = before.material["version"], after.material["version"]  # type: ignore[index]
        if old == new:
            return
        # without a version the fingerprint of the code is in its place
        if not (isinstance(old, dict) and isinstance(new, dict)):
            yield Difference("version", before.feature, _version(old), _version(new))
        if before.code != after.code:
            code = self.code(before.feature, before.code, after.code)
            yield Difference("code", before.feature, before.code, after.code, code=code)

    def _of_inputs(self, before: Made, after: Made) -> Iterator[Difference]:
        olds, news = (_by_scope(made) for made in (before, after))
        expanded = dict.fromkeys(name for name, _ in [*olds, *news])
        told = dict.fromkeys(expanded, 0)
        for name, scope in dict.fromkeys([*olds, *news]):
            (old, had), (new, has) = (found.get((name, scope), ("", {})) for found in (olds, news))
            columns = tuple(one for one in dict.fromkeys([*had, *has]) if had.get(one) != has.get(one))
            if columns or not (old and new):
                told[name] += 1
                because: tuple[Difference, ...] = ()
                if old and new and told[name] <= EXPANDED:
                    because = self._of_values(name, scope, (old, before.until), (new, after.until))
                yield Difference("input", name, old, new, scope, columns, because=because)

    def _of_values(self, name: str, scope: str, old: tuple[str, str], new: tuple[str, str]) -> tuple[Difference, ...]:
        """Why two values of an upstream feature differ, each given by its digest and until when it was there."""
        try:
            chain = self.store.ledger.chain(name, scope)
        except Damaged as damage:
            say_damaged(name, scope, damage)
            return ()
        before, after = (_commit_of(chain, *one) for one in (old, new))
        if before is None or after is None:
            return ()
        if name not in self.mesh.features:
            return tuple(self._of_rows(name, scope, before, after))
        (one, was), (other, is_) = before, after
        return self.between(self.made(one, was), self.made(other, is_))

    def _of_rows(
        self, name: str, scope: str, before: tuple[Commit, Value], after: tuple[Commit, Value]
    ) -> Iterator[Difference]:
        """The columns in which two values differ that landing wrote, which have no key material."""
        (_, old), (_, new) = before, after
        columns = [one for one in new.columns if old.columns.get(one) != new.columns[one]]
        was, is_ = (self.store.read_rows(name, value).to_pydict() for value in (old, new))
        for column in columns:
            yield Difference("landed", column, _values(was.get(column, [])), _values(is_[column]), scope)


def _plain(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    kinds: tuple[tuple[Literal["config", "library"], str], ...] = (("config", "config"), ("library", "libs"))
    for kind, part in kinds:
        was, is_ = old[part], new[part]
        for name in sorted(was.keys() | is_.keys()):
            if was.get(name, ...) != is_.get(name, ...):
                before, after = (_text(one[name]) if name in one else "" for one in (was, is_))
                yield Difference(kind, name, before, after)


def _by_scope(made: Made) -> dict[tuple[str, str], tuple[str, Mapping[str, str]]]:
    """(Upstream feature, its scope) -> digest of the value read, and of each of its columns that are read."""
    assert made.material is not None
    found: dict[tuple[str, str], tuple[str, Mapping[str, str]]] = {}
    for name, columns in made.material["inputs"].items():
        read = made.inputs.get(name, {})
        if isinstance(read, str):
            found[name, made.scope] = read, columns
        else:
            found |= {(name, scope): (read.get(scope, ""), columns[scope]) for scope in columns}
    return found


def _commit_of(chain: list[Commit], digest: str, until: str) -> tuple[Commit, Value] | None:
    """The newest commit that made a value current, up to a time if one is given; None when there is none any more."""
    for commit in reversed(chain):
        made = commit.value if commit.value == commit.current else None
        if made is not None and made.digest == digest and (not until or commit.made_at <= until):
            return commit, made
    return None


def _version(version: Any) -> str:
    return "none, its code is in the key" if isinstance(version, dict) else str(version)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else to_json(value).decode()


def _values(column: list[Any]) -> str:
    """The values of a column, of which landing writes one for a title."""
    return ", ".join("" if one is None else str(one) for one in column)
