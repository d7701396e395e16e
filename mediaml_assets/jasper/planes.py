"""The planes of a decoded yuv420p picture as numpy views, without a copy."""

from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]


def planes_of(frame: Any) -> tuple[Plane, Plane, Plane]:
    """Luma and both chroma planes of a PyAV yuv420p ``VideoFrame``: uint8 [h, w], [h/2, w/2], [h/2, w/2].

    They are views of the decoder's memory, alive as long as they are held; treat them as read-only.
    """
    y, u, v = frame.planes
    return plane_view(y), plane_view(u), plane_view(v)


def plane_view(plane: Any) -> Plane:
    """One plane as a view: uint8 [height, width]."""
    rows: Plane = np.frombuffer(plane, np.uint8, plane.line_size * plane.height).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width]


def picture_of(y: Plane, u: Plane, v: Plane) -> Any:
    """A PyAV yuv420p ``VideoFrame`` of these planes, as `planes_of` gives them; a copy."""
    joined = np.concatenate([plane.reshape(-1) for plane in (y, u, v)])
    return av.VideoFrame.from_ndarray(joined.reshape(-1, y.shape[1]), format="yuv420p")
