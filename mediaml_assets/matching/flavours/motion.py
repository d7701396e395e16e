"""The motion flavour: camera and subject go on moving the same way, as fast, over the cut."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mediaml_assets.features.measures.end_motion import CAMERA, DIMENSIONS, SUBJECT
from mediaml_assets.features.measures.unit import unit_rows
from mediaml_assets.matching.flavours.flavour import Details, Ends, Flavour, first_is_highest, stacked
from mediaml_assets.matching.pairs.scan import Scores, Vectors

SPEED_FLOOR = 0.06  # picture widths a second: at this speed a motion counts half, well below it not at all
WHOLE_WEIGHT = 0.7  # of the longer stretch against that nearest to the cut, in length

_PARTS = (CAMERA, CAMERA, SUBJECT, SUBJECT)
_STRETCHES = np.repeat(np.array([1.0, WHOLE_WEIGHT, 1.0, WHOLE_WEIGHT], np.float32), _PARTS)
_NEAR = np.repeat(np.array([True, False, True, False]), _PARTS)


def motion_ends(table: pa.Table) -> Ends:
    """Motion: the first score is the cosine of two motion vectors, damped where little moves or the flow is unsure.

    The damping of a speed s is s^2 / (s^2 + SPEED_FLOOR^2), so that still shots never match, times the certainty.
    Details are float32 [n, d + 1]: the damped vector and the speed at the cut.
    """
    sides = [_side(table, end) for end in ("out", "in")]
    details = [np.column_stack([damped, speeds]) for damped, speeds in sides]
    return Ends(sides[0][0], sides[1][0], *details)


def agreement(out: Details, in_: Details) -> Scores:
    """The first score times the ratio of the two speeds at the cut: a movement twice as fast scores half."""
    left, right = out.astype(np.float64), in_.astype(np.float64)
    first = np.einsum("pd,pd->p", left[:, :-1], right[:, :-1])
    slower, faster = np.minimum(left[:, -1], right[:, -1]), np.maximum(left[:, -1], right[:, -1])
    return np.asarray(np.clip(first, 0, 1) * slower / np.maximum(faster, 1e-9), np.float64)


def _side(table: pa.Table, end: str) -> tuple[Vectors, npt.NDArray[np.float32]]:
    """The damped vectors of one end of every shot, and their speeds at the cut in picture widths a second."""
    vectors = stacked(table, f"{end}_vector", DIMENSIONS)
    speeds = np.linalg.norm(vectors[:, _NEAR], axis=1)
    square = speeds.astype(np.float64) ** 2
    sure = np.asarray(table.column(f"{end}_certainty").to_numpy(), np.float64)
    damping = sure * square / (square + SPEED_FLOOR**2)
    return np.asarray(unit_rows(vectors * _STRETCHES) * damping[:, None], np.float32), speeds.astype(np.float32)


MOTION = Flavour(
    name="motion",
    feature="motion",
    columns=("index", "out_vector", "in_vector", "out_certainty", "in_certainty"),
    version="2",
    description="Camera and subject go on moving the same way, as fast, over the cut.",
    ends=motion_ends,
    exact=agreement,
    bound=first_is_highest,
)
