"""The `colour` feature: the palette and the light on either side of a cut."""

import numpy as np
import pyarrow as pa

from mediaml_assets.amber.checks import increasing, no_nans
from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.features.frame_windows import end_windows
from mediaml_assets.features.measures.descriptor import reduced_bgr
from mediaml_assets.features.measures.layout import HEIGHT, WIDTH, lab_picture
from mediaml_assets.features.measures.palette import DIMENSIONS, Array, palette
from mediaml_assets.features.shots import Shots
from mediaml_assets.jasper.reading.media import Media

DECIMALS = 5

_VECTOR = pa.list_(pa.field("item", pa.float32(), nullable=False), DIMENSIONS)
COLOUR = pa.schema(
    [
        column("index", pa.int32(), "Of the shot, among those of `unique_shots`."),
        column("out_vector", _VECTOR, "The palette of its last usable frame: 2 halves x 6 x 9 x 9 of L, a, b."),
        column("in_vector", _VECTOR, "The same of its first usable frame."),
    ]
)
"""One row a shot: `palette.palette` of its last and its first usable frame, shorter than 1."""


@amber_feature(
    version="1",
    schema=COLOUR,
    kinds=("opencv",),
    checks=[
        increasing("index", blocking=False),
        no_nans("out_vector", blocking=False),
        no_nans("in_vector", blocking=False),
    ],
)
def colour(standard_encode: Media, unique_shots: Shots) -> pa.Table:
    """Measure the palette of the last and the first usable frame of each shot: colours, their light and their place."""
    vectors: tuple[list[Array], list[Array]] = ([], [])
    for at_end, frames in end_windows(standard_encode, unique_shots, 1):
        lab = lab_picture(reduced_bgr(frames[0], standard_encode.active, (WIDTH, HEIGHT)))
        vectors[at_end].append(np.round(palette(lab), DECIMALS))
    return pa.table([[shot.index for shot in unique_shots], vectors[True], vectors[False]], schema=COLOUR)
