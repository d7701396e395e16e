"""The `silhouette` feature: the outline of what stands in front at both ends of a shot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mediaml_assets.amber.checks import in_range, increasing
from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.frame_windows import end_windows
from mediaml_assets.features.measures.silhouette_mask import COLUMNS, GAPS, ROWS, Mask, Silhouette, silhouette_mask
from mediaml_assets.features.models import silhouette_model
from mediaml_assets.features.models.saved_model import HUGGING_FACE, model_key
from mediaml_assets.features.shots import Shots
from mediaml_assets.jasper.reading.frame import Frame
from mediaml_assets.jasper.reading.media import Media

Outline = Callable[[Sequence[Frame], tuple[int, int, int, int]], Silhouette]

MASK_BITS = COLUMNS * ROWS
LEAST_CONFIDENCE = 0.35  # below it the mask is stored empty: an unsure outline must not match
DECIMALS = 3

_MASK = pa.binary(MASK_BITS // 8)
SILHOUETTE = pa.schema(
    [
        column("index", pa.int32(), "Of the shot, among those of `unique_shots`."),
        column("out_mask", _MASK, "At the last usable frame: 32 x 18 bits, row by row."),
        column("in_mask", _MASK, "The same at the first usable frame."),
        column("out_confidence", pa.float32(), "Of `out_mask`, in [0, 1]; below 0.35 it is empty."),
        column("in_confidence", pa.float32(), "Of `in_mask`, likewise."),
    ]
)
"""One row a shot: masks of its last and first usable frames, 32 x 18 bits of the active picture, row by row.

The most significant bit comes first. A mask is empty when its confidence, in [0, 1], is too low.
"""


@dataclass(frozen=True)
class SilhouetteConfig:
    """`model`: "saliency" (needs nothing), or "hf:<folder>", an instance segmentation model saved with safetensors."""

    model: str = "saliency"

    def key_parts(self) -> dict[str, str]:
        """What stands for the model in the memo key: its weights, wherever their folder is."""
        return model_key(self.model)


@amber_feature(
    version="2",
    schema=SILHOUETTE,
    kinds=("opencv",),
    checks=[
        increasing("index", blocking=False),
        in_range("out_confidence", 0, 1, blocking=False),
        in_range("in_confidence", 0, 1, blocking=False),
    ],
)
def silhouette(standard_encode: Media, unique_shots: Shots, config: SilhouetteConfig) -> pa.Table:
    """Outline what stands in front in the last and the first usable frame of each shot."""
    outline, length = _outliner(config.model)
    masks: tuple[list[bytes], list[bytes]] = ([], [])
    confidences: tuple[list[float], list[float]] = ([], [])
    for at_end, frames in end_windows(standard_encode, unique_shots, length):
        found = outline(frames[::-1] if at_end else frames, standard_encode.active)
        confidence = round(found.confidence, DECIMALS)
        masks[at_end].append(packed(found.mask if confidence >= LEAST_CONFIDENCE else np.zeros_like(found.mask)))
        confidences[at_end].append(confidence)
    index = [shot.index for shot in unique_shots]
    return pa.table([index, masks[True], masks[False], confidences[True], confidences[False]], schema=SILHOUETTE)


def _outliner(model: str) -> tuple[Outline, int]:
    """What outlines the first of some frames, and how many it looks at; raises ModelMissing."""
    if model == "saliency":
        return silhouette_mask, max(GAPS) + 1
    if model.startswith(HUGGING_FACE):
        loaded = silhouette_model.load(model.removeprefix(HUGGING_FACE))
        return lambda frames, active: loaded(frames[0], active), 1
    raise ModelMissing(f"no model is named {model!r}: use 'saliency', or 'hf:<folder>' for a transformers model")


def packed(mask: Mask) -> bytes:
    """A mask [18, 32] as 72 bytes, as a row holds it."""
    return np.packbits(mask).tobytes()


def unpacked(stored: bytes) -> Mask:
    """The mask, bool [18, 32] of the active picture, that a row holds."""
    return np.unpackbits(np.frombuffer(stored, np.uint8)).reshape(ROWS, COLUMNS).astype(np.bool_)
