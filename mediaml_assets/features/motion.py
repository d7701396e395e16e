"""The `motion` feature: how the picture moves just before a shot's end and just after its start."""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mediaml_assets.amber.checks import increasing, no_nans
from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.features.frame_windows import end_windows
from mediaml_assets.features.optical_flow import MEDIUM, Flow, active_luma, camera_flow, flow
from mediaml_assets.features.shots import Shots
from mediaml_assets.jasper.reading.frame import Frame
from mediaml_assets.jasper.reading.media import Media

Vector = npt.NDArray[np.float32]

WIDTH, HEIGHT = 160, 90  # the size at which flow is measured
COLUMNS, ROWS = 16, 9
PAIRS = 8  # pairs of neighbouring frames looked at on either side of a cut
NEAR_PAIRS = 3  # those nearest to the cut are looked at once more by themselves
SUBJECT_WEIGHT = 2.0  # a subject covers a part of the picture only: its own motion counts this many times more
PART = COLUMNS * ROWS * 2
DIMENSIONS = 4 * PART
DECIMALS = 5

_VECTOR = pa.list_(pa.field("item", pa.float32(), nullable=False), DIMENSIONS)
MOTION = pa.schema(
    [
        column("index", pa.int32(), "Of the shot, among those of `unique_shots`."),
        column("out_vector", _VECTOR, "Motion before its end, in picture widths a second: 4 x 9 x 16 cells x 2."),
        column("in_vector", _VECTOR, "The same after its start."),
    ]
)
"""One row a shot: motion over the last and the first usable frames, in picture widths a second.

A vector is four parts of 16 x 9 cells x (right, down), row by row: the camera's affine flow over 8 pairs of frames,
that of the 3 pairs nearest to the cut, and what moves against the camera over 8 and over 3 pairs. Its length is the
root mean square speed over the picture, a subject's own motion counting `SUBJECT_WEIGHT` times.
"""


@amber_feature(
    version="1",
    schema=MOTION,
    kinds=("opencv",),
    checks=[
        increasing("index", blocking=False),
        no_nans("out_vector", blocking=False),
        no_nans("in_vector", blocking=False),
    ],
)
def motion(standard_encode: Media, unique_shots: Shots) -> pa.Table:
    """Measure how the picture moves at both ends of each shot: the camera, and what moves against it."""
    rate = float(standard_encode.rate)
    heads: list[Vector] = []
    tails: list[Vector] = []
    for at_end, frames in end_windows(standard_encode, unique_shots, PAIRS + 1):
        (tails if at_end else heads).append(motion_vector(frames, standard_encode.active, rate, at_end))
    return pa.table([[shot.index for shot in unique_shots], tails, heads], schema=MOTION)


def motion_vector(frames: Sequence[Frame], active: tuple[int, int, int, int], rate: float, at_end: bool) -> Vector:
    """The vector [1152] of neighbouring frames in order of time; the cut is after the last or before the first."""
    grays = [active_luma(frame, active, (WIDTH, HEIGHT)) for frame in frames]
    fields = np.array([flow(a, b, MEDIUM) for a, b in pairwise(grays)], np.float32)
    if len(fields) == 0:
        return np.zeros(DIMENSIONS, np.float32)
    near = fields[-NEAR_PAIRS:] if at_end else fields[:NEAR_PAIRS]
    to_widths = np.array([rate / WIDTH, rate / HEIGHT * active[3] / active[2]], np.float32)
    cameras, subjects = [], []
    for field in (fields.mean(axis=0), near.mean(axis=0)):
        camera = camera_flow(field)
        cameras.append(_cells(camera * to_widths))
        subjects.append(SUBJECT_WEIGHT * _cells((field - camera) * to_widths))
    vector = np.concatenate(cameras + subjects) / np.sqrt(2 * COLUMNS * ROWS)
    return np.asarray(np.round(vector, DECIMALS), np.float32)


def _cells(field: Flow) -> Vector:
    """A field averaged over 16 x 9 cells, flat."""
    return np.asarray(cv2.resize(field, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA).ravel(), np.float32)
