"""SIGKILL at any moment: readers see the whole old operation or the whole new one, and nothing is lost."""

import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from mediaml_assets.marken.embedded.engine import EmbeddedEngine
from mediaml_assets.marken.operation import State
from mediaml_assets_tests.amber.processes import kill, start, until_it_says
from mediaml_assets_tests.marken.canonical import SPOT, VERDICT, verdict
from mediaml_assets_tests.marken.conformance.test_log import verdicts
from mediaml_assets_tests.marken.conformance.test_operations import load, marks
from mediaml_assets_tests.marken.embedded.writers import DYING, PRELUDE, opened

POINTS = range(90)
"""Writes and removals of `WORK` and its tidying; the last ones are behind its end."""

WORK = """
from mediaml_assets.marken.embedded import chain, tidying

def work(home):
    # small bounds, so that checkpoints and merges happen on the way, and what was replaced goes at once
    chain.EVERY, tidying.FAN = 5, 3
    engine = opened(home)
    load(engine, "alpha", 6, 2)
    load(engine, "beta", 4, 1)
    batch = [verdict("alpha+beta", "ann", "reject"), verdict("alpha+beta", "bob", "x")]
    engine.append(VERDICT, pa.concat_tables(batch))
    EmbeddedEngine(FolderObjects(Path(home)), keep=timedelta(0)).tidy()
"""

KILLED_AT_EACH_POINT = (
    PRELUDE
    + DYING
    + WORK
    + """
for home in sys.argv[1:]:
    child = os.fork()
    if not child:
        die_at(int(Path(home).name))
        work(home)
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""
)

FOR_EVER = (
    PRELUDE
    + """
from mediaml_assets.marken.embedded import chain, tidying
home, seed = sys.argv[1:]
chain.EVERY, tidying.FAN = 16, 4
engine, drawn = opened(home), random.Random(int(seed))
turn = 0
while True:
    turn += 1
    mark = drawn.randrange(1, 10**6)
    load(engine, drawn.choice(["alpha", "beta"]), 2 + mark % 7, mark)
    engine.append(VERDICT, verdict("alpha+beta", "all", f"{seed}.{turn}"))
    if turn == 1:
        print("under way", flush=True)
    if drawn.random() < 0.1:
        engine.tidy()
"""
)

READING = (
    PRELUDE
    + """
home, stop = sys.argv[1], Path(sys.argv[2])
engine, looks, noted = opened(home), 0, {}

def whole(snapshot):
    found = {}
    selection = Selection(types=[SPOT], columns=["scope", "count"])
    for row in snapshot.select(selection).to_pylist():
        found.setdefault(row["scope"], []).append(row["count"])
    for scope, marks in found.items():
        assert len(set(marks)) == 1 and len(marks) == 2 + marks[0] % 7, (scope, marks)
    return found

while not stop.exists():
    looks += 1
    snapshot = engine.snapshot()
    noted[snapshot.moment] = whole(snapshot)
    if looks % 20 == 0:
        # an older moment, of history by now: what it was
        moment = random.choice([*noted])
        assert whole(engine.snapshot(moment)) == noted[moment]
assert len(noted) > 3
"""
)


def checked(home: Path, first_moment: str) -> tuple[int, str]:
    """Check that all that is visible is whole; what alpha's mark and ann's verdict are."""
    engine = opened(home)
    seen = marks(engine)
    assert seen["alpha"] in [(5, 1), (6, 2)] and seen.get("beta", (4, 1)) == (4, 1)
    said = verdicts(engine)
    assert set(said) in [{"alpha+beta/ann"}, {"alpha+beta/ann", "alpha+beta/bob"}]
    assert (said["alpha+beta/ann"] == (2, "reject")) == ("alpha+beta/bob" in said), "an append is all or nothing"
    old = engine.snapshot(first_moment)
    assert old.count([SPOT], None) == 5 and old.count([VERDICT], None) == 1
    assert [row["count"] for row in engine.versions("alpha-0").to_pylist()] == [1, 2][: seen["alpha"][1]]
    return seen["alpha"][1], said["alpha+beta/ann"][1]


def finished_again(engine: EmbeddedEngine) -> None:
    """What a writer does that finds an operation under way: give it up, and load again."""
    for operation in engine.operations():
        if operation.state is State.STARTED:
            engine.cancel(operation)
    load(engine, "alpha", 7, mark=3)
    engine.tidy()


@pytest.mark.parametrize("points", [POINTS[::4], pytest.param(POINTS, marks=pytest.mark.slow)], ids=["some", "all"])
def test_killed_between_any_two_writes(tmp_path: Path, points: Sequence[int]) -> None:
    prepared = tmp_path / "prepared"
    engine = opened(prepared)
    load(engine, "alpha", 5, mark=1)
    engine.append(VERDICT, verdict("alpha+beta", "ann", "accept"))
    moment = engine.snapshot().moment
    homes = [tmp_path / str(point) for point in points]
    for home in homes:
        shutil.copytree(prepared, home)
    printed = start(KILLED_AT_EACH_POINT, *homes).communicate(timeout=300)[0]
    statuses = [int(one) for one in printed.split()]
    ended = statuses.index(0)
    assert statuses == [9] * ended + [0] * (len(points) - ended) and points[ended] > 30
    stages = [checked(home, moment) for home in homes[: ended + 1]]
    # nothing of the first write is there, everything of the last, and it never goes back
    assert stages[0] == (1, "accept") and stages[-1] == (2, "reject") and stages == sorted(stages)
    for home in homes[: ended + 1 : 4]:
        engine = opened(home)
        finished_again(engine)
        for reader in (engine, opened(home)):
            assert marks(reader)["alpha"] == (7, 3) and reader.snapshot(moment).count([SPOT], None) == 5


def test_a_writer_to_a_bucket_is_killed_at_random_moments(s3_bucket: str) -> None:
    home, drawn = f"s3://{s3_bucket}/marken", random.Random(4)
    for number in range(2):
        writer = start(FOR_EVER, home, number)
        until_it_says(writer, "under way")
        time.sleep(drawn.uniform(0, 0.5))
        kill(writer)
        engine = opened(home)
        assert all(count == 2 + mark % 7 for count, mark in marks(engine).values())
        said = engine.versions("alpha+beta/all")
        assert said["version"].to_pylist() == list(range(1, said.num_rows + 1)) and said.num_rows > number
        finished = [one for one in engine.operations() if one.state is State.FINISHED]
        assert finished and all(one.rows == 2 + int(one.source["mark"]) % 7 for one in finished)
    load(engine, "beta", 3, mark=8)
    engine.tidy()
    assert marks(opened(home))["beta"] == (3, 8)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_killed_at_random_moments_among_readers_and_writers(tmp_path: Path, seed: int) -> None:
    home, stop, drawn = tmp_path / "home", tmp_path / "stop", random.Random(seed)
    opened(home)
    readers = [start(READING, home, stop) for _ in range(2)]
    writers = [start(FOR_EVER, home, number) for number in range(2)]
    for number in range(2, 6):
        until_it_says(writers[0], "under way")
        time.sleep(drawn.uniform(0, 0.5))
        kill(writers.pop(0))
        writers.append(start(FOR_EVER, home, number))
    for writer in writers:
        kill(writer)
    stop.touch()
    for reader in readers:
        reader.communicate(timeout=60)
    assert [reader.returncode for reader in readers] == [0, 0]
    engine = opened(home)
    said = engine.versions("alpha+beta/all")
    assert said["version"].to_pylist() == list(range(1, said.num_rows + 1)) and said.num_rows >= 4
    turns: dict[str, list[int]] = {}
    for one in said["verdict"].to_pylist():
        writer_number, turn = one.split(".")
        turns.setdefault(writer_number, []).append(int(turn))
    # of each writer all that it had appended when it was killed, in its order
    assert all(found == list(range(1, len(found) + 1)) for found in turns.values())
    finished = [one for one in engine.operations() if one.state is State.FINISHED]
    assert len(finished) >= 4 and all(one.rows == 2 + int(one.source["mark"]) % 7 for one in finished)
    before, listed = marks(engine), engine.operations()
    engine.tidy()
    assert marks(opened(home)) == before and opened(home).operations() == listed
