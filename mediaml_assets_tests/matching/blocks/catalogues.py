"""Tiny catalogues with ties, zero vectors, equal and empty titles; and brute force over them."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from mediaml_assets.amber.cache import Cache
from mediaml_assets.amber.keys import column_digests
from mediaml_assets.matching.blocks.title import Title, title
from mediaml_assets.matching.flavours.flavour import Details, Ends, Flavour, first_is_highest
from mediaml_assets.matching.pairs.scan import Excluded, Indices, Scores

WIDTH = 4


def ends(table: pa.Table) -> Ends:
    """Both vectors; details are the shots' own factors."""
    out, in_ = (
        np.asarray(table.column(name).combine_chunks().flatten(), np.float32).reshape(-1, WIDTH)
        for name in ("out", "in")
    )
    factor = np.asarray(table.column("factor"), np.float64)
    return Ends(out, in_, factor, factor)


def product(out: Details, in_: Details) -> Scores:
    """The product of two factors in [0, 1]: a final score with many ties, that the first one knows nothing of."""
    return np.asarray(out * in_, np.float64)


PLAIN = Flavour("plain", "toy", ("out", "in", "factor"), "1", "The dot product.", ends, None, first_is_highest)
LOOSE = Flavour(
    "loose", "toy", ("out", "in", "factor"), "1", "No proof until all is seen.", ends, product, lambda _: 1.0
)


def damped(out: Details, in_: Details) -> Scores:
    """The first score, known from the details, in steps of a quarter rounded down: ties, and never above it."""
    first = np.einsum("pd,pd->p", out.astype(np.float64), in_.astype(np.float64))
    return np.asarray(np.floor(np.clip(first, 0, 1) * 4) / 4, np.float64)


def stepped_ends(table: pa.Table) -> Ends:
    """As `ends`, but with the vectors as details."""
    plain = ends(table)
    return Ends(plain.out, plain.in_, plain.out, plain.in_)


def dimmed_ends(table: pa.Table) -> Ends:
    """As `ends`, but with the vectors and the factor as details."""
    plain = ends(table)
    out, in_ = (np.column_stack([vectors, plain.out_details]) for vectors in (plain.out, plain.in_))
    return Ends(plain.out, plain.in_, out, in_)


def dimmed(out: Details, in_: Details) -> Scores:
    """The first score times both factors."""
    first = np.einsum("pd,pd->p", out[:, :-1].astype(np.float64), in_[:, :-1].astype(np.float64))
    return np.asarray(np.clip(first, 0, 1) * out[:, -1] * in_[:, -1], np.float64)


DIMMED = Flavour(
    "dimmed", "toy", ("out", "in", "factor"), "1", "Never above the first.", dimmed_ends, dimmed, first_is_highest
)
STEPPED = Flavour("stepped", "toy", ("out", "in"), "1", "Rounded down.", stepped_ends, damped, first_is_highest)
FLAVOURS = (PLAIN, LOOSE, STEPPED, DIMMED)


def rows(seed: int, shots: int, steps: int) -> pa.Table:
    """A title's rows: few different vectors (so that pairs tie), some zero.

    Numbers take about 2 * steps values; where that is a power of 2, their products are exact.
    """
    random = np.random.default_rng(seed)

    def vectors() -> pa.Array:
        drawn = random.integers(-steps, steps + 1, (shots, WIDTH)) / (2.0 * steps)
        drawn[random.random(shots) < 0.15] = 0
        return pa.FixedSizeListArray.from_arrays(pa.array(drawn.ravel().astype(np.float32)), WIDTH)

    factor = random.integers(0, 4, shots) / 3
    return pa.table({"out": vectors(), "in": vectors(), "factor": pa.array(factor, pa.float64())})


def alike(shots: int, value: float | Scores, factor: float) -> pa.Table:
    """A title whose shots are the same, but for how long their vectors are if there is a value for each."""
    numbers = np.repeat(np.broadcast_to(np.float32(value), shots), WIDTH)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(numbers), WIDTH)
    return pa.table({"out": vectors, "in": vectors, "factor": pa.array(np.full(shots, factor))})


def titles(cache: Cache, flavour: Flavour, tables: Sequence[pa.Table]) -> list[Title]:
    """The titles of some tables."""
    return [one_title(cache, flavour, f"title {place}", table) for place, table in enumerate(tables)]


def one_title(
    cache: Cache, flavour: Flavour, name: str, table: pa.Table, asked: Callable[[], None] = lambda: None
) -> Title:
    """A title; `asked` is called when its rows are read."""

    def read() -> pa.Table:
        asked()
        return table

    digests = column_digests(table)
    columns = {name: digests[name] for name in flavour.columns}
    return title(cache, flavour, name, columns, table.num_rows, read)


def brute_force(
    flavour: Flavour,
    tables: Sequence[pa.Table],
    k: int,
    excluded: Excluded | None,
    cap: int | None,
    groups: Indices | None,
) -> list[tuple[int, int, float]]:
    """Every pair in order, taken one by one in plain Python."""
    parts = [flavour.ends(table) for table in tables if table.num_rows]
    if not parts:
        return []
    joined = Ends.joined(parts)
    n = len(joined)
    found = []
    for a in range(n):
        for b in range(n):
            pair = np.array([a]), np.array([b])
            first = float(np.dot(joined.out[a].astype(np.float64), joined.in_[b].astype(np.float64)))
            if first <= 0 or (excluded is not None and excluded(*pair)[0]):
                continue
            rerank = flavour.rerank(joined)
            found.append((-(first if rerank is None else float(rerank(*pair)[0])), -first, a, b))
    uses: dict[int, int] = {}
    shown: set[tuple[int, int]] = set()
    taken: list[tuple[int, int, float]] = []
    for final, _, a, b in sorted(found):
        one, other = (a, b) if groups is None else (int(groups[a]), int(groups[b]))
        new = dict(uses)
        for shot in (one, other):
            new[shot] = new.get(shot, 0) + 1
        if cap is None or (max(new[one], new[other]) <= cap and (one, other) not in shown):
            uses = new
            shown.add((one, other))
            taken.append((a, b, -final))
        if len(taken) == k:
            break
    return taken
