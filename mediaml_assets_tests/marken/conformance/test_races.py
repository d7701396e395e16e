"""Several writers at once, each with an engine of its own: one winner, numbers given once, nothing late or lost."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from mediaml_assets.errors import OperationRefused
from mediaml_assets.marken.engine import Engine
from mediaml_assets.marken.operation import Operation, State
from mediaml_assets_tests.marken.canonical import SPOT, VERDICT, canonical, spots, verdict
from mediaml_assets_tests.marken.conformance.conftest import PLACES, Opener
from mediaml_assets_tests.marken.conformance.test_operations import load, marks

ROUNDS = 8


@pytest.fixture(params=[name for name in PLACES if name != "plain"])
def opener(request: pytest.FixtureRequest) -> Opener:
    """Of engines that several may write with."""
    return PLACES[request.param](request)


def at_once(opener: Opener, tasks: Sequence[Callable[[Engine], object]]) -> list[object]:
    """What tasks give, or the refusal; they begin together, each with its own engine."""
    engines, ready = [opener() for _ in tasks], Barrier(len(tasks))

    def run(at: int) -> object:
        ready.wait(60)
        try:
            return tasks[at](engines[at])
        except OperationRefused as refused:
            return refused

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, range(len(tasks))))


def test_of_finish_and_cancel_one_wins_and_a_batch_is_in_or_refused(opener: Opener) -> None:
    engine = opener()
    operations = [engine.start(SPOT, f"t{number}", "tester", {}) for number in range(ROUNDS)]
    for operation in operations:
        engine.upsert(operation, spots(operation.scope, 3))

    def each(verb: Callable[[Engine, Operation], object]) -> Callable[[Engine], list[bool]]:
        def run(engine: Engine) -> list[bool]:
            won = []
            for operation in operations:
                try:
                    verb(engine, operation)
                    won.append(True)
                except OperationRefused:
                    won.append(False)
            return won

        return run

    def late(engine: Engine, operation: Operation) -> None:
        engine.upsert(operation, spots(operation.scope, 2, first=3))

    finish, cancel = (each(lambda engine, one, verb=verb: getattr(engine, verb)(one)) for verb in ("finish", "cancel"))
    finished, canceled, added = at_once(opener, [finish, cancel, each(late)])
    states = [one.state for one in engine.operations()]
    assert finished == [state is State.FINISHED for state in states]
    assert canceled == [state is State.CANCELED for state in states]
    # what was taken is there, what was refused is not
    seen = marks(opener())
    for number, state in enumerate(states):
        if state is State.FINISHED:
            assert seen[f"t{number}"] == (5 if added[number] else 3, 0)  # type: ignore[index]
            assert engine.active(SPOT)[f"t{number}"].rows == seen[f"t{number}"][0]
        else:
            assert f"t{number}" not in seen


def test_numbers_and_versions_are_given_once(opener: Opener) -> None:
    def write(engine: Engine) -> list[int]:
        numbers = [load(engine, "alpha", 2, mark=turn).number for turn in range(4)]
        for turn in range(4):
            engine.append(VERDICT, verdict("alpha+beta", "ann", str(turn)))
        return numbers

    given = at_once(opener, [write] * 3)
    assert sorted(number for mine in given for number in mine) == list(range(1, 13))  # type: ignore[attr-defined]
    assert opener().versions("alpha+beta/ann")["version"].to_pylist() == list(range(1, 13))


def test_many_scopes_and_batches_of_nothing(opener: Opener) -> None:
    engine = opener()
    for number in range(40):
        operation = engine.start(SPOT, f"t{number}", "tester", {})
        engine.upsert(operation, canonical(SPOT, operation.scope, []))
        if number % 2:
            engine.upsert(operation, spots(operation.scope, 1, mark=number))
        engine.finish(operation)
    engine.tidy()
    assert marks(opener()) == {f"t{number}": (1, number) for number in range(1, 40, 2)}
    assert len(opener().active(SPOT)) == 40
    with pytest.raises(OperationRefused):
        engine.upsert(operation, canonical(SPOT, operation.scope, []))


def test_roll_back_goes_by_who_finished_last(opener: Opener) -> None:
    engine = opener()
    operations = [engine.start(SPOT, "alpha", "tester", {}) for _ in range(3)]
    for mark, operation in enumerate(operations, 1):
        engine.upsert(operation, spots("alpha", mark, mark))
    for number in (2, 0, 1):
        engine.finish(operations[number])
    assert marks(engine) == {"alpha": (2, 2)}
    engine.roll_back(operations[1])
    assert marks(engine) == {"alpha": (1, 1)}
    engine.roll_back(operations[0])
    assert marks(engine) == {"alpha": (3, 3)}
