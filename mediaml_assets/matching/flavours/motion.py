"""The motion flavour: camera and subject go on moving the same way, as fast, over the cut."""

import numpy as np
import pyarrow as pa

from mediaml_assets.features.motion import DIMENSIONS
from mediaml_assets.matching.flavours.flavour import Details, Ends, Flavour, first_is_highest, stacked, unit
from mediaml_assets.matching.pairs.scan import Scores, Vectors

SPEED_FLOOR = 0.02  # picture widths a second: at this speed a motion counts half, well below it not at all


def motion_ends(table: pa.Table) -> Ends:
    """Motion: the first score is the cosine of two motion vectors, damped where little moves.

    The damping of a vector of length s is s^2 / (s^2 + SPEED_FLOOR^2), so that still shots never match. Details are
    float32 [n, d + 1]: the damped vector and its speed.
    """
    out, in_ = (stacked(table, name, DIMENSIONS) for name in ("out_vector", "in_vector"))
    details = [np.column_stack([_damped(side), np.linalg.norm(side, axis=1)]).astype(np.float32) for side in (out, in_)]
    return Ends(details[0][:, :-1].copy(), details[1][:, :-1].copy(), *details)


def agreement(out: Details, in_: Details) -> Scores:
    """The first score times the ratio of the two speeds: a movement twice as fast scores half."""
    left, right = out.astype(np.float64), in_.astype(np.float64)
    first = np.einsum("pd,pd->p", left[:, :-1], right[:, :-1])
    slower, faster = np.minimum(left[:, -1], right[:, -1]), np.maximum(left[:, -1], right[:, -1])
    return np.asarray(np.clip(first, 0, 1) * slower / np.maximum(faster, 1e-9), np.float64)


def _damped(vectors: Vectors) -> Vectors:
    """Unit rows times s^2 / (s^2 + SPEED_FLOOR^2), s being their length before."""
    square = (vectors.astype(np.float64) ** 2).sum(axis=1, keepdims=True)
    return np.asarray(unit(vectors) * (square / (square + SPEED_FLOOR**2)), np.float32)


MOTION = Flavour(
    name="motion",
    feature="motion",
    columns=("index", "out_vector", "in_vector"),
    version="1",
    description="Camera and subject go on moving the same way, as fast, over the cut.",
    ends=motion_ends,
    exact=agreement,
    bound=first_is_highest,
)
