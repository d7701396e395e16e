"""The silhouette of what a few frames show in front, without a model.

Four weak signs are combined: what moves against the camera, what differs in colour from the picture's border, what
stands out in the spectral residual (Hou and Zhang, CVPR 2007), and what is near the middle. GrabCut (Rother et al.,
SIGGRAPH 2004) then cuts along the edges. A mask that the signs do not support comes back with a low confidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from mediaml_assets.features.descriptor import reduced_bgr
from mediaml_assets.features.optical_flow import active_luma, camera_flow, flow
from mediaml_assets.jasper.reading.frame import Frame

Map = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Picture = npt.NDArray[np.uint8]

WIDTH, HEIGHT = 320, 180  # motion and the combination
CUT_WIDTH, CUT_HEIGHT = 160, 90  # GrabCut
COLUMNS, ROWS = 32, 18  # the mask that is kept
GAPS = (1, 2, 4, 8)  # frames between the two pictures of a flow
MOST_MOTION = 3.0  # pixels a frame: more residual motion says no more
BORDER_COLOURS = 6
STILL_SHARE = 0.12  # of the greatest motion: what moves less is behind, if anything stands out
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
    bgr = reduced_bgr(frames[0], active, (WIDTH, HEIGHT))
    lab = cv2.cvtColor(bgr, cv2.COLOR_BGR2Lab)
    moving = motion_map(frames, active)
    signs = 0.6 * _even(moving) + 0.3 * _even(border_map(lab)) + 0.1 * _even(spectral_map(lab[..., 0]))
    likely = _cut_size(signs * (0.35 + 0.65 * _centre()))
    still = _cut_size(_even(moving)) < STILL_SHARE if _tells(moving) else np.zeros_like(likely, np.bool_)
    mask = _main_parts(_grab_cut(_cut_size(bgr), likely, still), likely)
    return Silhouette(_reduced(mask), _confidence(_cut_size(lab), mask))


def motion_map(frames: Sequence[Frame], active: tuple[int, int, int, int]) -> Map:
    """Speed against the camera, pixels a frame at 320x180, mean over the gaps: [180, 320]; zero for a single frame."""
    gaps = [gap for gap in GAPS if gap < len(frames)]
    now = active_luma(frames[0], active, (WIDTH, HEIGHT))
    total = np.zeros((HEIGHT, WIDTH), np.float32)
    for gap in gaps:
        field = flow(now, active_luma(frames[gap], active, (WIDTH, HEIGHT)))
        residual = np.linalg.norm(field - camera_flow(field, stride=4), axis=2)
        total += np.minimum(residual / gap, MOST_MOTION)
    return np.asarray(total / max(len(gaps), 1), np.float32)


def border_map(lab: Picture) -> Map:
    """Distance in Lab to the colours seen along the top, left and right border, in 60ths: [180, 320]."""
    small = cv2.resize(lab, (80, 45), interpolation=cv2.INTER_AREA).astype(np.float32)
    edge = np.concatenate([small[:3].reshape(-1, 3), small[3:, :3].reshape(-1, 3), small[3:, -3:].reshape(-1, 3)])
    cv2.setRNGSeed(SEED)
    criteria = (cv2.TERM_CRITERIA_MAX_ITER, 8, 0.0)
    _, _, centres = cv2.kmeans(edge, BORDER_COLOURS, None, criteria, 1, cv2.KMEANS_PP_CENTERS)
    distance = np.linalg.norm(small[:, :, None] - centres, axis=3).min(axis=2) / 60
    return np.asarray(cv2.resize(distance, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR), np.float32)


def spectral_map(light: Picture) -> Map:
    """Spectral residual saliency in [0, 1]: [180, 320]."""
    small = cv2.resize(light, (64, 36), interpolation=cv2.INTER_AREA).astype(np.float32)
    spectrum = np.fft.fft2(small)
    level = np.log(np.abs(spectrum) + 1e-6).astype(np.float32)
    residual = level - cv2.blur(level, (3, 3))
    saliency = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    smooth = cv2.GaussianBlur(saliency.astype(np.float32), (0, 0), 2.5)
    smooth /= max(float(smooth.max()), 1e-6)
    return np.asarray(cv2.resize(smooth, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR), np.float32)


def _grab_cut(bgr: Picture, likely: Map, still: Mask) -> Mask:
    """Cut the picture [90, 160, 3] along its edges, from how likely each pixel is in front; `still` ones are not."""
    levels = np.percentile(likely, (45, 85, 97))
    labels = np.full(likely.shape, cv2.GC_PR_BGD, np.uint8)
    labels[likely < levels[0]] = cv2.GC_BGD
    labels[likely > levels[1]] = cv2.GC_PR_FGD
    labels[likely > levels[2]] = cv2.GC_FGD
    labels[still] = cv2.GC_BGD
    cv2.setRNGSeed(SEED)
    try:
        cv2.grabCut(bgr, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), 2, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # one of the two colour models had no pixels
        return np.asarray((likely > levels[1]) & ~still)
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


def _confidence(lab: Picture, mask: Mask) -> float:
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
    return distance / (distance + 25) * (1 - float(np.sqrt(inside * outside).sum()))


def _reduced(mask: Mask) -> Mask:
    """A mask at 32x18: cells of which more than half are covered."""
    return np.asarray(cv2.resize(mask.astype(np.float32), (COLUMNS, ROWS), interpolation=cv2.INTER_AREA) > 0.5)


def _cut_size(picture: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A picture or map at the size at which GrabCut works."""
    return np.asarray(cv2.resize(picture, (CUT_WIDTH, CUT_HEIGHT), interpolation=cv2.INTER_AREA))


def _tells(moving: Map) -> bool:
    """Whether something stands out in the motion map, so that what does not move is known to be behind."""
    usual, most = np.percentile(moving, (50, 99))
    return bool(most > 4 * usual + 0.1)


def _even(values: Map) -> Map:
    """A map scaled to its 99th percentile."""
    return np.asarray(values / max(float(np.percentile(values, 99)), 1e-6), np.float32)


@cache
def _centre() -> Map:
    """How likely a subject is at each place by itself: 1 in the middle, [180, 320]."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    prior = np.exp(-(((x - WIDTH / 2) / (0.33 * WIDTH)) ** 2) - ((y - HEIGHT / 2) / (0.5 * HEIGHT)) ** 2)
    return np.asarray(prior, np.float32)
