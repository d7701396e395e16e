"""Pairs keep their identity: known answers, and every pair of ranges against its definition."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.annotations.facts import Film
from mediaml_assets.annotations.pairs import NONE, SAME, attached, best_shots, pair_ids


def film(title: str, essence: str, *cuts: float) -> Film:
    """A film whose shots begin at these seconds; the last number is where the last ends."""
    start, end = np.array(cuts[:-1], float), np.array(cuts[1:], float)
    frames = np.rint(np.array(cuts) * 25).astype(np.int64)
    return Film(title, essence, Fraction(25), np.arange(len(start)), frames[:-1], frames[1:], start, end)


def pairs(*rows: tuple[str, str, float, float, str, str, float, float]) -> pa.Table:
    names = [f"{side}{one}" for side in ("", "other_") for one in ("title", "essence", "start", "end")]
    names = [name.replace("start", "source_time_start").replace("end", "source_time_end") for name in names]
    kinds = [pa.string(), pa.string(), pa.float64(), pa.float64()] * 2
    columns = list(zip(*rows, strict=True))
    return pa.table({name: pa.array(list(one), kind) for name, one, kind in zip(names, columns, kinds, strict=True)})


def now(table: pa.Table, *films: Film) -> list[tuple[str | None, int, str | None, int]]:
    found = attached(table, films)
    lists = (found.title.to_pylist(), found.shot.tolist(), found.other_title.to_pylist(), found.other_shot.tolist())
    return list(zip(*lists, strict=True))


def test_the_same_boundaries_are_the_same_pair() -> None:
    harbour, dunes = film("harbour", "H", 0, 2, 5, 9), film("dunes", "D", 0, 4, 8)
    cut = pairs(("harbour", "H", 2, 5, "dunes", "D", 4, 8))
    assert now(cut, harbour, dunes) == [("harbour", 1, "dunes", 1)]


def test_new_boundaries_within_a_fifth_and_beyond() -> None:
    cut = pairs(("a", "A", 2, 6, "b", "B", 0, 10))
    b = film("b", "B", 0, 10)
    # 4 of 5 seconds, exactly the share that is asked for; then a little less
    assert now(cut, film("a", "A", 0, 2, 7), b) == [("a", 1, "b", 0)]
    assert now(cut, film("a", "A", 0, 2, 7.01), b) == [(None, NONE, "b", 0)]
    # a shot that was split in two: neither half is it
    assert now(cut, film("a", "A", 0, 2, 4, 6), b) == [(None, NONE, "b", 0)]
    # one that lost a short piece is it, under another index
    assert now(cut, film("a", "A", 0, 1, 2, 2.5, 6), b) == [("a", 3, "b", 0)]
    assert attached(cut, [film("a", "A", 0, 1, 2, 2.5, 6)]).orphaned.tolist() == [True]


def test_another_name_is_the_same_film_and_other_content_is_not() -> None:
    cut = pairs(("old", "A", 0, 2, "b", "B", 0, 10))
    b = film("b", "B", 0, 10)
    assert now(cut, film("new", "A", 0, 2), b) == [("new", 0, "b", 0)]
    assert now(cut, film("old", "other cut", 0, 2), b) == [(None, NONE, "b", 0)]
    # of two titles with the content the one that was named, wherever it stands
    copies = [film("a copy", "A", 0, 2), film("old", "A", 0, 2), film("z copy", "A", 0, 2)]
    for order in (copies, copies[::-1]):
        assert now(cut, *order, b) == [("old", 0, "b", 0)]


def test_no_film_and_no_pair() -> None:
    cut = pairs(("a", "A", 0, 2, "b", "B", 0, 10))
    assert now(cut) == [(None, NONE, None, NONE)]
    assert now(cut.slice(0, 0), film("a", "A", 0, 2)) == []
    assert best_shots(film("a", "A", 0), np.array([0.0]), np.array([1.0])).tolist() == [NONE]


spans = st.lists(st.integers(1, 30), min_size=1, max_size=8)


@given(spans, st.integers(0, 60), st.integers(1, 60))
def test_a_shot_is_the_one_that_shares_most_and_enough(lengths: list[int], start: int, length: int) -> None:
    cuts = np.cumsum([0, *lengths]).tolist()
    end = start + length
    shares = [Fraction(max(0, min(end, b) - max(start, a)), max(end, b) - min(start, a)) for a, b in pairwise(cuts)]
    [found] = best_shots(film("a", "A", *cuts), np.array([float(start)]), np.array([float(end)])).tolist()
    best = max(shares)
    if best >= Fraction(4, 5):
        assert shares[found] == best
    else:
        assert found == NONE
    assert Fraction(4, 5) == Fraction(str(SAME))


def test_identity_is_content_and_time_to_the_millisecond_and_direction() -> None:
    def ids(*values: object) -> list[str]:
        return pair_ids(*(pa.array([value]) for value in values)).to_pylist()  # type: ignore[no-any-return]

    one = ids("A", 1.0, 2.0, "B", 3.0, 4.0)
    assert one == ["A@1000-2000>B@3000-4000"]
    assert ids("A", 1.0002, 1.9998, "B", 3.0, 4.0) == one
    assert ids("B", 3.0, 4.0, "A", 1.0, 2.0) != one
    assert ids("A", 1.001, 2.0, "B", 3.0, 4.0) != one
