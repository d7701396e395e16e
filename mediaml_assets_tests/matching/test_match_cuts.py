"""Match cuts of hand-made titles: who is matched with whom, who is left out, and what is refused."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from mediaml_assets.amber.cache import Cache
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.errors import FeatureError
from mediaml_assets.features.measures.end_motion import DIMENSIONS
from mediaml_assets.features.scenes import Scenes
from mediaml_assets.features.shot_groups import Node, ShotGroups
from mediaml_assets.features.shot_kinds import ShotKinds
from mediaml_assets.features.shots import Shot
from mediaml_assets.features.silhouette import MASK_BITS
from mediaml_assets.features.unique_shots import UniqueShots
from mediaml_assets.matching.calibration import Curve
from mediaml_assets.matching.flavours.registry import FLAVOURS
from mediaml_assets.matching.match_cuts import MatchCutsConfig, match_cuts
from mediaml_assets.matching.shot_rows import Motions, Silhouettes

FRAME = MatchCutsConfig(flavours=("frame",))


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(FolderObjects(tmp_path), "match_cuts")


@pytest.fixture(autouse=True)
def bent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A curve of each flavour, whichever its version is, that maps a half to a quarter."""
    bent = {name: Curve(one.version, (0.0, 0.5, 1.0), (0.0, 0.25, 1.0), 1) for name, one in FLAVOURS.items()}
    monkeypatch.setattr("mediaml_assets.matching.calibration.curves", lambda: bent)


def shots(*indices: int) -> UniqueShots:
    rows = tuple(Shot(i, i * 50, i * 50 + 50, i * 50, i * 50 + 40) for i in indices)
    return UniqueShots(rows, ((),) * len(rows))


def cuts_of(
    unique_shots: Mapping[str, UniqueShots],
    silhouette: Mapping[str, Silhouettes],
    motion: Mapping[str, Motions],
    config: MatchCutsConfig,
    cache: Cache,
    scenes: Mapping[str, Scenes] | None = None,
    kinds: Mapping[str, ShotKinds] | None = None,
    groups: Mapping[Node, int] | None = None,
) -> pa.Table:
    """The cuts of titles that have the first two flavours only."""
    known = (unique_shots, scenes or {}, kinds or {}, ShotGroups(groups or {}))
    return match_cuts(*known, silhouette, motion, {}, {}, {}, {}, config, cache)


def mask(first: int, last: int) -> bytes:
    bits = np.zeros(MASK_BITS, bool)
    bits[first:last] = True
    return np.packbits(bits).tobytes()


def silhouettes(ends: Mapping[int, tuple[bytes, bytes]]) -> Silhouettes:
    """Shot index -> (tail, head)."""
    tails, heads = [tail for tail, _ in ends.values()], [head for _, head in ends.values()]
    kind = pa.binary(MASK_BITS // 8)
    sure = pa.array([1.0] * len(ends), pa.float32())
    columns = [pa.array(list(ends), pa.int32()), pa.array(tails, kind), pa.array(heads, kind), sure, sure]
    return Silhouettes.from_table(pa.table(columns, names=list(Silhouettes.columns)))


def still(indices: Sequence[int]) -> Motions:
    vectors = pa.array([[0.0] * DIMENSIONS for _ in indices], pa.list_(pa.float32(), DIMENSIONS))
    sure = pa.array([1.0] * len(indices), pa.float32())
    columns = [pa.array(indices, pa.int32()), vectors, vectors, sure, sure]
    return Motions.from_table(pa.table(columns, names=list(Motions.columns)))


EMPTY, A, HALF_A, B = mask(0, 0), mask(100, 200), mask(100, 150), mask(300, 400)


def pairs(table: pa.Table) -> list[tuple[str, int, str, int, float]]:
    names = ["title1", "shot1", "title2", "shot2", "own_score"]
    return [tuple(row.values()) for row in table.select(names).to_pylist()]


def test_the_tail_of_one_meets_the_head_of_another_across_titles_with_dropped_shots(cache: Cache) -> None:
    found = cuts_of(
        {"one": shots(0, 3), "two": shots(1, 2)},
        {
            "one": silhouettes({0: (EMPTY, EMPTY), 3: (A, EMPTY)}),
            "two": silhouettes({1: (B, HALF_A), 2: (EMPTY, A)}),
        },
        {"one": still([0, 3]), "two": still([1, 2])},
        FRAME,
        cache,
    )
    assert [row[:4] for row in pairs(found)] == [("one", 3, "two", 2), ("one", 3, "two", 1)]
    assert found.column("own_score").to_pylist()[0] == found.column("score").to_pylist()[0] == 1
    assert found.column("score").to_pylist()[1] < found.column("own_score").to_pylist()[1]
    best = found.to_pylist()[0]
    assert (best["start1"], best["end1"], best["out_frame"], best["in_frame"]) == (150, 200, 189, 100)
    assert best["exact"]


def test_neighbours_of_one_title_and_a_shot_with_itself_are_no_cut(cache: Cache) -> None:
    rows = silhouettes({index: (A, A) for index in range(3)})
    found = cuts_of({"one": shots(0, 1, 2)}, {"one": rows}, {"one": still([0, 1, 2])}, FRAME, cache)
    assert [(row[1], row[3]) for row in pairs(found)] == [(0, 2), (2, 0)]


def test_no_shot_fills_the_list(cache: Cache) -> None:
    tails = silhouettes({0: (A, EMPTY)})
    heads = silhouettes({index: (EMPTY, A) for index in range(5)})
    views = {"one": shots(0), "two": shots(0, 1, 2, 3, 4)}
    motions = {"one": still([0]), "two": still(range(5))}
    assert len(cuts_of(views, {"one": tails, "two": heads}, motions, FRAME, cache)) == FRAME.cap


def test_a_title_without_a_flavours_rows_takes_no_part_in_it(cache: Cache) -> None:
    rows = {"one": silhouettes({0: (A, A)})}
    assert pairs(cuts_of({"one": shots(0), "two": shots(0)}, rows, {}, MatchCutsConfig(), cache)) == []


def test_a_flavour_that_is_named_twice_is_answered_once(cache: Cache) -> None:
    rows = {"one": silhouettes({0: (A, A), 9: (A, A)})}
    twice = MatchCutsConfig(flavours=("frame", "frame"))
    answers = [cuts_of({"one": shots(0, 9)}, rows, {}, config, cache) for config in (twice, FRAME)]
    assert answers[0].equals(answers[1]) and len(answers[0]) == 2


def test_no_titles_and_titles_without_shots_have_no_cuts(cache: Cache) -> None:
    for views in ({}, {"one": shots()}, {"one": shots(), "two": shots()}):
        rows, motions = {name: silhouettes({}) for name in views}, {name: still([]) for name in views}
        assert len(cuts_of(views, rows, motions, MatchCutsConfig(), cache)) == 0


def test_rows_of_other_shots_are_refused_naming_both(cache: Cache) -> None:
    with pytest.raises(FeatureError, match="silhouette and unique_shots of one mean different shots"):
        cuts_of({"one": shots(1, 2)}, {"one": silhouettes({0: (A, A), 1: (A, A)})}, {}, FRAME, cache)


def test_an_unknown_flavour_is_refused_with_those_there_are(cache: Cache) -> None:
    with pytest.raises(FeatureError, match="no flavour smell; choose from frame, motion"):
        cuts_of({}, {}, {}, MatchCutsConfig(flavours=("smell",)), cache)


def test_a_rejected_cut_is_not_shown_again_and_its_reverse_is(cache: Cache) -> None:
    views, motions = {"one": shots(0), "two": shots(4)}, {"one": still([0]), "two": still([4])}
    rows = {"one": silhouettes({0: (A, A)}), "two": silhouettes({4: (A, A)})}
    config = MatchCutsConfig(flavours=("frame",), rejected=("one:0 two:4", "gone:1 two:4", "one:7 two:4"))
    assert pairs(cuts_of(views, rows, motions, config, cache)) == [("two", 4, "one", 0, 1.0)]


@pytest.mark.parametrize("text", ["one:0", "one:0 two:x", "one two", "one:0 two:4 three:1"])
def test_a_rejection_that_names_no_cut_is_refused(cache: Cache, text: str) -> None:
    views, rows = {"one": shots(0)}, {"one": silhouettes({0: (A, A)})}
    with pytest.raises(FeatureError, match="is no cut; write it like"):
        cuts_of(views, rows, {}, MatchCutsConfig(flavours=("frame",), rejected=(text,)), cache)


def same(*indices: int) -> Silhouettes:
    return silhouettes({index: (A, A) for index in indices})


def test_a_scene_holds_no_match_cut(cache: Cache) -> None:
    scenes = {"one": Scenes(np.array([0, 1, 2, 3, 4]), np.array([0, 0, 0, 0, 1]))}
    found = cuts_of({"one": shots(0, 2, 4)}, {"one": same(0, 2, 4)}, {}, FRAME, cache, scenes)
    assert {(row[1], row[3]) for row in pairs(found)} <= {(0, 4), (4, 0), (2, 4), (4, 2)} and len(found) == 2


def test_no_cut_leaves_or_meets_an_end_that_is_unfit(cache: Cache) -> None:
    kinds = {"one": ShotKinds(np.array([0, 5]), np.array([True, True]), np.array([False, True]))}
    found = cuts_of({"one": shots(0, 5)}, {"one": same(0, 5)}, {}, FRAME, cache, kinds=kinds)
    assert [(row[1], row[3]) for row in pairs(found)] == [(5, 0)]


def test_a_cut_to_a_copy_is_the_same_cut_and_shown_once(cache: Cache) -> None:
    views = {"one": shots(0), "three": shots(5), "two": shots(0)}
    rows = {
        "one": silhouettes({0: (EMPTY, A)}),
        "three": silhouettes({5: (A, EMPTY)}),
        "two": silhouettes({0: (EMPTY, A)}),
    }
    alone = [row[:4] for row in pairs(cuts_of(views, rows, {}, FRAME, cache))]
    assert alone == [("three", 5, "one", 0), ("three", 5, "two", 0)]
    groups = {("one", 0): 7, ("two", 0): 7}
    assert [row[:4] for row in pairs(cuts_of(views, rows, {}, FRAME, cache, groups=groups))] == alone[:1]


def test_copies_in_two_titles_are_no_match_and_share_one_cap(cache: Cache) -> None:
    views = {"one": shots(0), "three": shots(0, 5, 9), "two": shots(0)}
    rows = {"one": same(0), "three": same(0, 5, 9), "two": same(0)}
    groups = {("one", 0): 7, ("two", 0): 7}
    found = pairs(cuts_of(views, rows, {}, FRAME, cache, groups=groups))
    assert sum((row[0] != "three") + (row[2] != "three") for row in found) == FRAME.cap
    assert all((row[0] == "three") or (row[2] == "three") for row in found)
