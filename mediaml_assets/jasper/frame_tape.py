"""The frame tape: 64x36 YUV of every frame, small enough to look at a whole film at once.

One frame is 3,456 bytes, raw uint8: 36 x 64 luma, then 18 x 32 of each chroma plane. A two-hour film at 24 frames a
second is 597 MB, which is why the file is mapped and not read.
"""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaml_assets.jasper.files import MediaFile, mapped

LUMA = (36, 64)
CHROMA = (18, 32)
_LUMA_BYTES = LUMA[0] * LUMA[1]
_CHROMA_BYTES = CHROMA[0] * CHROMA[1]
FRAME_BYTES = _LUMA_BYTES + 2 * _CHROMA_BYTES
_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True)
class FrameTape:
    """A title's frame tape.

    Attributes:
        y: uint8 [n, 36, 64], luma, 16 black to 235 white.
        u: uint8 [n, 18, 32], blue difference, 128 neutral.
        v: uint8 [n, 18, 32], red difference, 128 neutral.
    """

    y: NDArray[np.uint8]
    u: NDArray[np.uint8]
    v: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.y)

    @classmethod
    def open(cls, file: MediaFile) -> "FrameTape":
        """Map the tape that `file` holds; frames are read from disk when they are looked at."""
        return cls.of(mapped(file, "u1").reshape(-1, FRAME_BYTES))

    @classmethod
    def of(cls, rows: NDArray[np.uint8]) -> "FrameTape":
        """A tape over raw frames in memory, uint8 [n, 3456]."""
        y, u, v = np.split(rows, [_LUMA_BYTES, _LUMA_BYTES + _CHROMA_BYTES], axis=1)
        return cls(y.reshape(-1, *LUMA), u.reshape(-1, *CHROMA), v.reshape(-1, *CHROMA))


def reduced(plane: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """A plane, uint8 [height, width], reduced by area averaging to uint8 `shape`.

    It is halved first as often as whole cells remain, which takes half the time and is a level off here and there.
    """
    while not (plane.shape[0] % (2 * shape[0]) or plane.shape[1] % (2 * shape[1])):
        plane = np.asarray(cv2.resize(plane, (plane.shape[1] // 2, plane.shape[0] // 2), interpolation=cv2.INTER_AREA))
    return np.asarray(cv2.resize(plane, shape[::-1], interpolation=cv2.INTER_AREA))


class TapeWriter:
    """Writes a frame tape frame by frame; a context manager."""

    def __init__(self, path: Path) -> None:
        """Args: the file to write."""
        self._file = path.open("wb", buffering=_BUFFER_BYTES)
        self._last = b""

    def __enter__(self) -> "TapeWriter":
        # a picture is too small to be shared among threads: that took twice the time
        self._threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        cv2.setNumThreads(self._threads)
        self._file.close()

    def write(self, y: NDArray[np.uint8], u: NDArray[np.uint8], v: NDArray[np.uint8]) -> None:
        """Reduce one frame's planes (uint8, any size) by area averaging and append it."""
        self._last = b"".join(reduced(plane, shape).tobytes() for plane, shape in ((y, LUMA), (u, CHROMA), (v, CHROMA)))
        self._file.write(self._last)

    def repeat(self) -> None:
        """Append the last frame once more: it is held."""
        self._file.write(self._last)
