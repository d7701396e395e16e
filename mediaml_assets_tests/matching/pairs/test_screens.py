"""Screens lose nothing: int8 on the CPU, float16 on a device, float32 where there is neither; all give one answer."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.matching.pairs import device, guess, pool, products, scan
from mediaml_assets.matching.pairs.device import Panel, best_pairs_on
from mediaml_assets.matching.pairs.scan import Ranked, best_pairs, exact_scores
from mediaml_assets.matching.pairs.side import Side

CPU = torch.device("cpu")
Answer = tuple[list[int], list[int], list[float]]

# magnitudes from underflow to what top_k allows; rows of one matrix mix them
SCALES = st.sampled_from([0.0, 1e-44, 1e-30, 1e-18, 1e-6, 1.0, 1.0, 1.0, 300.0, 1e14])


@st.composite
def matrices(draw: st.DrawFn, most: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Two float32 matrices of one width: scaled rows, repeated rows, and few values or many."""
    width = draw(st.integers(1, 40))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    coarse = draw(st.booleans())

    def one() -> np.ndarray:
        count = draw(st.integers(1, most))
        scales = draw(st.lists(SCALES, min_size=1, max_size=3))
        values = random.integers(-2, 3, (count, width)) / 4 if coarse else random.standard_normal((count, width))
        rows = (values * random.choice(scales, (count, 1))).astype(np.float32)
        return rows[random.integers(0, count, count)] if draw(st.booleans()) else rows

    return one(), one()


def exactly(row: Sequence[float], col: Sequence[float]) -> Fraction:
    return sum((Fraction(float(a)) * Fraction(float(b)) for a, b in zip(row, col, strict=True)), Fraction(0))


@given(pair=matrices(most=6))
@settings(max_examples=80, deadline=None)
def test_the_slack_of_codes_holds(pair: tuple[np.ndarray, np.ndarray]) -> None:
    left, right = (Side.of(vectors, np.arange(len(vectors)), 4) for vectors in pair)
    o, i = left.codes, right.codes
    assert max(np.abs(o.codes.astype(int)).max(), np.abs(i.codes.astype(int)).max()) <= 127
    for r, row in enumerate(left.ids):
        for c, col in enumerate(right.ids):
            true = exactly(pair[0][row], pair[1][col])
            coded = exactly([o.scales[r // 4]], [i.scales[c // 4]]) * int(o.codes[r].astype(int) @ i.codes[c])
            o_norm, i_norm, o_lost, i_lost = left.norms[r // 4], right.norms[c // 4], o.errors[r // 4], i.errors[c // 4]
            assert abs(true - coded) <= Fraction(float(o_lost * i_norm + (o_norm + o_lost) * i_lost))
            assert true**2 <= Fraction(float(o_norm)) ** 2 * Fraction(float(i_norm)) ** 2


@given(pair=matrices(most=6))
@settings(max_examples=80, deadline=None)
def test_the_slack_of_panels_holds(pair: tuple[np.ndarray, np.ndarray]) -> None:
    left, right = (Panel.of(vectors, np.arange(len(vectors)), 4, CPU) for vectors in pair)
    shift = Fraction(2) ** (left.shift + right.shift)
    for r, row in enumerate(left.ids):
        for c, col in enumerate(right.ids):
            true = exactly(pair[0][row], pair[1][col]) * shift
            halves = exactly(left.half[r].tolist(), right.half[c].tolist())
            o, i, o_lost, i_lost = left.norms[r // 4], right.norms[c // 4], left.errors[r // 4], right.errors[c // 4]
            assert abs(true - halves) <= Fraction(float(o_lost * i + (o + o_lost) * i_lost))
            assert true**2 <= Fraction(float(o)) ** 2 * Fraction(float(i)) ** 2
    assert max(left.norms.max(), right.norms.max()) <= 1.001


@contextmanager
def tiny(*, codes: bool) -> Iterator[None]:
    """Torch always, in blocks so small that small data passes through every branch; with the int8 screen or without."""
    with pytest.MonkeyPatch.context() as patch:
        for module, names in (
            (scan, {"NUMPY_IS_ENOUGH": 0, "NUMPY_IS_AS_FAST": 0, "BLOCK_ROWS": 7, "BLOCK_COLS": 11, "_TOO_MANY": 2}),
            (device, {"BLOCK_ROWS": 5, "BLOCK_COLS": 8, "BATCH": 3, "AGAIN_ROWS": 6, "UPLOAD_ROWS": 4}),
            (device, {"PANEL_BYTES": 1000}),
            (guess, {"SAMPLE": 6}),
            (pool, {"ROOM": 4}),
            (products, {"is_faster": lambda *_: True}),
        ):
            for name, value in names.items():
                patch.setattr(module, name, value)
        if not codes:
            patch.delattr(torch, "_int_mm")
        yield


def int8(*args: Any, **kwargs: Any) -> Ranked:
    with tiny(codes=True):
        return best_pairs(*args, threads=1, **kwargs)


def two_threads(*args: Any, **kwargs: Any) -> Ranked:
    with tiny(codes=True):
        return best_pairs(*args, threads=2, **kwargs)


def float32(*args: Any, **kwargs: Any) -> Ranked:
    with tiny(codes=False):
        return best_pairs(*args, threads=1, **kwargs)


def on_device(*args: Any, **kwargs: Any) -> Ranked:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # blocks are tiny
    try:
        with tiny(codes=True):
            return best_pairs_on(CPU, *args, **kwargs)
    finally:
        torch.set_num_threads(threads)


WAYS = [int8, two_threads, float32, on_device]


def listed(ranked: Ranked) -> Answer:
    return ranked.rows.tolist(), ranked.cols.tolist(), ranked.scores.tolist()


def in_order(
    out: np.ndarray, in_: np.ndarray, excluded: Callable[..., np.ndarray] | None = None, above: float = -np.inf
) -> list[tuple[float, int, int]]:
    """Every wanted pair as (score, row, column), best first."""
    rows, cols = (side.ravel() for side in np.indices((len(out), len(in_))))
    keep = np.ones(rows.size, bool) if excluded is None else ~excluded(rows, cols)
    scores = exact_scores(out, in_, rows, cols)
    keep &= scores > above
    order = np.lexsort((cols[keep], rows[keep], -scores[keep]))
    return [
        (float(s), int(r), int(c))
        for s, r, c in zip(scores[keep][order], rows[keep][order], cols[keep][order], strict=True)
    ]


def columns(pairs: list[tuple[float, int, int]]) -> Answer:
    return [r for _, r, _ in pairs], [c for _, _, c in pairs], [s for s, _, _ in pairs]


@pytest.mark.parametrize("way", WAYS)
@given(
    pair=matrices(),
    depth=st.integers(1, 60),
    gap=st.sampled_from([None, 0, 4]),
    above=st.sampled_from([-np.inf, 0.0, 0.25]),
    skipped=st.sampled_from([0, 0, 1, 17]),
)
@settings(max_examples=60, deadline=None)
def test_equals_brute_force(
    way: Callable[..., Ranked],
    pair: tuple[np.ndarray, np.ndarray],
    depth: int,
    gap: int | None,
    above: float,
    skipped: int,
) -> None:
    """Ties, zero rows, excluded neighbours, scales from 1e-44 to 1e14, and places to go on after."""
    out, in_ = pair
    excluded = None if gap is None else lambda rows, cols: np.abs(rows - cols) <= gap
    every = in_order(out, in_, excluded, above)
    after = every[skipped - 1] if 0 < skipped <= len(every) else None
    wanted = every[(skipped if after else 0) :][:depth]
    rows, cols = np.arange(len(out)), np.arange(len(in_))
    assert listed(way(out, in_, rows, cols, depth, excluded=excluded, above=above, after=after)) == columns(wanted)


def unit(seed: int, count: int, width: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("sign", [1, -1])
def test_unit_vectors(way: Callable[..., Ranked], sign: int) -> None:
    """High thresholds and, when every score is negative, low ones."""
    out, in_ = unit(1, 90, 32), unit(2, 70, 32)
    if sign < 0:
        out, in_ = np.abs(out), -np.abs(in_)
    rows, cols = np.arange(90), np.arange(70)
    assert listed(way(out, in_, rows, cols, 50)) == columns(in_order(out, in_)[:50])


@pytest.mark.parametrize("way", WAYS)
def test_some_rows_and_columns(way: Callable[..., Ranked]) -> None:
    out, in_ = unit(1, 60, 16), unit(2, 60, 16)
    rows, cols = np.flatnonzero(np.arange(60) % 3), np.arange(5, 41)
    excluded = lambda r, c: ~(np.isin(r, rows) & np.isin(c, cols))  # noqa: E731
    assert listed(way(out, in_, rows, cols, 40)) == columns(in_order(out, in_, excluded)[:40])


@pytest.mark.parametrize("way", WAYS)
def test_excluded_pairs_that_fill_the_top_and_one_row_that_owns_it(way: Callable[..., Ranked]) -> None:
    """A sample of that row would guess too high a threshold, one without it too low; both end in the same answer."""
    for hub in range(0, 80, 7):
        out, in_ = unit(3, 80, 16), unit(4, 80, 16)
        out[hub] *= 100
        in_[40:] = out[40:] / np.linalg.norm(out[40:], axis=1, keepdims=True)
        excluded = lambda rows, cols: rows == cols  # noqa: E731
        answer = way(out, in_, np.arange(80), np.arange(80), 45, excluded=excluded)
        assert listed(answer) == columns(in_order(out, in_, excluded)[:45])


def test_a_guess_that_was_too_high_costs_a_second_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool.Pool, "rank_of", lambda self, rank, *_: 0.99 if rank < 60 else -np.inf)
    out, in_ = unit(1, 90, 8), unit(2, 90, 8)
    scans = []
    all_blocks = scan._Scan.all_blocks
    monkeypatch.setattr(scan._Scan, "all_blocks", lambda self: [scans.append(self.pool.limit), all_blocks(self)])
    answer = best_pairs(out, in_, np.arange(90), np.arange(90), 60)
    assert listed(answer) == columns(in_order(out, in_)[:60])
    assert [limit > 0.9 for limit in scans] == [True, False]


def test_the_int8_screen_is_used_and_lets_little_through(monkeypatch: pytest.MonkeyPatch) -> None:
    out, in_ = unit(1, 3000, 64), unit(2, 3000, 64)
    offered: list[tuple[int, bool]] = []
    offer = pool.Pool.offer

    def counted(self: pool.Pool, rows: np.ndarray, cols: np.ndarray, scores: np.ndarray | None = None) -> None:
        offered.append((rows.size, scores is None))
        offer(self, rows, cols, scores)

    monkeypatch.setattr(scan, "NUMPY_IS_AS_FAST", 0)
    monkeypatch.setattr(products, "is_faster", lambda *_: True)
    monkeypatch.setattr(pool.Pool, "offer", counted)
    best_pairs(out, in_, np.arange(3000), np.arange(3000), 100)
    assert all(by_codes for _, by_codes in offered) and len(offered) == 6
    assert 100 <= sum(size for size, _ in offered) < 3000


def test_an_int8_product_that_saturates_fails_or_dawdles_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "_int_mm", right := torch._int_mm)
    assert products.is_right(right, 512)
    assert products._of_codes(2**20) is None  # sums would leave int32

    def saturates(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        return right(a, b, out=out).clamp_(-(2**15), 2**15 - 1)

    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("not implemented for this machine")

    def dawdles(a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        return out.copy_(a.int() @ b.int())

    assert not products.is_right(saturates, 512) and not products.is_right(fails, 512)
    assert products.is_right(dawdles, 512) and not products.is_faster(dawdles, 512)
    for broken in (saturates, fails, dawdles):
        monkeypatch.setattr(torch, "_int_mm", broken)
        assert products._of_codes(512) is None
    monkeypatch.delattr(torch, "_int_mm")
    assert products._of_codes(512) is None


def test_a_cuda_device_is_used_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "DEVICE_PAYS", 0)
    monkeypatch.setattr(scan, "cuda", lambda: CPU)
    used = []
    monkeypatch.setattr(
        scan, "best_pairs_on", lambda where, *a, **k: [used.append(where), best_pairs_on(where, *a, **k)][1]
    )
    out, in_ = unit(1, 50, 8), unit(2, 50, 8)
    assert listed(best_pairs(out, in_, np.arange(50), np.arange(50), 9)) == columns(in_order(out, in_)[:9])
    assert used == [CPU]


def test_matrices_in_files_are_read_in_chunks(tmp_path: Any) -> None:
    out, in_ = unit(1, 90, 8), unit(2, 70, 8)
    for name, vectors in (("out", out), ("in", in_)):
        np.save(tmp_path / f"{name}.npy", vectors)
    mapped = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("out", "in")]
    for way in WAYS:
        assert listed(way(*mapped, np.arange(90), np.arange(70), 30)) == columns(in_order(out, in_)[:30])
