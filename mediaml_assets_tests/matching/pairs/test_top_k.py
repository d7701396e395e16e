"""The top K against a brute-force oracle that ranks every pair in float64."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.errors import FeatureError
from mediaml_assets.matching.pairs import guess, pool, vectors
from mediaml_assets.matching.pairs import scan as pair_scan
from mediaml_assets.matching.pairs import top_k as scoring
from mediaml_assets.matching.pairs.top_k import Pairs, top_k

Answer = list[tuple[int, int]]
Problem = tuple[np.ndarray, np.ndarray, int, Callable[..., np.ndarray] | None, int | None]


def oracle(
    out: np.ndarray,
    in_: np.ndarray,
    k: int,
    excluded: Callable[..., np.ndarray] | None = None,
    cap: int | None = None,
    above: float = -np.inf,
    rerank: Callable[..., np.ndarray] | None = None,
) -> Answer:
    """All pairs, sorted by (final, first, row, column), walked greedily under the cap."""
    rows, cols = (side.ravel() for side in np.indices((len(out), len(in_))))
    if excluded is not None and rows.size:
        keep = ~excluded(rows, cols)
        rows, cols = rows[keep], cols[keep]
    first = pair_scan.exact_scores(out, in_, rows, cols)
    rows, cols, first = rows[first > above], cols[first > above], first[first > above]
    final = first if rerank is None else rerank(rows, cols)
    answer: Answer = []
    uses = np.zeros(max(len(out), len(in_)), int)
    for p in np.lexsort((cols, rows, -first, -final)):
        if len(answer) == k:
            break
        i, j = int(rows[p]), int(cols[p])
        after = uses.copy()
        after[i] += 1
        after[j] += 1
        if cap is None or after.max() <= cap:
            uses = after
            answer.append((i, j))
    return answer


def listed(pairs: Pairs) -> Answer:
    return list(zip(pairs.rows.tolist(), pairs.cols.tolist(), strict=True))


def gaussian(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def test_a_known_answer() -> None:
    out = np.array([[1, 0], [0, 2]], np.float32)
    in_ = np.array([[3, 0], [1, 1], [0, 4]], np.float32)
    pairs = top_k(out, in_, 3)
    assert listed(pairs) == [(1, 2), (0, 0), (1, 1)]
    assert pairs.scores.tolist() == [8.0, 3.0, 2.0]
    assert (pairs.floor, pairs.exact, pairs.scored) == (2.0, True, 3)
    assert (pairs.rows.dtype, pairs.scores.dtype) == (np.int64, np.float64)


def test_pairs_that_are_no_match_are_left_out() -> None:
    out = np.array([[1, 0], [0, 2]], np.float32)
    assert listed(top_k(out, np.array([[3, 0], [1, 1], [0, 4]], np.float32), 9, above=2.0)) == [(1, 2), (0, 0)]


def test_ties_go_by_row_then_column() -> None:
    ones = np.ones((4, 3), np.float32)
    assert listed(top_k(ones, ones, 6)) == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1)]


def test_more_than_there_are_gives_all() -> None:
    pairs = top_k(gaussian(0, 3, 4), gaussian(1, 5, 4), 100)
    assert len(pairs) == 15 and pairs.exact and pairs.floor == -np.inf
    assert (np.diff(pairs.scores) <= 0).all()


@pytest.mark.parametrize("shapes", [((0, 4), (5, 4)), ((5, 4), (0, 4)), ((0, 4), (0, 4))])
@pytest.mark.parametrize("cap", [None, 1])
def test_no_shots_no_pairs(shapes: tuple[tuple[int, int], tuple[int, int]], cap: int | None) -> None:
    pairs = top_k(np.empty(shapes[0], np.float32), np.empty(shapes[1], np.float32), 3, cap=cap)
    assert len(pairs) == 0 and pairs.exact


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e20])
def test_values_without_a_score_are_refused(bad: float) -> None:
    in_ = gaussian(0, 4, 3)
    in_[2, 1] = bad
    with pytest.raises(FeatureError, match="in vector of shot 2"):
        top_k(gaussian(1, 4, 3), in_, 1)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(FeatureError, match="one width"):
        top_k(gaussian(0, 4, 3), gaussian(0, 4, 5), 1)
    with pytest.raises(FeatureError, match="float32"):
        top_k(gaussian(0, 4, 3).astype(np.float64), gaussian(0, 4, 3), 1)  # type: ignore[arg-type]
    with pytest.raises(FeatureError, match="k=0"):
        top_k(gaussian(0, 4, 3), gaussian(0, 4, 3), 0)
    with pytest.raises(FeatureError, match="is NaN"):
        top_k(gaussian(0, 4, 3), gaussian(0, 4, 3), 1, rerank=lambda rows, cols: np.full(rows.size, np.nan))


def always_torch(patch: pytest.MonkeyPatch) -> None:
    for name in ("NUMPY_IS_ENOUGH", "NUMPY_IS_AS_FAST"):
        patch.setattr(pair_scan, name, 0)


@contextmanager
def small_blocks() -> Iterator[None]:
    """Blocks, sample and pool so small that small data passes through every branch."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("BLOCK_ROWS", 7), ("BLOCK_COLS", 11), ("AT_ONCE", 16)):
            patch.setattr(pair_scan, name, value)
        for module, name, value in (
            (guess, "SAMPLE", 5),
            (pool, "ROOM", 4),
            (pool, "AT_ONCE", 16),
            (vectors, "AT_ONCE", 16),
        ):
            patch.setattr(module, name, value)
        yield


# few distinct values, so that ties abound; -0.0, subnormal and huge ones too
VALUES = st.one_of(
    st.sampled_from([-1.0, -0.5, -0.0, 0.0, 0.25, 1.0, 2**-140, 1e14]),
    st.floats(-4, 4, width=32),
)


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    n, m, d = draw(st.integers(0, 24)), draw(st.integers(0, 24)), draw(st.integers(1, 5))
    values = np.array(draw(st.lists(VALUES, min_size=1, max_size=12)), np.float32)
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    out, in_ = random.choice(values, (n, d)), random.choice(values, (m, d))
    gap = draw(st.sampled_from([None, 0, 1, 5, 30]))
    excluded = None if gap is None else lambda rows, cols: np.abs(rows - cols) <= gap
    return out, in_, draw(st.integers(1, 40)), excluded, draw(st.sampled_from([None, None, 1, 2, 5]))


@given(problem=problems(), above=st.sampled_from([-np.inf, -1.0, 0.0, 0.25]))
@settings(max_examples=150, deadline=None)
def test_equals_brute_force(problem: Problem, above: float) -> None:
    out, in_, k, excluded, cap = problem
    pairs = top_k(out, in_, k, excluded=excluded, cap=cap, above=above)
    assert listed(pairs) == oracle(out, in_, k, excluded, cap, above)
    assert pairs.exact


@given(problem=problems())
@settings(max_examples=150, deadline=None)
def test_equals_brute_force_across_many_blocks(problem: Problem) -> None:
    out, in_, k, excluded, cap = problem
    with small_blocks():
        pairs = top_k(out, in_, k, excluded=excluded, cap=cap)
    assert listed(pairs) == oracle(out, in_, k, excluded, cap)


@given(seed=st.integers(0, 2**32), cap=st.sampled_from([None, 1, 3]), k=st.integers(1, 300))
@settings(max_examples=15, deadline=None)
def test_caps_and_exclusions_that_fill_the_top(seed: int, cap: int | None, k: int) -> None:
    """Shots in clusters of twenty whose neighbours, the best pairs by far, are all left out."""
    base = np.repeat(gaussian(seed, 10, 16), 20, axis=0)
    out, in_ = base + gaussian(seed + 1, 200, 16) / 8, base[:170] + gaussian(seed + 2, 170, 16) / 8
    excluded = lambda rows, cols: rows // 20 == cols // 20  # noqa: E731
    assert listed(top_k(out, in_, k, excluded=excluded, cap=cap)) == oracle(out, in_, k, excluded, cap)


def test_a_cap_goes_deeper_than_the_first_prefix() -> None:
    """One shot is in all the best pairs: the prefix must be deepened past them."""
    out, in_ = gaussian(0, 300, 8) / 100, gaussian(1, 300, 8) / 100
    out[:3] *= 1e4
    pairs = top_k(out, in_, 5, cap=1)
    assert listed(pairs) == oracle(out, in_, 5, cap=1)
    assert pairs.exact and pairs.scored > 160


def test_a_cap_that_leaves_too_few_pairs_ends() -> None:
    pairs = top_k(gaussian(0, 40, 4), gaussian(1, 40, 4), 1000, cap=2)
    assert listed(pairs) == oracle(gaussian(0, 40, 4), gaussian(1, 40, 4), 1000, cap=2)
    assert pairs.floor == -np.inf and pairs.exact


def test_shots_without_a_vector_cost_nothing() -> None:
    """Three of 9,000 shots match at all: 81 M pairs at 0 are not ranked."""
    out = np.zeros((9_000, 4), np.float32)
    out[[17, 4_000, 8_999]] = gaussian(0, 3, 4)
    shots = [17, 4_000, 8_999]
    expected = [(shots[i], shots[j]) for i, j in oracle(out[shots], out[shots], 9, above=0)]
    assert listed(top_k(out, out, 1_000, above=0)) == expected


def test_everything_excluded() -> None:
    none = top_k(gaussian(0, 9, 4), gaussian(1, 9, 4), 5, excluded=lambda rows, cols: np.ones(rows.size, bool), cap=2)
    assert len(none) == 0 and none.exact


def iou(out: np.ndarray, in_: np.ndarray, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
    both = (out[rows] * in_[cols]).sum(axis=1, dtype=np.float64)
    return both / np.maximum((out[rows] + in_[cols]).sum(axis=1, dtype=np.float64) - both, 1)


@given(
    seed=st.integers(0, 2**32),
    n=st.integers(1, 40),
    k=st.integers(1, 60),
    cap=st.sampled_from([None, 1, 2]),
    proved=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_re_ranked_by_the_overlap_of_masks(seed: int, n: int, k: int, cap: int | None, proved: bool) -> None:
    """IoU <= cos / (2 - cos) for masks: the bound proves the answer, with ties at 1 and at 0."""
    random = np.random.default_rng(seed)
    out, in_ = (random.random((n, 6)) < random.random((n, 1)) for _ in range(2))
    out, in_ = out.astype(np.float32), in_.astype(np.float32)
    units = [m / np.maximum(np.linalg.norm(m, axis=1, keepdims=True), 1e-9).astype(np.float32) for m in (out, in_)]

    def overlap(rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        return iou(out, in_, rows, cols)

    def highest(cosine: float) -> float:
        cosine = min(cosine + 1e-6, 1.0)
        return cosine / (2 - cosine)

    pairs = top_k(*units, k, cap=cap, rerank=overlap, bound=highest if proved else None)
    assert len(pairs) == len(oracle(*units, k, cap=cap))
    if proved:
        assert pairs.exact
    if pairs.exact:
        assert listed(pairs) == oracle(*units, k, cap=cap, rerank=overlap)
    assert (np.diff(pairs.scores) <= 0).all()
    assert pairs.scores.tolist() == overlap(pairs.rows, pairs.cols).tolist()


@given(seed=st.integers(0, 2**32), k=st.integers(1, 200), small=st.booleans(), cap=st.sampled_from([None, 2]))
@settings(max_examples=40, deadline=None)
def test_scores_that_float32_cannot_tell_apart(seed: int, k: int, small: bool, cap: int | None) -> None:
    """Components differ in their last bit, so every float32 score is rounding noise; float64 orders them."""
    random = np.random.default_rng(seed)
    out, in_ = (1 + random.integers(0, 5, (60, 40)).astype(np.float32) * np.float32(2**-23) for _ in range(2))
    with small_blocks() if small else nullcontext():
        pairs = top_k(out, in_, k, cap=cap)
    assert listed(pairs) == oracle(out, in_, k, cap=cap)


@given(seed=st.integers(0, 2**32), k=st.integers(1, 60), cap=st.sampled_from([None, 1, 2]))
@settings(max_examples=40, deadline=None)
def test_re_ranked_by_a_score_that_takes_away_a_little(seed: int, k: int, cap: int | None) -> None:
    out, in_ = gaussian(seed, 40, 8), gaussian(seed + 1, 40, 8)
    loss = np.random.default_rng(seed).random((40, 40))

    def final(rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        return pair_scan.exact_scores(out, in_, rows, cols) - loss[rows, cols]

    pairs = top_k(out, in_, k, cap=cap, rerank=final, bound=lambda first: first)
    assert listed(pairs) == oracle(out, in_, k, cap=cap, rerank=final)
    assert pairs.exact and (len(pairs) == 0 or pairs.scores[-1] >= pairs.floor)


def test_a_deeper_prefix_goes_on_inside_a_tie() -> None:
    ones = np.ones((50, 1), np.float32)
    pairs = top_k(ones[:3], ones, 2, rerank=lambda rows, cols: cols / 50, bound=lambda first: first)
    assert listed(pairs) == [(0, 49), (1, 49)]


def test_a_re_rank_without_a_bound_says_so() -> None:
    out, in_ = gaussian(0, 50, 8), gaussian(1, 50, 8)
    pairs = top_k(out, in_, 10, rerank=lambda rows, cols: -(rows + cols).astype(float))
    assert (pairs.exact, pairs.floor, pairs.scored) == (False, np.inf, 50)


def test_a_bound_that_proves_nothing_ends_without_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "_MOST_WAITING", 200)
    out, in_ = gaussian(0, 50, 8), gaussian(1, 50, 8)
    pairs = top_k(out, in_, 10, rerank=lambda rows, cols: np.cos(rows * cols), bound=lambda first: 1.5)
    assert len(pairs) == 10 and not pairs.exact


def test_a_score_does_not_depend_on_its_neighbours() -> None:
    out, in_ = gaussian(0, 50, 333), gaussian(1, 50, 333)
    rows, cols = (side.ravel() for side in np.indices((50, 50)))
    together = pair_scan.exact_scores(out, in_, rows, cols)
    alone = [pair_scan.exact_scores(out, in_, rows[p : p + 1], cols[p : p + 1])[0] for p in range(0, 2500, 7)]
    assert together[::7].tolist() == alone


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("duplicates", [False, True])
def test_torch_workers_give_the_answer_of_numpy(
    threads: int, duplicates: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, in_ = gaussian(0, 700, 32), gaussian(1, 900, 32)
    if duplicates:  # many rows repeated: exact ties across blocks and workers
        out, in_ = out[np.arange(700) % 40], in_[np.arange(900) % 30]
    out.setflags(write=False)
    excluded = lambda rows, cols: (rows + cols) % 5 == 0  # noqa: E731
    plain = [top_k(out, in_, 700, excluded=excluded, cap=cap) for cap in (None, 2)]
    always_torch(monkeypatch)
    monkeypatch.setattr(pair_scan, "BLOCK_ROWS", 64)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    for cap, expected in zip((None, 2), plain, strict=True):
        pairs = top_k(out, in_, 700, excluded=excluded, cap=cap, threads=threads)
        assert listed(pairs) == listed(expected) == oracle(out, in_, 700, excluded, cap)
        assert pairs.scores.tobytes() == expected.scores.tobytes()
        assert (pairs.floor, pairs.exact, pairs.scored) == (expected.floor, expected.exact, expected.scored)
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


def test_an_error_in_a_worker_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    always_torch(monkeypatch)

    def broken(rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        raise KeyError("no such shot")

    with pytest.raises(KeyError, match="no such shot"):
        top_k(gaussian(0, 50, 8), gaussian(1, 50, 8), 5, excluded=broken, threads=2)


def test_small_problems_import_no_torch() -> None:
    code = (
        "import sys, numpy as np; from mediaml_assets.matching.pairs.top_k import top_k; "
        "top_k(np.ones((9, 4), 'f4'), np.ones((9, 4), 'f4'), 3); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
