"""The growing installation at tiny sizes: it asks for what a title needs, and for nothing at rest."""

from math import isfinite

import pytest

from benchmarks import growth
from benchmarks.growth import TARGETS, grown


@pytest.mark.slow
def test_a_tiny_installation_is_measured_at_two_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    # one round each; what the ticks ask for is checked inside
    monkeypatch.setattr(growth, "ROUNDS", 1)
    figures = grown(4, 9)
    assert set(TARGETS) <= set(figures)
    assert all(isfinite(figure) and figure > 0 for figure in figures.values())


def test_automation_asks_for_what_one_more_title_needs_and_then_rests() -> None:
    with growth._installation() as here:
        here.fill(0, 3)
        here.automation()
        assert here.automation() == 0
        assert list(here.mesh.stale(here.store, here.titles())) == []
        (title,) = here.deliver(3, 4)
        here.land()
        assert here.automation() == 2 and list(here.mesh.stale(here.store, here.titles())) == [("sizes", title)]
        here.describe([title])
        here.automation()
        assert here.automation() == 0
        rows = here.store.view("census", "_catalogue").table()
        assert rows.column("title").to_pylist() == [f"title_{number:06}" for number in range(4)]
