"""What landing writes to the store: chains of values that no feature computes."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import pyarrow as pa

from mediaml_assets.amber.keys import column_digests, rows_digest
from mediaml_assets.amber.ledger import Commit, Event, Value
from mediaml_assets.amber.store import Store
from mediaml_assets.errors import Damaged, NotStored


def written(store: Store, feature: str, scope: str, rows: pa.Table, beside: Sequence[str] = ()) -> Commit:
    """The commit at which these rows are current; what already stands there is not written again.

    Args:
        store: where they are kept.
        feature: name of the value.
        scope: the title.
        rows: what is there now.
        beside: what else lands of the title: its landing generation counts the deliveries of all of them, so that a
            feature that reads several of them has a higher one after each.
    """
    columns = column_digests(rows)
    head = store.ledger.head(feature, scope)
    if head is not None and head.current is not None and head.current.digest == rows_digest(columns):
        return head
    value = store.write_rows(feature, rows, rows_digest(columns), columns)
    commit = _appended(store, feature, scope, "computed", value, beside)
    store.make_sure(feature, value, rows)
    return commit


def withdrawn(store: Store, feature: str, scope: str, beside: Sequence[str] = ()) -> Commit:
    """The commit that says that nothing is there any more; arguments are those of `written`."""
    return _appended(store, feature, scope, "withdrawn", None, beside)


def current_paths(store: Store, feature: str, scope: str) -> tuple[str, ...]:
    """The paths of the files that a title has now; none when it was withdrawn, or never landed."""
    try:
        view = store.view(feature, scope)
    except NotStored:
        return ()
    return () if view.withdrawn else tuple(view.table(["path"]).column("path").to_pylist())


def _appended(
    store: Store, feature: str, scope: str, event: Event, value: Value | None, beside: Sequence[str]
) -> Commit:
    """Append to a chain that landing writes itself."""
    while True:
        head = store.ledger.head(feature, scope)
        if head is not None and head.current == value:
            return head
        row = Commit(
            feature=feature,
            scope=scope,
            event=event,
            value=value,
            current=value,
            key=value.key if value else "",
            generation=1 + max([head.generation if head else 0, *_generations(store, beside, scope)]),
            made_at=datetime.now(UTC).isoformat(timespec="microseconds"),
            who="landing",
        )
        done = store.ledger.append(row, head)
        if done is not None:
            return done


def _generations(store: Store, features: Sequence[str], scope: str) -> Iterator[int]:
    """The landing generations of what else lands of a title; one that is damaged is its own matter."""
    for feature in features:
        with suppress(Damaged):
            head = store.ledger.head(feature, scope)
            yield head.generation if head else 0
