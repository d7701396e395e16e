"""Clocks that are wrong or jump: the chain is the order, and what time it is said to be decides nothing but `as_of`."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from typing import Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.amber import evaluation
from mediaml_assets.amber.ledger import Commit, Ledger
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.ledger.test_chains import at, broken_at, commit, stamp
from mediaml_assets_tests.amber.processes import together
from mediaml_assets_tests.amber.toy import calls, toy_mesh

BEFORE = """
import os, pathlib, sys
from datetime import datetime, timedelta
from mediaml_assets.amber import commits
from mediaml_assets.landing import chains
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.toy import toy_mesh

class Jumping(datetime):
    hours = 0

    @classmethod
    def now(cls, zone=None):
        # each look finds the clock an hour further on, or set back by two
        cls.hours += 1 if cls.hours < 2 else -3
        return datetime.now(zone) + timedelta(hours=cls.hours)

commits.datetime = chains.datetime = Jumping
"""

WRITES = """
Jumping.hours = number - 1
home = pathlib.Path(sys.argv[2])
os.environ.update(MEDIAML_HOME=str(home), TOY_CALLS=str(home / "calls"))
here = Installation(home)
for n in range(12):
    here.mesh = toy_mesh(f"{number}-{n}", factor=100 * number + n + 1)
    here.compute("counts", "one")
"""


def test_writers_whose_clocks_jump_make_one_chain(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    together(3, BEFORE, WRITES, here.home)
    chain = here.store.ledger.chain("counts", "one")
    assert len(chain) == 1 + 3 * 12 and broken_at(chain) == []
    times = [row.made_at for row in chain]
    assert times != sorted(times)
    # whatever the clocks said, the newest row counts, and each process's rows stand in the order it wrote them
    head = here.store.ledger.head("counts", "one")
    assert head == chain[-1] and head.current == head.value == here.store.view("counts", "one").value
    for number in range(3):
        mine = [row.version for row in chain if row.version.startswith(f"{number}-")]
        assert mine == [f"{number}-{n}" for n in range(12)]
    assert [here.store.ledger.as_of("counts", "one", row) for row in chain] == chain
    assert here.store.ledger.as_of("counts", "one", datetime.fromisoformat(max(times))) == head


def test_a_delivery_by_a_clock_that_went_back_is_the_newer_one(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    with clocks(timedelta(hours=-1)):
        here.deliver(one="xyz")
        here.settle()
    rows = here.store.ledger.chain("counts", "one")
    assert [row.generation for row in rows] == [1, 2] and rows[1].made_at < rows[0].made_at
    assert here.totals() == {"one": 3} and here.stale() == [] and here.ends() == []
    before = calls()
    here.deliver(one="abba")
    here.settle()
    assert here.totals() == {"one": 4} and calls()[len(before) :] == ["letters/one"]


def test_a_slow_run_is_late_whatever_the_clocks_say(here: Installation) -> None:
    here.deliver(one="abba")
    here.compute("letters", "one")
    slow = evaluation.evaluate(here.store, here.mesh.ask(here.store, "counts", ["one"]))
    with clocks(timedelta(hours=-1)):
        here.deliver(one="xyz")
        here.settle()
    with clocks(timedelta(hours=1)):
        row = evaluation.commit(here.store, slow)
    assert row.value != row.current and here.totals() == {"one": 3}


@pytest.mark.parametrize("hours", [-1, 1])
def test_one_machine_with_a_wrong_clock_changes_nothing(here: Installation, hours: int) -> None:
    here.deliver(one="abba")
    here.settle()
    before = calls()
    with clocks(timedelta(hours=hours)):
        here.land()
        here.settle()
    here.mesh = toy_mesh("2", factor=2)
    with clocks(timedelta(hours=-hours)):
        here.settle()
    here.settle()
    assert calls()[len(before) :] == ["counts/one", "total/one"] and here.totals() == {"one": 8}


@contextmanager
def clocks(ahead: timedelta) -> Iterator[None]:
    """Set the clock of everything that writes rows."""

    class Other(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + ahead

    with pytest.MonkeyPatch.context() as patch:
        for module in ("amber.commits", "landing.chains"):
            patch.setattr(f"mediaml_assets.{module}.datetime", Other)
        yield


def newest(chain: list[Commit], until: str) -> Commit | None:
    """What `as_of` means, in the plainest way."""
    found = None
    for row in chain:
        if row.made_at <= until:
            found = row
    return found


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_as_of_never_goes_back_and_ends_at_the_head(
    tmp_path_factory: pytest.TempPathFactory, seconds: list[int]
) -> None:
    ledger = Ledger(FolderObjects(tmp_path_factory.mktemp("store")))
    for second in seconds:
        assert ledger.append(commit(made_at=stamp(second)), ledger.head("motion", "one"))
    chain = ledger.chain("motion", "one")
    found = [ledger.as_of("motion", "one", at(second)) for second in range(10)]
    assert found == [newest(chain, stamp(second)) for second in range(10)]
    places = [row.seq if row else -1 for row in found]
    assert places == sorted(places) and found[-1] == chain[-1]
