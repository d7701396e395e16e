"""Compiled filters, rendered for both dialects and run, find what the oracle says; so do their contraries."""

import json
import os
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import cql2
import pytest
from hypothesis import given, settings

from mediaml_assets_tests.marken.oracle import found
from mediaml_assets_tests.marken.query.table import PostgresTable, TableSnapshot
from mediaml_assets_tests.marken.strategies import REMARK, SCENE, annotation, filters
from mediaml_assets_tests.postgres_servers import PostgresServer

TYPES = [SCENE, REMARK]


@pytest.fixture(scope="module")
def snapshot() -> Iterator[TableSnapshot]:
    seed = int(os.environ.get("SEED", "1"))
    random = Random(seed)
    print(f"annotations of seed {seed}")
    table = {kind: [annotation(kind, random) for _ in range(80)] for kind in TYPES}
    with TableSnapshot(table) as made:
        yield made


@pytest.fixture(scope="module")
def postgres(snapshot: TableSnapshot, postgres_servers: Sequence[PostgresServer]) -> Iterator[PostgresTable]:
    with postgres_servers[0].database() as dsn, PostgresTable(dsn, snapshot.rows) as made:
        yield made


def negated(filter: Any) -> Any:
    return {"op": "not", "args": [filter]}


@settings(max_examples=150, deadline=None)
@given(filters(TYPES))
def test_a_filter_finds_what_the_oracle_says(snapshot: TableSnapshot, postgres: PostgresTable, filter: Any) -> None:
    # NOT of what is unknown is unknown: both sides together tell the three values apart
    for either in (filter, negated(filter)):
        wanted = sorted(one["id"] for one in found(either, snapshot.annotations))
        node = snapshot.node(either)
        assert snapshot.ids(node) == wanted
        assert postgres.ids(node) == wanted


@settings(max_examples=60, deadline=None)
@given(filters(TYPES))
def test_a_filter_means_the_same_as_text_and_twice_negated(snapshot: TableSnapshot, filter: Any) -> None:
    # what the parser makes of JSON: its numbers are not exact there, so that it is asked of texts only
    read = cql2.parse_json(json.dumps(filter))
    assert snapshot.node(read.to_text()) == snapshot.node(_flat(read.to_json()))
    assert snapshot.matching(negated(negated(filter))) == snapshot.matching(filter)


def _flat(filter: Any) -> Any:
    """With an AND of ANDs as one AND, as a text without brackets is read; OR alike."""
    if not isinstance(filter, dict) or filter.get("op") not in ("and", "or", "not"):
        return filter
    nodes = []
    for one in map(_flat, filter["args"]):
        same = filter["op"] != "not" and isinstance(one, dict) and one.get("op") == filter["op"]
        nodes += one["args"] if same else [one]
    return {"op": filter["op"], "args": nodes}
