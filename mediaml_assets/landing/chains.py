"""What landing writes to the store: chains of values that no feature computes."""

from datetime import UTC, datetime

import pyarrow as pa

from mediaml_assets.amber.keys import column_digests, rows_digest
from mediaml_assets.amber.ledger import Commit, Event, Value
from mediaml_assets.amber.store import Store
from mediaml_assets.errors import NotStored


def written(store: Store, feature: str, scope: str, rows: pa.Table) -> Commit:
    """The commit at which these rows are current; what already stands there is not written again."""
    columns = column_digests(rows)
    head = store.ledger.head(feature, scope)
    if head is not None and head.current is not None and head.current.digest == rows_digest(columns):
        return head
    value = store.write_rows(feature, rows, rows_digest(columns), columns)
    commit = _appended(store, feature, scope, "computed", value)
    store.make_sure(feature, value, rows)
    return commit


def withdrawn(store: Store, feature: str, scope: str) -> Commit:
    """The commit that says that nothing is there any more."""
    return _appended(store, feature, scope, "withdrawn", None)


def current_paths(store: Store, feature: str, scope: str) -> tuple[str, ...]:
    """The paths of the files that a title has now; none when it was withdrawn, or never landed."""
    try:
        view = store.view(feature, scope)
    except NotStored:
        return ()
    return () if view.withdrawn else tuple(view.table(["path"]).column("path").to_pylist())


def _appended(store: Store, feature: str, scope: str, event: Event, value: Value | None) -> Commit:
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
            generation=head.generation + 1 if head else 1,
            made_at=datetime.now(UTC).isoformat(timespec="microseconds"),
            who="landing",
        )
        done = store.ledger.append(row, head)
        if done is not None:
            return done
