"""Likeness: exact over what a filter lets through, or by an index that still gives so many rows as there are."""

from typing import Any

import numpy as np
import psycopg
import pytest

from mediaml_assets.marken.engine import Nearest, Order, Per, Selection
from mediaml_assets.marken.postgres import upkeep
from mediaml_assets.marken.postgres.engine import PostgresEngine
from mediaml_assets.marken.query.nodes import Column, Compare, Value
from mediaml_assets.marken.schema import Kind
from mediaml_assets.marken.vectors import cosine
from mediaml_assets_tests.marken.canonical import SPOT, canonical

from .conftest import Opener

BY_SCORE = [Order("score", descending=True)]
RARE = Compare("=", Column("count", Kind.INTEGER, "count"), Value(7))


def _loaded(engine: PostgresEngine, vectors: Any, titles: int = 3) -> None:
    for title in range(titles):
        operation = engine.start(SPOT, f"title-{title}", "tester", {})
        rows = [
            {"id": f"{number:05d}", "look": vectors[number].tolist(), "count": number % 100}
            for number in range(title, len(vectors), titles)
        ]
        engine.upsert(operation, canonical(SPOT, f"title-{title}", rows))
        engine.finish(operation)


@pytest.fixture
def vectors() -> Any:
    # few directions, many of them nearly or quite the same: ties, and differences that float32 does not see
    random = np.random.default_rng(5)
    base = random.standard_normal((40, 4)).astype(np.float32)
    found = np.repeat(base, 25, axis=0)
    found[::5] *= np.float32(3)
    found[1::5, 0] = np.nextafter(found[1::5, 0], np.float32(9))
    return found


@pytest.mark.parametrize("descending", [True, False])
def test_the_order_is_that_of_double_precision(opened: Opener, database: str, vectors: Any, descending: bool) -> None:
    engine = opened([database])
    _loaded(engine, vectors)
    wanted = vectors[3] + np.float32(0.01)
    exact = cosine(vectors, wanted)
    names = [f"{number:05d}" for number in range(len(vectors))]
    ranked = sorted(zip(-exact if descending else exact, names, strict=True))
    order, snapshot = [Order("score", descending)], engine.snapshot()
    near = Nearest("look", wanted)
    for limit in (1, 10, 60, 2000, None):
        rows = snapshot.select(Selection([SPOT], ["id"], nearest=near, order=order, limit=limit))
        assert rows["id"].to_pylist() == [name for _, name in ranked[:limit]]
    pages, after = [], None
    while len(pages) < 300:
        columns = ["id", "version", "score"]
        page = snapshot.select(Selection([SPOT], columns, nearest=near, order=order, after=after, limit=30)).to_pylist()
        pages += [row["id"] for row in page]
        after = [page[-1][name] for name in ("score", "id", "version")]
    assert pages == [name for _, name in ranked[:300]]
    # groups of rows that are hardly alike, and groups full of rows that float32 cannot tell apart
    for column, count, size in [("count", 100, 2), *(("title", 3, size) for size in range(1, 9))]:
        per = Per(column, size)
        best = snapshot.select(Selection([SPOT], ["id"], nearest=near, order=order, per=per, limit=50))
        seen: dict[int, int] = {}
        kept = []
        for _, name in ranked:
            group = int(name) % count
            seen[group] = seen.get(group, 0) + 1
            if seen[group] <= size:
                kept.append(name)
        assert best["id"].to_pylist() == kept[:50]


def test_an_index_gives_as_many_rows_as_there_are(
    opened: Opener, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "MANY_VECTORS", 1000)
    engine = opened([database])
    vectors = np.random.default_rng().standard_normal((3000, 4)).astype(np.float32)
    _loaded(engine, vectors)
    engine.tidy()
    with psycopg.connect(database) as connection:
        made = connection.execute("SELECT count(*) FROM pg_indexes WHERE indexdef LIKE '%hnsw%'").fetchone()
    assert made == (3,), "of the table and of its two partitions"
    near = Nearest("look", vectors[1], exact=False)
    # of which the index gives up long before it has as many rows as a rare condition lets through
    soon = opened([f"{database}&options=-c%20hnsw.max_scan_tuples%3D100%20-c%20enable_seqscan%3Doff"])
    for snapshot in (engine.snapshot(), soon.snapshot()):
        counted = [
            snapshot.select(Selection([SPOT], ["id"], RARE, nearest=near, order=BY_SCORE, limit=limit)).num_rows
            for limit in (10, 30, 50)
        ]
        assert counted == [10, 30, 30]
    snapshot = engine.snapshot()
    for where, there in ((None, 3000), (RARE, 30)):
        for limit in (10, 50):
            asked = Selection([SPOT], ["id", "score"], where, nearest=near, order=BY_SCORE, limit=limit)
            found = snapshot.select(asked)
            assert found.num_rows == min(limit, there) and len(set(found["id"].to_pylist())) == found.num_rows
            assert found["score"].to_pylist() == sorted(found["score"].to_pylist(), reverse=True)
    told = snapshot.explain(Selection([SPOT], ["id"], nearest=near, order=BY_SCORE, limit=10))
    assert told["exact"] is False and told["survivors"] == 3000
    assert any("look_idx" in line for one in told["statements"] for line in one["plan"])
    # who asks for every survivor to be scored is never answered by the index
    told = snapshot.explain(Selection([SPOT], ["id"], nearest=Nearest("look", vectors[1]), order=BY_SCORE, limit=10))
    assert told["exact"] is True and not any("look_idx" in line for one in told["statements"] for line in one["plan"])


def test_every_connection_lets_an_index_go_on(opened: Opener, database: str) -> None:
    engine = opened([database])
    _loaded(engine, np.eye(4, dtype=np.float32))
    with engine._cluster.reading(0) as connection:
        assert connection.execute("SHOW hnsw.iterative_scan").fetchone() == ("strict_order",)
