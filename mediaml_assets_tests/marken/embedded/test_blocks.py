"""Vectors in blocks: few of them, none that changes, and the same vectors whatever came when."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.marken.embedded.blocks import Blocks, added, taken


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_vectors_keep_their_numbers(counts: list[int]) -> None:
    blocks: Blocks = ()
    stop = 0
    for count in counts:
        before = blocks
        matrices = [block.matrix.copy() for block in before]
        numbers = np.arange(stop, stop + count, dtype=np.float32)
        blocks = added(blocks, np.stack([numbers, -numbers], axis=1))
        stop += count
        assert all(np.array_equal(block.matrix, old) for block, old in zip(before, matrices, strict=True))
    assert [block.first for block in blocks[1:]] == [block.stop for block in blocks[:-1]] and blocks[-1].stop == stop
    # each is at least twice as large as what is behind it
    assert len(blocks) <= 1 + np.log2(stop)
    wanted = np.random.default_rng(len(counts)).integers(0, stop, 20)
    assert np.array_equal(taken(blocks, wanted)[:, 0], wanted)


def test_a_large_block_lives_on_when_some_vectors_come() -> None:
    blocks = added((), np.ones((100, 3), np.float32))
    index = blocks[0].index
    blocks = added(blocks, np.ones((7, 3), np.float32))
    assert len(blocks) == 2 and blocks[0].index is index
