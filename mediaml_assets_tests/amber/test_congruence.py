"""Rows by index are joined only where they mean the same shots, in Python and in SQL.

    source -> letters -> cuts -> looks -> kept -> poses, moves;   poses and moves read cuts' letters too

`cuts` splits a text into words, `kept` drops words that look like an earlier one, the others describe a word each.
"""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from typing import Any, ClassVar, Self

import duckdb
import pyarrow as pa
import pytest

from mediaml_assets import on_demand
from mediaml_assets.amber.congruence import check_congruent, joined
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.amber.ledger import Value
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.sql import connect
from mediaml_assets.amber.view import View
from mediaml_assets.errors import FeatureError, Incongruent, InputMoved, NotStored
from mediaml_assets.landing.source_file import SourceFile
from mediaml_assets.mesh import Assembly
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.toy import called, toy_mesh

TEXT = pa.schema([("text", pa.string())])
CUTS = pa.schema([("index", pa.int32()), ("word", pa.string()), ("sure", pa.float64())])
LOOKS = pa.schema([("index", pa.int32()), ("length", pa.int32()), ("vector", pa.list_(pa.float32(), 2))])
POSES = pa.schema([("index", pa.int32()), ("length", pa.int32()), ("first", pa.string())])
MOVES = pa.schema([("index", pa.int32()), ("last", pa.string())])
FEATURES = ("script", "cuts", "looks", "kept", "poses", "moves")


@dataclass(frozen=True)
class Text:
    text: str
    columns: ClassVar[tuple[str, ...]] = ("text",)

    @classmethod
    def from_value(cls, view: Any) -> Self:
        return cls(view.row(cls.columns)["text"])


@dataclass(frozen=True)
class Words:
    words: dict[int, str]
    columns: ClassVar[tuple[str, ...]] = ("index", "word")

    @classmethod
    def from_value(cls, view: Any) -> Self:
        rows = view.table(cls.columns).to_pylist()
        return cls({row["index"]: row["word"] for row in rows})


@dataclass(frozen=True)
class Lengths:
    lengths: dict[int, int]
    columns: ClassVar[tuple[str, ...]] = ("index", "length")

    @classmethod
    def from_value(cls, view: Any) -> Self:
        return cls({row["index"]: row["length"] for row in view.table(cls.columns).to_pylist()})


@dataclass(frozen=True)
class MovesConfig:
    times: int = 1


def words_mesh(sure: float = 0.5) -> Mesh:
    """The mesh; another `sure` is another version of `cuts` that finds the same words."""

    @amber_feature(version="1", schema=TEXT)
    def script(source: SourceFile) -> pa.Table:
        called("script", source.title)
        return pa.table({"text": [" ".join(source.file.read_text().split())]}, schema=TEXT)  # type: ignore[union-attr]

    @amber_feature(version=str(sure), schema=CUTS)
    def cuts(script: Text) -> pa.Table:
        words = script.text.split()
        return pa.table([range(len(words)), words, [sure] * len(words)], schema=CUTS)

    @amber_feature(version="1", schema=LOOKS)
    def looks(cuts: Words) -> pa.Table:
        lengths = [len(word) for word in cuts.words.values()]
        return pa.table([list(cuts.words), lengths, [[n, -n] for n in lengths]], schema=LOOKS)

    @amber_feature(version="1", schema=CUTS)
    def kept(cuts: Words, looks: Lengths) -> pa.Table:
        first: dict[int, int] = {}
        for index, length in looks.lengths.items():
            first.setdefault(length, index)
        kept = sorted(first.values())
        return pa.table([kept, [cuts.words[index] for index in kept], [1.0] * len(kept)], schema=CUTS)

    @amber_feature(version="1", schema=POSES)
    def poses(script: Text, kept: Words) -> pa.Table:
        words = kept.words.values()
        return pa.table([list(kept.words), map(len, words), [word[0] for word in words]], schema=POSES)

    @amber_feature(version="1", schema=MOVES)
    def moves(kept: Words, config: MovesConfig) -> pa.Table:
        return pa.table([list(kept.words), [word[-1] * config.times for word in kept.words.values()]], schema=MOVES)

    return Mesh([script, cuts, looks, kept, poses, moves], sources=["source"])


@pytest.fixture
def words(here: Installation) -> Installation:
    here.mesh = words_mesh()
    here.deliver(one="a bb cc ddd", two="x yy")
    here.settle()
    return here


def view(here: Installation, feature: str, title: str = "one") -> View:
    return here.store.view(feature, title)


def again(here: Installation, *features: str, one: str) -> None:
    """New boundaries land, and some features are computed."""
    here.deliver(one=one)
    for name in features:
        here.compute(name, "one")


def disagreeing(here: Installation) -> list[tuple[str, str, str, str]]:
    """Title, both features and the upstream, as SQL lists them."""
    with connect(here.store) as connection:
        return connection.sql("SELECT title, feature, other, upstream FROM congruence ORDER BY ALL").fetchall()


def in_python(here: Installation) -> list[tuple[str, str, str, str]]:
    """The same, asked pair by pair."""
    found = []
    for title in here.titles():
        there = [name for name in sorted(FEATURES) if here.store.ledger.head(name, title)]
        views = [one for one in (view(here, name, title) for name in there) if not one.withdrawn]
        for left, right in combinations(views, 2):
            try:
                check_congruent(left, right)
            except Incongruent as error:
                found.append((title, *error.features, error.upstream))
    return sorted(found)


def by_brute_force(here: Installation) -> set[tuple[str, str]]:
    """The pairs of `one` for which no choice of one value of each feature holds together, among all there ever were."""
    chains = [here.store.ledger.chain(name, "one") for name in ("source", *FEATURES)]
    stored = [{(one.current.digest, one.current.key): one.current for one in chain if one.current} for chain in chains]
    names, heads = ("source", *FEATURES), {chain[0].feature: chain[-1].current for chain in chains}
    states: list[dict[str, Value]] = [{}]
    for name, values in zip(names, stored, strict=True):
        # or none of it: what nobody reads need not be there
        states += [{**state, name: value} for state in states for value in values.values() if _fits(value, state)]
    return {
        (left, right)
        for left, right in combinations(sorted(FEATURES), 2)
        if not any((state.get(left), state.get(right)) == (heads[left], heads[right]) for state in states)
    }


def _fits(value: Value, state: dict[str, Value]) -> bool:
    reads = value.reads.items()
    return all(name in state and read.items() <= state[name].columns.items() for name, read in reads)


# --- rows that agree


def test_rows_of_one_title_are_joined_by_index(words: Installation) -> None:
    table = joined(view(words, "looks"), view(words, "poses"), view(words, "moves"))
    assert table.to_pylist() == [
        {"index": 0, "looks_length": 1, "vector": [1, -1], "poses_length": 1, "first": "a", "last": "a"},
        {"index": 1, "looks_length": 2, "vector": [2, -2], "poses_length": 2, "first": "b", "last": "b"},
        {"index": 3, "looks_length": 3, "vector": [3, -3], "poses_length": 3, "first": "d", "last": "d"},
    ]
    # in the order of the first, whatever the order of the others
    assert joined(view(words, "moves")).equals(view(words, "moves").table())
    assert disagreeing(words) == in_python(words) == []


def test_the_same_in_sql(words: Installation) -> None:
    with connect(words.store) as connection:
        rows = connection.sql("SELECT title, index, first, last FROM joined('poses', 'moves') ORDER BY ALL").fetchall()
    assert rows == [
        ("one", 0, "a", "a"), ("one", 1, "b", "b"), ("one", 3, "d", "d"), ("two", 0, "x", "x"), ("two", 1, "y", "y"),
    ]  # fmt: skip


def test_an_answer_to_other_settings_is_joined_like_any_other(words: Installation) -> None:
    words.compute("moves", "one", times=3)
    (scope,) = [one for one in words.store.ledger.scopes("moves") if "@" in one]
    answer = words.store.view("moves", scope)
    assert joined(answer, view(words, "poses")).column("last").to_pylist() == ["aaa", "bbb", "ddd"]
    again(words, "script", "cuts", "looks", "kept", "poses", one="aaa bb c")
    with pytest.raises(Incongruent, match="moves and poses of one mean different kept"):
        joined(answer, view(words, "poses"))
    with pytest.raises(FeatureError, match="are not of one title"):
        joined(answer, view(words, "poses", "two"))


def test_an_empty_title_is_joined_to_no_rows(words: Installation) -> None:
    words.deliver(one="")
    words.settle()
    assert joined(view(words, "looks"), view(words, "moves")).num_rows == 0


# --- rows that do not


def test_one_computed_and_the_other_not_yet_is_an_error_that_names_both(words: Installation) -> None:
    before = view(words, "kept").value.digest
    again(words, "script", "cuts", "looks", "kept", "moves", one="aaa bb c")
    # `poses` has three rows of the same index as before, that mean other words
    with pytest.raises(Incongruent) as caught:
        joined(view(words, "poses"), view(words, "moves"))
    after = view(words, "kept").value.digest
    error = caught.value
    assert (error.features, error.title, error.upstream) == (("poses", "moves"), "one", "kept")
    assert error.digests == (before, after) and before != after
    assert str(error).startswith(
        f"poses and moves of one mean different kept: poses those of {before}, moves those of {after}. Compute both"
    )
    words.settle()
    assert joined(view(words, "poses"), view(words, "moves")).num_rows == 3


def test_through_a_feature_that_was_made_again_meanwhile(words: Installation) -> None:
    # `moves` means words of the old cuts through the old `kept`, which is no longer the current one
    again(words, "script", "cuts", "looks", "kept", one="aaa bb c")
    old, new = (one.value.digest for one in words.store.ledger.chain("cuts", "one") if one.value)
    with pytest.raises(Incongruent) as caught:
        joined(view(words, "moves"), view(words, "looks"))
    assert (caught.value.upstream, caught.value.digests) == ("cuts", (old, new))
    # both old: they still mean the same
    assert joined(view(words, "moves"), view(words, "poses")).num_rows == 3


def test_a_value_and_what_it_was_made_from(words: Installation) -> None:
    again(words, "script", "cuts", one="aaa bb c")
    with pytest.raises(Incongruent, match="cuts and looks of one mean different cuts"):
        joined(view(words, "cuts"), view(words, "looks"))
    assert joined(view(words, "looks"), view(words, "kept")).num_rows == 3


def test_views_of_two_moments(words: Installation) -> None:
    moment = datetime.now(UTC)
    again(words, *FEATURES, one="aaa bb c")
    then = words.store.view("moves", "one", moment)
    with pytest.raises(Incongruent, match="moves and poses of one mean different kept"):
        joined(then, view(words, "poses"))
    assert joined(then, words.store.view("poses", "one", moment)).column("last").to_pylist() == ["a", "b", "d"]
    assert joined(view(words, "moves"), view(words, "poses")).column("last").to_pylist() == ["a", "b", "c"]


def test_another_layout_or_a_column_that_nobody_reads_changes_nothing(words: Installation) -> None:
    words.deliver(one="a  bb\ncc ddd")
    words.compute("script", "one")
    words.mesh = words_mesh(sure=0.9)
    words.compute("cuts", "one")
    # cuts is another value now, of the same words: all that was made from the other one means these too
    assert words.stale() == [("cuts", "two")]
    for left, right in combinations(FEATURES, 2):
        check_congruent(view(words, left), view(words, right))
    assert disagreeing(words) == []


def test_content_that_comes_back_agrees_again(words: Installation) -> None:
    again(words, "script", "cuts", "looks", one="aaa bb c")
    assert {(left, right) for _, left, right, _ in disagreeing(words)} >= {("looks", "moves"), ("cuts", "poses")}
    again(words, "script", "cuts", "looks", one="a bb cc ddd")
    assert disagreeing(words) == in_python(words) == []


def test_sql_lists_what_does_not_agree_and_refuses_to_join_it(words: Installation) -> None:
    before = view(words, "kept").value.digest
    again(words, "script", "cuts", "looks", "kept", "moves", one="aaa bb c")
    after = view(words, "kept").value.digest
    assert ("one", "moves", "poses", "kept") in disagreeing(words)
    assert disagreeing(words) == in_python(words)
    with connect(words.store) as connection:
        digests = "SELECT digest, other_digest FROM congruence WHERE feature = 'moves' AND other = 'poses'"
        assert connection.sql(digests).fetchall() == [(after, before)]
        # whichever is named first
        for pair in ("'moves', 'poses'", "'poses', 'moves'"):
            with pytest.raises(duckdb.Error) as caught:
                connection.sql(f"FROM joined({pair})").fetchall()
            said = f"moves and poses of one mean different kept: moves those of {after}, poses those of {before}. "
            assert said in str(caught.value)
        # names are read like SQL's own, and only the views of features are held against one another
        with pytest.raises(duckdb.Error, match="mean different kept"):
            connection.sql("FROM joined('Moves', 'POSES')").fetchall()
        with pytest.raises(duckdb.Error, match="names of two features"):
            connection.sql("FROM joined('moves_history', 'poses')").fetchall()
        # other titles and other features are joined
        assert len(connection.sql("FROM joined('moves', 'poses') WHERE title = 'two'").fetchall()) == 2
        assert len(connection.sql("FROM joined('moves', 'kept') WHERE title = 'one'").fetchall()) == 3
    words.settle()
    assert disagreeing(words) == []


def test_a_withdrawn_title_has_nothing_to_join(words: Installation) -> None:
    (words.landing / "one.mp4").unlink()
    words.land()
    words.settle()
    with pytest.raises(NotStored):
        joined(view(words, "moves"), view(words, "poses"))
    assert disagreeing(words) == []


# --- what cannot be joined at all


def test_other_titles_and_rows_without_an_index_are_refused(words: Installation) -> None:
    with pytest.raises(FeatureError, match="moves of one and poses of two are not of one title"):
        joined(view(words, "moves"), view(words, "poses", "two"))
    with pytest.raises(FeatureError, match="script has no column index to join by; it has text"):
        joined(view(words, "moves"), view(words, "script"))


def test_a_value_over_many_titles_is_refused(here: Installation) -> None:
    here.mesh = toy_mesh()
    here.deliver(one="abba")
    here.settle()
    with pytest.raises(FeatureError, match="total is made from counts of many titles"):
        joined(here.store.view("total", "_catalogue"))


# --- what else depends on it


def test_a_run_that_reads_two_states_is_still_asked_to_try_again(words: Installation) -> None:
    again(words, "script", "cuts", one="aaa bb c")
    with pytest.raises(InputMoved, match="looks and cuts of one belong to different states"):
        words.compute("kept", "one")


def test_on_demand(words: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_demand, "assemble", lambda: Assembly(words.mesh, {}, ()))
    moment = datetime.now(UTC)
    words.deliver(one="aaa bb c")
    # both are computed first
    assert on_demand.joined("one", "poses", "moves").to_pylist()[0] == {
        "index": 0, "length": 3, "first": "a", "last": "a",
    }  # fmt: skip
    assert on_demand.joined("one", "poses", "moves", as_of=moment).column("last").to_pylist() == ["a", "b", "d"]


def test_a_changed_chain_is_compared_by_what_was_read(words: Installation) -> None:
    """The ledger lost the rows of `kept`: of two values no more is known than what they read of it."""
    poses = view(words, "poses")
    again(words, "script", "cuts", "looks", "kept", "moves", one="aaa bb c")
    for name in [one.name for one in words.store.objects.walk("ledger/kept/one")]:
        words.store.objects.remove(name)
    with pytest.raises(Incongruent, match="poses and moves of one mean different"):
        check_congruent(poses, view(words, "moves"))
    words.compute("kept", "one")
    words.settle()
    check_congruent(view(words, "poses"), view(words, "moves"))


# --- a law: SQL and Python say the same of any state, and a title that is up to date agrees with itself


@pytest.mark.parametrize("seed", range(3))
def test_sql_and_python_agree_on_any_state(here: Installation, seed: int) -> None:
    draw = random.Random(seed)
    here.mesh = words_mesh()
    here.deliver(one="a bb cc ddd")
    here.settle()
    for _ in range(4):
        for _ in range(3):
            if draw.random() < 0.4:
                here.deliver(one=draw.choice(["a bb cc ddd", "aaa bb c", "a  bb cc ddd", "zz", "cc bb a"]))
            elif draw.random() < 0.2:
                here.mesh = words_mesh(draw.choice([0.5, 0.9]))
            elif stale := here.stale():
                here.compute(*stale[0])
        assert disagreeing(here) == in_python(here)
        assert {pair[1:3] for pair in in_python(here)} == by_brute_force(here)
    here.settle()
    assert disagreeing(here) == []
