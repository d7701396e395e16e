"""Colours come out as BT.709 whatever the source says of its matrix and range, and what is transparent as black."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.recipe import ML_360P
from mediaml_assets.jasper.standard.standardize import standardize

from ..clips import frame_of

PATCHES = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [0, 0, 0], [0.5, 0.5, 0.5], [0.9, 0.6, 0.2],
                    [0.2, 0.4, 0.7]])  # fmt: skip
WIDTH = 80
LUMA = {
    1: (0.2126, 0.0722),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    9: (0.2627, 0.0593),
    4: (0.3, 0.11),
    7: (0.212, 0.087),
}


def film(path: Path, frame: Any, matrix: int = 2, colour_range: int = 0, codec: str = "ffv1") -> Path:
    """Five times one picture, tagged with these H.273 codes (range: 1 limited, 2 full, 0 unsaid)."""
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, frame.format.name
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, colour_range
        for n in range(5):
            frame.pts, frame.time_base = n, Fraction(1, 25)
            frame.colorspace, frame.color_range = matrix, colour_range
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def coded(matrix: int, full: bool, bits: int) -> list[NDArray[Any]]:
    """The patches side by side as YUV 4:4:4 planes."""
    kr, kb = LUMA[matrix]
    red, green, blue = PATCHES.T
    y = kr * red + (1 - kr - kb) * green + kb * blue
    u, v = (blue - y) / (2 - 2 * kb), (red - y) / (2 - 2 * kr)
    top = 2**bits - 1
    unit = 2 ** (bits - 8)
    levels = (top * y, top * u + 128 * unit, top * v + 128 * unit) if full else (
        unit * (16 + 219 * y), unit * (128 + 224 * u), unit * (128 + 224 * v))  # fmt: skip
    kind = np.uint8 if bits == 8 else np.uint16
    rows = [np.clip(np.rint(level), 0, top).astype(kind) for level in levels]
    return [np.repeat(np.repeat(row[None], 360, axis=0), WIDTH, axis=1) for row in rows]


def shown(media: Any) -> NDArray[np.float64]:
    [frame] = media.video.frames([2])
    rgb: NDArray[np.float64] = frame.rgb()[180, WIDTH // 2 :: WIDTH].astype(float)
    return rgb


@pytest.mark.parametrize("matrix", [1, 4, 5, 6, 7, 9])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("bits", [8, 10])
def test_any_matrix_and_range(tmp_path: Path, standard: Callable[..., Any], matrix: int, full: bool, bits: int) -> None:
    frame = frame_of("yuv444p" if bits == 8 else "yuv444p10le", *coded(matrix, full, bits))
    _, media = standard(film(tmp_path / "film.mkv", frame, matrix, 2 if full else 1))
    assert shown(media) == pytest.approx(255 * PATCHES, abs=6)


def test_what_says_nothing_is_limited_bt_709(tmp_path: Path, standard: Callable[..., Any]) -> None:
    _, media = standard(film(tmp_path / "film.mkv", frame_of("yuv444p", *coded(1, False, 8))))
    assert shown(media) == pytest.approx(255 * PATCHES, abs=6)


def rgb_columns() -> NDArray[np.uint8]:
    columns = np.repeat((255 * PATCHES).astype(np.uint8), WIDTH, axis=0)
    return np.repeat(columns[None], 360, axis=0)


@pytest.mark.parametrize(("pixel_format", "suffix", "codec"), [("rgb24", ".mov", "qtrle"), ("bgr0", ".mkv", "ffv1"),
                                                               ("rgb24", ".mov", "png")])  # fmt: skip
def test_rgb(tmp_path: Path, standard: Callable[..., Any], pixel_format: str, suffix: str, codec: str) -> None:
    frame = av.VideoFrame.from_ndarray(rgb_columns(), format="rgb24").reformat(format=pixel_format)
    _, media = standard(film(tmp_path / f"film{suffix}", frame, codec=codec))
    assert shown(media) == pytest.approx(255 * PATCHES, abs=6)


ALPHAS = np.array([0, 64, 128, 255, 255, 0, 192, 32]) / 255


@pytest.mark.parametrize(("pixel_format", "suffix", "codec"), [
    ("argb", ".mov", "qtrle"), ("rgba", ".mov", "png"), ("bgra", ".mkv", "ffv1"), ("yuva444p", ".mkv", "ffv1"),
    ("yuva420p", ".mkv", "ffv1"), ("yuva444p10le", ".mov", "prores_ks"),
])  # fmt: skip
def test_what_is_transparent_lies_over_black(
    tmp_path: Path, standard: Callable[..., Any], pixel_format: str, suffix: str, codec: str
) -> None:
    alpha = np.repeat(np.repeat((255 * ALPHAS).astype(np.uint8)[None], 360, axis=0), WIDTH, axis=1)
    if pixel_format.startswith("yuva"):
        frame = frame_of("yuva444p", *coded(1, False, 8), alpha)
        frame.colorspace, frame.color_range = 1, 1
    else:
        frame = av.VideoFrame.from_ndarray(np.dstack([rgb_columns(), alpha]), format="rgba")
    frame = frame if frame.format.name == pixel_format else frame.reformat(format=pixel_format)
    _, media = standard(film(tmp_path / f"film{suffix}", frame, 1 if pixel_format.startswith("yuva") else 2, 1, codec))
    assert shown(media) == pytest.approx(255 * PATCHES * ALPHAS[:, None], abs=8)


def test_colours_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    source = film(tmp_path / "film.mkv", frame_of("yuv444p10le", *coded(1, False, 10)), matrix=14)
    with pytest.raises(MediaRefused, match=r"ICtCp.*deliver it as HDR10"):
        standardize(source, ML_360P, tmp_path)
