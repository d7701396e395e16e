"""Writing the answer down: value, memo, then the ledger row that makes it current."""

import getpass
import importlib.metadata
import os
import platform
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import cache

from mediaml_assets.amber.ask import Ask
from mediaml_assets.amber.ledger import Commit, Event, Value
from mediaml_assets.amber.memo import Memo
from mediaml_assets.amber.names import value_name
from mediaml_assets.amber.store import Store


def append(
    store: Store,
    ask: Ask,
    event: Event,
    memo: Memo | None,
    held_back: bool = False,
    run: str = "",
    metrics: Mapping[str, float] | None = None,
    reason: str = "",
) -> Commit:
    """Write the ledger row, reading the head again whenever another writer was first."""
    value = memo.value if memo else None
    while True:
        head = store.ledger.head(ask.feature.name, ask.chain)
        seen = head.generation if head else 0
        # over a subset of the titles generations do not grow steadily, and an ad-hoc answer is nobody's input
        ad_hoc = ask.chain != ask.scope
        before = head.current if head else None
        moves = event != "refused" and not held_back and (ask.generation >= seen or ad_hoc)
        current = value if moves else before
        known = (ask.generation <= seen or ad_hoc) and (not held_back or (head and head.key == ask.key))
        if head and event in ("reused", "withdrawn") and _same(current, before) and known:
            return head
        row = Commit(
            feature=ask.feature.name,
            scope=ask.chain,
            event=event,
            value=value,
            current=current,
            generation=max(seen, ask.generation),
            made_at=datetime.now(UTC).isoformat(timespec="microseconds"),
            who=_who(),
            run=run or f"pid-{os.getpid()}",
            version=ask.feature.version or "",
            code=ask.feature.code,
            environment=_environment(store),
            key=ask.key if event != "withdrawn" else "",
            inputs=ask.input_digests,
            config=asdict(ask.config) if ask.config is not None else {},
            metrics=metrics or {},
            reason=reason or "; ".join((memo.failed if memo else {}).values()),
        )
        written = _append(store, row, head)
        if written is not None:
            return written


def record(
    store: Store,
    feature: str,
    scope: str,
    event: Event,
    gone: Mapping[str, str],
    reason: str,
    generation: int = 0,
) -> Commit:
    """Write a row about objects that are gone; what else the newest row says goes on as it was.

    Args:
        store: where the chain is; it may be empty.
        feature: of the chain.
        scope: of the chain.
        event: why.
        gone: object -> what is known of it; a value among them is current no more.
        reason: for people; a chain that is refused or held back keeps that reason too.
        generation: at least this one is written.
    """
    while True:
        head = store.ledger.head(feature, scope)
        written = record_after(store, head, feature, scope, event, gone, reason, generation)
        if written is not None:
            return written


def record_after(
    store: Store,
    head: Commit | None,
    feature: str,
    scope: str,
    event: Event,
    gone: Mapping[str, str],
    reason: str,
    generation: int = 0,
) -> Commit | None:
    """Write what `record` does, right after `head`; None when another writer was first."""
    base = head or Commit(feature, scope, event, None, None, "", 0)
    value, current = (
        None if one is None or value_name(feature, one.digest) in gone else one for one in (base.value, base.current)
    )
    stands = base.refused or value is not None or current is not None
    said = base.reason if base.refused or base.value != base.current else ""
    row = replace(
        base,
        event=event,
        value=value,
        current=current,
        key=base.key if stands else "",
        generation=max(base.generation, generation),
        made_at=datetime.now(UTC).isoformat(timespec="microseconds"),
        who=_who(),
        run=f"pid-{os.getpid()}",
        environment=_environment(store),
        metrics={},
        reason="; ".join(part for part in (said, reason) if part),
        gone=dict(gone),
    )
    return _append(store, row, head)


def _same(one: Value | None, other: Value | None) -> bool:
    # equal rows made from other inputs are another value: whoever joins them must be able to tell what they mean
    return (one and (one.digest, one.key)) == (other and (other.digest, other.key))


@cache
def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


_environments: dict[str, str] = {}
"""Store -> digest of this process's versions, once they are kept there and a row refers to them."""


def keep_environment(store: Store) -> str:
    """Store the versions of this process's machine and libraries; returns their digest."""
    return store.add_environment(versions())


def _environment(store: Store) -> str:
    return _environments.get(store.objects.where) or keep_environment(store)


def _append(store: Store, row: Commit, head: Commit | None) -> Commit | None:
    """Add a row; None when another writer was first."""
    written = store.ledger.append(row, head)
    if written is not None and store.objects.where not in _environments:
        # once more after the first row that refers to it: `gc` may have taken it away in between (see trash.py)
        _environments[store.objects.where] = keep_environment(store)
    return written


@cache
def versions() -> dict[str, str]:
    """The versions that can change a value without any of our code changing.

    Of Python and of every distribution that this one, or one that features come from, is installed with.
    """
    found = {"python": platform.python_version(), "machine": platform.machine()}
    plugins = {one.dist.name for one in importlib.metadata.entry_points(group="mediaml.features") if one.dist}
    for name in sorted({one for distribution in ("mediaml-assets", *plugins) for one in _required(distribution)}):
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def _required(distribution: str) -> Iterator[str]:
    """What a distribution requires, without its extras."""
    with suppress(importlib.metadata.PackageNotFoundError):
        for requirement in importlib.metadata.requires(distribution) or ():
            if "extra ==" not in requirement:
                yield re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
