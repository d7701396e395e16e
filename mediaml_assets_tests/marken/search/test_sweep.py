"""Ranges in which several parts hold, against what holds in each single instant."""

from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.marken.search.sweep import Member, common

spans = st.tuples(st.integers(0, 12), st.integers(1, 6)).map(lambda two: (two[0], two[0] + two[1]))
parts = st.lists(st.lists(spans, max_size=6), min_size=1, max_size=4)


def members(*of: tuple[float, float]) -> list[Member]:
    return [Member(start, end, f"{start}-{end}") for start, end in of]


def test_known_ranges() -> None:
    one, other = members((0, 5), (5, 8), (10, 12)), members((3, 6), (7, 11))
    found = [(start, end, [[m.id for m in part] for part in both]) for start, end, both in common([one, other])]
    assert found == [
        (3, 6, [["0-5", "5-8"], ["3-6"]]),
        (7, 8, [["5-8"], ["7-11"]]),
        (10, 11, [["10-12"], ["7-11"]]),
    ]
    # ranges that only touch have no instant in common
    assert list(common([members((0, 5)), members((5, 9))])) == []
    assert list(common([members((0, 5)), []])) == []
    # a long member reaches into ranges that begin after others ended
    assert [len(both[0]) for _, _, both in common([members((0, 20), (1, 2), (3, 4)), members((10, 12))])] == [1]


@given(parts)
def test_ranges_hold_what_every_instant_holds(spans: list[list[tuple[int, int]]]) -> None:
    made = [[Member(start, end, f"{at}") for at, (start, end) in enumerate(part)] for part in spans]
    found = list(common(made))
    # whole numbers bound everything, so that half past stands for each second
    instants = [at + 0.5 for at in range(20)]
    holds = [all(any(start < at < end for start, end in part) for part in spans) for at in instants]
    assert [any(start < at < end for start, end, _ in found) for at in instants] == holds
    bounds = [bound for start, end, _ in found for bound in (start, end)]
    # maximal: no two of them touch
    assert bounds == sorted(set(bounds))
    for start, end, within in found:
        for part, some in zip(made, within, strict=True):
            assert set(some) == {one for one in part if one.start < end and start < one.end}
            assert [one.start for one in some] == sorted(one.start for one in some)
