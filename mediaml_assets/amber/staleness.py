"""Whether a value is what its key says; and the newest commits of many scopes, of which some may be damaged."""

import logging
from collections.abc import Iterable, Iterator

from mediaml_assets.amber.ask import Ask
from mediaml_assets.amber.ledger import Commit
from mediaml_assets.amber.store import Store
from mediaml_assets.errors import Damaged, FeatureError

log = logging.getLogger("mediaml")


def is_stale(store: Store, ask: Ask) -> bool:
    """Whether the value that is asked for is not what the newest commit says, and asking for it would change that."""
    feature, head = ask.feature, store.ledger.head(ask.feature.name, ask.chain)
    if ask.withdrawn:
        return head is not None and head.current is not None
    if head is not None and head.refused and head.key == ask.key:
        return False
    memo = store.recall(feature.name, ask.key)
    if memo is None:
        return True
    if feature.blocks(memo.failed):
        return head is None or head.key != ask.key
    current = head.current if head else None
    # equal rows that were read from other inputs would be at odds with whatever else is read beside them
    return current is None or (current.digest, current.reads) != (memo.value.digest, memo.value.reads)


def has_no_value(ask: Ask, head: Commit) -> bool:
    """Whether the newest commit says that what is asked for now was refused, or is held back by a check.

    A late run on older content may say so of what nobody asks for any more.
    """
    other = head.refused or head.value != head.current
    return bool(head.reason) and other and not ask.withdrawn and head.key == ask.key


def newest(store: Store, feature: str, scopes: Iterable[str]) -> Iterator[Commit]:
    """The newest commit of each scope that has one, without those that are damaged: the log names them."""
    for scope in scopes:
        try:
            head = store.ledger.head(feature, scope)
        except Damaged as damage:
            say_damaged(feature, scope, damage)
            continue
        if head is not None:
            yield head


def say_damaged(feature: str, scope: str, damage: Damaged | FeatureError) -> None:
    """Name in the log what is damaged, or lacks columns that are read; the others go on."""
    named = {"feature": feature, "title": scope, "event": "damaged" if isinstance(damage, Damaged) else "left alone"}
    log.warning("%s of %s is left alone: %s", feature, scope, damage, extra=named)
