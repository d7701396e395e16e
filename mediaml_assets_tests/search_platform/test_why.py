"""The picture that says why: what is drawn where, of hand-made ends."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from mediaml_assets.features.measures.end_motion import CAMERA, DIMENSIONS
from mediaml_assets.features.motion import camera_and_subject
from mediaml_assets.matching.flavours.registry import FLAVOURS
from mediaml_assets.search_platform.why import BLUE, ORANGE, SAYS, Matched, why

from .conftest import NumberedMedia, make_cut


def matched(flavour: str, first: Any, second: Any, row1: dict[str, Any], row2: dict[str, Any]) -> Matched:
    for media in (first, second):
        media.active = (0, 0, 640, 360)
    return Matched(make_cut(flavour), first, second, row1, row2)


def packed(mask: np.ndarray) -> bytes:
    return np.packbits(mask).tobytes()


def drawn(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Where a colour is, bool [180, 320]."""
    return np.asarray(np.abs(picture.astype(int) - colour).sum(axis=2) < 60)


def test_outlines_stand_where_the_masks_are(first: NumberedMedia, second: NumberedMedia) -> None:
    left, right = np.zeros((2, 18, 32), bool)
    left[4:12, 2:10], right[4:12, 20:28] = True, True
    picture = np.asarray(why(matched("frame", first, second, {"out_mask": packed(left)}, {"in_mask": packed(right)})))
    orange, blue = (np.argwhere(drawn(picture, colour)) for colour in (ORANGE, BLUE))
    np.testing.assert_allclose([orange.min(axis=0), orange.max(axis=0)], [(40, 20), (120, 100)], atol=6)
    np.testing.assert_allclose([blue.min(axis=0), blue.max(axis=0)], [(40, 200), (120, 280)], atol=6)


def test_arrows_point_where_each_moves(first: NumberedMedia, second: NumberedMedia) -> None:
    still, moving = np.zeros((2, DIMENSIONS), np.float32)
    moving[2 * CAMERA :] = 1
    moving *= 0.2 / camera_and_subject(moving)[1].max()  # picture widths a second
    fast = np.asarray(why(matched("motion", first, second, {"out_vector": moving}, {"in_vector": still})))
    slow = np.asarray(why(matched("motion", first, second, {"out_vector": moving / 4}, {"in_vector": still})))
    assert drawn(fast, ORANGE).sum() > 2 * drawn(slow, ORANGE).sum() > 0


def test_sounds_stand_on_either_side_of_the_cut(first: NumberedMedia, second: NumberedMedia) -> None:
    picture = np.asarray(why(matched("sound", first, second, {}, {}))).sum(axis=2)
    loudest = [int(side.mean(axis=1).argmax()) for side in (picture[:, :158], picture[:, 162:])]
    assert loudest[0] > loudest[1]  # 500 Hz before the cut is lower in the picture than 1,500 Hz after it
    second.tone = None
    assert not np.asarray(why(matched("sound", first, second, {}, {})))[:, 162:].any()


@pytest.mark.parametrize("flavour", ["composition", "colour"])
def test_pictures_are_compared_as_they_are(flavour: str, first: NumberedMedia, second: NumberedMedia) -> None:
    same = np.asarray(why(matched(flavour, first, first, {}, {})))
    other = np.asarray(why(matched(flavour, first, second, {}, {})))
    assert same.shape == (180, 320, 3) and (same != other).any()


def test_every_flavour_but_the_learned_one_says_why(first: NumberedMedia) -> None:
    assert first.rate != Fraction(30)
    rows = {"out_mask": bytes(72), "in_mask": bytes(72)} | dict.fromkeys(
        ("out_vector", "in_vector"), [0.0] * DIMENSIONS
    )
    mute = {name for name in FLAVOURS if why(matched(name, first, first, rows, rows)) is None}
    assert mute == {"learned"}
    assert SAYS.keys() == FLAVOURS.keys() - mute
