"""Garbage is collected and titles are forgotten alike wherever a store is kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mediaml_assets.amber.keys import column_digests
from mediaml_assets.amber.names import value_name
from mediaml_assets.amber.objects import blob_object
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.upkeep.forget import forget, look
from mediaml_assets.amber.upkeep.gc import Collected, collect
from mediaml_assets.amber.upkeep.verify import verify
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.toy import film_mesh


@pytest.fixture
def here(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    """Two titles, of which one was withdrawn."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("MEDIAML_HOME", str(home))
    monkeypatch.setenv("TOY_CALLS", str(home / "calls"))
    here = Installation(home, store)
    here.mesh = film_mesh()
    here.deliver(one="abba", two="xyz")
    here.settle()
    (here.landing / "two.mp4").unlink()
    here.land()
    here.settle()
    yield here


def names(store: Store) -> list[str]:
    """Every object but claims, and what is left of the check that a bucket creates only if absent."""
    return sorted(one.name for one in store.objects.walk() if one.name.split("/")[0] not in ("claims", "checks"))


def test_garbage_goes_and_nothing_else(here: Installation, tmp_path: Path) -> None:
    store, before = here.store, names(here.store)
    rows = store.view("letters", "one").table().slice(0, 1)
    value = store.write_rows("letters", rows, "", column_digests(rows))
    (tmp_path / "a.mp4").write_bytes(b"a film")
    blob = blob_object(store.objects.add_file(tmp_path / "a.mp4"))
    needed = value_name("clip", store.view("clip", "one").value.digest)
    store.objects.move(needed, f"trash/before/{needed}")
    assert collect(store).garbage.keys() == {"trash"}
    listed = collect(store, grace_seconds=0)
    assert {kind: heap.count for kind, heap in listed.garbage.items()} == {"trash": 1, "values": 1, "blobs": 1}
    assert {value_name("letters", value.digest), blob} < set(names(store))
    done = collect(store, delete=True, grace_seconds=0)
    assert done.restored == [needed] and set(done.garbage) == {"values", "blobs"}
    assert names(store) == before
    assert collect(store, delete=True, grace_seconds=0) == Collected()
    assert verify(store).findings == verify(store).notes == []


def test_a_reader_brings_back_what_lies_in_the_trash(here: Installation) -> None:
    view, before = here.store.view("clip", "one"), names(here.store)
    value = value_name("clip", view.value.digest)
    for name in (value, blob_object(view.row()["video"])):
        here.store.objects.move(name, f"trash/run/{name}")
    assert view.blob("video").exists()
    assert names(here.store) == before


def test_a_withdrawn_title_is_forgotten(here: Installation) -> None:
    said, before = look(here.store, here.mesh, "two"), names(here.store)
    assert len(said.gone) == 8 and before == names(here.store)
    assert forget(here.store, here.mesh, "two") == said
    assert set(before) - set(names(here.store)) == set(said.gone)
    assert verify(here.store).findings == []
    assert here.totals() == {"one": 4} and here.stale() == []
