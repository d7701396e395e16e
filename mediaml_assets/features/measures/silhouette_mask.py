"""The silhouette of what a few frames show in front, without a model.

How likely each place is in front comes from what moves against the camera and from `saliency`, which tells what the
picture's border does not lead to; the middle of the picture counts more. GrabCut (Rother et al., SIGGRAPH 2004) then
cuts along the edges. A mask that these signs do not support comes back with a low confidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from mediaml_assets.features.measures.descriptor import reduced_bgr
from mediaml_assets.features.measures.optical_flow import active_luma, camera_flow, flow
from mediaml_assets.features.measures.saliency import regions_of, saliency
from mediaml_assets.jasper.reading.frame import Frame

Map = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Picture = npt.NDArray[np.uint8]

WIDTH, HEIGHT = 320, 180  # flow
CUT_WIDTH, CUT_HEIGHT = 160, 90  # everything else
COLUMNS, ROWS = 32, 18  # the mask that is kept
GAPS = (1, 2, 4, 8)  # frames between the two pictures of a flow
MOST_MOTION = 3.0  # pixels a frame at 320x180: more residual motion says no more
MOTION_SHARE = 0.35  # of what is likely, where something moves against the camera
CENTRE_SHARE = 0.5
CAMERA_MOVES = 0.3  # pixels a frame at 320x180: only before such a camera is what follows it known to be behind
STILL_SHARE = 0.12  # of the greatest motion: what moves less follows the camera
BEHIND, PERHAPS, SURELY = 0.8, 1.1, 0.65  # where GrabCut starts, about the level that parts the likely from the rest
PART_SHARE = 0.6  # a further part of the mask is at least this likely, compared with the best
SPECK_SHARE = 0.05  # and at least this large
RING = 6  # pixels around a mask that it must be set off from
LEAST_PIXELS = 30
SEED = 7


@dataclass(frozen=True)
class Silhouette:
    """A mask of the active picture, bool [18, 32], and how far it is to be trusted, in [0, 1]."""

    mask: Mask
    confidence: float


def silhouette_mask(frames: Sequence[Frame], active: tuple[int, int, int, int]) -> Silhouette:
    """The silhouette in the first of `frames`; the others are its neighbours in time, nearest first."""
    bgr = reduced_bgr(frames[0], active, (CUT_WIDTH, CUT_HEIGHT))
    lab = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2Lab), np.uint8)
    moving, camera = motion_map(frames, active)
    likely = likely_map(lab, moving)
    level = cv2.threshold((likely * 255).astype(np.uint8), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0] / 255
    follows = moving < STILL_SHARE if moving is not None and camera > CAMERA_MOVES else np.zeros_like(likely, np.bool_)
    mask = _main_parts(_grab_cut(bgr, likely, level, follows), likely)
    sure = _set_off(lab, mask) * _agreement(mask, (likely > level) & ~follows) * _clearness(mask, likely) * _inset(mask)
    return Silhouette(reduced(mask), float(np.sqrt(sure)))


def motion_map(frames: Sequence[Frame], active: tuple[int, int, int, int]) -> tuple[Map | None, float]:
    """Motion against the camera, [90, 160] with 1 for the strongest, and the camera's, in pixels a frame at 320x180.

    The motion is the mean over the gaps; None when nothing stands out in it.
    """
    gaps = [gap for gap in GAPS if gap < len(frames)]
    now = active_luma(frames[0], active, (WIDTH, HEIGHT))
    total, camera = np.zeros((HEIGHT, WIDTH), np.float32), 0.0
    for gap in gaps:
        field = flow(now, active_luma(frames[gap], active, (WIDTH, HEIGHT)))
        follows = camera_flow(field)
        camera += float(np.linalg.norm(follows, axis=2).mean()) / gap / len(gaps)
        total += np.minimum(np.linalg.norm(field - follows, axis=2) / gap, MOST_MOTION) / np.float32(len(gaps))
    moving = cv2.resize(total, (CUT_WIDTH, CUT_HEIGHT), interpolation=cv2.INTER_AREA)
    usual, most = (float(level) for level in np.percentile(moving, (50, 99)))
    stands_out = most > 4 * usual + 0.1
    return (np.asarray(moving / most, np.float32), camera) if stands_out else (None, camera)


def likely_map(lab: Picture, moving: Map | None) -> Map:
    """How likely each pixel is in front, [90, 160] in [0, 1]."""
    regions = regions_of(lab)
    likely = _even(saliency(regions)[regions.labels].astype(np.float32))
    if moving is not None:
        likely = _single((1 - MOTION_SHARE) * likely + MOTION_SHARE * np.minimum(moving, 1))
    return _single(np.minimum(_even(likely * _single(1 - CENTRE_SHARE + CENTRE_SHARE * _centre())), 1))


def _grab_cut(bgr: Picture, likely: Map, level: float, behind: Mask) -> Mask:
    """Cut the picture [90, 160, 3] along its edges; the level parts what is likely in front from the rest."""
    labels = np.full(likely.shape, cv2.GC_PR_BGD, np.uint8)
    labels[likely < BEHIND * level] = cv2.GC_BGD
    labels[likely > PERHAPS * level] = cv2.GC_PR_FGD
    labels[likely > level + SURELY * (1 - level)] = cv2.GC_FGD
    labels[behind] = cv2.GC_BGD
    cv2.setRNGSeed(SEED)
    try:
        cv2.grabCut(bgr, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), 2, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # one of the two colour models had no pixels
        return np.asarray((likely > level) & ~behind)
    return np.asarray((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD))


def _main_parts(mask: Mask, likely: Map) -> Mask:
    """The best connected part of a mask, and the others that are nearly as likely and not mere specks."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count <= 2:
        return mask
    area = stats[1:, cv2.CC_STAT_AREA]
    score = np.bincount(labels.ravel(), likely.ravel(), count)[1:] / area
    best = int(np.argmax(score * np.sqrt(area)))
    kept = (score >= PART_SHARE * score[best]) & (area >= SPECK_SHARE * area[best])
    return np.asarray(np.isin(labels, 1 + np.flatnonzero(kept)))


def _set_off(lab: Picture, mask: Mask) -> float:
    """How well a mask's colours are set off: far from those around it, and not found in the rest of the picture.

    The distance D of the mean Lab inside and in a ring around it gives D / (D + 25); it is multiplied by one less the
    overlap (Bhattacharyya) of the colours inside and outside. In [0, 1]; 0 for a mask that is nearly empty or full.
    """
    ring = (cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=RING) > 0) & ~mask
    if mask.sum() < LEAST_PIXELS or ring.sum() < LEAST_PIXELS:
        return 0.0
    distance = float(np.linalg.norm(lab[mask].mean(axis=0) - lab[ring].mean(axis=0)))
    bins = (lab // 32).astype(np.intp) @ (64, 8, 1)
    inside, outside = (np.bincount(bins[where], minlength=512) / where.sum() for where in (mask, ~mask))
    return distance / (distance + 25) * max(0.0, 1 - float(np.sqrt(inside * outside).sum()))


def _agreement(mask: Mask, first: Mask) -> float:
    """Intersection over union of the mask and what was likely before it was cut: they differ where neither is sure."""
    return float((mask & first).sum() / max((mask | first).sum(), 1))


def _clearness(mask: Mask, likely: Map) -> float:
    """How much less likely what is outside the mask is, in [0, 1]."""
    if not mask.any() or mask.all():
        return 0.0
    return float(np.clip(1 - likely[~mask].mean() / max(float(likely[mask].mean()), 1e-6), 0, 1))


def _inset(mask: Mask) -> float:
    """The share of a mask's outline that is not the picture's upper or side border: what is cut off there is scenery.

    The lower border is left out, as people reach over it.
    """
    at_border = int(mask[0].sum() + mask[:, 0].sum() + mask[:, -1].sum())
    inside = mask & (cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) == 0)
    return float(inside.sum() / max(int(inside.sum()) + at_border, 1))


def reduced(mask: Mask) -> Mask:
    """A mask of any size at 32x18: cells of which more than half are covered."""
    return np.asarray(cv2.resize(mask.astype(np.float32), (COLUMNS, ROWS), interpolation=cv2.INTER_AREA) > 0.5)


def _single(values: npt.NDArray[np.floating[Any]]) -> Map:
    """The values in single precision."""
    return np.asarray(values, np.float32)


def _even(values: Map) -> Map:
    """A map scaled to its 99th percentile."""
    return np.asarray(values / max(float(np.percentile(values, 99)), 1e-6), np.float32)


@cache
def _centre() -> Map:
    """How likely a subject is at each place by itself: 1 in the middle, [90, 160]."""
    y, x = np.mgrid[:CUT_HEIGHT, :CUT_WIDTH].astype(np.float32)
    x, y = (x + 0.5) / CUT_WIDTH - 0.5, (y + 0.5) / CUT_HEIGHT - 0.5
    return np.asarray(np.exp(-((x / 0.33) ** 2) - (y / 0.5) ** 2), np.float32)
