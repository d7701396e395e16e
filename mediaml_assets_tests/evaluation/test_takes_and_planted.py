"""Takes, planted cuts, the baseline's scores, and the report of hand-made titles."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from rich.console import Console

from mediaml_assets.errors import TruthRefused
from mediaml_assets.evaluation.baseline import baseline_ranks, cosines, overlaps
from mediaml_assets.evaluation.boundaries import Counts, Found
from mediaml_assets.evaluation.copies import FoundCopy, TrueCopy, found_copies, groups_of, kept_shot, read_copies
from mediaml_assets.evaluation.plain_json import plain
from mediaml_assets.evaluation.planted import OURS, PlantedRanks, listed_pairs, ranks, wanted_pairs
from mediaml_assets.evaluation.report import report, tables, title_report
from mediaml_assets.evaluation.takes import SUFFIX, TakeCounts, read_takes, take_counts
from mediaml_assets.evaluation.truth import PlantedCut, TrueTakes, found_shot, of_rendered, planted_cuts
from mediaml_assets.features.shots import Shot, Shots

from .small_film import TRUTH


def shots(*indices: int) -> Shots:
    """Shots of 30 frames each, of which some were kept."""
    return Shots(tuple(Shot(i, 30 * i, 30 * i + 30, 30 * i, 30 * i + 30) for i in indices))


def test_the_truth_of_a_rendered_title_asks_for_the_middle_of_a_dissolve() -> None:
    truth = of_rendered(TRUTH)
    assert truth.boundaries is not None
    assert truth.boundaries.cuts == [(29, 32)] and truth.boundaries.transitions == [(29, 32), (58, 63)]
    assert truth.takes == TrueTakes([((60, 90), (0, 30))], [(0, 30), (30, 60)])
    assert planted_cuts({"film": TRUTH}) == [PlantedCut("motion", "film", (0, 30), "film", (60, 90))]


@pytest.mark.parametrize(
    ("kept", "answer"),
    [
        ([0, 1], TakeCounts(1, (), (), 2)),
        ([0, 1, 2], TakeCounts(0, ((60, 90),), (), 2)),
        ([0, 2], TakeCounts(0, ((60, 90),), ((30, 60),), 2)),
    ],
)
def test_takes_that_are_found_missed_and_wrongly_dropped(kept: list[int], answer: TakeCounts) -> None:
    truth = of_rendered(TRUTH).takes
    assert truth is not None
    assert take_counts(shots(0, 1, 2), shots(*kept), truth) == answer


def test_takes_that_people_wrote_down(tmp_path: Path) -> None:
    file = tmp_path / f"film.mp4{SUFFIX}"
    file.write_text("# a remark\nframe,of\n70,3\n40,\n")
    assert read_takes(file) == TrueTakes([((70, 71), (3, 4))], [(40, 41)])
    assert read_takes(file, lambda picture: picture + 1).alone == [(41, 42)]
    assert take_counts(shots(0, 1, 2), shots(0, 1), read_takes(file)) == TakeCounts(1, (), (), 1)
    file.write_text("frame,of\n70,x\n")
    with pytest.raises(TruthRefused, match=r"film\.mp4\.takes\.csv, line 2"):
        read_takes(file)


def test_copies_that_people_wrote_down(tmp_path: Path) -> None:
    file = tmp_path / "copies.csv"
    file.write_text("# a remark\nfile,frame,of_file,of_frame\na.mp4,5,b.mp4,35\na.mp4,95,b.mp4,5\na.mp4,5,gone.mp4,5\n")
    copies = read_copies(file, {"a.mp4": ("a", int), "b.mp4": ("b", lambda picture: picture + 1)})
    assert copies == [TrueCopy("a", 5, "b", 36), TrueCopy("a", 95, "b", 6)]
    split = pa.table({"index": [0, 1, 2, 3], "start": [0, 30, 60, 90], "end": [30, 60, 90, 120]})
    unique = pa.table({"index": [0, 1, 2], "duplicates": [[3], [], []]})
    assert [kept_shot(split, unique, frame) for frame in (29, 30, 119)] == [0, 1, 0]
    columns = {
        "title": ["a", "b", "b"],
        "index": [0, 1, 2],
        "group": [7, 7, 8],
        "also_title": [[], [], ["a"]],
        "also_index": [[], [], [0]],
    }
    groups = groups_of(pa.table(columns))
    assert groups == {("a", 0): {7}, ("b", 1): {7}, ("b", 2): {7, 8}}
    found = found_copies(copies, groups, lambda title, frame: kept_shot(split, unique, frame))
    assert [one.found for one in found] == [True, False]
    file.write_text("file,frame\na.mp4,5\n")
    with pytest.raises(TruthRefused, match=r"copies\.csv, line 2"):
        read_copies(file, {})


def test_the_found_shot_is_the_one_that_shares_most_frames() -> None:
    assert [found_shot(shots(0, 1, 2), frames) for frames in ((0, 30), (25, 50), (59, 60), (200, 210))] == [0, 1, 1, 2]


def test_ranks_of_planted_cuts() -> None:
    rows = [("motion", 2, "b", 1, "a", 0), ("motion", 1, "a", 0, "b", 1), ("frame", 1, "a", 2, "a", 0)]
    names = ["flavour", "rank", "title1", "shot1", "title2", "shot2"]
    table = pa.table({name: [row[place] for row in rows] for place, name in enumerate(names)})
    listed = listed_pairs(table, "motion")
    assert listed == [("a", 0, "b", 1), ("b", 1, "a", 0)]
    plants = [PlantedCut("motion", "b", (31, 40), "a", (1, 9)), PlantedCut("motion", "a", (61, 70), "a", (1, 9))]
    wanted = wanted_pairs(plants, {"a": shots(0, 1, 2), "b": shots(0, 1)})
    assert wanted == [("b", 1, "a", 0), ("a", 2, "a", 0)]
    assert ranks(wanted, listed) == (2, 0)


def test_found_is_within_twice_as_many_as_were_planted() -> None:
    pairs = (("a", 0, "a", 5), ("a", 1, "b", 2), ("b", 0, "b", 9), ("a", 3, "c", 1), ("c", 2, "c", 8))
    some = PlantedRanks("motion", OURS, pairs, (4, 11, 0, 1, 9))
    assert some.found == (True, False, False, True, True) and some.share.value == 0.6
    assert (some.within, some.inside) == (3, (2, 3))
    assert [some.leaving(title) for title in "abcd"] == [(2, 3), (0, 1), (1, 1), (0, 0)]


def test_the_baseline_knows_no_direction_and_no_other_title() -> None:
    wanted = [("a", 5, "a", 2), ("a", 2, "a", 5), ("a", 2, "b", 5), ("c", 1, "c", 2)]
    assert baseline_ranks(wanted, {"a": [(0, 1), (2, 5)], "b": [(2, 5)]}) == (2, 2, 0, 0)


def test_the_baselines_scores() -> None:
    masks = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]], float)
    np.testing.assert_allclose(overlaps(masks), [[1, 1 / 3, 0], [1 / 3, 1, 0], [0, 0, 0]])
    flows = np.array([[3.0, 4.0], [-3.0, -4.0], [0, 0]])
    np.testing.assert_allclose(cosines(flows), [[1, -1, 0], [-1, 1, 0], [0, 0, 0]], atol=1e-12)


def test_the_report_and_its_tables() -> None:
    truth = of_rendered(TRUTH)
    good = title_report("good", truth, [Found(30, "cut"), Found(61, "dissolve")], shots(0, 1, 2), shots(0, 1))
    bad = title_report("bad", truth, [Found(10, "cut")], shots(0, 1, 2), shots(0, 2))
    assert (good.cuts, bad.transitions) == (Counts(1, 0, 0), Counts(0, 1, 2))
    copies = [FoundCopy("good", 5, "bad", 7, True), FoundCopy("good", 35, "bad", 80, False)]
    planted = [PlantedRanks("frame", OURS, (("good", 0, "good", 2), ("good", 1, "bad", 0)), (1, 0))]
    found = report([good, bad], copies, planted, {"other": "no truth"}, seed=1)
    assert found.cut_f1.value == 0.5 and (found.cut_f1.low, found.cut_f1.high) == (0, 1)
    assert (found.takes_found.value, found.dropped.value) == (0.5, 0.25)
    assert report([good, bad], copies, planted, {}, seed=1).transition_f1 == found.transition_f1
    console = Console(width=140)
    with console.capture() as text:
        for table in tables(found):
            console.print(table)
    lines = [" ".join(line.split()) for line in text.get().replace("│", " ").splitlines()]
    assert "good 1 +0 -0 1.000 2 +0 -0 1.000 1 of 1 0 of 2 1 of 2" in lines
    assert "bad 0 +1 -1 0.000 0 +1 -2 0.000 0 of 1 1 of 2 0 of 0" in lines
    assert "frame mediaml 1 of 2 0.500 [0.095, 0.905] 1 of 1 1 -" in lines
    assert "all 1 of 2 0.500 [0.095, 0.905]" in lines
    assert "good frame 35 = bad frame 80 missed" in lines
    assert "other no truth" in lines
    data = plain(found)
    assert data["titles"][0]["cuts"] == {"right": 1, "wrong": 0, "missed": 0} and data["left_out"] == {
        "other": "no truth"
    }
    assert plain(report([], [], [], {}, seed=1))["cut_f1"] == {"value": None, "low": None, "high": None}
