"""Relations of time ranges: one of Allen's thirteen holds, whichever it is; open ends; frames."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from mediaml_assets.marken.query.time import RELATIONS
from mediaml_assets.marken.schema import TEMPORAL_SPATIAL, AnnotationType
from mediaml_assets_tests.marken.oracle import ALLEN, relation
from mediaml_assets_tests.marken.query.table import TableSnapshot

CUE = AnnotationType("CUE", 1, "Said.", bases=(TEMPORAL_SPATIAL,))
RANGES = list(itertools.combinations(range(1, 7), 2))


def _cue(number: int, time: dict[str, Any]) -> dict[str, Any]:
    fixed = {"type": "CUE", "type_version": 1, "version": 1, "scope": "a", "title": "a", "by": "me"}
    entity = {"kind": "title", "id": "a"}
    return fixed | {
        "id": f"{number:02}",
        "entity": entity,
        "created": "2026-01-01T00:00:00Z",
        "properties": {"time": time},
    }


@pytest.fixture(scope="module")
def snapshot() -> Iterator[TableSnapshot]:
    """Every proper range in 1..6, in seconds; odd ones at 2 frames per second too."""
    cues = []
    for number, (start, end) in enumerate(RANGES):
        frames = {"start_frame": 2 * start, "end_frame": 2 * end, "rate": "2/1"} if number % 2 else {}
        cues.append(_cue(number, {"start": float(start), "end": float(end)} | frames))
    with TableSnapshot({CUE: cues}) as made:
        yield made


def _found(snapshot: TableSnapshot, relation: str, range: str) -> list[tuple[int, int]]:
    return [RANGES[int(id)] for id in snapshot.matching(f"{relation}(time, {range})")]


def test_the_thirteen_are_exclusive_and_exhaustive(snapshot: TableSnapshot) -> None:
    for start, end in RANGES:
        each = {name: _found(snapshot, name, f"INTERVAL({start}, {end})") for name in ALLEN}
        assert sorted(one for some in each.values() for one in some) == RANGES
        for name, ranges in each.items():
            assert all(relation(*one, start, end) == name for one in ranges)


def test_ranges_that_meet_share_no_instant(snapshot: TableSnapshot) -> None:
    meets = _found(snapshot, "T_MEETS", "INTERVAL(3, 5)")
    assert meets == [(1, 3), (2, 3)]
    assert set(meets) <= set(_found(snapshot, "T_DISJOINT", "INTERVAL(3, 5)"))
    intersecting = _found(snapshot, "T_INTERSECTS", "INTERVAL(3, 5)")
    assert intersecting == [(a, b) for a, b in RANGES if a < 5 and b > 3]


@pytest.mark.parametrize(
    ("relation", "range", "wanted"),
    [
        ("T_DURING", "INTERVAL(4, '..')", lambda a, b: a > 4),
        ("T_DURING", "INTERVAL('..', 3)", lambda a, b: b < 3),
        ("T_STARTS", "INTERVAL(4, '..')", lambda a, b: a == 4),
        ("T_FINISHES", "INTERVAL('..', 3)", lambda a, b: b == 3),
        ("T_MEETS", "INTERVAL(4, '..')", lambda a, b: b == 4),
        ("T_INTERSECTS", "INTERVAL('..', '..')", lambda a, b: True),
        ("T_EQUALS", "INTERVAL('..', '..')", lambda a, b: False),
    ],
)
def test_an_open_end_lies_beyond_everything(snapshot: TableSnapshot, relation: str, range: str, wanted: Any) -> None:
    assert _found(snapshot, relation, range) == [one for one in RANGES if wanted(*one)]


def test_frames_are_asked_of_what_was_given_in_frames(snapshot: TableSnapshot) -> None:
    in_frames = RANGES[1::2]
    found = _found(snapshot, "T_INTERSECTS", "FRAMES(5, 9)")
    assert found == [(a, b) for a, b in in_frames if 2 * a < 9 and 2 * b > 5]
    # unknown of the others, so that the contrary does not find them either
    assert sorted(found + _found(snapshot, "T_DISJOINT", "FRAMES(5, 9)")) == in_frames
    assert _found(snapshot, "T_EQUALS", "FRAMES('..', '..')") == []


def test_the_ends_are_numbers(snapshot: TableSnapshot) -> None:
    lasting: Sequence[str] = snapshot.matching("end - start >= 4 AND time_start = start")
    assert [RANGES[int(id)] for id in lasting] == [(1, 5), (1, 6), (2, 6)]


def test_every_relation_of_cql2_is_there() -> None:
    assert {*RELATIONS, "t_disjoint"} == {name.lower() for name in (*ALLEN, "t_intersects", "t_disjoint")}
