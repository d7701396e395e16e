"""A print of a small picture that survives another grade, another crop and a re-encode: where edges point which way.

Histograms of oriented gradients (N. Dalal, B. Triggs, Histograms of Oriented Gradients for Human Detection, CVPR 2005)
over the 64x36 luma of a frame tape: 16x9 cells of 4x4 pixels, 8 directions of the full circle, so that light on dark
and dark on light differ. The square root keeps strong edges from deciding alone; the mean over the directions is taken
off each cell, so that two pictures which are only busy in the same places have nothing in common.

A `short` print keeps the low frequencies of a print: what is left when the cells of each direction are blurred. It has
a sixth of the numbers, and tells well which prints may be alike.
"""

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from mediaml_assets.features.measures.unit import unit_rows

Prints = npt.NDArray[np.float32]
Packed = npt.NDArray[np.int8]
Luma = npt.NDArray[np.uint8]

WIDTH, HEIGHT = 64, 36
CELL = 4
COLUMNS, ROWS = WIDTH // CELL, HEIGHT // CELL
DIRECTIONS = 8
DIMENSIONS = COLUMNS * ROWS * DIRECTIONS
WAVES = (6, 4)  # frequencies of a short print, across and down
SHORT = WAVES[0] * WAVES[1] * DIRECTIONS
NOISE = 4.0  # gradients that grain and compression make, in sums of a 3x3 Sobel mask over 8-bit levels


def gradient_prints(luma: Luma) -> Prints:
    """The prints of n pictures, unit vectors float32 [n, 1152]; of a flat picture the zero vector.

    Args:
        luma: uint8 [n, h, w] of any size, stretched to 64x36.
    """
    pictures = [cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR) for picture in luma]
    dx, dy = _sobel(np.stack(pictures).astype(np.float32))
    strength = np.maximum(np.hypot(dx, dy) - NOISE, 0)
    turn = np.arctan2(dy, dx) * (DIRECTIONS / (2 * np.pi))
    direction = np.floor(turn).astype(np.intp) % DIRECTIONS
    cells = np.empty((len(luma), ROWS, COLUMNS, DIRECTIONS), np.float32)
    for one in range(DIRECTIONS):
        mine = np.where(direction == one, strength, 0)
        cells[..., one] = mine.reshape(len(luma), ROWS, CELL, COLUMNS, CELL).sum(axis=(2, 4))
    roots = np.sqrt(cells)
    return unit_rows((roots - roots.mean(axis=3, keepdims=True)).reshape(len(luma), DIMENSIONS))


def short_prints(prints: Prints) -> Prints:
    """The short prints, unit vectors float32 [n, 192], of prints [n, 1152]."""
    cells = prints.reshape(-1, ROWS, COLUMNS, DIRECTIONS)
    low = np.einsum("nyxd,ky,lx->nkld", cells, _waves(ROWS, WAVES[1]), _waves(COLUMNS, WAVES[0]), optimize=True)
    return unit_rows(low.reshape(len(prints), SHORT))


def packed(prints: Prints) -> Packed:
    """Prints, or short ones, in a quarter of the room: int8 [n, d], each scaled to its largest number."""
    largest = np.abs(prints).max(axis=1, keepdims=True)
    return np.asarray(np.rint(prints * (127 / np.maximum(largest, 1e-9))), np.int8)


def unpacked(prints: Packed) -> Prints:
    """Packed prints as unit vectors again, each within 0.03 of what was packed."""
    return unit_rows(prints.astype(np.float32))


@cache
def _waves(length: int, count: int) -> Prints:
    """The first rows of the orthonormal cosine transform (DCT-II), float32 [count, length]."""
    phase = np.pi / length * (np.arange(length) + 0.5) * np.arange(count)[:, None]
    rows = np.cos(phase) * np.sqrt(2 / length)
    rows[0] /= np.sqrt(2)
    return np.asarray(rows, np.float32)


def _sobel(pictures: Prints) -> tuple[Prints, Prints]:
    """Horizontal and vertical gradients of [n, h, w], borders repeated."""
    padded = np.pad(pictures, ((0, 0), (1, 1), (1, 1)), mode="edge")
    down = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    across = padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]
    return down[:, :, 2:] - down[:, :, :-2], across[:, 2:] - across[:, :-2]
