"""The sheet shows the right two frames of each cut, section by section."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mediaml_assets.search_platform import contact_sheet as sheets
from mediaml_assets.search_platform.contact_sheet import by_flavour, contact_sheet, still

from .conftest import NumberedMedia, make_cut


@pytest.fixture
def media(first: NumberedMedia, second: NumberedMedia) -> dict[str, NumberedMedia]:
    return {first.title: first, second.title: second}


def test_frames_stand_side_by_side_in_their_sections(media: dict[str, NumberedMedia], tmp_path: Path) -> None:
    cuts = [make_cut("motion", 1, out_frame=350), *(make_cut("frame", rank, in_frame=600 + rank) for rank in (3, 1, 2))]
    reasons = {"frame-002": Image.new("RGB", (320, 180), (1, 2, 3))}
    contact_sheet(cuts, media, tmp_path / "sheet.png", reasons)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape == (2 * 24 + 2 * 56 + 3 * (180 + 56 + 24), 2 * (968 + 24) + 24, 3)

    def cell(column: int, line: int, headings: int, side: int) -> np.ndarray:
        left, top = 24 + column * 992 + side * 324, 24 + headings * 56 + line * 260
        return sheet[top : top + 180, left : left + 320]

    def expected(title: str, frame: int) -> np.ndarray:
        return np.asarray(still(media[title], frame))

    assert (cell(0, 0, 1, 0) == expected("film-one", 350)).all()
    for place, rank in enumerate((1, 2, 3)):
        line, column = divmod(place, 2)
        assert (cell(column, 1 + line, 2, 0) == expected("film-one", 397)).all()
        assert (cell(column, 1 + line, 2, 1) == expected("show-s01e02", 600 + rank)).all()
    assert (cell(1, 1, 2, 2) == (1, 2, 3)).all() and (cell(0, 1, 2, 2) == (250, 250, 248)).all()
    caption = sheet[24 + 56 + 180 : 24 + 56 + 236, 24:344]
    assert (caption.min(axis=2) < 60).sum() > 100
    # beside the heading stands what the third pictures show
    assert (sheet[24:74, 500:].min(axis=2) < 120).sum() > 100
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]


def test_no_cuts_say_so(tmp_path: Path) -> None:
    contact_sheet([], {}, tmp_path / "sheet.png", {})
    assert (np.asarray(Image.open(tmp_path / "sheet.png")) < 60).any()


def test_sections_keep_their_order_and_ranks_rise() -> None:
    cuts = [make_cut("motion", 2), make_cut("frame", 1), make_cut("motion", 1)]
    assert {name: [cut.rank for cut in section] for name, section in by_flavour(cuts).items()} == {
        "motion": [1, 2],
        "frame": [1],
    }


def test_long_titles_are_shortened_in_the_middle() -> None:
    draw = ImageDraw.Draw(Image.new("RGB", (10, 10)))
    assert sheets._fitted(draw, "film", 3, 200) == "film shot 3"
    label = sheets._fitted(draw, "an-unreasonably-long-title-of-a-film-s01e02", 1234, 200)
    assert draw.textlength(label, font=sheets._font(18)) <= 200
    assert label.startswith("an-") and label.endswith("e02 shot 1234") and "..." in label
