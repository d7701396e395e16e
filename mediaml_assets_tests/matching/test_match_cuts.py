"""Match cuts of hand-made titles: who is matched with whom, who is left out, and what is refused."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from mediaml_assets.amber.cache import Cache
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.errors import FeatureError
from mediaml_assets.features.motion import DIMENSIONS
from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets.features.silhouette import MASK_BITS
from mediaml_assets.matching.match_cuts import MatchCutsConfig, Motions, Silhouettes, match_cuts

FRAME = MatchCutsConfig(flavours=("frame",))


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(FolderObjects(tmp_path), "match_cuts")


def shots(*indices: int) -> Shots:
    return Shots(tuple(Shot(i, i * 50, i * 50 + 50, i * 50, i * 50 + 40) for i in indices))


def cuts_of(
    unique_shots: Mapping[str, Shots],
    silhouette: Mapping[str, Silhouettes],
    motion: Mapping[str, Motions],
    config: MatchCutsConfig,
    cache: Cache,
) -> pa.Table:
    """The cuts of titles that have the first two flavours only."""
    return match_cuts(unique_shots, silhouette, motion, {}, {}, {}, {}, config, cache)


def mask(first: int, last: int) -> bytes:
    bits = np.zeros(MASK_BITS, bool)
    bits[first:last] = True
    return np.packbits(bits).tobytes()


def silhouettes(ends: Mapping[int, tuple[bytes, bytes]]) -> Silhouettes:
    """Shot index -> (tail, head)."""
    tails, heads = [tail for tail, _ in ends.values()], [head for _, head in ends.values()]
    kind = pa.binary(MASK_BITS // 8)
    columns = [pa.array(list(ends), pa.int32()), pa.array(tails, kind), pa.array(heads, kind)]
    return Silhouettes.from_table(pa.table(columns, names=["index", "out_mask", "in_mask"]))


def still(indices: Sequence[int]) -> Motions:
    vectors = pa.array([[0.0] * DIMENSIONS for _ in indices], pa.list_(pa.float32(), DIMENSIONS))
    return Motions.from_table(
        pa.table([pa.array(indices, pa.int32()), vectors, vectors], names=["index", "out_vector", "in_vector"])
    )


EMPTY, A, HALF_A, B = mask(0, 0), mask(100, 200), mask(100, 150), mask(300, 400)


def pairs(table: pa.Table) -> list[tuple[str, int, str, int, float]]:
    names = ["title1", "shot1", "title2", "shot2", "score"]
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
    assert pairs(found) == [("one", 3, "two", 2, 1.0), ("one", 3, "two", 1, 0.5)]
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
