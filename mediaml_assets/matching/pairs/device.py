"""All pairs on a device of torch: a screen in half precision that writes each score once, and exact scores on the host.

The matrices are panels of float16 on the device, their rows ordered by norm, scaled by a power of two so that no norm
is over 1. Of each block of the product only the largest score of each row is kept (`amax`, while the block is still
in the device's cache); rows whose largest score may reach the threshold are multiplied again, and the pairs that may
reach it go to the host, which scores them exactly. The host waits for the device once in a batch of blocks; batches
grow, so that the threshold rises quickly at first.

Nothing is lost: x = h + r with h in float16 and |r| measured, so |o . i - ho . hi| <= eo |i| + (|o| + eo) ei. Products
of two float16 are exact in float32; tensor cores add in float32, perhaps cutting off where they should round, which is
within d 2^-21 |o| |i|. A sum is then rounded to float16, which keeps order: what was no less than a limit is no less
than the rounded limit. Sums in float16 are switched off.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import frexp
from typing import TYPE_CHECKING, Self

import numpy as np

from mediaml_assets.matching.pairs.guess import first_pairs
from mediaml_assets.matching.pairs.pool import Pool
from mediaml_assets.matching.pairs.products import BY_NUMPY
from mediaml_assets.matching.pairs.vectors import Excluded, Indices, Place, Ranked, Scores, Vectors

if TYPE_CHECKING:
    import torch

BLOCK_ROWS, BLOCK_COLS = 2048, 8192  # 32 MB of scores: they stay in the cache of a device that has 50
PANEL_BYTES = 2**31  # of a panel's float16 rows, at most
_SHARES = 6  # of free memory, in panels: two of them, one more in float32 while it is made, and room to work
UPLOAD_ROWS = 2**15
_TINY = 2.0**-40
BATCH = 256  # blocks between two looks at the device, at most
AGAIN_ROWS = 2**13  # rows that are multiplied again before their pairs are fetched


def cuda() -> "torch.device | None":
    """The CUDA device, if there is one."""
    import torch

    return torch.device("cuda") if torch.cuda.is_available() else None


def best_pairs_on(
    device: "torch.device",
    out: Vectors,
    in_: Vectors,
    rows: Indices,
    cols: Indices,
    depth: int,
    *,
    excluded: Excluded | None = None,
    above: float = -np.inf,
    after: Place | None = None,
) -> Ranked:
    """What `best_pairs` gives, on any device of torch; `out` and `in_` may be memory maps, read in chunks.

    There is at least one row and one column. Two panels of PANEL_BYTES are on the device at a time, or smaller ones
    when it has less memory free.
    """
    pool = Pool(out, in_, min(depth, rows.size * cols.size), excluded, above, after, error=0)
    with _sums_in_float32():
        return first_pairs(pool, rows, cols, BY_NUMPY.multiply, lambda: _all_panels(device, pool, rows, cols))


@contextmanager
def _sums_in_float32() -> Iterator[None]:
    """Float16 products without sums in float16; the caller's settings come back at the end."""
    import torch

    settings = torch.backends.cuda.matmul
    names = ("allow_fp16_reduced_precision_reduction", "allow_fp16_accumulation")
    before = {name: getattr(settings, name) for name in names}
    try:
        for name in names:
            setattr(settings, name, False)
        with torch.inference_mode():
            yield
    finally:
        for name, value in before.items():
            setattr(settings, name, value)


def _all_panels(device: "torch.device", pool: Pool, rows: Indices, cols: Indices) -> None:
    import torch

    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else _SHARES * PANEL_BYTES
    count = max(BLOCK_COLS, min(PANEL_BYTES, free // _SHARES) // (2 * max(1, pool.out.shape[1])))
    for row in range(0, rows.size, count):
        left = Panel.of(pool.out, rows[row : row + count], BLOCK_ROWS, device)
        for col in range(0, cols.size, count):
            right = Panel.of(pool.in_, cols[col : col + count], BLOCK_COLS, device)
            _PanelScan(left, right, pool).all_blocks()


@dataclass(frozen=True)
class Panel:
    """Rows of a matrix on a device, longest first: a row times 2^shift is its row of `half` + r with |r| <= errors.

    half: float16 [n, d] on the device, no row longer than 1, and the longest no shorter than 1/2 or so.
    ids: int64 [n], on the host: their numbers in the matrix.
    norms, errors: float64, one for each block of rows: no less than the longest row, and the largest |r|.
    """

    half: "torch.Tensor"
    ids: Indices
    shift: int
    norms: Scores
    errors: Scores
    block: int

    @classmethod
    def of(cls, vectors: Vectors, ids: Indices, block: int, device: "torch.device") -> Self:
        """The rows `ids` of `vectors`, sent in chunks and rounded on the device."""
        import torch

        width = vectors.shape[1]
        full = torch.empty((ids.size, width), dtype=torch.float32, device=device)
        for start in range(0, ids.size, UPLOAD_ROWS):
            full[start : start + UPLOAD_ROWS] = torch.from_numpy(vectors[ids[start : start + UPLOAD_ROWS]])
        norms = torch.linalg.vector_norm(full, dim=1)
        order = torch.argsort(norms, descending=True, stable=True)
        longest = float(norms.amax())
        if longest < _TINY:  # squares have underflowed
            longest = max(float(full.amax()), -float(full.amin())) * width**0.5
        shift = -frexp(longest)[1]
        half = torch.empty((ids.size, width), dtype=torch.float16, device=device)
        longest_of, lost = [], []
        for start in range(0, ids.size, block):
            part = full[order[start : start + block]] * 2.0 ** (shift // 2) * 2.0 ** (shift - shift // 2)
            half[start : start + block] = part
            longest_of.append(torch.linalg.vector_norm(part, dim=1).amax())
            lost.append(torch.linalg.vector_norm(part - half[start : start + block].float(), dim=1).amax())
        # float32 rounding of the norms and of the difference, and squares that underflow
        safe = 1 + width * 2.0**-22
        most = torch.stack(longest_of).double().cpu().numpy() * safe + width * 2.0**-60
        errors = torch.stack(lost).double().cpu().numpy() * safe + most * 2.0**-22 + width * 2.0**-60
        return cls(half, ids[order.cpu().numpy()], shift, most, errors, block)


@dataclass
class _PanelScan:
    """All blocks of the product of two panels."""

    left: Panel
    right: Panel
    pool: Pool

    def all_blocks(self) -> None:
        """Every block that may hold a wanted pair, in batches that double; a batch's maxima are fetched at once."""
        import torch

        blocks = [(r, c) for r in range(len(self.left.norms)) for c in range(len(self.right.norms))]
        scores = self._half(BLOCK_ROWS * BLOCK_COLS)
        most = self._half(BATCH, BLOCK_ROWS)
        start, size = 0, 1
        while start < len(blocks):
            limits = [(block, self._limit(*block)) for block in blocks[start : start + size]]
            batch = [(block, limit) for block, limit in limits if limit is not None]
            for place, ((r, c), _) in enumerate(batch):
                a, b = _rows(self.left, r), _rows(self.right, c)
                block = scores[: len(a) * len(b)].view(len(a), len(b))
                torch.mm(a, b.T, out=block)
                torch.amax(block, dim=1, out=most[place, : len(a)])
                most[place, len(a) :] = torch.nan  # no row, and above no limit
            if batch:
                self._look_again(batch, most[: len(batch)])
            start += size
            size = min(2 * size, BATCH)

    def _half(self, *shape: int) -> "torch.Tensor":
        import torch

        return torch.empty(shape, dtype=torch.float16, device=self.left.half.device)

    def _limit(self, r: int, c: int) -> float | None:
        """What a wanted pair of a block has at least in the screen; None when the block has no such pair."""
        limit = self.pool.limit * 2.0 ** (self.left.shift + self.right.shift)
        o, i, o_lost, i_lost = self.left.norms[r], self.right.norms[c], self.left.errors[r], self.right.errors[c]
        if o * i < limit:
            return None
        sums = self.left.half.shape[1] * 2.0**-21 * (o + o_lost) * (i + i_lost) + 2.0**-100
        return float(limit - (o_lost * i + (o + o_lost) * i_lost) - sums)

    def _look_again(self, batch: list[tuple[tuple[int, int], float]], most: "torch.Tensor") -> None:
        """Offer the pairs that may be wanted: of rows whose largest score reaches the limit of their block."""
        import torch

        floors = torch.tensor([limit for _, limit in batch], dtype=torch.float64).half().to(most.device)
        hits = torch.nonzero(most >= floors[:, None])
        counts = torch.bincount(hits[:, 0], minlength=len(batch)).cpu().numpy()
        again = _Again(self.left, self.right, self.pool, self._half(AGAIN_ROWS, BLOCK_COLS))
        place = 0
        for number, count in enumerate(counts):
            (r, c), _ = batch[number]
            if count:
                again.add(hits[place : place + count, 1] + r * BLOCK_ROWS, c, floors[number])
            place += count
        again.flush()


@dataclass
class _Again:
    """Rows of many blocks that are multiplied again, before the host waits for their pairs."""

    left: Panel
    right: Panel
    pool: Pool
    scores: "torch.Tensor"  # float16 [AGAIN_ROWS, BLOCK_COLS]
    parts: list[tuple["torch.Tensor", "torch.Tensor", "torch.Tensor"]] = field(default_factory=list)
    filled: int = 0

    def add(self, rows: "torch.Tensor", c: int, floor: "torch.Tensor") -> None:
        """Rows of the left panel, at most BLOCK_ROWS, with a block of the right one."""
        import torch

        if self.filled + len(rows) > AGAIN_ROWS:
            self.flush()
        right = _rows(self.right, c)
        part = self.scores[self.filled : self.filled + len(rows)]
        part[:, : len(right)] = torch.mm(self.left.half[rows], right.T)
        part[:, len(right) :] = torch.nan
        self.parts.append((rows, torch.full_like(rows, c * BLOCK_COLS), floor.expand(len(rows))))
        self.filled += len(rows)

    def flush(self) -> None:
        """Offer what reaches the limits."""
        import torch

        if not self.parts:
            return
        rows, starts, floors = (torch.cat(column) for column in zip(*self.parts, strict=True))
        found = torch.nonzero(self.scores[: self.filled] >= floors[:, None])
        pairs = torch.stack([rows[found[:, 0]], starts[found[:, 0]] + found[:, 1]]).cpu().numpy()
        self.pool.offer(self.left.ids[pairs[0]], self.right.ids[pairs[1]])
        self.parts, self.filled = [], 0


def _rows(panel: Panel, number: int) -> "torch.Tensor":
    return panel.half[number * panel.block : (number + 1) * panel.block]
