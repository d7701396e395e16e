"""Kill -9 of a writer and of a server at bad moments, and readers beside writers: operations are whole or not there."""

import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from mediaml_assets.errors import TitlesUnreachable
from mediaml_assets.marken.engine import Selection
from mediaml_assets.marken.operation import State
from mediaml_assets_tests.marken.canonical import SPOT, VERDICT, spots, verdict
from mediaml_assets_tests.marken.conformance.test_operations import load, marks
from mediaml_assets_tests.postgres_servers import PostgresServer

from .conftest import Opener

WRITER = """
import sys, time
from mediaml_assets.marken.postgres.engine import PostgresEngine
from mediaml_assets_tests.marken.canonical import SPOT, spots

engine = PostgresEngine([sys.argv[1]], partitions=2)
operation = engine.start(SPOT, "alpha", "killed", {})
engine.upsert(operation, spots("alpha", 50, mark=2))
{last}
print("ready", flush=True)
time.sleep(600)
"""
# as a writer that stands within the transaction of its second batch
WITHIN = """
with engine._going_on(operation) as (connection, rows), connection.transaction():
    connection.execute(f"DELETE FROM {rows.table}")
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [0x6D6F6D656E74])
    print("ready", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("last", ["", WITHIN], ids=["between upsert and finish", "within a transaction"])
def test_a_killed_writer_is_as_if_it_had_not_begun(opened: Opener, database: str, last: str) -> None:
    engine = opened([database])
    load(engine, "alpha", 3, mark=1)
    command = [sys.executable, "-c", WRITER.replace("{last}", last), database]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == "ready\n"
        assert marks(engine) == {"alpha": (3, 1)}
        writer.send_signal(signal.SIGKILL)
    left = engine.operations()[-1]
    assert (left.by, left.number, left.state) == ("killed", 2, State.STARTED)
    assert marks(engine) == {"alpha": (3, 1)}
    # another goes on: with an operation of its own, or with that one
    load(engine, "alpha", 4, mark=3)
    assert marks(engine) == {"alpha": (4, 3)}
    assert engine.finish(left).rows == 50 and marks(engine) == {"alpha": (50, 2)}


def test_a_server_killed_in_the_middle_of_a_load_keeps_what_was_whole(
    opened: Opener, database: str, postgres_servers: Sequence[PostgresServer]
) -> None:
    engine = opened([database])
    load(engine, "alpha", 3, mark=1)
    operation = engine.start(SPOT, "alpha", "tester", {})
    batches, done, first = [spots("alpha", 200, mark=2, first=200 * turn) for turn in range(10)], [], threading.Event()

    def write() -> None:
        try:
            while True:
                engine.upsert(operation, batches[len(done) % 10])
                done.append(True)
                first.set()
        except TitlesUnreachable as unreachable:
            done.append(unreachable.titles == ("alpha",))

    writer = threading.Thread(target=write)
    writer.start()
    assert first.wait(60)
    postgres_servers[0].kill()
    writer.join(60)
    assert done[-1] is True and not writer.is_alive()
    with pytest.raises(TitlesUnreachable):
        engine.finish(operation)
    postgres_servers[0].start()
    assert marks(engine) == {"alpha": (3, 1)}
    # the same operation goes on, and batches that were there before are no harm
    for batch in batches:
        engine.upsert(operation, batch)
    assert engine.finish(operation).rows == 2000 and marks(engine) == {"alpha": (2000, 2)}


def test_readers_see_whole_operations_while_many_write(opened: Opener, two: Sequence[str]) -> None:
    """Every operation of a title has as many rows as its mark says, all with that mark."""
    scopes, rounds, stop, wrong = ("alpha", "beta", "gamma"), 12, threading.Event(), []

    def write(scope: str) -> None:
        engine = opened(two)
        for mark in range(1, rounds + 1):
            operation = load(engine, scope, mark, mark)
            if mark % 4 == 0:
                engine.roll_back(operation)

    def read() -> None:
        engine, seen = opened(two), 0
        while not stop.is_set() or seen == 0:
            snapshot = engine.snapshot()
            for _ in range(2):
                rows = snapshot.select(Selection([SPOT], ["scope", "count"])).to_pylist()
                for scope in scopes:
                    found = [row["count"] for row in rows if row["scope"] == scope]
                    if found and found != [found[0]] * found[0]:
                        wrong.append((scope, found))
                counted = snapshot.count([SPOT], None)
                if counted != len(rows):
                    wrong.append(("count", counted, len(rows)))
            seen += 1

    readers = [threading.Thread(target=read) for _ in range(2)]
    writers = [threading.Thread(target=write, args=(scope,)) for scope in scopes]
    for thread in readers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in readers:
        thread.join()
    assert wrong == []
    assert marks(opened(two)) == dict.fromkeys(scopes, (rounds - 1, rounds - 1))


def test_moments_are_passed_in_the_order_in_which_they_are_seen(opened: Opener, database: str) -> None:
    """A snapshot never gains rows later: whoever has a smaller moment was seen before."""
    engine, stop, kept = opened([database]), threading.Event(), []

    def append(number: int) -> None:
        mine = opened([database])
        for turn in range(15):
            mine.append(VERDICT, verdict(f"alpha+{number}", f"p{turn}", "x"))

    def note() -> None:
        reader = opened([database])
        while not stop.is_set():
            snapshot = reader.snapshot()
            kept.append((snapshot.moment, snapshot.count([VERDICT], None)))

    reader = threading.Thread(target=note)
    writers = [threading.Thread(target=append, args=(number,)) for number in range(3)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    reader.join()
    assert kept and all(
        engine.snapshot(moment).count([VERDICT], None) == count == int(moment) for moment, count in kept
    )
    assert engine.snapshot(datetime.now(UTC)).count([VERDICT], None) == 45
