"""One picture of a film as arrays: its planes as they are, or red, green and blue at any size."""

import threading
from fractions import Fraction
from typing import Any

import numpy as np
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from mediaml_assets.jasper.delivered.orientation import orientation_of
from mediaml_assets.jasper.planes import Plane, plane_view

Rgb = NDArray[np.uint8]
Size = tuple[int, int]

# ITU-T H.273 matrix coefficients by the names that the scaler has for them
_MATRICES = {
    1: Colorspace.ITU709, 4: Colorspace.FCC, 5: Colorspace.ITU601, 6: Colorspace.ITU601, 7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020, 10: Colorspace.BT2020,
}  # fmt: skip

_RETAGGED = threading.Lock()
"""While PyAV scales a picture it tags it otherwise and back again, and another thread may have the same picture."""


class RgbConverter:
    """Turns decoded pictures into upright RGB; it keeps the scaler's tables from one picture to the next.

    The matrix and the range are those that the picture is tagged with; untagged counts as BT.709, as it does for the
    standard encode. Brightness and primaries stay as they are: HDR is not tone-mapped here.
    """

    def __init__(self) -> None:
        self._scaler = VideoReformatter()
        self._turned: tuple[bytes | None, int, bool] = (None, 0, False)

    def __call__(self, decoded: Any, size: Size | None = None) -> Rgb:
        """Convert one PyAV ``VideoFrame``: uint8 [height, width, 3], a new array.

        Args:
            decoded: the picture as it is stored.
            size: (width, height) of the upright result; by default as stored, pixels that are not square left so.
        """
        quarter_turns, mirrored = self._turn(decoded)
        width, height = size or (None, None)
        if quarter_turns % 2:
            width, height = height, width
        with _RETAGGED:
            picture = self._scaler.reformat(
                decoded,
                width=width,
                height=height,
                format="rgb24",
                src_colorspace=_MATRICES.get(decoded.colorspace, Colorspace.ITU709),
                interpolation=_scaling(decoded, width, height),
                threads=1,
            )
        # what is stored as RGB is not converted: the decoder's own memory must not be handed out
        pixels = _pixels(picture).copy() if picture is decoded else _pixels(picture)
        if mirrored:
            pixels = pixels[:, ::-1]
        return np.ascontiguousarray(np.rot90(pixels, -quarter_turns) if quarter_turns else pixels)

    def shown(self, decoded: Any, pixel_aspect: Fraction, tall: int) -> Size:
        """(width, height) of a picture upright and `tall` pixels high, when its pixels are made square."""
        shape = Fraction(decoded.width, decoded.height) * pixel_aspect
        return max(1, round(tall * (1 / shape if self._turn(decoded)[0] % 2 else shape))), tall

    def _turn(self, decoded: Any) -> tuple[int, bool]:
        """Quarter turns clockwise, and whether it is mirrored before them."""
        matrix = decoded.side_data.get("DISPLAYMATRIX")
        said = None if matrix is None else bytes(matrix)
        if said != self._turned[0]:
            orientation = orientation_of(decoded)
            turn, mirrored = (0, False) if orientation is None else (orientation.rotation // 90, orientation.mirrored)
            self._turned = (said, turn, mirrored)
        return self._turned[1:]


def _scaling(decoded: Any, width: int | None, height: int | None) -> Interpolation:
    if width is None or height is None:
        return Interpolation.BILINEAR
    return Interpolation.AREA if width * height < decoded.width * decoded.height else Interpolation.BICUBIC


def _pixels(picture: Any) -> Rgb:
    """The memory of an rgb24 ``VideoFrame`` as uint8 [height, width, 3], without a copy."""
    plane = picture.planes[0]
    rows: Rgb = np.frombuffer(plane, np.uint8, plane.line_size * picture.height).reshape(picture.height, -1)
    return rows[:, : 3 * picture.width].reshape(picture.height, picture.width, 3)


def _in_planes(kind: Any) -> bool:
    """Whether a pixel format has luma in a plane of 8 bits a pixel."""
    return bool(kind.is_planar and not kind.is_rgb and kind.components[0].bits == 8) or kind.name == "gray"


class Frame:
    """One picture. Its planes are views of the decoder's memory: treat them as read-only.

    Attributes:
        index: its number in the film, from 0, in the order shown.
    """

    __slots__ = ("_convert", "_decoded", "index")

    def __init__(self, index: int, decoded: Any, convert: RgbConverter) -> None:
        """Args: its number, the decoded PyAV ``VideoFrame``, and what makes RGB of it."""
        self.index = index
        self._decoded, self._convert = decoded, convert

    @property
    def y(self) -> Plane:
        """Luma as stored, of 8-bit video: uint8 [height, width]; 16 black to 235 white in a standard encode.

        Raises:
            ValueError: it is not stored in planes of 8 bits; the same of `u` and `v`.
        """
        return self._plane(0)

    @property
    def u(self) -> Plane:
        """Blue difference, uint8, 128 neutral: [180, 320] of a standard encode."""
        return self._plane(1)

    @property
    def v(self) -> Plane:
        """Red difference, uint8, 128 neutral: [180, 320] of a standard encode."""
        return self._plane(2)

    def gray(self) -> Plane:
        """Luma as stored, not turned: uint8 [height, width]; of more than 8 bits or of RGB, made 8-bit luma."""
        kind = self._decoded.format
        if _in_planes(kind):
            return self.y
        # the scaler's grey has full range; luma keeps its own in three planes
        wanted = "gray" if kind.is_rgb or len(kind.components) < 3 else "yuv420p"
        return plane_view(self._decoded.reformat(format=wanted, threads=1).planes[0])

    def _plane(self, number: int) -> Plane:
        kind, planes = self._decoded.format, self._decoded.planes
        if not _in_planes(kind) or (number and len(planes) < 3):
            raise ValueError(f"frame {self.index} is stored as {kind.name}, not in 8-bit planes: ask gray() or rgb()")
        return plane_view(planes[number])

    def shown_size(self, pixel_aspect: Fraction, tall: int) -> Size:
        """(width, height) of the picture upright and `tall` pixels high, when its pixels are made square."""
        return self._convert.shown(self._decoded, pixel_aspect, tall)

    def rgb(self, size: Size | None = None) -> Rgb:
        """Red, green and blue, upright: uint8 [height, width, 3], 0 to 255; an array of its own.

        Args:
            size: (width, height) to scale to, whatever the shape; by default as stored.
        """
        return self._convert(self._decoded, size)
