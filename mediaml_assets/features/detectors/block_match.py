"""How much of a frame's change remains when blocks may move: a difference that camera moves hardly raise.

Full-search block matching on the frame tape: each block of a frame is compared with the frame before at every whole
shift up to `REACH` cells, and its best match counts.
"""

from itertools import product

import cv2
import numpy as np
import numpy.typing as npt

from mediaml_assets.features.detectors.tape_signals import Frames, Planes, Signal

REACH = 4  # cells of 10 canvas pixels
BLOCK_WIDTH, BLOCK_HEIGHT = 8, 6  # cells
AT_ONCE = 256  # frames


def compensated_differences(luma: Planes, frames: Frames) -> Signal:
    """Mean luma difference of each of `frames` (> 0) to its frame before after block matching: float32 in [0, 255].

    `luma` is uint8 [n, h, w]; cells that fill no whole block at the lower and right edges are left out.
    """
    parts = [_compensated(luma, frames[i : i + AT_ONCE]) for i in range(0, len(frames), AT_ONCE)]
    return np.concatenate([np.empty(0, np.float32), *parts])


def _compensated(luma: Planes, frames: Frames) -> Signal:
    rows, columns = luma.shape[1] // BLOCK_HEIGHT, luma.shape[2] // BLOCK_WIDTH
    height, width, count = rows * BLOCK_HEIGHT, columns * BLOCK_WIDTH, len(frames)
    now = _tall(luma[frames][:, :height, :width])
    before = np.pad(luma[frames - 1], ((0, 0), (REACH, REACH), (REACH, REACH)), mode="edge")
    best = np.full((count * rows, columns), 255, np.uint8)
    for down, right in product(range(2 * REACH + 1), repeat=2):
        gap = cv2.absdiff(now, _tall(before[:, down : down + height, right : right + width]))
        np.minimum(best, cv2.resize(gap, (columns, count * rows), interpolation=cv2.INTER_AREA), out=best)
    return np.asarray(best.reshape(count, -1).mean(axis=1), np.float32)


def _tall(pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A stack of pictures [n, h, w] as one picture [n h, w]."""
    return np.ascontiguousarray(pictures).reshape(-1, pictures.shape[2])
