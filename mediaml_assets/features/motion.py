"""The `motion` feature: how the picture moves just before a shot's end and just after its start."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mediaml_assets.amber.checks import in_range, increasing, no_nans
from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.frame_windows import end_windows
from mediaml_assets.features.measures.end_motion import (
    CAMERA,
    DIMENSIONS,
    HEIGHT,
    PAIRS,
    SUBJECT,
    WIDTH,
    Between,
    EndMotion,
    camera_field,
    end_motion,
    subject_field,
)
from mediaml_assets.features.measures.optical_flow import Flow, active_luma
from mediaml_assets.features.models import flow_model
from mediaml_assets.features.models.saved_model import HUGGING_FACE, model_key
from mediaml_assets.features.shots import Shots
from mediaml_assets.jasper.reading.frame import Frame
from mediaml_assets.jasper.reading.media import Media

Vector = npt.NDArray[np.float32]

DECIMALS = 5

_VECTOR = pa.list_(pa.field("item", pa.float32(), nullable=False), DIMENSIONS)
MOTION = pa.schema(
    [
        column("index", pa.int32(), "Of the shot, among those of `unique_shots`."),
        column("out_vector", _VECTOR, "Motion before its end, in picture widths a second."),
        column("in_vector", _VECTOR, "The same after its start."),
        column("out_certainty", pa.float32(), "Of `out_vector`, in [0, 1]."),
        column("in_certainty", pa.float32(), "Of `in_vector`, likewise."),
    ]
)
"""One row a shot: motion over the last and the first usable frames, in picture widths a second.

A vector is four parts: six numbers of the camera's affine motion over the 3 pairs of frames nearest to the cut, the
same over 8 pairs, then what moves against the camera, 9 x 16 cells x (right, down) row by row, over 3 and over 8.
`camera_and_subject` makes fields of them.
"""


@dataclass(frozen=True)
class MotionConfig:
    """`model`: "dis" (needs nothing), or "hf:<folder>", a PerceiverForOpticalFlow saved with safetensors."""

    model: str = "dis"

    def key_parts(self) -> dict[str, str]:
        """What stands for the model in the memo key: its weights, wherever their folder is."""
        return model_key(self.model)


@amber_feature(
    version="2",
    schema=MOTION,
    kinds=("opencv",),
    checks=[
        increasing("index", blocking=False),
        no_nans("out_vector", blocking=False),
        no_nans("in_vector", blocking=False),
        in_range("out_certainty", 0, 1, blocking=False),
        in_range("in_certainty", 0, 1, blocking=False),
    ],
)
def motion(standard_encode: Media, unique_shots: Shots, config: MotionConfig) -> pa.Table:
    """Measure how the picture moves at both ends of each shot: the camera, and what moves against it."""
    model = _flow_model(config.model)
    rate, active = float(standard_encode.rate), standard_encode.active
    measured: tuple[list[EndMotion], list[EndMotion]] = ([], [])
    for at_end, frames in end_windows(standard_encode, unique_shots, PAIRS + 1):
        grays = [active_luma(frame, active, (WIDTH, HEIGHT)) for frame in frames]
        between = None if model is None else _between(model, frames, active)
        measured[at_end].append(end_motion(grays, rate, at_end, active[3] / active[2], between))
    heads, tails = measured
    vectors = [[np.round(one.vector, DECIMALS) for one in side] for side in (tails, heads)]
    certainties = [[round(one.certainty, DECIMALS) for one in side] for side in (tails, heads)]
    return pa.table([[shot.index for shot in unique_shots], *vectors, *certainties], schema=MOTION)


def camera_and_subject(vector: Vector) -> tuple[Vector, Vector]:
    """The fields nearest to the cut that a stored vector [588] holds, each [9, 16, 2] in picture widths a second.

    The first is the camera's motion, the second what moves against it, (right, down); their sum is what is seen.
    """
    whole = np.asarray(vector, np.float32)
    return camera_field(whole[:CAMERA]), subject_field(whole[2 * CAMERA : 2 * CAMERA + SUBJECT])


def _flow_model(model: str) -> flow_model.FlowModel | None:
    """The model that a configuration names, None for Dense Inverse Search; raises ModelMissing."""
    if model.startswith(HUGGING_FACE):
        return flow_model.load(model.removeprefix(HUGGING_FACE))
    if model == "dis":
        return None
    raise ModelMissing(f"no model is named {model!r}: use 'dis', or 'hf:<folder>' for a transformers model")


def _between(model: flow_model.FlowModel, frames: Sequence[Frame], active: tuple[int, int, int, int]) -> Between:
    """Flow between two of the frames by a model."""

    def measured(a: int, b: int) -> Flow:
        return model(frames[a], frames[b], active, (WIDTH, HEIGHT))

    return measured
