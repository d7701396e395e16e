"""Two servers as one: what one of them does not answer is named, asked around, or left out when that was asked for."""

import threading
from collections.abc import Sequence
from contextlib import suppress

import psycopg
import pyarrow as pa
import pytest

from mediaml_assets.errors import OperationRefused, QueryRefused, TitlesUnreachable
from mediaml_assets.marken.engine import Order, Selection
from mediaml_assets.marken.operation import Operation
from mediaml_assets.marken.postgres.engine import PostgresEngine
from mediaml_assets_tests.marken.canonical import CUE, SPOT, VERDICT, canonical, spots, verdict
from mediaml_assets_tests.marken.conformance.test_operations import load
from mediaml_assets_tests.postgres_servers import PostgresServer

from .conftest import Opener

TITLES = [f"title-{number:02d}" for number in range(12)]


def of_place(engine: PostgresEngine, place: int) -> list[str]:
    """The titles whose operations lie on a server."""
    return [title for title in TITLES if engine._cluster.home(title) == place]


def seen(engine: PostgresEngine, titles: Sequence[str] | None = None) -> set[str]:
    """Titles of all spots in sight."""
    rows = engine.snapshot().select(Selection([SPOT], ["title"], titles=titles))
    return set(rows["title"].to_pylist())


def test_an_operation_lies_whole_on_one_server(opened: Opener, two: Sequence[str]) -> None:
    engine = opened(two)
    for title in TITLES:
        load(engine, title, 3, mark=1)
    held = []
    for dsn in two:
        with psycopg.connect(dsn) as connection:
            held.append({scope for (scope,) in connection.execute("SELECT DISTINCT scope FROM marken.rows_1")})
    assert held == [set(of_place(engine, 0)), set(of_place(engine, 1))] and all(held)


def test_the_living_name_what_is_missing(
    opened: Opener, two: Sequence[str], postgres_servers: Sequence[PostgresServer]
) -> None:
    engine = opened(two)
    for title in TITLES:
        load(engine, title, 2, mark=1)
    living, dead = of_place(engine, 0), of_place(engine, 1)
    before = engine.snapshot()
    postgres_servers[1].kill()
    for _ in range(2):
        with pytest.raises(TitlesUnreachable) as refused:
            seen(engine)
        assert refused.value.titles == tuple(sorted(dead)) and dead[0] in str(refused.value)
        # a snapshot taken before is no better
        with pytest.raises(TitlesUnreachable) as refused:
            before.count([SPOT], None)
        assert refused.value.titles == tuple(sorted(dead))
        for ask in (engine.operations, lambda: engine.active(SPOT), lambda: engine.versions("title-00-0")):
            with pytest.raises(TitlesUnreachable):
                ask()
    with pytest.raises(TitlesUnreachable) as refused:
        seen(engine, [living[0], dead[0]])
    assert refused.value.titles == (dead[0],)
    # who needs nothing of it gets a whole answer
    assert seen(engine, living) == set(living)
    assert engine.snapshot().count([CUE], None) == 0
    # a part is given only when a part was asked for, and says what it lacks
    part = engine.snapshot(partial=True)
    assert part.missing == []
    assert set(part.select(Selection([SPOT], ["title"]))["title"].to_pylist()) == set(living)
    assert part.missing == sorted(dead)
    assert engine.snapshot(partial=True).count([SPOT], None) == 2 * len(living)
    # writing goes on where it can
    load(engine, living[0], 5, mark=2)
    with pytest.raises(TitlesUnreachable) as unwritten:
        engine.start(SPOT, dead[0], "tester", {})
    assert unwritten.value.titles == (dead[0],)
    named = engine.snapshot(partial=True).moment
    postgres_servers[1].start()
    assert seen(engine) == set(TITLES) and engine.snapshot().count([SPOT], None) == 2 * len(TITLES) + 3
    load(engine, dead[0], 1, mark=3)
    # a moment that names one server alone stays that
    assert engine.snapshot(named, partial=True).count([SPOT], None) == 2 * len(living) + 3
    with pytest.raises(TitlesUnreachable, match="did not answer"):
        engine.snapshot(named).count([SPOT], None)


def test_what_not_every_server_knows_of_is_not_shown(
    opened: Opener, two: Sequence[str], postgres_servers: Sequence[PostgresServer]
) -> None:
    """Else the server that was away could not name it, and would give an answer without it as a whole one."""
    engine = opened(two)
    known, new = of_place(engine, 0)[:2]
    load(engine, known, 1, mark=1)
    engine.append(VERDICT, verdict("alpha+beta", "ann", "accept"))
    postgres_servers[1].kill()
    load(engine, known, 2, mark=2)
    operation = engine.start(SPOT, new, "tester", {})
    engine.upsert(operation, spots(new, 3))
    with pytest.raises(TitlesUnreachable, match="server 2") as refused:
        engine.finish(operation)
    assert refused.value.titles == (new,)
    assert engine.snapshot(partial=True).count([SPOT], None) == 2
    postgres_servers[1].start()
    assert seen(engine) == {known}
    engine.finish(operation)
    assert seen(engine) == {known, new}
    postgres_servers[0].kill()
    with pytest.raises(TitlesUnreachable) as unread:
        seen(opened(two))
    assert unread.value.titles == tuple(sorted([known, new]))


def test_titles_that_come_while_an_operation_is_finished_are_announced(
    opened: Opener, two: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, other = opened(two), opened(two)
    operation = engine.start(SPOT, "alpha", "tester", {})
    engine.upsert(operation, spots("alpha", 1))
    late = canonical(SPOT, "alpha", [{"id": "late", "title": "gamma"}])
    adding = threading.Thread(target=lambda: suppressed(other, operation, late))
    announce = engine._cluster.announce

    def slow(place: int, type: str, titles: Sequence[str]) -> None:
        announce(place, type, titles)
        adding.start()
        adding.join(1)

    monkeypatch.setattr(engine._cluster, "announce", slow)
    engine.finish(operation)
    adding.join()
    assert seen(engine) == {"alpha"}, "it came too late, or it was announced"


def suppressed(engine: PostgresEngine, operation: Operation, rows: pa.Table) -> None:
    with suppress(OperationRefused):
        engine.upsert(operation, rows)


def test_operations_that_did_not_finish_are_not_left_out_unsaid(
    opened: Opener, two: Sequence[str], postgres_servers: Sequence[PostgresServer]
) -> None:
    engine = opened(two)
    engine.start(SPOT, of_place(engine, 1)[0], "tester", {})
    postgres_servers[1].kill()
    with pytest.raises(TitlesUnreachable, match="did not finish"):
        engine.operations()
    assert engine.active(SPOT) == {} and engine.snapshot().count([SPOT], None) == 0


def test_when_no_server_is_left_the_titles_asked_for_are_missing(
    opened: Opener, two: Sequence[str], postgres_servers: Sequence[PostgresServer]
) -> None:
    engine = opened(two)
    load(engine, "alpha", 1, mark=1)
    for server in postgres_servers:
        server.kill()
    for partial in (False, True):
        with pytest.raises(TitlesUnreachable, match="No server") as refused:
            engine.snapshot(partial=partial).count([SPOT], None, ["alpha"])
        assert refused.value.titles == ("alpha",)


def test_a_log_lies_on_one_server_and_is_missed_as_a_whole(
    opened: Opener, two: Sequence[str], postgres_servers: Sequence[PostgresServer]
) -> None:
    engine = opened(two)
    engine.append(VERDICT, verdict("alpha+beta", "ann", "accept"))
    engine.append(VERDICT, verdict("gamma+delta", "ann", "accept"))
    postgres_servers[engine._cluster.home("VERDICT")].kill()
    with pytest.raises(TitlesUnreachable) as refused:
        engine.snapshot().count([VERDICT], None)
    assert refused.value.titles == ("alpha", "beta", "delta", "gamma")
    with pytest.raises(TitlesUnreachable) as refused:
        engine.append(VERDICT, verdict("alpha+zeta", "ann", "accept"))
    assert refused.value.titles == ("alpha", "zeta")


def test_a_moment_names_each_server(opened: Opener, two: Sequence[str]) -> None:
    engine = opened(two)
    first, second = of_place(engine, 0)[0], of_place(engine, 1)[0]
    load(engine, first, 1, mark=1)
    between = engine.snapshot().moment
    load(engine, second, 1, mark=1)
    load(engine, second, 2, mark=2)
    assert (between, engine.snapshot().moment) == ("1.0", "1.2")
    assert engine.snapshot("1.1").count([SPOT], None) == 2 and engine.snapshot("0.2").count([SPOT], None) == 2
    for none in ("1", "1.3", "2.2", "1.2.0", "1.", "1.-1", "1.x"):
        with pytest.raises(QueryRefused, match="as_of"):
            engine.snapshot(none)


def test_pages_over_two_servers_are_one_list(opened: Opener, two: Sequence[str]) -> None:
    engine = opened(two)
    for title in TITLES:
        operation = engine.start(SPOT, title, "tester", {})
        rows = [{"id": f"{title}-{n}", "confidence": n / 4 if n else None, "count": n % 2} for n in range(4)]
        engine.upsert(operation, canonical(SPOT, title, rows))
        engine.finish(operation)
    order = [Order("confidence", descending=True), Order("count")]
    columns = ["id", "version", "confidence", "count"]
    snapshot = engine.snapshot()
    whole = snapshot.select(Selection([SPOT], columns, order=order)).to_pylist()
    assert len(whole) == 4 * len(TITLES) and [row["confidence"] for row in whole[-len(TITLES) :]] == [None] * len(
        TITLES
    )
    pages, after = [], None
    while page := snapshot.select(Selection([SPOT], columns, order=order, after=after, limit=7)).to_pylist():
        pages += page
        after = [page[-1][name] for name in ("confidence", "count", "id", "version")]
    assert pages == whole
