"""After a repair a store verifies, what is current is right, and what nobody can make again is named."""

import random
import shutil
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pytest

from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.amber.ledger import row_name, witness_name
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.names import memo_name, value_name
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.upkeep.repair import Repaired, repair
from mediaml_assets.amber.upkeep.verify import verify
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.processes import start
from mediaml_assets_tests.amber.toy import SHARES, Letters, calls, film_mesh, letters
from mediaml_assets_tests.amber.upkeep.conftest import copy
from mediaml_assets_tests.amber.upkeep.test_verify import is_witness, objects, root


@pytest.fixture
def damaged(made: Path, home: Path) -> Installation:
    return copy(made, home)


def mend(here: Installation, *features: str) -> Repaired:
    def settle() -> Mapping[str, str]:
        here.known = {}
        here.land()
        here.settle()
        return {}

    return repair(here.store, here.mesh, settle, features)


def answers(store: Store) -> dict[str, object]:
    """What is current everywhere, by its rows."""
    found: dict[str, object] = {}
    for feature in ("source", "letters", "counts", "clip", "total"):
        for scope in store.ledger.scopes(feature):
            head = store.ledger.head(feature, scope)
            assert head is not None
            rows = store.read_rows(feature, head.current).to_pylist() if head.current else None
            found[f"{feature}/{scope}"] = (rows, head.withdrawn, head.refused)
    return found


def test_a_whole_store_is_left_alone(damaged: Installation) -> None:
    before = objects(damaged.store)
    done = mend(damaged)
    assert (done.found, done.moved, done.lost) == ([], [], {})
    assert objects(damaged.store) == before


def flip(file: Path, place: int) -> None:
    """Flip one bit."""
    content = bytearray(file.read_bytes())
    content[place // 8] ^= 1 << place % 8
    file.write_bytes(content)


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_every_object_flipped_or_removed_is_put_right(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setenv("TOY_CALLS", str(tmp_path / "calls"))
    draw = random.Random(3)
    names = [name for name in objects(Installation(made).store) if not is_witness(name)]
    wanted = answers(Installation(made).store)
    for number, name in enumerate(names[::step]):
        home = tmp_path / str(number)
        monkeypatch.setenv("MEDIAML_HOME", str(home))
        here = copy(made, home)
        file = root(here.store) / name
        if number % 2:
            flip(file, draw.randrange(file.stat().st_size * 8))
        else:
            file.unlink()
        done = mend(here)
        assert [one.name for one in done.found] == [name]
        assert done.remaining == [] and done.failed == {}, name
        assert verify(here.store).findings == []
        assert answers(here.store) == wanted, name
        assert here.stale() == [] and here.ends() == []
        assert mend(here).found == []
        shutil.rmtree(home)


def test_an_undamaged_memo_and_ledger_compute_a_lost_value_once(damaged: Installation) -> None:
    before = calls()
    value = damaged.store.view("letters", "one").value
    damaged.store.objects.remove(value_name("letters", value.digest))
    done = mend(damaged)
    assert calls()[len(before) :] == ["letters/one"]
    assert damaged.store.view("letters", "one").value.digest == value.digest
    assert done.moved == [memo_name("letters", value.key)] and done.lost == {}


def test_a_lost_row_costs_no_computation(damaged: Installation) -> None:
    before = calls()
    for feature in ("letters", "counts", "clip"):
        head = damaged.store.ledger.head(feature, "one")
        assert head is not None
        damaged.store.objects.remove(row_name(feature, "one", head.seq))
    mend(damaged)
    assert calls() == before
    head = damaged.store.ledger.head("counts", "one")
    assert head is not None and head.event == "repaired" and "lost: ledger/counts/one/" in head.reason
    assert damaged.stale() == [] and answers(damaged.store)["counts/one"] != (None, False, False)


def test_what_is_made_again_with_other_rows_becomes_current(here: Installation) -> None:
    @amber_feature(version="1", schema=SHARES)
    def shares(letters: Letters) -> pa.Table:
        return pa.table({"n": [drawn.pop()]}, schema=SHARES)

    drawn = [2, 1]
    here.mesh = Mesh([letters, shares], ["source"])
    here.deliver(one="abba")
    here.settle()
    first = here.store.view("shares", "one").value
    here.store.objects.remove(value_name("shares", first.digest))
    done = mend(here)
    assert here.store.view("shares", "one").row() == {"n": 2}
    assert list(done.lost) == [value_name("shares", first.digest)] and done.remaining == []
    report = verify(here.store)
    assert report.findings == []
    (note,) = report.notes
    assert (note.feature, note.titles) == ("shares", ("one",)) and first.digest in note.what


def test_an_old_value_that_nobody_can_make_again_is_named_and_written_down(damaged: Installation) -> None:
    old = damaged.store.ledger.chain("counts", "two")[0].current
    assert old is not None and damaged.store.view("counts", "two").withdrawn
    damaged.store.objects.remove(value_name("counts", old.digest))
    done = mend(damaged)
    assert done.lost == {
        name: "counts of two" for name in (value_name("counts", old.digest), memo_name("counts", old.key))
    }
    head = damaged.store.ledger.head("counts", "two")
    assert head is not None and head.event == "repaired" and head.gone.keys() == done.lost.keys()
    assert head.withdrawn and damaged.store.view("counts", "two").withdrawn
    assert verify(damaged.store).findings == [] and damaged.stale() == []
    # the title comes back: it is computed again like any other
    damaged.deliver(two="xyz")
    damaged.settle()
    assert damaged.totals()["two"] == 30 and verify(damaged.store).findings == []


def test_what_fails_is_not_lost_and_is_made_by_the_next_repair(damaged: Installation) -> None:
    value = damaged.store.view("counts", "one").value
    damaged.store.objects.remove(value_name("counts", value.digest))
    done = repair(damaged.store, damaged.mesh, lambda: {"one": "no memory left"})
    assert [one.name for one in done.remaining] == [value_name("counts", value.digest), memo_name("counts", value.key)][
        ::-1
    ]
    assert done.failed == {"one": "no memory left"} and done.lost == {}
    done = mend(damaged)
    assert done.remaining == [] and done.lost == {}
    assert damaged.store.view("counts", "one").value.digest == value.digest


def test_an_ad_hoc_answer_is_made_again(damaged: Installation) -> None:
    damaged.compute("total", *damaged.titles(), factor=3)
    chain = next(scope for scope in damaged.store.ledger.scopes("total") if "@" in scope)
    answer = damaged.store.view("total", chain)
    rows = answer.table().to_pylist()
    damaged.store.objects.remove(value_name("total", answer.value.digest))
    done = mend(damaged)
    assert done.remaining == [] and done.lost == {}
    assert damaged.store.view("total", chain).table().to_pylist() == rows


def test_a_lost_landing_generation_never_comes_again(here: Installation) -> None:
    here.mesh = film_mesh()
    for text in ("a", "ab", "abb", "abba"):
        here.deliver(one=text)
        here.settle()
    for seq in (1, 2, 3):
        here.store.objects.remove(row_name("source", "one", seq))
    done = mend(here)
    assert done.remaining == [] and verify(here.store).findings == []
    assert here.totals() == {"one": 4}
    here.deliver(one="abbabba")
    here.settle()
    assert here.totals() == {"one": 7}


def test_a_replaced_newest_row_is_not_believed(damaged: Installation) -> None:
    chain = damaged.store.ledger.chain("counts", "one")
    newest = row_name("counts", "one", chain[-1].seq)
    damaged.store.objects.remove(newest)
    # somebody makes an old value current, with a witness and all
    forged = damaged.store.ledger.append(chain[0], damaged.store.ledger.head("counts", "one"))
    assert forged is not None and damaged.store.view("counts", "one").value == chain[0].value
    done = mend(damaged)
    assert newest in done.moved and done.remaining == []
    assert damaged.store.view("counts", "one").value.digest == chain[-1].value.digest  # type: ignore[union-attr]
    assert verify(damaged.store).findings == []


def test_much_damage_at_once(damaged: Installation) -> None:
    wanted = answers(damaged.store)
    draw = random.Random(9)
    names = [name for name in objects(damaged.store) if not is_witness(name)]
    broken = draw.sample(names, len(names) // 3)
    for name in broken:
        flip(root(damaged.store) / name, draw.randrange((root(damaged.store) / name).stat().st_size * 8))
    done = mend(damaged)
    found = {one.name for one in done.found}
    # where whatever vouches for a value's file is broken as well, its rows are held against its name
    assert found <= set(broken) and all(name.startswith("values/") for name in set(broken) - found)
    assert done.remaining == [] and verify(damaged.store).findings == []
    assert answers(damaged.store) == wanted
    assert damaged.stale() == [] and damaged.ends() == []


def test_nothing_is_deleted(damaged: Installation) -> None:
    value = root(damaged.store) / value_name("letters", damaged.store.view("letters", "one").value.digest)
    value.write_bytes(b"no rows")
    before = {file.read_bytes() for file in root(damaged.store).rglob("*") if file.is_file()}
    mend(damaged)
    assert before <= {file.read_bytes() for file in root(damaged.store).rglob("*") if file.is_file()}
    (moved,) = (root(damaged.store) / "damaged").rglob(value.name)
    assert moved.read_bytes() == b"no rows"


def test_a_witness_is_put_back_where_the_next_row_vouches(damaged: Installation) -> None:
    first, newest = (damaged.store.ledger.chain("counts", "one")[place] for place in (0, -1))
    for commit in (first, newest):
        damaged.store.objects.remove(witness_name(row_name("counts", "one", commit.seq), commit.digest))
    mend(damaged)
    (note,) = verify(damaged.store).notes
    assert note.name == witness_name(row_name("counts", "one", newest.seq), newest.digest)


KILLED = """
import os, pathlib, signal, sys
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets_tests.amber.upkeep import test_repair
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.toy import film_mesh

def dying(real, left):
    def instead(self, *args):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, *args)
    return instead

for argument in sys.argv[1:]:
    home, point = argument.split("=")
    child = os.fork()
    if not child:
        os.environ.update(MEDIAML_HOME=home, TOY_CALLS=home + "/calls")
        here = Installation(pathlib.Path(home))
        here.mesh = film_mesh(version="2", factor=10)
        left = [int(point)]
        for verb in ("create", "move", "remove"):
            setattr(FolderObjects, verb, dying(getattr(FolderObjects, verb), left))
        test_repair.mend(here)
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_at_each_step_the_next_repair_ends_it(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setenv("TOY_CALLS", str(tmp_path / "calls"))
    wanted = answers(Installation(made).store)
    points = range(0, 40, step)
    homes = [tmp_path / f"{point:02}" for point in points]
    for home in homes:
        here = copy(made, home)
        head = here.store.ledger.head("counts", "one")
        source = here.store.view("source", "one").value
        assert head is not None and head.current is not None
        flip(root(here.store) / row_name("letters", "one", 0), 77)
        flip(root(here.store) / row_name("counts", "one", head.seq), 77)
        flip(root(here.store) / value_name("counts", head.current.digest), 777)
        flip(root(here.store) / value_name("source", source.digest), 777)
        here.store.view("clip", "one").blob("video").open("wb").close()
    arguments = (f"{home}={point}" for home, point in zip(homes, points, strict=True))
    printed = start(KILLED, *arguments).communicate(timeout=120)[0]
    statuses = [int(status) for status in printed.split()]
    finished = statuses.index(0)
    assert statuses == [9] * finished + [0] * (len(points) - finished) and points[finished] > 15
    for home in homes:
        monkeypatch.setenv("MEDIAML_HOME", str(home))
        here = Installation(home)
        here.mesh = film_mesh(version="2", factor=10)
        done = mend(here)
        assert done.remaining == [] and verify(here.store).findings == []
        assert answers(here.store) == wanted
        assert here.stale() == [] and here.ends() == []


BESIDE = """
import os, pathlib, sys, time
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.toy import film_mesh
home, seconds = sys.argv[1:]
os.environ.update(MEDIAML_HOME=home, TOY_CALLS=home + "/calls")
here = Installation(pathlib.Path(home))
here.mesh = film_mesh(version="2", factor=10)
until, n = time.time() + float(seconds), 0
while n < 3 or time.time() < until:
    n += 1
    here.deliver(**{f"more{n % 3}": "ab" * n})
    here.settle()
    assert here.totals()[f"more{n % 3}"] == 20 * n
print(n)
"""


def test_a_repair_beside_a_writer(damaged: Installation) -> None:
    writer = start(BESIDE, damaged.home, 4)
    wanted = answers(damaged.store)
    flip(root(damaged.store) / row_name("counts", "one", 0), 99)
    try:
        while writer.poll() is None:
            value = damaged.store.view("letters", "one").value
            damaged.store.objects.remove(value_name("letters", value.digest))
            assert mend(damaged).remaining == []
    finally:
        printed = writer.communicate(timeout=60)[0]
    assert int(printed) > 2
    damaged.settle()
    assert verify(damaged.store).findings == []
    found = answers(damaged.store)
    assert {name: found[name] for name in wanted if not name.startswith("total")} == {
        name: answer for name, answer in wanted.items() if not name.startswith("total")
    }
