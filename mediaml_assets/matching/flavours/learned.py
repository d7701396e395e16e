"""The learned flavour: what a trained scorer takes for a match, or without one plainly what looks alike."""

import numpy as np
import pyarrow as pa

from mediaml_assets.features.measures.unit import unit_rows
from mediaml_assets.matching.flavours.flavour import Ends, Flavour, first_is_highest, same_width
from mediaml_assets.matching.pairs.scan import Vectors

HAIR = 2.5e-7  # relative error of a product of two vectors whose numbers were rounded to float32


def learned_ends(table: pa.Table) -> Ends:
    """The score is (c - level) / (1 - level), c being the cosine of two vectors: what is unrelated is near 0 or below.

    One more number a vector takes the level away: with a = 1 / sqrt(1 - level), (a u, a sqrt(level)) and
    (a v, -a sqrt(level)) have that product. They may be longer than 1, their products are not: a is a hair smaller, by
    what rounding to float32 may add.
    """
    level = np.asarray(table.column("level").to_numpy(), np.float64)[:, None]
    out, in_ = (same_width(table, name) for name in ("out_vector", "in_vector"))
    return Ends.without_details(_less(unit_rows(out), level, 1), _less(unit_rows(in_), level, -1))


def _less(vectors: Vectors, level: np.ndarray, sign: int) -> Vectors:
    """Rows with the number that takes their level away, scaled; zero rows stay zero."""
    there = vectors.any(axis=1, keepdims=True)
    scale = np.sqrt((1 - HAIR * (1 + level) / (1 - level)) / (1 - level))
    return np.hstack([vectors * scale, sign * scale * np.sqrt(level) * there]).astype(np.float32)


LEARNED = Flavour(
    name="learned",
    feature="learned",
    columns=("index", "out_vector", "in_vector", "level"),
    version="1",
    description="A trained scorer takes the two ends for a match; without one, they look alike.",
    ends=learned_ends,
    exact=None,
    bound=first_is_highest,
)
