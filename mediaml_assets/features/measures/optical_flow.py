"""Dense optical flow between two frames and the camera's share of it.

Flow is Dense Inverse Search (Kroeger et al., ECCV 2016) as OpenCV has it. The camera's part is the affine motion that
most of the picture follows, fitted by iteratively re-weighted least squares, so that a subject that moves by itself
does not bend it.
"""

from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from mediaml_assets.jasper.reading.frame import Frame

Flow = npt.NDArray[np.float32]
Gray = npt.NDArray[np.uint8]
Map = npt.NDArray[np.float32]

FAST, MEDIUM = cv2.DISOPTICAL_FLOW_PRESET_FAST, cv2.DISOPTICAL_FLOW_PRESET_MEDIUM
ROUNDS = 5  # of re-weighted least squares
LEAST_TRUST = 0.01  # of any pixel: where nothing can be told, a fit is possible and no motion is likelier
STEEP = 3.0  # levels a pixel at which a slope tells half of what the steepest does
SOFTENING = 0.05  # pixels added to the median residual, so that a perfect fit divides by no zero


def active_luma(frame: Frame, active: tuple[int, int, int, int], size: tuple[int, int]) -> Gray:
    """The luma of the active picture reduced by area averaging to `size` (width, height): uint8 [height, width]."""
    x, y, width, height = active
    return np.asarray(cv2.resize(frame.y[y : y + height, x : x + width], size, interpolation=cv2.INTER_AREA), np.uint8)


def flow(a: Gray, b: Gray, preset: int = FAST) -> Flow:
    """Where each pixel of `a` is in `b`: float32 [height, width, 2] (right, down) in pixels.

    At 160x90, MEDIUM takes 1.5 ms and follows faint textures and zooms, on which FAST (0.3 ms) falls short by a third.
    """
    search = cv2.DISOpticalFlow.create(preset)
    return np.asarray(search.calc(a, b, None), np.float32)


def camera_flow(field: Flow, stride: int = 4, trust: Map | None = None) -> Flow:
    """The affine field, float32 [height, width, 2], that most of a flow follows; every `stride`-th pixel is asked.

    `trust`: how much each pixel of the flow counts, float32 [height, width] of at least 0; all alike by default.
    """
    height, width = field.shape[:2]
    basis = _basis(height, width)
    asked = basis[stride // 2 :: stride, stride // 2 :: stride].reshape(-1, 3)
    seen = field[stride // 2 :: stride, stride // 2 :: stride].reshape(-1, 2)
    told = np.ones(len(asked), np.float32)
    if trust is not None:
        told = trust[stride // 2 :: stride, stride // 2 :: stride].reshape(-1) + np.float32(LEAST_TRUST)
    weights = told
    for _ in range(ROUNDS):
        weighted = asked * weights[:, None]
        fit = np.linalg.solve(weighted.T @ asked, weighted.T @ seen)
        residual = np.linalg.norm(seen - asked @ fit, axis=1)
        weights = told / (1 + (residual / (np.median(residual) + SOFTENING)) ** 2) ** 2
    return np.asarray(basis @ fit, np.float32)


def warped(b: Gray, field: Flow) -> Gray:
    """What `b` shows where the flow from `a` leads: `a` again, as far as the flow is right."""
    return np.asarray(_led(b, field), np.uint8)


def lost(there: Flow, back: Flow, telling: Map) -> float:
    """The share of a picture in [0, 1] that the flow `back` does not lead to where the flow `there` set out.

    Places count by `telling`; those that leave the picture do not. A place is lost when the two flows differ by more
    than a quarter of their length and 0.3 pixels.
    """
    height, width = there.shape[:2]
    gap = np.linalg.norm(there + np.asarray(_led(back, there), np.float32), axis=2)
    ends = there + _pixels(height, width)
    inside = (ends >= 0).all(axis=2) & (ends[..., 0] < width) & (ends[..., 1] < height)
    wrong = gap > 0.25 * np.linalg.norm(there, axis=2) + 0.3
    return float((wrong * telling)[inside].sum() / max(float(telling[inside].sum()), 1e-6))


def _led(picture: npt.NDArray[Any], field: Flow) -> npt.NDArray[Any]:
    """A picture or field read where a flow leads."""
    places = field + _pixels(*field.shape[:2])
    return np.asarray(cv2.remap(picture, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


@cache
def _pixels(height: int, width: int) -> Flow:
    """Each pixel's own place (x, y): float32 [height, width, 2]."""
    return np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=2).astype(np.float32)


def texture(gray: Gray) -> Map:
    """How much a flow can be told at each pixel: float32 [height, width] in [0, 1), from the slope of the light."""
    light = gray.astype(np.float32)
    slope = np.hypot(cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1)) / 8
    return np.asarray(slope**2 / (slope**2 + STEEP**2), np.float32)


@cache
def _basis(height: int, width: int) -> Flow:
    """1, x and y of every pixel, with x and y in [-0.5, 0.5]: float32 [height, width, 3]."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.stack([np.ones_like(x), x / width - 0.5, y / height - 0.5], axis=2)
