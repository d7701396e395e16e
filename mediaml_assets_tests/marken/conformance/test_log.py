"""Log mode: appended rows get the next version of their id, and nobody's statement erases another's."""

import threading

import pyarrow as pa

from mediaml_assets.marken.engine import Engine, Selection
from mediaml_assets_tests.marken.canonical import VERDICT, VERDICT_2, canonical, verdict
from mediaml_assets_tests.marken.conformance.conftest import Opener


def verdicts(engine: Engine, *titles: str, types: tuple[object, ...] = (VERDICT,)) -> dict[str, tuple[int, str]]:
    """Id -> version and verdict of what is current."""
    selection = Selection(types=types, columns=["id", "version", "verdict"], titles=titles or None)  # type: ignore[arg-type]
    rows = engine.snapshot().select(selection).to_pylist()
    found = {row["id"]: (row["version"], row["verdict"]) for row in rows}
    assert len(found) == len(rows)
    return found


def test_each_row_is_the_next_version_of_its_id(engine: Engine) -> None:
    given = engine.append(VERDICT, verdict("alpha+beta", "ann", "accept"))
    assert given["version"].to_pylist() == [1] and given["id"].to_pylist() == ["alpha+beta/ann"]
    batch = pa.concat_tables([verdict("alpha+beta", "bob", "reject"), verdict("alpha+beta", "ann", "reject")])
    assert engine.append(VERDICT, batch)["version"].to_pylist() == [1, 2]
    assert verdicts(engine) == {"alpha+beta/ann": (2, "reject"), "alpha+beta/bob": (1, "reject")}
    # the same again is a statement too
    assert engine.append(VERDICT, batch)["version"].to_pylist() == [2, 3]


def test_an_id_may_come_twice_in_one_batch(engine: Engine) -> None:
    batch = pa.concat_tables([verdict("alpha+beta", "ann", said) for said in ("accept", "reject", "accept")])
    given = engine.append(VERDICT, batch)
    assert given["version"].to_pylist() == [1, 2, 3]
    assert verdicts(engine) == {"alpha+beta/ann": (3, "accept")}
    assert engine.versions("alpha+beta/ann")["verdict"].to_pylist() == ["accept", "reject", "accept"]


def test_no_rows_append_nothing(engine: Engine) -> None:
    before = engine.snapshot().moment
    assert engine.append(VERDICT, canonical(VERDICT, "alpha", [])).num_rows == 0
    assert engine.snapshot().moment == before


def test_a_pair_is_found_under_both_titles(engine: Engine) -> None:
    engine.append(VERDICT, verdict("alpha+beta", "ann", "accept"))
    engine.append(VERDICT, verdict("beta+gamma", "ann", "reject"))
    assert set(verdicts(engine, "alpha")) == {"alpha+beta/ann"}
    assert set(verdicts(engine, "beta")) == {"alpha+beta/ann", "beta+gamma/ann"}
    assert set(verdicts(engine, "gamma", "alpha")) == {"alpha+beta/ann", "beta+gamma/ann"}


def test_versions_go_on_over_versions_of_the_type(engine: Engine) -> None:
    engine.append(VERDICT, verdict("alpha+beta", "ann", "accept"))
    engine.append(VERDICT, verdict("alpha+beta", "bob", "accept"))
    newer = verdict("alpha+beta", "ann", "reject", VERDICT_2, why="dull", why_stems=["dull"])
    assert engine.append(VERDICT_2, newer)["version"].to_pylist() == [2]
    # the newest of an id is current, whichever version of the type it is of
    assert verdicts(engine, types=(VERDICT,)) == {"alpha+beta/bob": (1, "accept")}
    assert verdicts(engine, types=(VERDICT, VERDICT_2)) == {
        "alpha+beta/ann": (2, "reject"),
        "alpha+beta/bob": (1, "accept"),
    }
    kept = engine.versions("alpha+beta/ann").to_pylist()
    assert [(row["version"], row["type_version"], row["verdict"], row["why"]) for row in kept] == [
        (1, 1, "accept", None),
        (2, 2, "reject", "dull"),
    ]


def test_many_writers_lose_nothing(opener: Opener) -> None:
    engines = [opener() for _ in range(4)]

    def decide(number: int) -> None:
        for turn in range(6):
            batch = pa.concat_tables(
                [verdict("alpha+beta", "all", f"{number}.{turn}"), verdict("alpha+beta", f"w{number}", f"{turn}")]
            )
            engines[number].append(VERDICT, batch)

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = engines[0].versions("alpha+beta/all").to_pylist()
    assert [row["version"] for row in kept] == list(range(1, 25))
    said = [row["verdict"] for row in kept]
    assert sorted(said) == sorted(f"{number}.{turn}" for number in range(4) for turn in range(6))
    for number in range(4):
        # each writer's own order is kept
        mine = [one for one in said if one.startswith(f"{number}.")]
        assert mine == sorted(mine)
        assert engines[0].versions(f"alpha+beta/w{number}")["verdict"].to_pylist() == [str(turn) for turn in range(6)]
    assert verdicts(engines[1])["alpha+beta/all"] == (24, said[-1])


def test_tidying_changes_no_answer(opener: Opener) -> None:
    engine = opener()
    for turn in range(20):
        engine.append(VERDICT, verdict("alpha+beta", "ann", str(turn)))
        if turn % 5 == 0:
            engine.append(VERDICT_2, verdict("alpha+beta", f"p{turn}", "x", VERDICT_2))
    before, kept = verdicts(engine, types=(VERDICT, VERDICT_2)), engine.versions("alpha+beta/ann").to_pylist()
    for _ in range(2):
        engine.tidy()
        for reader in (engine, opener()):
            assert verdicts(reader, types=(VERDICT, VERDICT_2)) == before
            assert reader.versions("alpha+beta/ann").to_pylist() == kept
    assert opener().append(VERDICT, verdict("alpha+beta", "ann", "last"))["version"].to_pylist() == [21]
