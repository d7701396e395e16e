"""The frame flavour: what stands in front keeps its outline over the cut."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mediaml_assets.features.silhouette import MASK_BITS
from mediaml_assets.matching.flavours.flavour import ROUNDING, Details, Ends, Flavour, unit
from mediaml_assets.matching.pairs.scan import Scores


def frame_ends(table: pa.Table) -> Ends:
    """Silhouettes: the first score is the cosine of two masks; details are the masks themselves, bool [n, bits]."""
    out, in_ = (_masks(table, name) for name in ("out_mask", "in_mask"))
    return Ends(unit(out.astype(np.float32)), unit(in_.astype(np.float32)), out, in_)


def overlap(out: Details, in_: Details) -> Scores:
    """Intersection over union of masks, pair by pair; 0 for two empty ones."""
    common = np.count_nonzero(out & in_, axis=1)
    either = np.count_nonzero(out | in_, axis=1)
    return np.asarray(common / np.maximum(either, 1), np.float64)


def highest_overlap(first: float) -> float:
    """The highest intersection over union at a cosine.

    With I pixels in common of a and b, IoU = I / (a + b - I) and cos = I / sqrt(ab). As a + b >= 2 sqrt(ab), IoU is at
    most cos / (2 - cos).
    """
    cosine = min(max(first + ROUNDING, 0.0), 1.0)
    return cosine / (2 - cosine)


def _masks(table: pa.Table, name: str) -> npt.NDArray[np.bool_]:
    """Packed masks as bool [n, bits]."""
    packed = b"".join(table.column(name).to_pylist())
    return np.unpackbits(np.frombuffer(packed, np.uint8)).reshape(-1, MASK_BITS).astype(np.bool_)


FRAME = Flavour(
    name="frame",
    feature="silhouette",
    columns=("index", "out_mask", "in_mask"),
    version="1",
    description="What stands in front keeps its outline over the cut.",
    ends=frame_ends,
    exact=overlap,
    bound=highest_overlap,
)
