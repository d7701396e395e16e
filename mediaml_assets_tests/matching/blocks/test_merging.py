"""The law of blocks: whatever is asked of whichever titles, the answer is that of brute force, in the same order."""

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.amber.cache import Cache
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.matching.blocks import format, making, store
from mediaml_assets.matching.blocks.merging import best
from mediaml_assets.matching.pairs.scan import Indices
from mediaml_assets_tests.matching.blocks.catalogues import FLAVOURS, PLAIN, brute_force, one_title, rows, titles


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
