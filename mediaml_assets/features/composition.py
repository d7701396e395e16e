"""The `composition` feature: where edges and masses stand in the pictures on either side of a cut."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mediaml_assets.amber.checks import increasing, no_nans
from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.frame_windows import end_windows
from mediaml_assets.features.measures.descriptor import reduced_bgr
from mediaml_assets.features.measures.layout import HEIGHT, WIDTH, Array, edges, lab_picture, masses
from mediaml_assets.features.models.patch_grid import load_grid
from mediaml_assets.features.models.saved_model import HUGGING_FACE, model_key
from mediaml_assets.features.shots import Shots
from mediaml_assets.jasper.reading.frame import Frame
from mediaml_assets.jasper.reading.media import Media

Active = tuple[int, int, int, int]

DECIMALS = 5

_VECTOR = pa.list_(pa.field("item", pa.float32(), nullable=False))
COMPOSITION = pa.schema(
    [
        column("index", pa.int32(), "Of the shot, among those of `unique_shots`."),
        column("out_vector", _VECTOR, "Of its last usable frame: contours, then 40 numbers of masses."),
        column("in_vector", _VECTOR, "The same of its first usable frame."),
    ]
)
"""One row a shot: the layout of its last and its first usable frame.

Two parts follow each other, either no longer than 1 and zero where there is nothing to see: contours (320 numbers of
`layout.edges`, or a model's patch grid), and 40 of `layout.masses`.
"""


@dataclass(frozen=True)
class CompositionConfig:
    """`model`: "edges" (needs nothing), or "hf:<folder>", a picture encoder whose patches take the edges' place."""

    model: str = "edges"

    def key_parts(self) -> dict[str, str]:
        """What stands for the model in the memo key: its weights, wherever their folder is."""
        return model_key(self.model)


@amber_feature(
    version="1",
    schema=COMPOSITION,
    kinds=("opencv",),
    checks=[
        increasing("index", blocking=False),
        no_nans("out_vector", blocking=False),
        no_nans("in_vector", blocking=False),
    ],
)
def composition(standard_encode: Media, unique_shots: Shots, config: CompositionConfig) -> pa.Table:
    """Describe where strong edges and light and dark masses stand in the last and the first frame of each shot."""
    describe = contours(config.model)
    vectors: tuple[list[Array], list[Array]] = ([], [])
    for at_end, frames in end_windows(standard_encode, unique_shots, 1):
        parts = [describe(frames[0], standard_encode.active), masses(_lab(frames[0], standard_encode.active))]
        vectors[at_end].append(np.asarray(np.round(np.concatenate(parts), DECIMALS), np.float32))
    return pa.table([[shot.index for shot in unique_shots], vectors[True], vectors[False]], schema=COMPOSITION)


def contours(model: str) -> Callable[[Frame, Active], Array]:
    """What describes a frame's contours, as a model is configured; raises ModelMissing when it is not there."""
    if model == "edges":
        return lambda frame, active: edges(_lab(frame, active))
    if model.startswith(HUGGING_FACE):
        return load_grid(model.removeprefix(HUGGING_FACE))
    raise ModelMissing(f"no model is named {model!r}: use 'edges', or 'hf:<folder>' for a transformers model")


def _lab(frame: Frame, active: Active) -> Array:
    return lab_picture(reduced_bgr(frame, active, (WIDTH, HEIGHT)))
