"""Promise 8: what a value costs the store, counted in its operations, is the same for the thousandth commit."""

from collections import Counter
from dataclasses import replace

import pytest

from mediaml_assets.amber.demand import Demand
from mediaml_assets.amber.ledger import CHAPTER
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.toy import toy_mesh


def operations(here: Installation) -> Counter[str]:
    """What was asked of the store since the last call."""
    objects = here.store.objects
    found, objects.operations = objects.operations, Counter()
    return found


def costs(here: Installation, version: str) -> dict[str, Counter[str]]:
    """Operations of each thing that is done about a value: make it, find it made, look whether it is stale, read it."""
    here.mesh = toy_mesh(version, factor=int(version))
    demand = Demand(here.store, here.mesh)
    found = {}
    operations(here)
    here.compute("counts", "one")
    found["computed"] = operations(here)
    here.compute("counts", "one")
    found["recalled"] = operations(here)
    assert ("counts", "one") not in here.stale()
    found["not stale"] = operations(here)
    demand.value("counts", "one").table()
    found["on demand"] = operations(here)
    return found


def grow(here: Installation, to: int) -> None:
    """Add rows to the chain until its newest has this seq."""
    head = here.store.ledger.head("counts", "one")
    while head is not None and head.seq < to:
        head = here.store.ledger.append(replace(head, run=f"row {head.seq + 1}"), head)
    assert head is not None and head.seq == to


@pytest.mark.parametrize("seq", [CHAPTER - 2, CHAPTER - 1, CHAPTER, 999])
def test_a_later_commit_costs_what_the_second_did(here: Installation, seq: int) -> None:
    here.deliver(one="abba")
    here.settle()
    second = costs(here, "2")
    assert second["computed"].total() <= 20 and second["recalled"].total() <= 10
    assert second["recalled"]["create"] == 0
    grow(here, to=seq - 1)
    assert costs(here, "3") == second
    head = here.store.ledger.head("counts", "one")
    assert head is not None and head.seq == seq and head.version == "3"


def test_no_row_but_the_newest_is_read(here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    here.deliver(one="abba")
    here.settle()
    grow(here, to=150)
    rows: list[str] = []
    read = FolderObjects.read

    def reading(self: FolderObjects, name: str) -> bytes:
        if name.startswith("ledger/counts/"):
            rows.append(name)
        return read(self, name)

    monkeypatch.setattr(FolderObjects, "read", reading)
    costs(here, "2")
    assert set(rows) == {f"ledger/counts/one/000002/{seq:08d}.json" for seq in (150, 151)}
