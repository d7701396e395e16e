"""Whether pictures are made of two fields of different moments: the combs that movement leaves in them.

A line of a combed picture differs from the lines above and below in the same direction, while those two are alike, and
so are the lines of its own field: as in the usual comb masks of deinterlacers. What is flagged interlaced is
deinterlaced; this finds what is not.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

EVERY = 7
"""One picture in so many is looked at: in turn each of the five of pulldown."""
_COLUMNS = 8
_STEP = 12
_ALIKE = 6
_SHARE = 0.02
_TIMES = 4


class CombFinder:
    """Looks at decoded pictures before they are deinterlaced."""

    def __init__(self) -> None:
        self.looked = self.combed = 0

    def look(self, frame: Any) -> None:
        """Take a decoded PyAV ``VideoFrame``; one that is not planar YUV tells nothing."""
        luma = _luma(frame)
        if luma is not None and len(luma) >= 8:
            self.looked += 1
            self.combed += is_combed(luma)

    @property
    def share(self) -> float:
        """Share of the pictures looked at that are combed; 0 when there was none."""
        return self.combed / self.looked if self.looked else 0.0


def is_combed(luma: NDArray[np.int16]) -> bool:
    """Whether a picture, int16 [height, width] of 0 to 255, is combed in more than 2 % of its pixels.

    Fine upright detail looks the same within a field: there must be four times as much between the fields.
    """
    return _combs(luma[1:-2], luma[2:-1], luma[3:]) > max(_SHARE, _TIMES * _combs(luma[:-4], luma[2:-2], luma[4:]))


def _combs(above: NDArray[np.int16], line: NDArray[np.int16], below: NDArray[np.int16]) -> float:
    up, down = line - above, line - below
    same = (np.minimum(up, down) > _STEP) | (np.maximum(up, down) < -_STEP)
    return float(np.mean(same & (np.abs(up - down) < _ALIKE)))


def _luma(frame: Any) -> NDArray[np.int16] | None:
    """Every eighth column of the luma as int16 [height, width / 8], 0 to 255."""
    shape = frame.format
    if shape.is_rgb or not shape.name.startswith(("yuv", "nv", "p0", "gray")):
        return None
    bits = shape.components[0].bits
    plane = frame.planes[0]
    wide = 2 if bits > 8 else 1
    if shape.name.startswith(("yuyv", "uyvy", "yvyu")) or plane.line_size < wide * frame.width:
        return None
    lines = np.frombuffer(plane, np.uint8 if wide == 1 else "<u2", plane.line_size // wide * plane.height)
    few = lines.reshape(plane.height, -1)[:, : frame.width : _COLUMNS]
    luma: NDArray[np.int16] = (few >> max(0, bits - 8)).astype(np.int16)
    return luma
