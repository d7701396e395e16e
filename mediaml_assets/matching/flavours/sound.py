"""The sound flavour: timbre, pitch and loudness go on over the cut."""

import numpy as np
import pyarrow as pa

from mediaml_assets.features.measures.heard import SILENCE
from mediaml_assets.features.measures.unit import unit_rows
from mediaml_assets.matching.flavours.flavour import Ends, Flavour, first_is_highest, same_width
from mediaml_assets.matching.pairs.scan import Vectors

SPACING = 6.0  # decibels between the centres at which loudness is felt, and each one's deviation
CENTRES = SPACING * np.arange(SILENCE // SPACING - 1, 2)


def sound_ends(table: pa.Table) -> Ends:
    """Sounds: the score is the cosine of timbre and pitch times exp(-(d / 12)^2), d decibels apart at the cut.

    The product of two kernels is the dot product of outer products (Aronszajn, 1950), so no second score is needed:
    the vector of a sound is the outer product of its own and of its loudness.
    """
    sides = []
    for side in ("out", "in"):
        heard = unit_rows(same_width(table, f"{side}_vector"))
        loud = felt(table.column(f"{side}_loudness").to_numpy())
        sides.append((heard[:, :, None] * loud[:, None, :]).reshape(len(table), -1).astype(np.float32))
    return Ends.without_details(sides[0], sides[1])


def felt(decibels: Vectors) -> Vectors:
    """Loudness [n] as unit vectors [n, 15], whose dot product is exp(-(d / 12)^2) for a difference d.

    Gaussians of deviation t around centres t apart have that product, up to 0.5 %.
    """
    inside = np.clip(decibels, SILENCE, 0)[:, None]
    return unit_rows(np.exp(-0.5 * ((inside - CENTRES) / SPACING) ** 2))


SOUND = Flavour(
    name="sound",
    feature="sound",
    columns=("index", "out_vector", "in_vector", "out_loudness", "in_loudness"),
    version="2",
    description="Timbre, pitch and loudness go on over the cut.",
    ends=sound_ends,
    exact=None,
    bound=first_is_highest,
)
