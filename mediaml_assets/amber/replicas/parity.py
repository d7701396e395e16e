"""Whether a replica holds what the store says: how far it is behind, how many rows, and which rows.

Three questions of growing price:

    lag       titles whose value in the replica is not the current one, by the digests recorded with the rows
    rows      as many rows as the current value has, counted in the replica's own files
    digests   the rows themselves: read back, and their digests compared with those of the value; of all titles or some
"""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from mediaml_assets.amber.keys import column_digests
from mediaml_assets.amber.ledger import Value
from mediaml_assets.amber.replicas.replication import Sink, difference
from mediaml_assets.amber.staleness import say_damaged
from mediaml_assets.amber.store import Store
from mediaml_assets.errors import Damaged, NotStored


@dataclass(frozen=True)
class Parity:
    """What was found of one replica."""

    titles: int
    """Titles that it holds rows of."""
    rows: int
    """Rows that it holds."""
    behind: tuple[str, ...]
    """Titles that are not yet what they are in the store: missing, superseded, or still there."""
    left_out: tuple[str, ...]
    """Those of them whose value has other columns than the feature declares now, or whose ledger is damaged."""
    lag_seconds: float
    """Since the oldest change that the replica has not got yet; 0 when nothing is behind."""
    miscounted: Mapping[str, str]
    """Title -> what is wrong with its count of rows, of titles with the right digest."""
    damaged: Mapping[str, str]
    """Title -> what is wrong with its rows, of those that were read back."""
    read_back: int
    """Titles whose rows were read back."""


def parity(store: Store, feature: str, sink: Sink, sample: int | None = 0) -> Parity:
    """Compare a replica with the store.

    Args:
        store: where the values are.
        feature: name of the feature.
        sink: the replica.
        sample: rows of so many titles, drawn at random, are read back and digested; None for all that it holds.
    """
    change = difference(store, feature, sink)
    same = {
        title: value
        for title, value in change.wanted.items()
        if title in change.held and change.held[title].digest == value.digest
    }
    miscounted = {
        title: f"{change.held[title].rows} rows where the value has {value.rows}"
        for title, value in same.items()
        if change.held[title].rows != value.rows
    }
    chosen = list(same) if sample is None else random.sample(list(same), min(sample, len(same)))
    found = {title: _difference_of(sink, title, same[title]) for title in chosen}
    return Parity(
        titles=len(change.held),
        rows=sum(max(one.rows, 0) for one in change.held.values()),
        behind=tuple(change.titles),
        left_out=change.left_out,
        lag_seconds=_lag(store, feature, change.titles),
        miscounted=miscounted,
        damaged={title: reason for title, reason in found.items() if reason},
        read_back=len(chosen),
    )


def _difference_of(sink: Sink, title: str, value: Value) -> str:
    """How the rows held of a title differ from those of its value; empty when they do not."""
    try:
        rows = sink.rows(title)
    except (Damaged, NotStored) as error:
        return str(error)
    if rows.num_rows != value.rows:
        return f"{rows.num_rows} rows where the value has {value.rows}"
    found = column_digests(rows)
    other = [name for name, digest in value.columns.items() if found.get(name) != digest]
    return f"other rows than the value has, in {', '.join(other)}" if other else ""


def _lag(store: Store, feature: str, behind: Collection[str]) -> float:
    """Seconds since the oldest of the changes that made these titles what they are now, as far as the store knows."""
    times = []
    for title in behind:
        try:
            chain = store.ledger.chain(feature, title)
        except Damaged as damage:
            say_damaged(feature, title, damage)
            continue
        if not chain:
            # a replica may know more than a store that was brought back from an older copy
            continue
        digests = [one.current.digest if one.current else None for one in chain]
        first = len(chain) - 1
        while first > 0 and digests[first - 1] == digests[-1]:
            first -= 1
        times.append(chain[first].made_at)
    if not times:
        return 0.0
    return (datetime.now(UTC) - datetime.fromisoformat(min(times))).total_seconds()
