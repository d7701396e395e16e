"""The flavours of composition, colour, sound and learning: ranges, bounds, what scores nothing, what scores alike."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.amber.cache import Cache
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.features.colour import COLOUR
from mediaml_assets.features.composition import COMPOSITION
from mediaml_assets.features.learned import LEARNED
from mediaml_assets.features.measures.layout import EDGES, MASSES
from mediaml_assets.features.measures.palette import DIMENSIONS, reached
from mediaml_assets.features.shot_groups import ShotGroups
from mediaml_assets.features.shots import Shot
from mediaml_assets.features.sound import SOUND
from mediaml_assets.features.unique_shots import UniqueShots
from mediaml_assets.matching.exclusions import exclusions, title_shots
from mediaml_assets.matching.flavours import colour, composition, learned, sound
from mediaml_assets.matching.flavours.flavour import Ends, Flavour
from mediaml_assets.matching.match_cuts import MatchCutsConfig, flavour_cuts
from mediaml_assets.matching.pairs.top_k import top_k
from mediaml_assets.matching.shot_rows import ShotRows

SEEDS = st.integers(0, 2**32 - 1)


def units(random: np.random.Generator, count: int, width: int) -> np.ndarray:
    """Unit rows, in clusters so that some products are near 1; the last row is zero."""
    centres = random.normal(size=(3, width))
    rows = centres[random.integers(0, 3, count)] + random.normal(size=(count, width)) * random.uniform(0, 1)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[-1] = 0
    return rows.astype(np.float32)


def composition_table(seed: int, count: int = 9) -> pa.Table:
    random = np.random.default_rng(seed)
    sides = [
        np.hstack([units(random, count, EDGES), units(random, count, MASSES)]) * random.random((count, 1))
        for _ in range(2)
    ]
    return pa.table([list(range(count)), *(list(side.astype(np.float32)) for side in sides)], schema=COMPOSITION)


def colour_table(seed: int, count: int = 9) -> pa.Table:
    random = np.random.default_rng(seed)
    sides = [np.zeros((count, DIMENSIONS)) for _ in range(2)]
    for side in sides:
        side[:, reached()] = np.abs(units(random, count, len(reached()))) * random.random((count, 1))
    return pa.table([list(range(count)), *(list(side.astype(np.float32)) for side in sides)], schema=COLOUR)


def sound_table(seed: int, count: int = 9) -> pa.Table:
    random = np.random.default_rng(seed)
    sides = [list(units(random, count, 31)) for _ in range(2)]
    loudness = [random.uniform(-120, 0, count).astype(np.float32) for _ in range(2)]
    return pa.table([list(range(count)), *sides, *loudness], schema=SOUND)


def learned_table(seed: int, count: int = 9, level: float = 0.4) -> pa.Table:
    random = np.random.default_rng(seed)
    sides = [list(units(random, count, 48)) for _ in range(2)]
    return pa.table([list(range(count)), *sides, np.full(count, level, np.float32)], schema=LEARNED)


CASES = [
    (composition.COMPOSITION, composition_table),
    (colour.COLOUR, colour_table),
    (sound.SOUND, sound_table),
    (learned.LEARNED, learned_table),
]


def all_scores(flavour: Flavour, ends: Ends) -> tuple[np.ndarray, np.ndarray]:
    """First and final scores of every pair, flat."""
    rows, cols = (side.ravel() for side in np.indices((len(ends), len(ends))))
    first = (ends.out.astype(np.float64) @ ends.in_.T.astype(np.float64)).ravel()
    rerank = flavour.rerank(ends)
    return first, first if rerank is None else rerank(rows, cols)


@pytest.mark.parametrize(("flavour", "table"), CASES, ids=lambda case: getattr(case, "name", ""))
@given(seed=SEEDS)
@settings(max_examples=25, deadline=None)
def test_scores_are_in_range_and_never_over_the_bound(flavour: Flavour, table: object, seed: int) -> None:
    assert callable(table)
    first, final = all_scores(flavour, flavour.ends(table(seed)))
    assert final.max() <= 1
    assert flavour.exact is None or final.min() >= 0
    assert all(max(score, 0) <= flavour.bound(float(cosine)) for score, cosine in zip(final, first, strict=True))


@pytest.mark.parametrize(("flavour", "table"), CASES, ids=lambda case: getattr(case, "name", ""))
def test_an_end_that_shows_nothing_matches_nothing(flavour: Flavour, table: object) -> None:
    assert callable(table)
    ends = flavour.ends(table(1))
    assert not ends.out[-1].any() and not ends.in_[-1].any()
    _, final = all_scores(flavour, ends)
    assert not final.reshape(len(ends), -1)[-1].any() and not final.reshape(len(ends), -1)[:, -1].any()


@pytest.mark.parametrize(("flavour", "table"), CASES, ids=lambda case: getattr(case, "name", ""))
def test_titles_apart_and_together_are_the_same(flavour: Flavour, table: object) -> None:
    assert callable(table)
    whole = table(5)
    apart = Ends.joined([flavour.ends(whole.slice(0, 4)), flavour.ends(whole.slice(4))])
    np.testing.assert_array_equal(flavour.ends(whole).out, apart.out)
    np.testing.assert_array_equal(flavour.ends(whole).in_details, apart.in_details)


@pytest.mark.parametrize(("flavour", "table"), CASES, ids=lambda case: getattr(case, "name", ""))
def test_tails_and_heads_are_alike(flavour: Flavour, table: object) -> None:
    """Shots played backwards: heads become tails, and every score is that of the cut from the other to the one."""
    assert callable(table)
    rows = table(3)
    swapped = {"out": "in", "in": "out"}
    parted = [(name, *name.partition("_")) for name in rows.column_names]
    names = [f"{swapped[side]}_{kind}" if kind else name for name, side, _, kind in parted]
    _, final = all_scores(flavour, flavour.ends(rows))
    _, backwards = all_scores(flavour, flavour.ends(rows.rename_columns(names)))
    count = len(rows)
    np.testing.assert_allclose(final.reshape(count, count).T, backwards.reshape(count, count), atol=1e-6)


@pytest.mark.parametrize(("flavour", "table"), CASES, ids=lambda case: getattr(case, "name", ""))
def test_vectors_stay_narrow(flavour: Flavour, table: object) -> None:
    assert callable(table)
    assert flavour.ends(table(1)).out.shape[1] <= 1024


@given(seed=SEEDS)
@settings(max_examples=15, deadline=None)
def test_the_best_compositions_are_those_of_brute_force(seed: int) -> None:
    ends = composition.composition_ends(composition_table(seed, 40))
    _, final = all_scores(composition.COMPOSITION, ends)
    found = top_k(
        ends.out, ends.in_, 15, above=0.0, rerank=composition.COMPOSITION.rerank(ends),
        bound=composition.COMPOSITION.bound,
    )  # fmt: skip
    assert found.exact
    np.testing.assert_allclose(found.scores, np.sort(final)[::-1][: len(found)], atol=1e-6)


def test_a_composition_is_both_edges_and_masses() -> None:
    random = np.random.default_rng(0)
    edges, masses = units(random, 3, EDGES)[:2], units(random, 3, MASSES)[:2]
    tails = np.array([np.r_[edges[0], masses[0]]])
    heads = np.array([np.r_[edges[0], masses[0]], np.r_[edges[0], -masses[0]], np.r_[edges[0], 0 * masses[0]]])
    scores = composition.both_agree(tails.repeat(3, axis=0), heads)
    np.testing.assert_allclose(scores, [1, 0, 0], atol=1e-6)


@pytest.mark.parametrize(("apart", "factor"), [(0, 1), (3, 0.939), (6, 0.779), (12, 0.368), (24, 0.018)])
def test_loudness_lowers_a_sounds_score(apart: float, factor: float) -> None:
    vector = [list(units(np.random.default_rng(0), 2, 31)[:1])] * 2
    loud, faint = (np.array([decibels], np.float32) for decibels in (-20, -20 - apart))
    ends = sound.sound_ends(pa.table([[0], *vector, loud, faint], schema=SOUND))
    assert float((ends.out @ ends.in_.T)[0, 0]) == pytest.approx(factor, abs=5e-3)


@given(seed=SEEDS, level=st.floats(0, 0.95))
@settings(max_examples=25, deadline=None)
def test_a_learned_score_is_the_cosine_above_its_level(seed: int, level: float) -> None:
    table = learned_table(seed, level=level)
    ends = learned.learned_ends(table)
    cosines = np.array(table.column("out_vector").to_pylist()) @ np.array(table.column("in_vector").to_pylist()).T
    wanted = (cosines - level) / (1 - level)
    wanted[-1], wanted[:, -1] = 0, 0
    np.testing.assert_allclose(ends.out @ ends.in_.T, wanted, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(("flavour", "table"), CASES, ids=lambda case: getattr(case, "name", ""))
def test_match_cuts_over_two_titles_are_those_of_brute_force(flavour: Flavour, table: object, tmp_path: Path) -> None:
    assert callable(table)
    tables = {"one": table(7), "two": table(8)}
    nine = tuple(Shot(i, i, i + 1, i, i + 1) for i in range(9))
    shots = {name: UniqueShots(nine, ((),) * 9) for name in tables}
    rows = {name: ShotRows.from_table(of_title.select(list(flavour.columns))) for name, of_title in tables.items()}
    known = {name: title_shots(name, shots[name], None, None, ShotGroups({})) for name in tables}
    config = MatchCutsConfig(k=12, cap=100, gap=1)
    found = flavour_cuts(
        flavour, shots, rows, exclusions(known, config.gap, ShotGroups({}).links), config,
        Cache(FolderObjects(tmp_path), "match_cuts"),
    )  # fmt: skip
    _, final = all_scores(flavour, Ends.joined([flavour.ends(of_title) for of_title in tables.values()]))
    others = ~np.eye(18, dtype=bool).ravel()
    best = np.sort(final[others & (final > 0)])[::-1][:12]
    np.testing.assert_allclose(found.column("own_score").to_pylist(), best, atol=2e-6)
    assert all(found.column("exact").to_pylist())
