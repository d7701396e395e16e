"""What a feature keeps for the next computation: given as a parameter, counted, in no key, swept once of no use."""

from typing import Any, ClassVar, Self

import pyarrow as pa
import pytest

from mediaml_assets.amber.cache import Cache
from mediaml_assets.amber.feature import Scope, amber_feature
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.upkeep.forget import forget
from mediaml_assets.amber.upkeep.gc import collect
from mediaml_assets.amber.upkeep.verify import verify
from mediaml_assets.errors import NotStored
from mediaml_assets.landing.arrivals import SOURCE
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.toy import TOTAL, TotalConfig, letters


class Kept:
    """The letters of a title, by their digest, read only when nothing was derived from them before."""

    columns: ClassVar[tuple[str, ...]] = ("letter",)

    def __init__(self, view: Any) -> None:
        self.digests = {"letter": view.value.columns["letter"]}
        self.view = view

    @classmethod
    def from_value(cls, view: Any) -> Self:
        return cls(view)


def counted(cache: Cache, one: Kept) -> int:
    name = f"{cache.bound('count-1', 'letters', one.digests)}/n"
    try:
        found = int(cache.read_range(name, 0, 20))
        cache.count("reused", 1)
    except NotStored:
        found = one.view.table(["letter"]).num_rows
        cache.create(name, str(found).encode())
        cache.count("made", 1)
    return found


@amber_feature(version="1", schema=TOTAL, scope=Scope.CATALOGUE)
def tally(letters: dict[str, Kept], config: TotalConfig, cache: Cache) -> pa.Table:
    """Letters of each title."""
    rows = {title: counted(cache, one) * config.factor for title, one in letters.items()}
    return pa.table({"title": list(rows), "n": list(rows.values())}, schema=TOTAL)


@pytest.fixture
def kept(here: Installation) -> Installation:
    here.mesh = Mesh([letters, tally], sources=[SOURCE])
    here.deliver(one="abba", two="xyz")
    here.settle()
    return here


def metrics(here: Installation, factor: int) -> dict[str, float]:
    row = here.compute("tally", "one", "two", factor=factor)
    return {name: row.metrics[name] for name in row.metrics if name.startswith("cache.")}


def cached(store: Store) -> set[str]:
    return {one.name.rpartition("/")[2] for one in store.objects.walk("cache/tally")}


def sweep(store: Store) -> int:
    return collect(store, delete=True, grace_seconds=0).garbage["cache"].count


def test_what_was_derived_is_found_again_and_counted(kept: Installation) -> None:
    assert kept.store.ledger.head("tally", CATALOGUE).metrics["cache.made"] == 2
    assert metrics(kept, 2) == {"cache.reused": 2}
    assert cached(kept.store) == {"n", "of.json"}


def test_it_is_no_part_of_the_key_and_a_value_without_it_is_the_same(kept: Installation) -> None:
    before = kept.store.ledger.head("tally", CATALOGUE)
    for one in list(kept.store.objects.walk("cache")):
        kept.store.objects.remove(one.name)
    assert kept.ends() == []
    assert kept.compute("tally", "one", "two").current == before.current
    assert metrics(kept, 3) == {"cache.made": 2}
    assert verify(kept.store).findings == [] and verify(kept.store).notes == []


def test_it_goes_when_no_value_has_those_columns_any_more(kept: Installation) -> None:
    assert "cache" not in collect(kept.store, delete=True, grace_seconds=0).garbage
    kept.deliver(one="changed")
    kept.settle()
    # the older value is kept in the history, and may become current again
    assert "cache" not in collect(kept.store, delete=True, grace_seconds=0).garbage
    (kept.landing / "two.mp4").unlink()
    kept.land()
    kept.settle()
    forget(kept.store, kept.mesh, "two")
    assert collect(kept.store, grace_seconds=3600).garbage.get("cache") is None
    assert sweep(kept.store) == 2
    assert len(list(kept.store.objects.walk("cache"))) == 4


def test_a_folder_that_says_nothing_of_what_it_is_bound_to_goes(kept: Installation) -> None:
    kept.store.objects.create("cache/tally/count-1/0123/n", b"7")
    assert sweep(kept.store) == 1
