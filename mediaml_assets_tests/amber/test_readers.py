"""Readers beside writers and compactions: no error, no half state, and never back in time."""

from pathlib import Path

from mediaml_assets.amber.upkeep.verify import verify
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.ledger.test_chains import broken_at
from mediaml_assets_tests.amber.processes import start

BEFORE = """
import os, pathlib, sys, time
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.toy import toy_mesh

home, end = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[1]) / "end"
os.environ.update(MEDIAML_HOME=str(home), TOY_CALLS=str(home / "calls"))
here = Installation(home)
store, letters, seen = here.store, {"one": 4, "two": 3}, {"one": -1, "two": -1}

def check(title, seq, version, total):
    # the version that a row names says what its value must hold
    assert total == letters[title] * int(version), (title, seq, version, total)
    assert seq >= seen[title], (title, seq, seen)
    seen[title] = seq
"""

WRITER = (
    BEFORE
    + """
number, n = int(sys.argv[2]), 0
while not end.exists():
    # of three versions the third was there before: a row without a value of its own
    n += 1
    factor = 2 * (n - n % 3 // 2) + number
    here.mesh = toy_mesh(str(factor), factor=factor)
    here.compute("counts", "one" if n % 2 else "two")
    time.sleep(0.002)
print(n)
"""
)

COMPACTOR = (
    BEFORE
    + """
from mediaml_assets.amber.ledger.compact import compact
n = 0
while not end.exists():
    n += compact(store.objects, "counts").folded
print(n)
"""
)

VIEWS = (
    BEFORE
    + """
from mediaml_assets.amber.scan import scan
for _ in range(int(sys.argv[2])):
    for title in letters:
        view = store.view("counts", title)
        row = view.commit
        check(title, row.seq, row.version, sum(view.table().column("n").to_pylist()))
        assert store.ledger.as_of("counts", title, row) == row
        chain = store.ledger.chain("counts", title)
        assert [one.seq for one in chain] == list(range(len(chain))) and chain[row.seq] == row
        # what was current at a time stays so, whatever is written since
        then = chain[len(chain) // 2]
        found = store.view("counts", title, then)
        assert sum(found.table().column("n").to_pylist()) == letters[title] * int(then.version)
    titles = {title: sum(rows.column("n").to_pylist()) for title, rows in scan(store, "counts")}
    assert all(titles[title] % letters[title] == 0 for title in letters)
"""
)

SQL = (
    BEFORE
    + """
from threading import Thread
from mediaml_assets.amber.ledger.compact import compact
from mediaml_assets.amber.sql import connect
before = 0
for _ in range(int(sys.argv[2])):
    # one while the views stand: they outlive the next compaction, and not the one after
    compaction = Thread(target=compact, args=(store.objects, "counts"))
    compaction.start()
    with connect(store) as connection:
        rows = connection.execute("SELECT title, sum(n) FROM counts GROUP BY title ORDER BY title").fetchall()
        assert [title for title, _ in rows] == ["one", "two"], rows
        assert all(total % letters[title] == 0 for title, total in rows), rows
        heads = "SELECT scope, max(seq), max_by(version, seq) FROM ledger WHERE feature = 'counts' GROUP BY scope"
        for title, seq, version in connection.execute(heads).fetchall():
            check(title, seq, version, letters[title] * int(version))
        (count,) = connection.execute("SELECT count(*) FROM history WHERE feature = 'counts'").fetchone()
        assert count >= before
        before = count
    compaction.join()
"""
)

VERIFY = (
    BEFORE
    + """
from mediaml_assets.amber.upkeep.verify import verify
for seed in range(int(sys.argv[2])):
    for sample in (None, 5):
        assert verify(store, sample=sample, seed=seed).findings == []
"""
)


def beside(here: Installation, busy: list[tuple[str, int]], readers: list[tuple[str, int]]) -> list[int]:
    """Let readers come to their end beside processes that are busy until then; what those say that they did."""
    here.deliver(one="abba", two="xyz")
    here.settle()
    working = [start(script, here.home, number) for script, number in busy]
    reading = [start(script, here.home, loops) for script, loops in readers]
    try:
        said = [process.communicate(timeout=180)[0] for process in reading]
    finally:
        Path(here.home / "end").touch()
        done = [process.communicate(timeout=60)[0] for process in working]
    assert [process.returncode for process in (*reading, *working)] == [0] * len((*reading, *working)), said
    for title in ("one", "two"):
        assert broken_at(here.store.ledger.chain("counts", title)) == []
    assert verify(here.store).findings == []
    return [int(number) for number in done]


def test_readers_beside_writers_and_a_compaction(here: Installation) -> None:
    did = beside(here, [(WRITER, 0), (WRITER, 1), (COMPACTOR, 0)], [(VIEWS, 25), (VERIFY, 2)])
    assert min(did) > 10


def test_sql_beside_writers_and_a_compaction(here: Installation) -> None:
    assert min(beside(here, [(WRITER, 0), (WRITER, 1)], [(SQL, 6)])) > 10
