"""A back-fill steps back while searches are slow, and never stops."""

from dataclasses import dataclass, field
from functools import partial

import pytest

from mediaml_assets.amber.replicas.replication import replicate
from mediaml_assets.amber.store import Store
from mediaml_assets.annotations.pace import MOST_SECONDS, REST, SLOW_SECONDS, Pace
from mediaml_assets_tests.annotations.sinks import opened
from mediaml_assets_tests.annotations.titles import put_title
from mediaml_assets_tests.marken.plain_engine import PlainEngine, PlainSnapshot


@dataclass
class Machine:
    """A clock that only what is done moves."""

    search_seconds: float = 0.0
    now: float = 0.0
    searches: int = 0
    merges: int = 0
    rests: list[float] = field(default_factory=list)
    merged_seconds: float | None = None
    """How long a search takes once loads are merged; as before by default."""

    def search(self) -> None:
        self.searches += 1
        self.now += self.search_seconds

    def merge(self) -> None:
        self.merges += 1
        self.search_seconds = self.search_seconds if self.merged_seconds is None else self.merged_seconds

    def sleep(self, seconds: float) -> None:
        self.rests.append(seconds)
        self.now += seconds

    def work(self, seconds: float) -> int:
        self.now += seconds
        return 1

    def pace(self) -> Pace:
        return Pace(self.search, self.merge, self.sleep, lambda: self.now)


def test_nothing_rests_while_searches_are_quick() -> None:
    machine = Machine(search_seconds=SLOW_SECONDS / 2)
    pace = machine.pace()
    assert sum(pace.write(lambda: machine.work(0.5)) for _ in range(10)) == 10
    assert (machine.rests, machine.merges) == ([], 0)
    # the first has nothing to step back from, and one look does for two of the others
    assert machine.searches <= 5


def test_a_slow_search_makes_it_rest_in_proportion_to_its_own_work() -> None:
    machine = Machine(search_seconds=SLOW_SECONDS * 2)
    pace = machine.pace()
    for seconds in (0.5, 1.0, 2.0):
        pace.write(partial(machine.work, seconds))
    assert machine.rests == [0.5 * REST, 1.0 * REST]
    worked, spent = 3.5, machine.now - machine.searches * machine.search_seconds
    assert worked / (spent + 2.0 * REST) == pytest.approx(1 / (1 + REST))
    machine.search_seconds = 0.0
    pace.write(lambda: machine.work(1.0))
    assert len(machine.rests) == 2


def test_what_merging_makes_quick_again_costs_no_rest() -> None:
    machine = Machine(search_seconds=SLOW_SECONDS * 2, merged_seconds=0.001)
    pace = machine.pace()
    for _ in range(3):
        pace.write(lambda: machine.work(2.0))
    assert (machine.rests, machine.merges) == ([], 1)


def test_a_rest_ends_however_long_an_operation_took() -> None:
    machine = Machine(search_seconds=60.0)
    pace = machine.pace()
    for _ in range(2):
        pace.write(lambda: machine.work(1000.0))
    assert machine.rests == [MOST_SECONDS]


def test_an_operation_that_fails_counts_as_work() -> None:
    machine = Machine(search_seconds=SLOW_SECONDS * 2)
    pace = machine.pace()

    def failing() -> int:
        machine.work(1.0)
        raise ValueError

    with pytest.raises(ValueError):
        pace.write(failing)
    pace.write(lambda: machine.work(0.0))
    assert machine.rests == [REST]


def test_a_back_fill_rests_where_the_engine_answers_slowly_and_is_whole_all_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed, slug in enumerate("abcd"):
        put_title(store, slug, seed)
    engine, machine = PlainEngine(), Machine()
    sink = opened(store, engine, "shots")
    sink._pace.sleep, sink._pace.clock = machine.sleep, lambda: machine.now
    select, start = PlainSnapshot.select, PlainEngine.start

    def slow(self: PlainSnapshot, selection: object) -> object:
        machine.now += SLOW_SECONDS * 3
        return select(self, selection)  # type: ignore[arg-type]

    def costly(self: PlainEngine, *arguments: object) -> object:
        machine.now += 0.25
        return start(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(PlainSnapshot, "select", slow)
    monkeypatch.setattr(PlainEngine, "start", costly)
    assert replicate(store, "shots", sink).put == ["a", "b", "c", "d"]
    assert machine.rests == [0.25 * REST] * 3
