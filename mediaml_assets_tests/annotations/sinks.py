"""Sinks of every replicated feature, and whether they hold what the store says."""

import pytest

from mediaml_assets.amber.keys import column_digests
from mediaml_assets.amber.replicas.parity import Parity, parity
from mediaml_assets.amber.replicas.replication import Copied, replicate
from mediaml_assets.amber.store import Store
from mediaml_assets.annotations.replicated import replicated
from mediaml_assets.annotations.sink import MarkenSink
from mediaml_assets.marken.engine import Engine
from mediaml_assets_tests.annotations.titles import DIMENSIONS

FEATURES = tuple(replicated(DIMENSIONS))

both_engines = pytest.mark.parametrize("engine", ["embedded", "postgres"], indirect=True)
"""For a test that is quick enough to ask servers too, every time."""


def opened(store: Store, engine: Engine, feature: str, dimensions: int = DIMENSIONS) -> MarkenSink:
    return MarkenSink(f"{feature}__marken", engine, replicated(dimensions)[feature], store)


def copy(store: Store, engine: Engine, feature: str, again: tuple[str, ...] = ()) -> Copied:
    """Replicate, and check that the annotations then are what is current, down to the last bit."""
    copied = replicate(store, feature, opened(store, engine, feature), again=again)
    found = whole(store, engine, feature)
    assert (found.behind, found.miscounted, found.damaged, found.lag_seconds) == ((), {}, {}, 0.0)
    return copied


def whole(store: Store, engine: Engine, feature: str) -> Parity:
    """Parity with every row read back, and the same found out in another way."""
    sink = opened(store, engine, feature)
    heads = (store.ledger.head(feature, title) for title in store.ledger.scopes(feature))
    wanted = {head.scope: store.read_rows(feature, head.current) for head in heads if head and head.current}
    found = parity(store, feature, sink, sample=None)
    if not found.behind:
        held = {title: one.rows for title, one in sink.held().items()}
        assert held == {title: rows.num_rows for title, rows in wanted.items()}
        for title, rows in wanted.items():
            assert column_digests(sink.rows(title)) == column_digests(rows)
        assert found.read_back == len(held)
    return found
