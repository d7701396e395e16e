"""The vectors of a table in blocks that never change, each with what searches it.

New vectors make a new block, and blocks that are not much larger are joined with it: so there are few, each vector is
copied a few times, and what was made to search the large ones lives on when some vectors come.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mediaml_assets.marken.embedded.vectors import VectorIndex
from mediaml_assets.marken.vectors import Rows, Vectors


@dataclass(frozen=True)
class Block:
    """Vectors [n, d] whose numbers are [first, first + n); not each of them is in sight."""

    first: int
    matrix: Vectors

    @property
    def stop(self) -> int:
        """The number after its last."""
        return self.first + len(self.matrix)

    @cached_property
    def index(self) -> VectorIndex:
        """What searches it; made when it is first asked for."""
        return VectorIndex(self.matrix)


Blocks = tuple[Block, ...]
"""By number, without gaps."""


def added(blocks: Blocks, vectors: Vectors) -> Blocks:
    """Blocks with more vectors behind them."""
    count = len(vectors)
    kept, joined = list(blocks), [vectors]
    while kept and len(kept[-1].matrix) < 2 * count:
        joined.insert(0, kept.pop().matrix)
        count += len(joined[0])
    return (*kept, Block(kept[-1].stop if kept else 0, np.concatenate(joined)))


def taken(blocks: Blocks, numbers: Rows) -> Vectors:
    """The vectors of some numbers."""
    found = np.empty((len(numbers), blocks[0].matrix.shape[1]), np.float32)
    for block in blocks:
        inside = (numbers >= block.first) & (numbers < block.stop)
        found[inside] = block.matrix[numbers[inside] - block.first]
    return found
