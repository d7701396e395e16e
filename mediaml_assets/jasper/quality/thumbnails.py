"""A title at a glance: twelve of its pictures in one small image."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_ACROSS, _DOWN = 6, 2
_WIDTH = 128
_JPEG_QUALITY = 70


class ThumbnailStrip:
    """Collects the pictures in the middle of each twelfth of a title while it is written."""

    def __init__(self, frames: int, canvas: tuple[int, int]) -> None:
        """Args: how many frames there will be, and the canvas as (width, height)."""
        parts = _ACROSS * _DOWN
        self._wanted = [(2 * part + 1) * frames // (2 * parts) for part in range(parts)]
        self._size = _WIDTH, _WIDTH * canvas[1] // canvas[0]
        self._taken: list[NDArray[np.uint8]] = []

    def look(self, frame: Any, end: int) -> None:
        """Take the PyAV ``VideoFrame`` that is shown until frame `end`."""
        while len(self._taken) < len(self._wanted) and self._wanted[len(self._taken)] < end:
            small = frame.reformat(*self._size, format="bgr24", src_colorspace="ITU709", interpolation="AREA")
            self._taken.append(small.to_ndarray())

    def save(self, path: Path) -> Path:
        """Write them as one JPEG, earliest first, in two rows, and give its path."""
        width, height = self._size
        sheet = np.zeros((_DOWN * height, _ACROSS * width, 3), np.uint8)
        for n, picture in enumerate(self._taken):
            row, column = divmod(n, _ACROSS)
            sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = picture
        path.write_bytes(cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes())
        return path
