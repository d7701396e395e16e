"""Several processes want contrary things at once: one of them wins, and all of them know which."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mediaml_assets.errors import OperationRefused
from mediaml_assets.marken.embedded.engine import EmbeddedEngine
from mediaml_assets.marken.operation import State
from mediaml_assets_tests.amber.processes import together
from mediaml_assets_tests.marken.canonical import SPOT, VERDICT, spots, verdict
from mediaml_assets_tests.marken.conformance.test_operations import marks
from mediaml_assets_tests.marken.embedded.writers import PRELUDE, opened

ROUNDS = 12

FINISH_OR_CANCEL = """
from mediaml_assets.errors import OperationRefused
for operation in operations:
    try:
        (engine.finish if number % 2 else engine.cancel)(operation)
        print("won", end=" ")
    except OperationRefused:
        print("lost", end=" ")
"""

APPEND = """
print(*(engine.start(SPOT, "alpha", "tester", {}).number for _ in range(10)))
for turn in range(10):
    batch = pa.concat_tables([verdict("alpha+beta", who, f"{number}.{turn}") for who in ("a", "b")])
    given = engine.append(VERDICT, batch)
    print(*given["version"].to_pylist(), end=" ")
"""


@pytest.mark.slow
def test_finish_and_cancel_have_one_winner(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    for number in range(ROUNDS):
        engine.upsert(engine.start(SPOT, f"t{number}", "tester", {}), spots(f"t{number}", 3))
    before = f"{PRELUDE}\nengine = opened(sys.argv[2])\noperations = engine.operations()"
    printed = [one.split() for one in together(4, before, FINISH_OR_CANCEL, tmp_path)]
    states = [one.state for one in engine.operations()]
    for number, state in enumerate(states):
        canceled, finished = {printed[0][number], printed[2][number]}, {printed[1][number], printed[3][number]}
        assert (canceled, finished) == (({"won"}, {"lost"}) if state is State.CANCELED else ({"lost"}, {"won"})), (
            "those who want the same all win, or all lose"
        )
    assert set(marks(engine)) == {f"t{number}" for number in range(ROUNDS) if states[number] is State.FINISHED}


def test_numbers_and_versions_are_given_once(tmp_path: Path) -> None:
    opened(tmp_path)
    before = f"{PRELUDE}\nengine = opened(sys.argv[2])"
    printed = [[int(one) for one in text.split()] for text in together(3, before, APPEND, tmp_path)]
    assert sorted(one for mine in printed for one in mine[:10]) == list(range(1, 31))
    given = [mine[10:] for mine in printed]
    assert sorted(one for mine in given for one in mine[::2]) == list(range(1, 31))
    for who in "ab":
        kept = opened(tmp_path).versions(f"alpha+beta/{who}").to_pylist()
        said = {row["version"]: row["verdict"] for row in kept}
        wanted = {
            mine[2 * turn + "ab".index(who)]: f"{number}.{turn}"
            for number, mine in enumerate(given)
            for turn in range(10)
        }
        assert said == wanted


def beaten(engine: EmbeddedEngine, act: Callable[[], object]) -> None:
    """Let another one act between what an engine decides next and the entry that says so."""
    objects = engine._objects
    create = objects.create

    def late(name: str, data: bytes | memoryview) -> bool:
        if name.startswith("log/"):
            objects.create = create  # type: ignore[method-assign]
            act()
        return create(name, data)

    objects.create = late  # type: ignore[method-assign]


def test_who_is_beaten_decides_again_on_what_is_there(tmp_path: Path) -> None:
    one, other = opened(tmp_path), opened(tmp_path)
    operation = one.start(SPOT, "alpha", "tester", {})
    one.upsert(operation, spots("alpha", 3, mark=1))
    beaten(one, lambda: other.upsert(operation, spots("alpha", 4, mark=2)))
    assert one.finish(operation).rows == 4 and marks(other) == {"alpha": (4, 2)}
    beaten(one, lambda: other.append(VERDICT, verdict("alpha+beta", "ann", "accept")))
    assert one.append(VERDICT, verdict("alpha+beta", "ann", "reject"))["version"].to_pylist() == [2]
    beaten(one, lambda: other.start(SPOT, "alpha", "other", {}))
    given = one.start(SPOT, "alpha", "tester", {})
    assert given.number == 3
    beaten(one, lambda: other.cancel(given))
    with pytest.raises(OperationRefused, match="canceled"):
        one.finish(given)
    beaten(one, lambda: other.finish(other.operations()[1]))
    with pytest.raises(OperationRefused, match="finished"):
        one.upsert(one.operations()[1], spots("alpha", 1))


def test_of_two_merges_of_the_same_parts_one_gives_up(tmp_path: Path) -> None:
    one, other = opened(tmp_path), opened(tmp_path)
    for scope in ("alpha", "beta", "gamma"):
        operation = one.start(SPOT, scope, "tester", {})
        one.upsert(operation, spots(scope, 3, mark=1))
        one.finish(operation)
    beaten(one, other.tidy)
    one.tidy()
    wanted = {scope: (3, 1) for scope in ("alpha", "beta", "gamma")}
    assert marks(one) == marks(other) == marks(opened(tmp_path)) == wanted
