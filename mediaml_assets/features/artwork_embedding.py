"""The `artwork_embedding` feature: what each picture of a title looks like, as a vector."""

from dataclasses import dataclass

import av
import numpy as np
import pyarrow as pa

from mediaml_assets.amber.checks import unit_norm
from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.features.models.saved_model import model_key
from mediaml_assets.features.shot_embedding import (
    DECIMALS,
    Encoder,
    Vectors,
    encoder,
)
from mediaml_assets.jasper.pictures.artwork import Picture, Pictures
from mediaml_assets.jasper.reading.frame import Frame, RgbConverter

ARTWORK_EMBEDDING = pa.schema(
    [
        column("index", pa.int32(), "Of the picture, among those of `artwork`."),
        column("vector", pa.list_(pa.field("item", pa.float32(), nullable=False)), "A vector of length 1."),
    ]
)
"""One row a picture; with the same model its vectors can be held against those of `shot_embedding`."""


@dataclass(frozen=True)
class ArtworkEmbeddingConfig:
    """`model`: "descriptor" (needs nothing), or "hf:<folder>", a transformers model saved with safetensors."""

    model: str = "descriptor"

    def key_parts(self) -> dict[str, str]:
        """What stands for the model in the memo key: its weights, wherever their folder is."""
        return model_key(self.model)


@amber_feature(version="1", schema=ARTWORK_EMBEDDING, kinds=("numpy",), checks=[unit_norm("vector", blocking=False)])
def artwork_embedding(artwork: Pictures, config: ArtworkEmbeddingConfig) -> pa.Table:
    """Describe how each picture looks, as a unit vector, by the same encoders as shots.

    Only the pixels are in its key: other names or tags of the same pictures give the same vectors.
    """
    # without pictures no model is loaded
    encode = encoder(config.model) if artwork else None
    vectors = [picture_vector(encode, picture) for picture in artwork] if encode else []
    return pa.table([[picture.index for picture in artwork], vectors], schema=ARTWORK_EMBEDDING)


def picture_vector(encode: Encoder, picture: Picture) -> Vectors:
    """The unit vector [d] of a picture; an encoder of clips sees it held."""
    frame = _frame(picture)
    height, width = frame.y.shape
    [vector] = encode([[frame] * encode.clip_length], (0, 0, width, height))
    return np.asarray(np.round(vector, DECIMALS), np.float32)


def _frame(picture: Picture) -> Frame:
    """The picture as a frame: BT.709 limited range, of even width and height, as encoders read frames."""
    rgb = av.VideoFrame.from_ndarray(picture.rgb(), format="rgb24")
    width, height = (max(2, side - side % 2) for side in (rgb.width, rgb.height))
    decoded = rgb.reformat(width, height, "yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
    return Frame(picture.index, decoded, RgbConverter())
