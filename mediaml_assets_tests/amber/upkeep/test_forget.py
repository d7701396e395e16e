"""A title that is forgotten is gone but for the ledger; what others need stays, and nobody ever finds a hole."""

import random
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mediaml_assets.amber.evaluation import commit, evaluate
from mediaml_assets.amber.ledger.compact import compact
from mediaml_assets.amber.names import CATALOGUE, value_name
from mediaml_assets.amber.objects import blob_object
from mediaml_assets.amber.objects.trash import former_name
from mediaml_assets.amber.replicas import Replica
from mediaml_assets.amber.replicas.replication import replicate
from mediaml_assets.amber.sql import connect
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.upkeep.forget import forget, look
from mediaml_assets.amber.upkeep.gc import Collected
from mediaml_assets.amber.upkeep.repair import repair
from mediaml_assets.amber.upkeep.verify import verify
from mediaml_assets.amber.view import View
from mediaml_assets.errors import InputMoved, MediamlError, NotStored, StoreError
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.processes import start
from mediaml_assets_tests.amber.toy import LETTERS, calls, film_mesh
from mediaml_assets_tests.amber.upkeep.test_gc import Meanwhile, all_of, sweep
from mediaml_assets_tests.amber.upkeep.test_repair import answers
from mediaml_assets_tests.amber.upkeep.test_verify import root

PER_TITLE = ("source", "letters", "counts", "clip")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Four titles of which two have the same content; "one" had other content before, and was withdrawn."""
    home = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDIAML_HOME", str(home))
        patch.setenv("TOY_CALLS", str(home / "calls"))
        here = Installation(home)
        here.mesh = film_mesh()
        here.deliver(one="zebra", two="xyz", uno="abba")
        here.settle()
        here.deliver(one="abba")
        here.settle()
        here.compute("total", *here.titles(), factor=3)
        withdraw(here, "one")
    yield home


def withdraw(here: Installation, title: str) -> None:
    (here.landing / f"{title}.mp4").unlink()
    here.land()
    here.settle()


@pytest.fixture
def life(made: Path, home: Path) -> Installation:
    return copy(made, home)


def copy(made: Path, home: Path) -> Installation:
    shutil.copytree(made, home, dirs_exist_ok=True)
    here = Installation(home)
    here.mesh = film_mesh()
    return here


def views(here: Installation, title: str) -> dict[str, View]:
    """The newest values that a title ever had."""
    found = {}
    for feature in PER_TITLE:
        rows = [row for row in here.store.ledger.chain(feature, title) if row.current is not None]
        found[feature] = View(here.store, feature, title, rows[-1])
    return found


def texts(store: Store) -> str:
    return "".join((root(store) / name).read_text() for name in all_of(store) if name.startswith("blobs/"))


def test_only_what_was_withdrawn_can_be_forgotten(life: Installation) -> None:
    before = all_of(life.store)
    for work in (look, forget):
        with pytest.raises(StoreError, match=r"two is not withdrawn.*Remove its file from the landing place"):
            work(life.store, life.mesh, "two")
        with pytest.raises(NotStored, match="no title 'tow' ever landed"):
            work(life.store, life.mesh, "tow")
    assert all_of(life.store) == before


def test_what_would_go_is_said_and_nothing_changed(life: Installation) -> None:
    before = all_of(life.store)
    said = look(life.store, life.mesh, "one")
    assert all_of(life.store) == before
    assert forget(life.store, life.mesh, "one") == said
    assert set(before) - set(all_of(life.store)) == set(said.gone)


def test_what_only_this_title_had_goes_and_the_rest_stays(life: Installation) -> None:
    store, others = life.store, answers(life.store)
    chains = {feature: store.ledger.chain(feature, "one") for feature in PER_TITLE}
    assert "aberz" in texts(store)
    done = forget(store, life.mesh, "one")
    # letters, counts and clip of "zebra" with their memos and a file; the two states of its source, and what read them
    assert sorted(name.split("/")[0] for name in done.gone) == ["blobs"] + 4 * ["memo"] + 5 * ["values"]
    # those of "abba", which "uno" has too
    assert sorted(name.split("/")[0] for name in done.shared) == 2 * ["memo"] + 3 * ["values"]
    assert sorted(texts(store)) == sorted("aabb" + "xyz")
    report = verify(store)
    assert report.findings == []
    assert [note.what.split(",")[0] for note in report.notes] == ["forgotten"] * 4
    for feature, chain in chains.items():
        now = store.ledger.chain(feature, "one")
        assert now[: len(chain)] == chain and [row.event for row in now[len(chain) :]] == ["forgotten"]
        assert now[-1].withdrawn and now[-1].who and now[-1].reason == "the title was withdrawn, and is forgotten"
    assert answers(store) == others
    assert life.titles() == ["one", "two", "uno"] and life.stale() == [] and life.ends() == []
    assert sweep(store, delete=True) == Collected()
    assert forget(store, life.mesh, "one").gone == [] and store.ledger.chain("letters", "one")[-1].seq == now[-1].seq


def test_of_the_last_title_with_a_content_that_goes_too(life: Installation) -> None:
    forget(life.store, life.mesh, "one")
    withdraw(life, "uno")
    forget(life.store, life.mesh, "uno")
    assert texts(life.store) == "xyz"
    assert verify(life.store).findings == []
    withdraw(life, "two")
    forget(life.store, life.mesh, "two")
    assert {name.split("/")[1] for name in all_of(life.store) if name.startswith(("values/", "memo/"))} == {"total"}
    assert texts(life.store) == "" and verify(life.store).findings == []


def test_as_of_an_earlier_moment_says_who_forgot_it_and_when(life: Installation) -> None:
    store, moment, earlier = life.store, datetime.now(UTC), views(life, "one")
    standing = {feature: view.commit for feature, view in earlier.items()}
    forget(store, life.mesh, "one")
    who = store.ledger.chain("letters", "one")[-1].who
    for feature, row in standing.items():
        for as_of in (row, datetime.fromisoformat(row.made_at)):
            with pytest.raises(NotStored, match=rf"{feature} of one, as it was on .* forgotten on .* by {who}"):
                store.view(feature, "one", as_of)
        assert store.views(feature, ["one", "two"], row)["one"].withdrawn
        assert store.view(feature, "one", moment).withdrawn
    # who looked at it before and reads it now
    with pytest.raises(NotStored, match=f"source of one, .* forgotten on .* by {who}"):
        earlier["source"].table()
    assert store.view("letters", "uno").table().num_rows == 4


def test_answers_over_many_titles_stay_and_its_own_to_other_settings_go(life: Installation) -> None:
    rows = life.store.view("total", CATALOGUE, as_of=life.store.ledger.chain("total", CATALOGUE)[0])
    ad_hoc = [scope for scope in life.store.ledger.scopes("total") if "@" in scope]
    row = life.store.ledger.chain("letters", "one")[0]
    own = life.mesh.ask(life.store, "counts", ["one"], as_of=row)
    commit(life.store, evaluate(life.store, own))
    done = forget(life.store, life.mesh, "one")
    assert ("counts", own.chain) in done.chains
    assert {one["title"] for one in rows.table().to_pylist()} == {"one", "two", "uno"}
    assert life.store.view("total", ad_hoc[0]).table().num_rows == 3
    assert verify(life.store).findings == []


def test_delivered_again_it_is_computed_anew_and_nothing_old_comes_back(life: Installation) -> None:
    withdraw(life, "uno")
    generations = {feature: life.store.ledger.chain(feature, "one")[-1].generation for feature in PER_TITLE}
    for title in ("one", "uno"):
        forget(life.store, life.mesh, title)
    before = calls()
    life.deliver(one="abba")
    life.settle()
    made_again = [call for call in calls()[len(before) :] if not call.startswith("total")]
    assert made_again == ["letters/one", "counts/one", "clip/one"]
    for feature, generation in generations.items():
        head = life.store.ledger.head(feature, "one")
        assert head is not None and head.current is not None and head.generation > generation
    assert life.store.view("clip", "one").blob("video").read_text() == "aabb"
    assert verify(life.store).findings == []


def test_a_slow_run_on_what_was_withdrawn_is_never_current(life: Installation) -> None:
    slow = life.mesh.ask(life.store, "letters", ["two"])
    outcome = evaluate(life.store, slow)
    (life.landing / "two.mp4").unlink()
    life.land()
    # nothing below the source has been withdrawn yet
    forget(life.store, life.mesh, "two")
    with pytest.raises(MediamlError, match="forgotten just now"):
        commit(life.store, outcome)
    assert life.store.view("letters", "two").withdrawn
    life.settle()
    assert all(life.store.view(feature, "two").withdrawn for feature in PER_TITLE)
    assert verify(life.store).findings == []


def test_what_repair_moved_away_of_it_goes_too(life: Installation) -> None:
    store, view = life.store, views(life, "one")["source"]
    name = value_name("source", view.value.digest)
    clips = [row.current for row in store.ledger.chain("clip", "one") if row.current is not None]
    (blob,) = store.read_rows("clip", clips[0]).column("video").to_pylist()
    others = value_name("letters", store.view("letters", "uno").value.digest)
    for lost in (name, blob_object(blob), others):
        (root(store) / lost).write_bytes(b"zebra, damaged")

    def settle() -> dict[str, str]:
        life.settle()
        return {}

    repair(store, life.mesh, settle)
    assert len([one for one in all_of(store) if one.endswith((name, blob, others)) and "damaged/" in one]) == 3
    said = look(store, life.mesh, "one")
    done = forget(store, life.mesh, "one")
    assert done == said
    assert {former_name(one) for one in done.copies} >= {name}
    left = [former_name(one) for one in all_of(store) if one.startswith("damaged/")]
    assert others in left and not {name, blob_object(blob)} & set(left)
    assert verify(store).findings == []


def test_compacted_rows_are_forgotten_alike(life: Installation) -> None:
    for feature in PER_TITLE:
        compact(life.store.objects, feature)
    done = forget(life.store, life.mesh, "one")
    assert len(done.gone) == 10 and verify(life.store).findings == []
    for feature in PER_TITLE:
        compact(life.store.objects, feature)
    assert verify(life.store).findings == []
    assert look(life.store, life.mesh, "one").gone == []


def test_a_show_of_the_same_name_is_not_the_title(life: Installation) -> None:
    from mediaml_assets_tests.amber.toy import shows_mesh

    life.mesh = shows_mesh()
    episode = life.landing / "one/s01/e01.mp4"
    episode.parent.mkdir(parents=True)
    episode.write_text("episode")
    life.known = {}
    life.land()
    life.settle()
    assert life.store.view("season", "one").table().num_rows == 1
    done = forget(life.store, life.mesh, "one")
    assert {feature for feature, _ in done.chains} == {"source", "letters", "counts"}
    assert life.store.view("season", "one").table().num_rows == 1


def test_replicas_hold_nothing_of_it(life: Installation) -> None:
    sink = Replica("letters", "shards", LETTERS, life.home / "replicas").open()
    life.deliver(one="abba")
    life.settle()
    replicate(life.store, "letters", sink)
    assert "one" in sink.held()
    withdraw(life, "one")
    forget(life.store, life.mesh, "one")
    copied = replicate(life.store, "letters", sink, keep_seconds=0)
    assert copied.drop == ["one"] and sorted(sink.held()) == ["two", "uno"]


def test_sql_over_history_leaves_out_what_is_gone(life: Installation) -> None:
    forget(life.store, life.mesh, "one")
    sql = connect(life.store)
    assert sql.execute("SELECT count(*) FROM letters").fetchall() == [(7,)]
    titles = sql.execute("SELECT DISTINCT title FROM letters_history ORDER BY title").fetchall()
    assert titles in ([("two",), ("uno",)], [("one",), ("two",), ("uno",)])
    assert sql.execute("SELECT count(*) FROM source_history WHERE title = 'one'").fetchall() == [(0,)]
    assert sql.execute("SELECT count(*) FROM ledger WHERE scope = 'one' AND event = 'forgotten'").fetchall() == [(4,)]


@pytest.mark.parametrize("step", [6, pytest.param(1, marks=pytest.mark.slow)])
def test_the_same_content_is_delivered_at_any_step(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setenv("TOY_CALLS", str(tmp_path / "calls"))
    for at in range(1, 200, step):
        monkeypatch.setenv("MEDIAML_HOME", str(tmp_path / str(at)))
        here = copy(made, tmp_path / str(at))
        objects = Meanwhile(root(here.store))
        objects.at = at

        def deliver(here: Installation = here) -> None:
            here.deliver(again="zebra")
            here.settle()

        objects.meanwhile = deliver  # type: ignore[method-assign]
        forget(Store(objects), here.mesh, "one")
        if objects.count < at:
            break
        assert verify(here.store).findings == [], at
        assert here.store.view("clip", "again").blob("video").read_text() == "".join(sorted("zebra"))
    assert at > 20


@pytest.mark.parametrize("at", range(12))
def test_a_title_that_recalls_beside_it_has_its_file_and_its_memo(life: Installation, at: int) -> None:
    """Its row is written once nothing was found to refer to the content, and some of that has been removed."""
    store, mesh = life.store, life.mesh
    life.deliver(again="zebra")
    life.compute("letters", "again")
    life.compute("counts", "again")
    outcome = evaluate(store, mesh.ask(store, "clip", ["again"]))
    assert outcome.memo is not None

    recalled = []

    def recall() -> None:
        with suppress(InputMoved):
            recalled.append(commit(store, outcome))

    objects = OnRemove(root(store))
    objects.at, objects.meanwhile = at, recall  # type: ignore[method-assign]
    forget(Store(objects), mesh, "one")
    if at >= objects.count:
        recall()
    if recalled:
        assert verify(store).findings == []
    # who was told that it is gone computes it
    life.settle()
    assert verify(store).findings == []
    assert store.view("clip", "again").blob("video").read_text() == "aberz"
    assert store.recall("clip", outcome.ask.key) is not None


class OnRemove(Meanwhile):
    """Lets somebody else go on at the n-th object that is removed from the trash."""

    def step(self) -> None: ...

    def remove(self, name: str) -> None:
        if name.startswith("trash/"):
            if self.count == self.at:
                self.meanwhile()
            self.count += 1
        super().remove(name)


KILLED = """
import os, pathlib, signal, sys
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.amber.upkeep.forget import forget
from mediaml_assets.amber.store import Store
from mediaml_assets_tests.amber.toy import film_mesh

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
        forget(Store(objects), film_mesh(), "one")
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_at_each_step_the_next_one_ends_it(made: Path, tmp_path: Path, step: int) -> None:
    points = range(random.Random(step).randrange(step), 40, step)
    roots = [tmp_path / f"{point:02}" / "store" for point in points]
    for one in roots:
        shutil.copytree(made / "store", one)
    arguments = (f"{one}={point}" for one, point in zip(roots, points, strict=True))
    statuses = [int(one) for one in start(KILLED, *arguments).communicate(timeout=90)[0].split()]
    finished = statuses.index(0)
    # a row and its witness for each chain, the environment twice; each object into the trash and away
    assert statuses == [9] * finished + [0] * (len(points) - finished) and points[finished] >= 2 * 4 + 2 * 10
    wanted = None
    for one in roots[::-1]:
        store = Store(one)
        report = verify(store)
        assert report.findings == []
        forget(store, film_mesh(), "one")
        left = [name for name in all_of(store) if not name.startswith(("ledger/", "environments/"))]
        wanted = wanted or left
        assert left == wanted
        assert verify(store).findings == []
        assert [len(store.ledger.chain(feature, "one")) for feature in PER_TITLE] == [4, 4, 4, 4]
