"""Garbage goes and nothing else does: whoever writes meanwhile, and wherever it is killed."""

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.amber.claims import FileClaim
from mediaml_assets.amber.code.parts import keep
from mediaml_assets.amber.ledger.compact import compact
from mediaml_assets.amber.ledger.folds import read_newest
from mediaml_assets.amber.names import code_name, environment_name, value_name
from mediaml_assets.amber.objects import blob_object
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.upkeep.gc import Collected, Heap, collect
from mediaml_assets.amber.upkeep.repair import repair
from mediaml_assets.amber.upkeep.verify import verify
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.processes import files_below, start
from mediaml_assets_tests.amber.toy import counts_version, film_mesh
from mediaml_assets_tests.amber.upkeep.conftest import copy
from mediaml_assets_tests.amber.upkeep.test_verify import objects, root


@pytest.fixture
def life(made: Path, home: Path) -> Installation:
    return copy(made, home)


def sweep(store: Store, **how: bool) -> Collected:
    return collect(store, grace_seconds=0, **how)


def all_of(store: Store) -> list[str]:
    return [name for name in files_below(root(store)) if not name.startswith("checks/")]


def litter(store: Store) -> dict[str, str]:
    """One piece of garbage of each kind; kind -> object (or folder)."""
    here = {
        "values": orphan(store, "letters", "one"),
        "environments": environment_name(store.add_environment({"a": "1"})),
    }
    (root(store).parent / "film.mp4").write_bytes(b"a film")
    here["blobs"] = blob_object(store.objects.add_file(root(store).parent / "film.mp4"))
    feature = counts_version("7", "never computed")
    keep(store.objects, feature)
    here["code"] = code_name("counts", feature.code)
    here["claims"] = "claims/letters/0123.lock"
    store.objects.create(here["claims"], b"")
    here["scratch"] = "scratch/letters/0123/half.mp4"
    store.objects.create(here["scratch"], b"half a film")
    here["unfinished"] = "values/letters/aa/aa.parquet#77"
    store.objects.create(here["unfinished"], b"half")
    long_ago = time.time() - 2 * 3600
    os.utime(root(store) / here["unfinished"], (long_ago, long_ago))
    here["trash"] = "trash/run/blobs/bb/bb.mp4"
    store.objects.create(here["trash"], b"from before")
    return here


def orphan(store: Store, feature: str, title: str) -> str:
    """A value whose writer was killed right after it."""
    rows = store.view(feature, title).table()
    rows = rows.slice(0, 1).take([0, 0, 0, 0, 0])
    from mediaml_assets.amber.keys import column_digests

    return value_name(feature, store.write_rows(feature, rows, "", column_digests(rows)).digest)


def test_a_store_without_garbage_is_left_alone(life: Installation) -> None:
    before = all_of(life.store)
    assert sweep(life.store) == sweep(life.store, delete=True) == Collected()
    assert all_of(life.store) == before
    compact(life.store.objects, "letters")
    before = all_of(life.store)
    assert sweep(life.store, delete=True) == Collected()
    assert all_of(life.store) == before


def test_an_empty_store(tmp_path: Path) -> None:
    assert sweep(Store(tmp_path), delete=True) == Collected()


def test_garbage_of_each_kind_is_listed_and_then_removed_and_nothing_else(life: Installation) -> None:
    before = all_of(life.store)
    pieces = litter(life.store)
    full = all_of(life.store)
    sizes = {kind: (root(life.store) / name).stat().st_size for kind, name in pieces.items()}
    listed = sweep(life.store)
    assert listed.garbage == {kind: Heap(1, size) for kind, size in sizes.items()}
    assert listed.kept == {} and all_of(life.store) == full
    assert sweep(life.store, delete=True) == listed
    assert all_of(life.store) == before
    assert verify(life.store).findings == verify(life.store).notes == []
    assert sweep(life.store, delete=True) == Collected()


def test_what_is_young_is_left_alone(life: Installation) -> None:
    pieces = litter(life.store)
    # what was left in the trash was old when it came there
    del pieces["trash"], pieces["unfinished"]
    done = collect(life.store, delete=True)
    assert set(done.garbage) == {"trash", "unfinished"}
    assert all((root(life.store) / name).exists() for name in pieces.values())


def test_age_is_told_by_the_clock_of_the_storage(life: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """A storage whose clock is a day behind ours."""
    walk = FolderObjects.walk

    def behind(self: FolderObjects, prefix: str = "") -> Iterator[object]:
        for one in walk(self, prefix):
            yield type(one)(one.name, one.size, one.modified - timedelta(days=1))

    monkeypatch.setattr(FolderObjects, "walk", behind)
    orphan(life.store, "letters", "one")
    assert collect(life.store).garbage == {}
    assert sweep(life.store).garbage["values"].count == 1


def test_blobs_of_a_garbage_value_are_listed_with_it(here: Installation) -> None:
    here.mesh = film_mesh()
    here.deliver(one="abba")
    here.settle()
    for folder in ("ledger/clip", "memo/clip"):
        shutil.rmtree(root(here.store) / folder)
    listed = sweep(here.store)
    assert {kind: heap.count for kind, heap in listed.garbage.items()} == {"values": 1, "blobs": 1, "code": 1}
    assert sweep(here.store, delete=True) == listed
    assert objects(here.store, "blobs/") == []


def test_a_memo_without_a_row_keeps_its_value_and_its_files(here: Installation) -> None:
    here.mesh = film_mesh()
    here.deliver(one="abba")
    here.settle()
    shutil.rmtree(root(here.store) / "ledger/clip")
    assert set(sweep(here.store, delete=True).garbage) == {"code"}
    here.settle()
    assert here.store.view("clip", "one").blob("video").exists()


def test_what_repair_moved_away_goes_only_when_asked(life: Installation) -> None:
    value = life.store.view("letters", "one").value
    (root(life.store) / value_name("letters", value.digest)).write_bytes(b"no rows")

    def settle() -> Mapping[str, str]:
        life.settle()
        return {}

    repair(life.store, life.mesh, settle)
    assert sweep(life.store, delete=True) == Collected()
    assert sweep(life.store, delete=True, damaged=True).garbage["damaged"].count == 2
    assert not [name for name in all_of(life.store) if name.startswith("damaged/")]


@pytest.mark.parametrize("folder", ["ledger", "memo"])
def test_where_the_history_is_damaged_nothing_is_garbage(life: Installation, folder: str) -> None:
    pieces = litter(life.store)
    name = objects(life.store, f"{folder}/letters/")[0]
    (root(life.store) / name).write_bytes(b"{}")
    done = sweep(life.store, delete=True)
    assert set(done.kept) == {"values/letters", "code/letters", "environments"}
    assert name in done.kept["environments"]
    assert not {"values", "environments"} & set(done.garbage)
    assert (root(life.store) / pieces["values"]).exists()


def test_where_a_value_is_damaged_no_blob_is_garbage(life: Installation) -> None:
    pieces = litter(life.store)
    name = objects(life.store, "values/counts/")[0]
    (root(life.store) / name).write_bytes(b"no rows")
    done = sweep(life.store, delete=True)
    assert list(done.kept) == ["blobs"] and name in done.kept["blobs"]
    assert "blobs" not in done.garbage and (root(life.store) / pieces["blobs"]).exists()


def test_a_held_claim_and_its_scratch_stay(life: Installation) -> None:
    litter(life.store)
    with FileClaim(root(life.store) / "claims/letters/0123.lock"):
        assert not {"claims", "scratch"} & set(sweep(life.store, delete=True).garbage)
    # its holder removed the lock file
    assert set(sweep(life.store, delete=True).garbage) == {"scratch"}


def test_gc_waits_for_no_computation_that_begins_while_it_looks(
    life: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    litter(life.store)
    # as if it had looked right before
    monkeypatch.setattr(Store, "is_claimed", lambda *which: False)
    claim = FileClaim(root(life.store) / "claims/letters/0123.lock")
    done = ThreadPoolExecutor(1).submit(sweep, life.store, delete=True).result(timeout=30)
    assert not {"claims", "scratch"} & set(done.garbage)
    claim.release()


def test_a_computation_ends_while_its_scratch_is_looked_at(life: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    litter(life.store)
    scratch = root(life.store) / "scratch"
    walk = os.walk

    def ends(folder: str) -> Iterator[object]:
        for found in walk(folder):
            if str(folder).startswith(str(scratch)):
                shutil.rmtree(folder)
            yield found

    monkeypatch.setattr("mediaml_assets.amber.upkeep.gc.os.walk", ends)
    assert sweep(life.store).garbage["scratch"] == Heap(1, 0)
    monkeypatch.setattr("mediaml_assets.amber.upkeep.gc.Path.glob", lambda self, pattern: [scratch / "letters/0123"])
    assert "scratch" not in sweep(life.store).garbage


def test_what_a_killed_collection_left_of_the_clock_goes_once_it_is_old(life: Installation) -> None:
    long_ago = time.time() - 2 * 3600
    for name, when in (("old", long_ago), ("new", time.time())):
        life.store.objects.create(f"checks/clock-{name}", b"")
        os.utime(root(life.store) / f"checks/clock-{name}", (when, when))
    assert sweep(life.store, delete=True).garbage == {"clocks": Heap(1, 0)}
    assert [one.name for one in life.store.objects.walk("checks")] == ["checks/clock-new"]


def test_what_a_killed_remover_left_is_put_back_when_something_refers_to_it(life: Installation) -> None:
    store, value = life.store, life.store.view("clip", "one").value
    blob = str(life.store.view("clip", "one").blob("video").relative_to(root(store)))
    name = value_name("clip", value.digest)
    before = all_of(store)
    for moved in ([name], [blob], [name, blob]):
        for one in moved:
            store.objects.move(one, f"trash/run/{one}")
        assert sweep(store, delete=True) == Collected(restored=sorted(moved))
        assert all_of(store) == before


def test_a_reader_finds_what_lies_in_the_trash(life: Installation) -> None:
    store, view = life.store, life.store.view("clip", "one")
    name = value_name("clip", view.value.digest)
    blob = view.blob("video")
    for one in (name, blob_object(blob.name)):
        store.objects.move(one, f"trash/run/{one}")
        assert verify(store).findings == []
    for one in (name, blob_object(blob.name)):
        store.objects.move(one, f"trash/run/{one}")
    assert view.blob("video").exists() and (root(store) / name).exists()


class Meanwhile(FolderObjects):
    """Lets somebody else go on at the n-th move, remove or listing."""

    at, count = -1, 0

    def step(self) -> None:
        self.count += 1
        if self.count == self.at:
            self.meanwhile()

    def meanwhile(self) -> None: ...

    def move(self, name: str, to: str) -> None:
        self.step()
        super().move(name, to)

    def put_back(self, name: str, to: str) -> None:
        self.step()
        super().put_back(name, to)

    def remove(self, name: str) -> None:
        self.step()
        super().remove(name)

    def walk(self, prefix: str = "") -> Iterator[object]:  # type: ignore[override]
        self.step()
        return super().walk(prefix)


@pytest.mark.parametrize("step", [8, pytest.param(1, marks=pytest.mark.slow)])
def test_a_writer_who_finds_old_garbage_at_any_step_of_its_removal(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """He is stopped between his file, his value and his memo, and all of gc goes by; or gc is, and all of him."""
    monkeypatch.setenv("TOY_CALLS", str(tmp_path / "calls"))
    for at in range(1, 100, step):
        here = orphaned_clip(made, tmp_path / str(at), monkeypatch)
        collector = Meanwhile(root(here.store))
        collector.at = at
        collector.meanwhile = here.settle  # type: ignore[method-assign]
        sweep(Store(collector), delete=True)
        here.settle()
        assert verify(here.store).findings == [], at
        assert here.store.view("clip", "one").blob("video").read_text() == "aabbc"
        if collector.count < at:
            break
    else:
        raise AssertionError("more steps than were tried")
    assert at > 10


@pytest.mark.parametrize("method", ["create", "add_file"])
def test_gc_goes_by_before_any_object_of_a_writer(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setenv("TOY_CALLS", str(tmp_path / "calls"))
    for at in range(40):
        here = orphaned_clip(made, tmp_path / f"{at}", monkeypatch)
        left = settled_beside_gc(here, method, at)
        assert verify(here.store).findings == [], at
        assert here.store.view("clip", "one").blob("video").read_text() == "aabbc"
        if left >= 0:
            break
    else:
        raise AssertionError("more steps than were tried")


def settled_beside_gc(here: Installation, method: str, at: int) -> int:
    """Compute what is missing, all of gc going by before one call; how many calls were left to that."""
    original, left = getattr(FolderObjects, method), [at]

    def overtaken(self: FolderObjects, *arguments: object) -> object:
        left[0] -= 1
        if left[0] == -1:
            sweep(Store(root(here.store)), delete=True)
        return original(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FolderObjects, method, overtaken)
        here.settle()
    return left[0]


def orphaned_clip(made: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """A value of `clip` and its file whose writer was killed before the memo."""
    monkeypatch.setenv("MEDIAML_HOME", str(home))
    here = copy(made, home)
    for name in ("ledger/clip", "memo/clip"):
        shutil.rmtree(root(here.store) / name)
    return here


def test_a_memo_whose_writer_was_killed_before_he_made_sure_of_the_value(life: Installation) -> None:
    value = life.store.view("letters", "two", as_of=life.store.ledger.chain("letters", "two")[0]).value
    life.store.objects.remove(value_name("letters", value.digest))
    life.deliver(two="xyz")
    life.settle()
    assert life.store.view("letters", "two").table().column("letter").to_pylist() == ["x", "y", "z"]
    assert verify(life.store).findings == []


STEPS = st.lists(
    st.sampled_from(
        ["one abba", "one xyz", "two abba", "two x", "withdraw one", "withdraw two", "version", "compact", "gc"]
    ),
    min_size=3,
    max_size=9,
)


@settings(max_examples=12, deadline=None)
@given(steps=STEPS, killed=st.lists(st.integers(0, 30), min_size=9, max_size=9))
def test_any_history_keeps_what_is_reachable_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], killed: list[int]
) -> None:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDIAML_HOME", str(home))
        patch.setenv("TOY_CALLS", str(home / "calls"))
        here, version = Installation(home), 1
        for step, point in zip(steps, killed, strict=False):
            words = step.split()
            version += step == "version"
            here.mesh = film_mesh(str(version))
            if step == "gc":
                sweep(here.store, delete=True)
            elif step == "compact":
                for feature in here.store.objects.folders("ledger"):
                    compact(here.store.objects, feature)
            elif words[0] == "withdraw":
                (here.landing / f"{words[1]}.mp4").unlink(missing_ok=True)
            elif step != "version":
                (here.landing / f"{words[0]}.mp4").write_text(words[1])
            stopped_at(here, point)
        wanted = reachable(here.store)
        sweep(here.store, delete=True)
        assert {name for name in all_of(here.store) if name.split("/")[0] in ("values", "blobs")} == wanted
        report = verify(here.store)
        assert report.findings == [] and not [one for one in report.notes if "nothing refers" in one.what]
        assert sweep(here.store) == Collected()
        here.known = {}
        here.land()
        here.settle()
        assert verify(here.store).findings == []


class Stopped(BaseException):
    pass


def stopped_at(here: Installation, point: int) -> None:
    """Land and compute, but no further than the n-th object."""
    create, add_file, left = FolderObjects.create, FolderObjects.add_file, [point]

    def counted() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Stopped

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FolderObjects, "create", lambda self, *rest: (counted(), create(self, *rest))[1])
        patch.setattr(FolderObjects, "add_file", lambda self, *rest: (counted(), add_file(self, *rest))[1])
        try:
            here.known = {}
            here.land()
            here.settle()
        except Stopped:
            pass


def reachable(store: Store) -> set[str]:
    """By brute force: values whose digest is written anywhere in a row or memo, and files whose name is in those."""
    told = [(root(store) / name).read_text() for name in objects(store) if name.startswith(("ledger/", "memo/"))]
    for feature in store.objects.folders("folds"):
        told += read_newest(store.objects, feature)[1].column("row").to_pylist()
    text = "\n".join(told)
    values = {name for name in objects(store, "values/") if Path(name).stem in text}
    cells = [cell for name in values for row in pq.read_table(root(store) / name).to_pylist() for cell in row.values()]
    return values | {name for name in objects(store, "blobs/") if Path(name).name in map(str, cells)}


KILLED = """
import os, pathlib, signal, sys
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets_tests.amber.upkeep import test_gc
from mediaml_assets.amber.store import Store

class Dying(FolderObjects):
    left = 0

    def die(self):
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def create(self, name, data):
        self.die()
        return super().create(name, data)

    def move(self, name, to):
        self.die()
        super().move(name, to)

    def put_back(self, name, to):
        self.die()
        super().put_back(name, to)

    def remove(self, name):
        self.die()
        super().remove(name)

for argument in sys.argv[1:]:
    root, point = argument.split("=")
    child = os.fork()
    if not child:
        objects = Dying(pathlib.Path(root))
        objects.left = int(point)
        test_gc.sweep(Store(objects), delete=True)
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_at_each_step_the_next_one_ends_it(made: Path, tmp_path: Path, step: int) -> None:
    points = range(0, 28, step)
    roots = [tmp_path / f"{point:02}" / "store" for point in points]
    for one in roots:
        store = Store(copy_store(made, one))
        litter(store)
        value = value_name("counts", store.view("counts", "one").value.digest)
        store.objects.move(value, f"trash/before/{value}")
    printed = start(KILLED, *(f"{one}={point}" for one, point in zip(roots, points, strict=True))).communicate(
        timeout=90
    )[0]
    statuses = [int(one) for one in printed.split()]
    finished = statuses.index(0)
    # the clock; out of the trash, into it, and away; one each of what is removed at once
    assert statuses == [9] * finished + [0] * (len(points) - finished) and points[finished] >= 2 + 2 + 4 * 2 + 1
    wanted = [name for name in files_below(made / "store")]
    for one in roots:
        store = Store(one)
        assert verify(store).findings == []
        sweep(store, delete=True)
        assert all_of(store) == wanted
        assert verify(store).findings == verify(store).notes == []


def copy_store(made: Path, to: Path) -> Path:
    shutil.copytree(made / "store", to)
    return to


BESIDE = """
import os, pathlib, random, signal, sys, time
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.amber.store import Store
from mediaml_assets.errors import Damaged, MediamlError
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.upkeep.test_gc import sweep
from mediaml_assets_tests.amber.toy import film_mesh
home = pathlib.Path(sys.argv[1])
os.environ.update(MEDIAML_HOME=str(home), TOY_CALLS=str(home / "calls"))
end = home / "end"

def note(what, times=1):
    with open(home / what, "a") as file:
        file.write("." * times)

def writer(seed):
    draw = random.Random(seed)
    left = [draw.randrange(1, 60)]
    for method in ("create", "add_file"):
        setattr(FolderObjects, method, dying(getattr(FolderObjects, method), left))
    here = Installation(home)
    while not end.exists():
        here.mesh = film_mesh(version=str(draw.randrange(3)), factor=draw.randrange(3))
        whole = home / f"{os.getpid()}.part"
        whole.write_text(draw.choice(["abba", "xyz", "ab" * draw.randrange(1, 50)]))
        os.replace(whole, here.landing / f"{draw.choice(['one', 'two', 'three'])}.mp4")
        for step in range(3):
            # others change the same titles meanwhile; damage is never taken for that
            try:
                here.land()
                for name, title in here.stale():
                    here.compute(name, title)
                for title in here.titles():
                    here.store.view("clip", title).blob("video").read_text()
                here.compute("total", *here.titles())
            except Damaged:
                raise
            except MediamlError:
                pass

def dying(original, left):
    def instead(self, *arguments):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        if left[0] % 5 == 0:
            # everybody else has time for a look
            time.sleep(0.02)
        return original(self, *arguments)
    return instead

def again_and_again(number):
    turn = 0
    while not end.exists():
        turn += 1
        child = os.fork()
        if not child:
            writer(f"{number}/{turn}")
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        assert status in (0, signal.SIGKILL), status
        note("killed", status == signal.SIGKILL)

def collector(number):
    store = Store(home / "store")
    while not end.exists():
        done = sweep(store, delete=True)
        note("removed", sum(heap.count for kind, heap in done.garbage.items() if kind != "claims"))

children = []
for work, number in [(again_and_again, 1), (again_and_again, 2), (again_and_again, 3), (collector, 4), (collector, 5)]:
    child = os.fork()
    if not child:
        try:
            work(number)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    children.append(child)
give_up = time.monotonic() + 60
def size(name):
    return (home / name).stat().st_size if (home / name).exists() else 0
while (size("killed") < 8 or size("removed") < 4) and time.monotonic() < give_up:
    time.sleep(0.05)
end.touch()
assert [os.waitpid(child, 0)[1] for child in children] == [0] * 5
print(size("killed"), size("removed"))
"""


def test_writers_compute_and_die_while_gc_runs_again_and_again(here: Installation) -> None:
    process = start(BESIDE, here.home)
    printed = process.communicate(timeout=120)[0]
    assert process.returncode == 0
    killed, removed = map(int, printed.split())
    assert killed >= 8 and removed >= 4
    # what is current is readable, nothing that the history names is missing
    assert verify(here.store).findings == []
    here.mesh = film_mesh(version="9")
    here.land()
    here.settle()
    sweep(here.store, delete=True)
    assert verify(here.store).findings == []
    assert {name for name in all_of(here.store) if name.split("/")[0] in ("values", "blobs")} == reachable(here.store)
    for title in here.titles():
        text = (here.landing / f"{title}.mp4").read_text()
        assert here.store.view("clip", title).blob("video").read_text() == "".join(sorted(text))
