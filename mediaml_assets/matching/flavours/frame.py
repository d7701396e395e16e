"""The frame flavour: what stands in front keeps its outline over the cut, in the same place."""

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mediaml_assets.features.measures.unit import unit_rows
from mediaml_assets.features.silhouette import MASK_BITS, unpacked
from mediaml_assets.matching.flavours.flavour import ROUNDING, Details, Ends, Flavour
from mediaml_assets.matching.pairs.scan import Scores

Masks = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float64]

SHAPE_SHARE = 0.3  # of the score that hangs on the outlines' likeness wherever they are
SHAPE_SIDE = 24  # cells across the square into which an outline is stretched: 576, as many as a mask has
UNSURE, SURE = 0.3, 0.6  # confidences from which an outline counts at all, and in full
TINY, SMALL, LARGE, FULL = 0.02, 0.06, 0.5, 0.75  # shares of the picture: a figure counts in full from SMALL to LARGE
STEPS = 255  # trust is kept in whole steps, one byte

_MASK, _SHAPE = slice(0, MASK_BITS // 8), slice(MASK_BITS // 8, MASK_BITS // 8 + SHAPE_SIDE**2 // 8)


def frame_ends(table: pa.Table) -> Ends:
    """Silhouettes: the first score is the cosine of two masks, each as long as the root of its trust.

    Details are uint8 [n, 145]: a mask's 576 bits, those of its outline stretched into a square, and its trust.
    """
    sides = [_side(table, "out"), _side(table, "in")]
    (out, out_details), (in_, in_details) = sides
    return Ends(out, in_, out_details, in_details)


def likeness(out: Details, in_: Details) -> Scores:
    """The final scores of pairs: how far the outlines cover each other, their shapes agree, and both are trusted.

    The intersection over union of the masks in place, times 0.7 and 0.3 times that of the outlines stretched into a
    square, times the trust in both ends.
    """
    trust = out[:, -1].astype(np.float64) * in_[:, -1].astype(np.float64) / STEPS**2
    shapes = _overlap(out[:, _SHAPE], in_[:, _SHAPE])
    return trust * _overlap(out[:, _MASK], in_[:, _MASK]) * (1 - SHAPE_SHARE + SHAPE_SHARE * shapes)


def highest_likeness(first: float) -> float:
    """The highest final score at a first score F, F / (2 - F).

    With I cells in common of a and b, the overlap is I / (a + b - I) and the cosine c = I / sqrt(ab); as a + b >=
    2 sqrt(ab), the overlap is at most g(c) = c / (2 - c). With p the root of the two trusts' product, F = p c and the
    final score is at most p^2 g(F / p). That grows with p, as its derivative 2 F p (p - F) / (2 p - F)^2 is not
    negative for p in [F, 1], so it is at most g(F), its value at p = 1.
    """
    score = min(max(first + ROUNDING, 0.0), 1.0)
    return score / (2 - score)


def trust(masks: Masks, confidence: Values) -> Values:
    """How much each end counts, [n] in [0, 1], from its mask [n, 576] and how sure it is.

    Unsure outlines do not match, nor do specks and what fills the picture: neither shows the eye a figure.
    """
    area = masks.mean(axis=1)
    size = np.minimum(_rising(area, TINY, SMALL), 1 - _rising(area, LARGE, FULL))
    return np.asarray(size * _rising(confidence, UNSURE, SURE))


def stretched(mask: Masks) -> Masks:
    """A mask [18, 32] cut to its outline's box and stretched into a square [24, 24]; empty stays empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return np.zeros((SHAPE_SIDE, SHAPE_SIDE), np.bool_)
    cut = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    return np.asarray(cv2.resize(cut, (SHAPE_SIDE, SHAPE_SIDE), interpolation=cv2.INTER_LINEAR) > 0.5)


def _side(table: pa.Table, end: str) -> tuple[npt.NDArray[np.float32], Details]:
    """The vectors and the details of one end of every shot."""
    packed = table.column(f"{end}_mask").to_pylist()
    masks = [unpacked(mask) for mask in packed]
    flat = np.array(masks, np.bool_).reshape(len(masks), MASK_BITS)
    shapes = np.array([stretched(mask) for mask in masks], np.bool_).reshape(len(masks), SHAPE_SIDE**2)
    sure = np.asarray(table.column(f"{end}_confidence").to_numpy(), np.float64)
    steps = np.round(STEPS * trust(flat, sure)).astype(np.uint8)[:, None]
    vectors = unit_rows(flat.astype(np.float32)) * np.sqrt(steps / np.float32(STEPS))
    details = np.hstack([np.packbits(flat, axis=1), np.packbits(shapes, axis=1), steps])
    return np.asarray(vectors, np.float32), details


def _overlap(a: Details, b: Details) -> Scores:
    """Intersection over union of packed masks, pair by pair; 0 for two empty ones."""
    common = np.bitwise_count(a & b).sum(axis=1, dtype=np.int64)
    either = np.bitwise_count(a | b).sum(axis=1, dtype=np.int64)
    return np.asarray(common / np.maximum(either, 1), np.float64)


def _rising(values: Values, low: float, high: float) -> Values:
    """0 up to `low`, 1 from `high`, straight between."""
    return np.asarray(np.clip((values - low) / (high - low), 0, 1))


FRAME = Flavour(
    name="frame",
    feature="silhouette",
    columns=("index", "out_mask", "in_mask", "out_confidence", "in_confidence"),
    version="2",
    description="What stands in front keeps its outline over the cut, in the same place.",
    ends=frame_ends,
    exact=likeness,
    bound=highest_likeness,
)
