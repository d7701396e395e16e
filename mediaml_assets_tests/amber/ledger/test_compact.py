"""Compaction changes where rows lie and nothing else: no row lost, none doubled, whoever is under way."""

import os
import random
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.amber.ledger import CHAPTER, Ledger, row_name
from mediaml_assets.amber.ledger import chains as ledger_module
from mediaml_assets.amber.ledger import compact as compact_module
from mediaml_assets.amber.ledger.compact import Compacted, compact
from mediaml_assets.amber.ledger.folds import fold_numbers
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.errors import Damaged
from mediaml_assets_tests.amber.ledger.test_chains import broken_at, commit
from mediaml_assets_tests.amber.processes import files_below, start

START = datetime(2024, 5, 1, tzinfo=UTC)
FOLD = "folds/motion/00000000.parquet"


@pytest.fixture
def objects(tmp_path: Path) -> FolderObjects:
    return FolderObjects(tmp_path)


def extend(objects: FolderObjects, scope: str, count: int) -> None:
    ledger = Ledger(objects)
    for _ in range(count):
        head = ledger.head("motion", scope)
        seq = head.seq + 1 if head else 0
        made_at = (START + timedelta(seconds=seq)).isoformat(timespec="microseconds")
        assert ledger.append(commit(scope=scope, made_at=made_at, who=f"{scope}/{seq}"), head)


def said(objects: FolderObjects, scope: str = "one") -> list[str]:
    chain = Ledger(objects).chain("motion", scope)
    assert broken_at(chain) == []
    head = Ledger(objects).head("motion", scope)
    assert head == (chain[-1] if chain else None)
    return [one.who for one in chain]


def whole(scope: str, count: int) -> list[str]:
    return [f"{scope}/{n}" for n in range(count)]


def names(objects: FolderObjects, below: str = "ledger") -> list[str]:
    """Rows and folds; witnesses apart."""
    return [name for name in files_below(objects.root / below) if name.endswith((".json", ".parquet"))]


def test_all_rows_go_into_one_file_and_the_newest_of_each_chapter_stays(objects: FolderObjects) -> None:
    extend(objects, "one", CHAPTER + 3)
    extend(objects, "two", 1)
    assert compact(objects, "motion") == Compacted("motion", folded=CHAPTER + 4, removed=2 * (CHAPTER + 1))
    assert names(objects) == [
        "motion/one/000000/00000063.json",
        "motion/one/000001/00000066.json",
        "motion/two/000000/00000000.json",
    ]
    assert len(files_below(objects.root / "ledger")) == 6
    assert names(objects, "folds") == ["motion/00000000.parquet"]
    assert said(objects) == whole("one", CHAPTER + 3) and said(objects, "two") == ["two/0"]


def test_rows_are_added_after_a_compaction_and_folded_by_the_next(objects: FolderObjects) -> None:
    extend(objects, "one", 5)
    for count in range(5, 8):
        compact(objects, "motion")
        assert said(objects) == whole("one", count)
        extend(objects, "one", 1)
        assert said(objects) == whole("one", count + 1)
    assert names(objects, "folds") == ["motion/00000001.parquet", "motion/00000002.parquet"]
    assert len(files_below(objects.root / "folds")) == 4
    assert names(objects) == ["motion/one/000000/00000006.json", "motion/one/000000/00000007.json"]


def test_nothing_new_is_nothing_done(objects: FolderObjects) -> None:
    assert compact(objects, "motion") == Compacted("motion")
    extend(objects, "one", 3)
    compact(objects, "motion")
    before = files_below(objects.root)
    assert compact(objects, "motion") == Compacted("motion")
    assert files_below(objects.root) == before


def test_the_head_and_an_append_cost_the_same_after_a_compaction(objects: FolderObjects) -> None:
    extend(objects, "one", 3)
    costs = []
    for _ in range(2):
        ledger = Ledger(objects)
        objects.operations.clear()
        ledger.append(commit(), ledger.head("motion", "one"))
        costs.append(dict(objects.operations))
        compact(objects, "motion")
    assert costs == [{"create": 2, "list": 3, "read": 1}] * 2


def test_one_chain_of_many_is_read_from_its_part_of_the_fold(
    objects: FolderObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mediaml_assets.amber.ledger.folds.ROW_GROUP", 5)
    for scope in ("c", "a", "b"):
        extend(objects, scope, 7)
    compact(objects, "motion")
    for scope in ("a", "b", "c"):
        assert said(objects, scope) == whole(scope, 7)
        stored = Ledger(objects).stored("motion", scope)
        assert [row.name for row in stored.rows] == [FOLD] * 7
        assert (stored.folded, [row.seq for row in stored.beside], list(stored.witnesses)) == (6, [6], [6])
    assert said(objects, "none") == []


def test_as_of_reaches_into_the_fold(objects: FolderObjects) -> None:
    extend(objects, "one", 9)
    wanted = Ledger(objects).chain("motion", "one")
    compact(objects, "motion")
    extend(objects, "one", 2)
    for seq in range(9):
        assert Ledger(objects).as_of("motion", "one", START + timedelta(seconds=seq + 0.5)) == wanted[seq]
    assert Ledger(objects).as_of("motion", "one", START - timedelta(seconds=1)) is None


steps = st.lists(st.sampled_from(["one", "one", "two", "compact", "stale", "ghost"]), max_size=40)


@settings(max_examples=40, deadline=None)
@given(steps)
def test_any_order_of_commits_and_compactions_is_the_same_history(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    objects = FolderObjects(tmp_path_factory.mktemp("store"))
    counts = {"one": 0, "two": 0}
    with pytest.MonkeyPatch.context() as patch:
        for module in (ledger_module, compact_module):
            patch.setattr(module, "CHAPTER", 4)
        ledger, heads = Ledger(objects), [None]
        for number, step in enumerate(steps):
            if step in counts:
                extend(objects, step, 1)
                counts[step] += 1
                heads.append(ledger.head("motion", "one"))  # type: ignore[arg-type]
            elif step == "compact":
                assert compact(objects, "motion").left == {}
            elif counts["one"] > 1:
                old = heads[number % len(heads)]
                newest = ledger.head("motion", "one")
                if old == newest:
                    continue
                if step == "stale":
                    assert ledger.append(commit(who="stale"), old) is None
                else:
                    # a writer that woke up late and was killed right after creating its row
                    seq = old.seq + 1 if old else 0
                    objects.create(row_name("motion", "one", seq), commit(seq=seq, who="ghost").text)
            for scope, count in counts.items():
                assert said(objects, scope) == whole(scope, count)
            chains = dict(ledger.chains("motion"))
            assert {scope: len(chain.rows) for scope, chain in chains.items()} == {
                scope: count for scope, count in counts.items() if count
            }


def test_a_writer_that_slept_through_a_compaction_starts_over(objects: FolderObjects) -> None:
    extend(objects, "one", 3)
    ledger = Ledger(objects)
    slept = ledger.head("motion", "one")
    extend(objects, "one", 5)
    compact(objects, "motion")
    before = files_below(objects.root)
    assert ledger.append(commit(who="late"), slept) is None
    assert files_below(objects.root) == before
    assert ledger.append(commit(who="late"), ledger.head("motion", "one"))
    assert said(objects) == [*whole("one", 8), "late"]


def test_a_writer_overtaken_right_after_its_row_keeps_it(objects: FolderObjects) -> None:
    extend(objects, "one", 3)

    class Overtaken(FolderObjects):
        """Between a row and the look around others append, and a compaction folds and removes all of it."""

        def names(self, prefix: str) -> list[str]:
            if not overtaken:
                overtaken.append(True)
                extend(objects, "one", 2)
                compact(objects, "motion")
            return super().names(prefix)

    overtaken = [True]
    ledger = Ledger(Overtaken(objects.root))
    head = ledger.head("motion", "one")
    overtaken.clear()
    written = ledger.append(commit(who="mine"), head)
    assert written is not None and written.seq == 3
    assert said(objects) == [*whole("one", 3), "mine", "one/4", "one/5"]
    # the witness that came late vouches for a row that is in the fold; the next compaction takes it away
    assert list(Ledger(objects).stored("motion", "one").witnesses) == [3, 5]
    compact(objects, "motion")
    assert list(Ledger(objects).stored("motion", "one").witnesses) == [5]


class Sleeping(FolderObjects):
    """Does something else before the first fold is created."""

    def __init__(self, root: Path, meanwhile: Callable[[], None]) -> None:
        super().__init__(root)
        self.meanwhile: Callable[[], None] | None = meanwhile

    def create(self, name: str, data: bytes | memoryview) -> bool:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return super().create(name, data)


@pytest.mark.parametrize("others", [1, 2, 3, 4])
def test_a_compaction_that_slept_while_others_went_by_removes_nothing(objects: FolderObjects, others: int) -> None:
    extend(objects, "one", 4)

    def meanwhile() -> None:
        for _ in range(others):
            compact(objects, "motion")
            extend(objects, "one", 1)
        after.extend(files_below(objects.root))

    after: list[str] = []
    done = compact(Sleeping(objects.root, meanwhile), "motion")
    assert done == Compacted("motion", second=True)
    assert files_below(objects.root) == after
    assert said(objects) == whole("one", 4 + others)
    assert fold_numbers(objects, "motion") == list(range(max(0, others - 2), others))


def test_a_chain_with_a_missing_row_is_left_as_it_is(objects: FolderObjects) -> None:
    for scope in ("one", "two"):
        extend(objects, scope, 4)
    objects.path("ledger/motion/one/000000/00000002.json").unlink()
    done = compact(objects, "motion")
    assert (done.folded, done.removed) == (4, 6)
    assert done.left == {"one": "ledger/motion/one/000000/00000002.json is missing"}
    assert len(names(objects)) == 4
    assert said(objects, "two") == whole("two", 4)


@pytest.mark.parametrize("text", [b"no json", commit(seq=2, who="forged").text])
def test_a_chain_with_a_changed_row_is_left_as_it_is(objects: FolderObjects, text: bytes) -> None:
    extend(objects, "one", 4)
    objects.path("ledger/motion/one/000000/00000002.json").write_bytes(text)
    (why,) = compact(objects, "motion").left.values()
    assert "00000002.json" in why and len(names(objects)) == 4


def test_a_changed_newest_row_is_left_as_it_is(objects: FolderObjects) -> None:
    extend(objects, "one", 3)
    compact(objects, "motion")
    extend(objects, "one", 1)
    head = Ledger(objects).chain("motion", "one")[-1]
    forged = commit(scope="one", seq=3, before=head.before, who="forged").text
    objects.path("ledger/motion/one/000000/00000003.json").write_bytes(forged)
    assert list(compact(objects, "motion").left) == ["one"]
    assert len(names(objects)) == 2


def test_a_gap_that_the_ledger_admits_is_folded(objects: FolderObjects) -> None:
    extend(objects, "one", 4)
    lost = "ledger/motion/one/000000/00000002.json"
    objects.path(lost).unlink()
    ledger = Ledger(objects)
    ledger.append(commit(event="repaired", gone={lost: "no copy"}), ledger.head("motion", "one"))
    assert compact(objects, "motion").folded == 4
    assert [one.seq for one in ledger.chain("motion", "one")] == [0, 1, 3, 4]
    assert compact(objects, "motion") == Compacted("motion")


def test_a_fold_that_was_changed_is_not_built_upon(objects: FolderObjects) -> None:
    extend(objects, "one", 3)
    compact(objects, "motion")
    extend(objects, "one", 3)
    before = files_below(objects.root)
    file = objects.path(FOLD)
    text = file.read_bytes()
    for place in range(0, len(text), 7):
        file.write_bytes(text[:place] + bytes([text[place] ^ 4]) + text[place + 1 :])
        with pytest.raises(Damaged, match=r"folds/motion/00000000\.parquet"):
            compact(objects, "motion")
    assert files_below(objects.root) == before


def test_a_fold_without_a_witness_gets_one_if_its_rows_agree(objects: FolderObjects) -> None:
    extend(objects, "one", 3)
    compact(objects, "motion")
    (witness,) = (name for name in files_below(objects.root) if name.startswith("folds") and "parquet" not in name)
    objects.remove(witness)
    compact(objects, "motion")
    assert objects.read(witness) == b""


def test_a_fold_without_a_witness_whose_rows_disagree_is_damage(objects: FolderObjects) -> None:
    from mediaml_assets.amber.ledger.folds import encode_fold, table_of

    extend(objects, "one", 3)
    rows = Ledger(objects).stored("motion", "one").rows
    objects.create(FOLD, encode_fold(table_of([rows[0], rows[2]])))
    with pytest.raises(Damaged, match="cannot be believed"):
        compact(objects, "motion")


def test_a_lost_fold_is_named(objects: FolderObjects) -> None:
    extend(objects, "one", 3)
    compact(objects, "motion")
    objects.path(FOLD).write_bytes(b"PAR1 no more")
    with pytest.raises(Damaged, match=r"folds/motion/00000000\.parquet .* bring the file back"):
        Ledger(objects).chain("motion", "one")
    # the newest row is read from no fold
    assert Ledger(objects).head("motion", "one")


def test_a_newest_row_that_was_removed_is_read_from_the_fold(objects: FolderObjects) -> None:
    extend(objects, "one", 3)
    compact(objects, "motion")
    objects.path("ledger/motion/one/000000/00000002.json").unlink()
    assert said(objects) == whole("one", 3)
    extend(objects, "one", 1)
    assert said(objects) == whole("one", 4)


KILLED_AT_EACH_OPERATION = """
import os, pathlib, signal, sys
from mediaml_assets.amber.ledger import compact
from mediaml_assets.amber.objects.folder import FolderObjects

class Dying(FolderObjects):
    left = 0

    def create(self, name, data):
        self.die(name, data)
        return super().create(name, data)

    def remove(self, name):
        self.die(name, None)
        super().remove(name)

    def die(self, name, data):
        self.left -= 1
        if self.left < 0:
            if data is not None:
                (self.path(name).parent).mkdir(parents=True, exist_ok=True)
                self.path(name + "#1").write_bytes(bytes(data)[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)

for point, root in enumerate(sys.argv[1:]):
    child = os.fork()
    if not child:
        objects = Dying(pathlib.Path(root))
        objects.left = point
        compact.READERS = 1
        compact.compact(objects, "motion")
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""


def test_killed_at_each_operation(tmp_path: Path) -> None:
    roots = [tmp_path / f"{point:02}" for point in range(20)]
    for root in roots:
        objects = FolderObjects(root)
        for count in (2, 2, 3):
            extend(objects, "one", count)
            extend(objects, "two", 1)
            if count != 3:
                compact(objects, "motion")
    statuses = [int(one) for one in start(KILLED_AT_EACH_OPERATION, *roots).communicate(timeout=60)[0].split()]
    finished = statuses.index(0)
    # a fold and its witness; three rows of one chain and one of the other with theirs; the first fold and its witness
    assert finished == 2 + 2 * (3 + 1) + 2 and statuses == [9] * finished + [0] * (20 - finished)
    wanted = files_below(roots[-1])
    for root in roots:
        objects = FolderObjects(root)
        assert said(objects) == whole("one", 7) and said(objects, "two") == whole("two", 3)
        compact(objects, "motion")
        assert said(objects) == whole("one", 7) and said(objects, "two") == whole("two", 3)
        assert [name for name in files_below(root) if "#" not in name] == wanted


WRITER = """
import pathlib, sys, time
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.amber.ledger import Ledger
from mediaml_assets_tests.amber.ledger.test_chains import commit
ledger = Ledger(FolderObjects(pathlib.Path(sys.argv[1])))
name, count = sys.argv[2], int(sys.argv[3])
for n in range(count):
    scope = "one" if n % 2 else "two"
    while ledger.append(commit(scope=scope, who=f"{name}/{n}"), ledger.head("motion", scope)) is None:
        pass
"""
READER = """
import os, pathlib, sys
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.amber.ledger import Ledger
from mediaml_assets_tests.amber.ledger.test_chains import broken_at
ledger = Ledger(FolderObjects(pathlib.Path(sys.argv[1])))
seen, reads = {"one": [], "two": []}, 0
while not os.path.exists(sys.argv[2]):
    for scope, before in seen.items():
        head = ledger.head("motion", scope)
        chain = ledger.chain("motion", scope)
        assert broken_at(chain) == [], [one.seq for one in chain]
        assert chain[: len(before)] == before and (head is None or chain[head.seq] == head)
        seen[scope], reads = chain, reads + 1
print(reads)
"""
COMPACTOR = """
import os, pathlib, random, signal, sys, time
from mediaml_assets.amber.ledger.compact import compact
from mediaml_assets.amber.objects.folder import FolderObjects
objects, moments, killed = FolderObjects(pathlib.Path(sys.argv[1])), random.Random(5), 0
while not os.path.exists(sys.argv[2]):
    child = os.fork()
    if not child:
        while True:
            assert compact(objects, "motion").left == {}
    time.sleep(moments.uniform(0.001, 0.1))
    os.kill(child, signal.SIGKILL)
    killed += os.waitpid(child, 0)[1] == signal.SIGKILL
print(killed)
"""


@pytest.mark.slow
def test_beside_writers_and_readers_and_under_kill(tmp_path: Path) -> None:
    objects, end, moments = FolderObjects(tmp_path / "store"), tmp_path / "end", random.Random(5)
    others = [start(script, objects.root, end) for script in (COMPACTOR, COMPACTOR, READER, READER)]
    writers = [start(WRITER, objects.root, number, 150) for number in range(3)]
    while working := [writer for writer in writers if writer.poll() is None]:
        sleeper = moments.choice(working)
        os.kill(sleeper.pid, signal.SIGSTOP)
        time.sleep(moments.uniform(0.01, 0.1))
        os.kill(sleeper.pid, signal.SIGCONT)
        time.sleep(moments.uniform(0, 0.1))
    end.touch()
    printed = [process.communicate(timeout=60)[0] for process in (*writers, *others)]
    assert [process.returncode for process in (*writers, *others)] == [0] * 7
    assert min(map(int, printed[3:])) > 5
    assert compact(objects, "motion").left == {}
    rows = [one.who for scope in ("one", "two") for one in Ledger(objects).chain("motion", scope)]
    assert sorted(rows) == sorted(f"{number}/{n}" for number in range(3) for n in range(150))
    assert {len(said(objects, scope)) for scope in ("one", "two")} == {225}


STOPPED = """
import pathlib, sys
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.amber.ledger import Ledger
from mediaml_assets_tests.amber.ledger.test_chains import commit
ledger = Ledger(FolderObjects(pathlib.Path(sys.argv[1])))
head = ledger.head("motion", "one")
print("read", flush=True)
sys.stdin.readline()
print(ledger.append(commit(who="late"), head) is None, flush=True)
while ledger.append(commit(who="late"), ledger.head("motion", "one")) is None:
    pass
"""


def test_a_stopped_writer_woken_after_a_compaction(objects: FolderObjects) -> None:
    extend(objects, "one", 3)
    writer = start(STOPPED, objects.root)
    assert writer.stdout is not None and writer.stdout.readline() == "read\n"
    os.kill(writer.pid, signal.SIGSTOP)
    extend(objects, "one", CHAPTER + 4)
    compact(objects, "motion")
    os.kill(writer.pid, signal.SIGCONT)
    assert writer.communicate("go\n", timeout=60)[0] == "True\n" and writer.returncode == 0
    assert said(objects) == [*whole("one", CHAPTER + 7), "late"]
