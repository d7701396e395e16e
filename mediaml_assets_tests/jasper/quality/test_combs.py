"""Two moments in one picture are told from fine detail."""

import av
import cv2
import numpy as np
import pytest

from mediaml_assets.jasper.quality.combs import CombFinder, is_combed

from ..clips import numbered


def relief(shift: int, size: tuple[int, int] = (320, 180)) -> np.ndarray:  # type: ignore[type-arg]
    wide = np.random.default_rng(1).normal(size=(size[1], size[0] + 200))
    smooth = cv2.GaussianBlur(wide, (0, 0), 3)
    return np.clip(120 + 40 * smooth / smooth.std(), 16, 235)[:, 100 + shift : 100 + shift + size[0]].astype(np.uint8)


def woven(even: np.ndarray, odd: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    picture = even.copy()
    picture[1::2] = odd[1::2]
    return picture


@pytest.mark.parametrize("shift", [4, 8, -12])
def test_fields_of_two_moments_are_combed(shift: int) -> None:
    assert is_combed(woven(relief(0), relief(shift)).astype(np.int16))


@pytest.mark.parametrize(
    "picture",
    [relief(0), np.full((90, 160), 100), numbered(1234, (320, 180)), np.repeat(relief(0)[::2], 2, axis=0),
     np.random.default_rng(0).integers(0, 255, (180, 320))],
    ids=["relief", "flat", "cells", "doubled lines", "noise"],
)  # fmt: skip
def test_whole_pictures_are_not(picture: np.ndarray) -> None:  # type: ignore[type-arg]
    assert not is_combed(picture.astype(np.int16))


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le", "nv12", "gray"])
def test_pictures_of_any_depth(pixel_format: str) -> None:
    finder = CombFinder()
    for luma in (woven(relief(0), relief(8)), relief(0)):
        planes = np.vstack([luma, np.full((90, 320), 128, np.uint8)])
        finder.look(av.VideoFrame.from_ndarray(planes, format="yuv420p").reformat(format=pixel_format))
    assert (finder.looked, finder.combed, finder.share) == (2, 1, 0.5)


def test_other_pictures_tell_nothing() -> None:
    finder = CombFinder()
    for name in ("rgb24", "yuyv422"):
        finder.look(av.VideoFrame(64, 64, name))
    finder.look(av.VideoFrame(64, 4, "yuv420p"))
    assert (finder.looked, finder.share) == (0, 0.0)
