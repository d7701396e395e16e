"""A chain of commits: nothing lost, nothing forged unseen, the same cost for ever."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.amber.ledger import CHAPTER, Commit, Ledger, Row, Value
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.amber.store import open_store
from mediaml_assets.errors import Damaged
from mediaml_assets_tests.amber.processes import together

VALUE = Value("d" * 64, "k" * 64, {"n": "c" * 64}, 1, 10, "s" * 64)


def commit(feature: str = "motion", scope: str = "one", made_at: str = "", **more: object) -> Commit:
    plain = Commit(feature, scope, "computed", VALUE, VALUE, "k" * 64, 1, made_at)
    return replace(plain, **more)  # type: ignore[arg-type]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(FolderObjects(tmp_path))


def extend(ledger: Ledger, count: int) -> None:
    for _ in range(count):
        assert ledger.append(commit(), ledger.head("motion", "one"))


def broken_at(chain: list[Commit]) -> list[int]:
    """Places of a chain where a commit does not follow the one before it."""
    wanted = ["", *(one.digest for one in chain)]
    return [place for place, one in enumerate(chain) if (one.seq, one.before) != (place, wanted[place])]


def test_a_chain_begins_empty(ledger: Ledger) -> None:
    assert ledger.head("motion", "one") is None
    assert ledger.chain("motion", "one") == []
    assert ledger.scopes("motion") == []


def test_each_commit_carries_the_digest_of_the_one_before(ledger: Ledger) -> None:
    extend(ledger, 5)
    chain = ledger.chain("motion", "one")
    assert [one.seq for one in chain] == [0, 1, 2, 3, 4]
    assert broken_at(chain) == []
    assert chain[-1] == ledger.head("motion", "one")


def test_a_commit_is_read_as_it_was_written(ledger: Ledger) -> None:
    full = commit(
        made_at="2024-01-01T00:00:00.000000+00:00",
        who="é",
        run="r",
        version="1",
        inputs={"counts": {"one": "d" * 64}},
        config={"titles": ["a", "b"], "factor": 0.1},
        metrics={"seconds": 1.5, "rows": 3},
        reason="a 'quoted' reason",
    )
    written = ledger.append(full, None)
    assert written is not None
    read = ledger.head("motion", "one")
    assert read == written and read.digest == written.digest


def test_who_appends_to_an_old_head_is_told_so(ledger: Ledger) -> None:
    first = ledger.append(commit(), None)
    assert ledger.append(commit(who="me"), first)
    assert ledger.append(commit(who="late"), first) is None
    assert ledger.append(commit(who="late"), None) is None
    assert [one.who for one in ledger.chain("motion", "one")] == ["", "me"]


def test_scopes_are_chains_of_their_own(ledger: Ledger) -> None:
    for scope in ("two", "one", "_catalogue@abc"):
        ledger.append(commit(scope=scope), None)
    assert ledger.scopes("motion") == ["_catalogue@abc", "one", "two"]
    assert ledger.head("motion", "three") is None


def test_chapters_of_64_commits(ledger: Ledger, tmp_path: Path) -> None:
    extend(ledger, 2 * CHAPTER + 1)
    root = tmp_path / "ledger/motion/one"
    assert [len(list(chapter.glob("*.json"))) for chapter in sorted(root.iterdir())] == [CHAPTER, CHAPTER, 1]
    assert (root / "000001/00000064.json").exists()
    assert broken_at(ledger.chain("motion", "one")) == []


def test_the_head_costs_the_same_after_200_commits(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path)
    ledger = Ledger(objects)
    costs = []
    for _ in range(200):
        head = ledger.head("motion", "one")
        objects.operations.clear()
        ledger.append(commit(), head)
        ledger.head("motion", "one")
        costs.append(dict(objects.operations))
    assert costs == [{"create": 2, "list": 3, "read": 1}] * 200


def test_a_chapter_whose_first_commit_is_not_there_yet(ledger: Ledger, tmp_path: Path) -> None:
    # what a writer killed between the folder and the file leaves behind
    (tmp_path / "ledger/motion/one/000000").mkdir(parents=True)
    assert ledger.head("motion", "one") is None and ledger.chain("motion", "one") == []
    extend(ledger, CHAPTER)
    (tmp_path / "ledger/motion/one/000001").mkdir()
    head = ledger.head("motion", "one")
    assert head is not None and head.seq == CHAPTER - 1
    extend(ledger, 1)
    assert len(ledger.chain("motion", "one")) == CHAPTER + 1


def writers_lose_nothing(where: str, local: Path, rows: int) -> None:
    """Three processes append so many rows each to one chain of a store."""
    before = """
import pathlib, sys
from mediaml_assets.amber.store import open_store
from mediaml_assets_tests.amber.ledger.test_chains import commit
"""
    script = """
ledger = open_store(sys.argv[2], pathlib.Path(sys.argv[3])).ledger
for n in range(int(sys.argv[4])):
    while ledger.append(commit(who=f"{number}/{n}"), ledger.head("motion", "one")) is None:
        pass
"""
    together(3, before, script, where, local, rows)
    chain = open_store(where, local).ledger.chain("motion", "one")
    assert broken_at(chain) == []
    for number in range(3):
        mine = [one.who for one in chain if one.who.startswith(f"{number}/")]
        assert mine == [f"{number}/{n}" for n in range(rows)]
    assert len(chain) == 3 * rows


def test_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    writers_lose_nothing(str(tmp_path), tmp_path, rows=40)


def test_each_row_has_its_witness(ledger: Ledger) -> None:
    extend(ledger, CHAPTER + 2)
    stored = ledger.stored("motion", "one")
    assert [row.seq for row in stored.rows] == list(range(CHAPTER + 2))
    assert stored.witnesses == {row.seq: (row.digest[:16],) for row in stored.rows}
    assert [row.digest for row in stored.rows] == [one.digest for one in ledger.chain("motion", "one")]


def test_a_row_without_its_witness_counts(ledger: Ledger, tmp_path: Path) -> None:
    # what a writer killed between the two leaves behind
    extend(ledger, 2)
    next((tmp_path / "ledger/motion/one/000000").glob("00000001.????????????????")).unlink()
    head = ledger.head("motion", "one")
    assert head is not None and head.seq == 1
    extend(ledger, 1)
    assert broken_at(ledger.chain("motion", "one")) == []


@pytest.mark.parametrize("bit", range(8))
def test_a_flipped_bit_of_the_newest_row_is_damage(ledger: Ledger, tmp_path: Path, bit: int) -> None:
    extend(ledger, 2)
    file = tmp_path / "ledger/motion/one/000000/00000001.json"
    whole = file.read_bytes()
    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
        with pytest.raises(Damaged, match=r"ledger/motion/one/000000/00000001\.json is not what it was"):
            ledger.head("motion", "one")


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"no json", b"\xff", b'{"value":{}}', b'{"value":null,"more":1}'])
def test_a_row_that_is_none_is_named(ledger: Ledger, tmp_path: Path, text: bytes) -> None:
    extend(ledger, 2)
    (tmp_path / "ledger/motion/one/000000/00000000.json").write_bytes(text)
    with pytest.raises(Damaged, match=r"ledger/motion/one/000000/00000000\.json is no row .*`mediaml verify motion`"):
        ledger.chain("motion", "one")


def test_a_row_of_another_chain_is_named(ledger: Ledger, tmp_path: Path) -> None:
    extend(ledger, 1)
    ledger.append(commit(scope="two"), None)
    root = tmp_path / "ledger/motion"
    shutil.copy(root / "one/000000/00000000.json", root / "two/000000/00000000.json")
    with pytest.raises(Damaged, match=r"two/000000/00000000\.json holds row 0 of motion of one"):
        ledger.chain("motion", "two")


def test_the_end_of_a_chain_whose_newest_row_was_removed(ledger: Ledger, tmp_path: Path) -> None:
    extend(ledger, CHAPTER + 1)
    (tmp_path / "ledger/motion/one/000001/00000064.json").unlink()
    head = ledger.head("motion", "one")
    assert head is not None and head.seq == 63
    assert list(ledger.stored("motion", "one").witnesses)[-1] == 64


texts = st.text(max_size=3)
digests = st.dictionaries(texts, texts, max_size=2)
numbers = st.integers(0, 2**40)
values = st.builds(
    Value, texts, st.sampled_from(["", "k", "m"]), digests, numbers, numbers, texts, st.dictionaries(texts, digests)
)
rows = st.builds(
    Commit,
    feature=st.just("motion"),
    scope=st.just("one"),
    event=st.sampled_from(["computed", "reused", "refused", "withdrawn"]),
    value=st.none() | values,
    current=st.none() | values,
    key=st.sampled_from(["", "k", "m"]),
    generation=numbers,
    made_at=texts,
    who=texts,
    inputs=digests,
    config=st.dictionaries(texts, st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | texts),
    metrics=st.dictionaries(texts, st.floats(allow_nan=False, allow_infinity=False)),
    seq=numbers,
    before=texts,
)


@given(rows, st.booleans())
def test_every_commit_is_read_as_it_was_written(one: Commit, is_current: bool) -> None:
    one = replace(one, current=one.value) if is_current else one
    row = Row("motion", "one", one.seq, "name", one.text)
    assert row.commit == one and row.commit.text == one.text and row.digest == one.digest


def test_a_row_says_nothing_twice(ledger: Ledger, tmp_path: Path) -> None:
    ledger.append(commit(), None)
    ledger.append(commit(value=None, event="refused"), ledger.head("motion", "one"))
    first, second = (json.loads(file.read_text()) for file in sorted(tmp_path.rglob("*.json")))
    assert set(first) == {"feature", "scope", "event", "value", "generation"}
    assert second["value"] is None and second["current"] == first["value"] and second["key"] == VALUE.key


def edited(file: Path, change: Callable[[dict[str, object]], None]) -> None:
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))


@pytest.mark.parametrize("part", ["who", "made_at", "run", "reason", "key", "event"])
def test_an_edited_commit_breaks_the_chain(ledger: Ledger, tmp_path: Path, part: str) -> None:
    extend(ledger, 4)
    file = tmp_path / "ledger/motion/one/000000/00000001.json"
    edited(file, lambda document: document.update({part: "refused"}))
    assert broken_at(ledger.chain("motion", "one")) == [2]


def test_an_edited_value_breaks_the_chain(ledger: Ledger, tmp_path: Path) -> None:
    extend(ledger, 3)
    file = tmp_path / "ledger/motion/one/000000/00000000.json"
    edited(file, lambda document: document["value"].update(rows=2))  # type: ignore[attr-defined]
    assert broken_at(ledger.chain("motion", "one")) == [1]


def test_a_removed_commit_breaks_the_chain(ledger: Ledger, tmp_path: Path) -> None:
    extend(ledger, 4)
    (tmp_path / "ledger/motion/one/000000/00000001.json").unlink()
    assert broken_at(ledger.chain("motion", "one")) == [1, 2]


def at(second: int) -> datetime:
    return datetime(2024, 5, 1, 12, 0, second, tzinfo=UTC)


def stamp(second: int) -> str:
    return at(second).isoformat(timespec="microseconds")


def test_as_of_a_time_gives_the_newest_no_later(ledger: Ledger) -> None:
    for second in (10, 20, 20, 30):
        ledger.append(commit(made_at=stamp(second)), ledger.head("motion", "one"))

    def seq(moment: datetime) -> int | None:
        found = ledger.as_of("motion", "one", moment)
        return found.seq if found else None

    assert [seq(at(second)) for second in (9, 10, 19, 20, 29, 30, 59)] == [None, 0, 0, 2, 2, 3, 3]
    assert seq(at(20) - timedelta(microseconds=1)) == 0
    assert seq(at(20).astimezone(timezone(timedelta(hours=5)))) == 2


def test_as_of_a_commit_is_that_commit_and_the_others_at_its_time(ledger: Ledger) -> None:
    for second in (10, 10, 30):
        ledger.append(commit(made_at=stamp(second)), ledger.head("motion", "one"))
        ledger.append(commit("shots", made_at=stamp(second - 5)), ledger.head("shots", "one"))
    chain = ledger.chain("motion", "one")
    assert [ledger.as_of("motion", "one", one) for one in chain] == chain
    found = [ledger.as_of("shots", "one", one) for one in chain]
    assert [one.seq for one in found if one] == [1, 1, 2]
