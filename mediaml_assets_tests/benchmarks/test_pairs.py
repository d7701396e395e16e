"""What the benchmark of all pairs compares with is right itself, on data small enough to see through."""

import numpy as np
import pytest

from benchmarks.pairs.data import embedding_like, isotropic
from benchmarks.pairs.oracle import ROWS, ranking, under_cap
from benchmarks.pairs.others import NUMPY_ROWS, faiss_range, numpy_blocks


@pytest.mark.parametrize("draw", [embedding_like, isotropic])
def test_the_oracle_and_the_peers_agree_over_many_blocks(draw) -> None:  # type: ignore[no-untyped-def]
    shots = 2 * NUMPY_ROWS + 7
    assert shots > 2 * ROWS
    out, in_ = draw(1, shots, 16)
    assert np.allclose(np.linalg.norm(out, axis=1), 1, atol=1e-6)
    every = (out.astype(float) @ in_.astype(float).T).ravel()
    best = np.argsort(-every, kind="stable")[:2000]
    expected = [(int(p) // shots, int(p) % shots) for p in best]
    even = lambda a, b: (a + b) % 2 == 0  # noqa: E731
    plain, odd = ranking(out, in_, 100, [None, even])
    assert plain == expected[:100]
    assert odd == [(a, b) for a, b in expected if (a + b) % 2][:100]
    assert set(numpy_blocks(out, in_, 100)) == set(plain)
    above = faiss_range(out, in_, 1)(float(every[best[99]]) - 1e-6)
    assert set(plain) <= set(above) and len(above) < 103


def test_the_cap_counts_both_sides() -> None:
    pairs = [(0, 1), (1, 2), (1, 1), (3, 1), (3, 4), (4, 4)]
    assert under_cap(pairs, 5, 3, 2) == [(0, 1), (1, 2), (3, 4)]
    with pytest.raises(ValueError, match="3 of 4"):
        under_cap(pairs, 5, 4, 2)
