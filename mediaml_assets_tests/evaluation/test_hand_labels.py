"""Label files: what they say, where one boundary is made of two labels, and what is refused."""

from pathlib import Path

import pytest

from mediaml_assets.errors import TruthRefused
from mediaml_assets.evaluation.boundaries import Counts, Found, cut_range, gradual_range, transition_counts
from mediaml_assets.evaluation.hand_labels import SUFFIX, Label, read_labels, true_boundaries

HEAD = "# a remark, with commas\n# n_frames=100\ntype,start_frame,end_frame,start_s,end_s\n"


def labels(tmp_path: Path, *rows: str) -> tuple[Label, ...]:
    file = tmp_path / f"film.mp4{SUFFIX}"
    file.write_text(HEAD + "".join(f"{row}\n" for row in rows))
    return read_labels(file).rows


def test_rows_become_half_open_ranges_in_order(tmp_path: Path) -> None:
    found = labels(tmp_path, "dissolve,40,49,1.6,2.0", "hard,10,10,0.4,0.4")
    assert found == (Label("hard", 10, 11), Label("dissolve", 40, 50))
    truth = true_boundaries(found)
    assert truth.cuts == [cut_range(10)] and truth.transitions == [cut_range(10), gradual_range(40, 50)]


def test_black_is_no_shot(tmp_path: Path) -> None:
    rows = ["fade_in,2,20,0,0", "fade_out,40,50,0,0", "fade_in,60,70,0,0", "fade_out,80,85,0,0", "hard,90,90,0,0"]
    rows += ["hard,110,110,0,0", "fade_in,115,120,0,0", "fade_out_in,140,160,0,0", "fade_out,190,199,0,0"]
    truth = true_boundaries(labels(tmp_path, *rows))
    assert truth.transitions == [gradual_range(*r) for r in ((40, 71), (80, 91), (110, 121), (140, 161))]
    assert truth.cuts == [cut_range(90), cut_range(110)]
    found = [Found(at) for at in (10, 55, 88, 112, 150, 195)]
    assert transition_counts(found, truth) == Counts(4, 0, 0)
    assert transition_counts([Found(54), Found(56)], truth) == Counts(1, 1, 3)


def test_what_is_ignored_is_neither_wrong_nor_asked_for(tmp_path: Path) -> None:
    truth = true_boundaries(labels(tmp_path, "ignore,50,59,0,0", "hard,55,55,0,0", "hard,70,70,0,0"))
    assert truth.cuts == [cut_range(70)] and truth.ignored == [(50, 60)]


def test_frames_of_the_file_become_those_of_the_standard_encode(tmp_path: Path) -> None:
    truth = true_boundaries(labels(tmp_path, "hard,10,10,0,0", "dissolve,20,29,0,0"), lambda picture: picture * 2)
    assert truth.transitions == [cut_range(20), gradual_range(40, 59)]


@pytest.mark.parametrize("row", ["wipe,3,4,0,0", "hard,x,4,0,0", "dissolve,9,4,0,0", "hard,-1,4,0,0", "hard"])
def test_a_bad_row_is_refused_with_its_line(tmp_path: Path, row: str) -> None:
    with pytest.raises(TruthRefused, match=r"film\.mp4\.cuts\.csv, line 5"):
        labels(tmp_path, "hard,1,1,0,0", row)


def test_every_shipped_label_file_is_read(shared: Path) -> None:
    files = sorted((shared / "media" / "films").glob(f"*{SUFFIX}"))
    assert len(files) >= 8
    for file in files:
        labelled = read_labels(file)
        rows = labelled.rows
        assert labelled.count > rows[-1].start
        truth = true_boundaries(rows)
        assert 0 < len(truth.transitions) <= len([row for row in rows if row.kind != "ignore"])
