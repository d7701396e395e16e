"""The law of blocks: whatever is asked of whichever titles, the answer is that of brute force, in the same order."""

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets import compute
from mediaml_assets.amber.cache import Cache
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.errors import FeatureError
from mediaml_assets.matching.blocks import format, making, store
from mediaml_assets.matching.blocks.merging import COUNTED, best
from mediaml_assets.matching.flavours.flavour import Flavour
from mediaml_assets.matching.pairs.scan import Indices
from mediaml_assets_tests.matching.blocks.catalogues import (
    DIMMED,
    FLAVOURS,
    PLAIN,
    alike,
    brute_force,
    one_title,
    rows,
    titles,
)


@pytest.fixture(autouse=True)
def shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Depths, heads and pieces so small that tiny titles need all of them."""
    monkeypatch.setattr(making, "DEPTH", 2)
    monkeypatch.setattr(making, "OWN", 1)
    monkeypatch.setattr(making, "DEEPEST", 60)
    monkeypatch.setattr(format, "HEAD", 2)
    monkeypatch.setattr(format, "GROWTH", 2)
    monkeypatch.setattr(store, "FILES", 2)
    monkeypatch.setattr("mediaml_assets.matching.blocks.candidates._WALKED", 4)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32),
    sizes=st.lists(st.integers(0, 9), min_size=1, max_size=5),
    steps=st.sampled_from([1, 2, 64]),
    flavour=st.sampled_from(FLAVOURS),
    twins=st.booleans(),
)
def test_any_subset_of_titles_is_answered_as_by_brute_force(
    tmp_path_factory: pytest.TempPathFactory, seed: int, sizes: list[int], steps: int, flavour, twins: bool
) -> None:
    drawn = random.Random(seed)
    cache = Cache(FolderObjects(tmp_path_factory.mktemp("cache")), "match_cuts")
    tables = [rows(seed + place, size, steps) for place, size in enumerate(sizes)]
    if twins:
        tables.append(tables[0])
    for _ in range(4):
        chosen = drawn.sample(tables, drawn.randint(1, len(tables)))
        n = sum(table.num_rows for table in chosen)
        left_out = (
            {(drawn.randrange(n), drawn.randrange(n)) for _ in range(drawn.choice([0, 3, 4 * n]))} if n else set()
        )
        groups = (
            np.array([drawn.randrange(max(1, n // 2)) for _ in range(n)], np.int64) if drawn.random() < 0.4 else None
        )

        def excluded(rows: Indices, cols: Indices, left_out=frozenset(left_out)):  # type: ignore[no-untyped-def]
            return np.array([pair in left_out for pair in zip(rows.tolist(), cols.tolist(), strict=True)], bool)

        k, cap = drawn.choice([1, 3, 10, 1000]), drawn.choice([None, 1, 2, 3])
        found = best(cache, flavour, titles(cache, flavour, chosen), k, excluded=excluded, cap=cap, groups=groups)
        wanted = brute_force(flavour, chosen, k, excluded, cap, groups)
        assert list(zip(found.rows.tolist(), found.cols.tolist(), found.scores.tolist(), strict=True)) == wanted
        assert found.exact


def test_asked_again_nothing_is_scored_and_no_vector_is_read(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path)
    tables = [rows(place, 9, 64) for place in range(4)]
    read: list[str] = []
    answers = []
    for _ in range(2):
        cache = Cache(objects, "match_cuts")
        asked = [
            one_title(cache, PLAIN, str(place), table, lambda: read.append("")) for place, table in enumerate(tables)
        ]
        answers.append(best(cache, PLAIN, asked, 10, cap=2))
        if len(answers) == 1:
            assert len(read) >= 4 and cache.counts["pairs_scored"] >= 36**2
            read.clear()
    assert not read and cache.counts["pairs_scored"] == 0
    assert cache.counts["pairs_reused"] == 36**2
    assert np.array_equal(answers[0].scores, answers[1].scores)


def test_a_new_title_scores_its_own_pairs_alone_and_one_that_changed_too(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path)
    tables = [rows(place, 9, 64) for place in range(5)]
    best(cache := Cache(objects, "match_cuts"), PLAIN, titles(cache, PLAIN, tables), 1)
    for changed in ([*tables, rows(5, 7, 64)], [*tables[:2], rows(6, 8, 64), *tables[3:]]):
        cache = Cache(objects, "match_cuts")
        asked = titles(cache, PLAIN, changed)
        best(cache, PLAIN, asked, 1)
        new = next(len(t) for t in changed if t is not tables[0] and not any(t is old for old in tables))
        others = sum(len(t) for t in changed) - new
        assert cache.counts["pairs_scored"] == new * new + 2 * new * others
        assert cache.counts["blocks_deepened"] == 0
        assert cache.counts["pairs_reused"] == others**2


def test_an_answer_that_takes_more_pairs_than_are_kept_is_exact_all_the_same(tmp_path: Path) -> None:
    cache = Cache(FolderObjects(tmp_path), "match_cuts")
    tables = [rows(place, 12, 64) for place in range(2)]
    found = best(cache, PLAIN, titles(cache, PLAIN, tables), 10_000)
    assert cache.counts["answers_without_blocks"] == 1 and found.exact
    assert [(a, b) for a, b, _ in brute_force(PLAIN, tables, 10_000, None, None, None)] == list(
        zip(found.rows.tolist(), found.cols.tolist(), strict=True)
    )


class Bounded(Cache):
    """Refuses to deepen for ever."""

    def count(self, name: str, number: int) -> None:
        super().count(name, number)
        assert self.counts["blocks_deepened"] < 100


@pytest.mark.parametrize("deepest", [60, 200, 2000])
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_more_equal_pairs_than_are_kept_or_looked_at_are_told_apart_by_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flavour: Flavour, deepest: int
) -> None:
    monkeypatch.setattr(making, "DEEPEST", deepest)
    tables = [alike(12, 0.5, 1.0), alike(12, 0.25, 1.0)]
    for k in (3, 40):
        cache = Bounded(FolderObjects(tmp_path), "match_cuts")
        found = best(cache, flavour, titles(cache, flavour, tables), k)
        wanted = brute_force(flavour, tables, k, None, None, None)
        assert list(zip(found.rows.tolist(), found.cols.tolist(), found.scores.tolist(), strict=True)) == wanted


def test_a_block_that_was_most_of_a_title_with_many_is_deepened_beyond_what_was_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "DEEPEST", 10_000)
    # alike by their vectors, and by their factors not: what is looked at among the many is re-ranked to nothing
    dim = [alike(30, np.linspace(least, 0.5, 30), 0.5) for least in (0.4, 0.41)]
    others = [alike(1, 0.5, 1.0), *(alike(3, 0.01, 0.5 + place / 100) for place in range(30))]
    cache = Bounded(FolderObjects(tmp_path), "match_cuts")
    for more in ([], dim[:1], dim):
        best(cache, DIMMED, titles(cache, DIMMED, [*others, *more]), 1)
    assert cache.counts["blocks_deepened"] == 0
    found = best(cache, DIMMED, titles(cache, DIMMED, dim), 40)
    assert cache.counts["blocks_deepened"] and not cache.counts["answers_without_blocks"]
    wanted = brute_force(DIMMED, dim, 40, None, None, None)
    assert list(zip(found.rows.tolist(), found.cols.tolist(), found.scores.tolist(), strict=True)) == wanted


def test_what_was_deepened_is_not_counted_as_reused_and_nothing_is_counted_as_0(tmp_path: Path) -> None:
    tables = [rows(place, 9, 64) for place in range(3)]
    told = []
    for k in (1, 1, 40, 40):
        cache = Cache(FolderObjects(tmp_path), "match_cuts")
        best(cache, PLAIN, titles(cache, PLAIN, tables), k, cap=2)
        assert set(COUNTED) <= set(cache.counts)
        told.append((cache.counts["pairs_scored"], cache.counts["pairs_reused"]))
    (first, _), again, (more, rest), (more_again, rest_again) = told
    assert first >= 27**2 and again == (0, 27**2)
    assert more > 0 and rest < 27**2 <= more + rest
    assert (more_again, rest_again) == (0, 27**2)


@pytest.mark.parametrize(("k", "cap"), [(0, None), (1, 0), (-1, 2)])
def test_no_pairs_and_no_uses_are_refused(tmp_path: Path, k: int, cap: int | None) -> None:
    cache = Cache(FolderObjects(tmp_path), "match_cuts")
    with pytest.raises(FeatureError, match="at least one pair and one use"):
        best(cache, PLAIN, titles(cache, PLAIN, [rows(1, 3, 2)]), k, cap=cap)


@pytest.mark.parametrize("sizes", [[], [0], [0, 0], [1], [1, 0], [1, 1]])
def test_few_titles_of_few_shots_are_answered(tmp_path: Path, sizes: list[int]) -> None:
    tables = [rows(place, size, 1) for place, size in enumerate(sizes)]
    for flavour in FLAVOURS:
        cache = Cache(FolderObjects(tmp_path), "match_cuts")
        found = best(cache, flavour, titles(cache, flavour, tables), 5, cap=2)
        wanted = brute_force(flavour, tables, 5, None, 2, None)
        assert list(zip(found.rows.tolist(), found.cols.tolist(), found.scores.tolist(), strict=True)) == wanted
        assert found.exact


@pytest.mark.parametrize("size", [1, 700])
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_partners_are_joined_as_many_at_a_time_as_memory_is_meant_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flavour: Flavour, size: int
) -> None:
    tables = [rows(place, 9, 64) for place in range(5)]
    monkeypatch.setattr(making, "TILE_BYTES", size)
    joined: list[int] = []
    over = compute.over

    def watched(function, shared, items):  # type: ignore[no-untyped-def]
        joined.append(shared[1].nbytes)
        return over(function, shared, items)

    monkeypatch.setattr(compute, "over", watched)
    cache = Cache(FolderObjects(tmp_path), "match_cuts")
    found = best(cache, flavour, titles(cache, flavour, tables), 30, cap=2)
    largest = max(flavour.ends(table).nbytes for table in tables)
    assert len(joined) >= 3 and max(joined) < size + largest
    wanted = brute_force(flavour, tables, 30, None, 2, None)
    assert list(zip(found.rows.tolist(), found.cols.tolist(), found.scores.tolist(), strict=True)) == wanted
