"""Labels, scoring and composites of the shot benchmark: known answers."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from benchmarks.boundaries import composites, labels
from benchmarks.boundaries.composites import HARDER, RECIPE, compose, pieces
from benchmarks.boundaries.cost import detected
from benchmarks.boundaries.films import Film, read_tape, tape_of
from benchmarks.boundaries.labels import Label, Labels
from benchmarks.boundaries.scoring import Counts, difference_interval, score
from mediaml_assets.jasper.planes import picture_of
from mediaml_assets.jasper.recipe import ML_360P
from mediaml_assets.jasper.standard.mp4 import Mp4Writer
from mediaml_assets_tests.features.conftest import panned

CSV = """# by hand
# n_frames=99 mean_fps=24.0000 ; remarks
type,start_frame,end_frame,start_s,end_s
hard,10,10,0.4,0.4
ignore,40,49,1.6,2.0
dissolve,20,29,0.8,1.2
"""
TRUE = Labels((Label("hard", 10, 11), Label("dissolve", 20, 30)), ((40, 50),), 99)


def test_labels_are_read_as_half_open_ranges(tmp_path: Path) -> None:
    (tmp_path / "film.mp4.cuts.csv").write_text(CSV)
    assert labels.read(labels.beside(tmp_path / "film.mp4")) == TRUE


@pytest.mark.parametrize(
    ("found", "right", "wrong", "missed"),
    [
        ([10, 25], 2, 0, 0),
        ([11, 31], 2, 0, 0),
        ([9, 18], 2, 0, 0),
        ([12, 32], 0, 2, 2),
        ([10, 11, 22, 25], 2, 2, 0),
        ([10, 25, 40, 49], 2, 0, 0),
        ([10, 25, 50], 2, 1, 0),
        ([], 0, 0, 2),
    ],
)
def test_scores_by_hand(found: list[int], right: int, wrong: int, missed: int) -> None:
    assert score(found, TRUE).all == Counts(right, wrong, missed)


def test_what_lies_in_a_gradual_transition_is_no_false_cut() -> None:
    one = score([10, 22, 25, 60], TRUE)
    assert one.hard == Counts(1, 1, 0)
    assert one.recalls() == {"dissolve": (1, 1), "hard": (1, 1)}


def test_a_cut_right_after_what_is_ignored_can_be_found() -> None:
    true = Labels((Label("hard", 50, 51),), ((40, 50),))
    assert score([50], true).all == Counts(1, 0, 0)
    assert score([49], true).all == Counts(1, 0, 0)


def test_the_interval_of_equal_detectors_is_nothing_and_of_a_better_one_above_it() -> None:
    good, bad = [Counts(9, 1, 0)] * 6, [Counts(5, 5, 5)] * 6
    assert difference_interval(good, good, 1) == (0, 0)
    assert difference_interval(good, bad, 1)[0] > 0.3


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Film:
    """Six shots of 40 frames that drift."""
    folder = tmp_path_factory.mktemp("source")
    grey = np.full((180, 320), 128, np.uint8)
    with Mp4Writer(folder / "a.mp4", Fraction(24), (640, 360), ML_360P.x264_options(), None) as out:
        for shot in range(6):
            for picture in panned(shot, 40, 2):
                out.show(picture_of(picture, grey, grey))
    tape = tape_of(folder / "a.mp4", Fraction(24), folder / "a.yuv")
    cuts = tuple(Label("hard", 40 * n, 40 * n + 1) for n in range(1, 6))
    return Film("source", folder / "a.mp4", Fraction(24), tape, (0, 0, 640, 360), Labels(cuts))


def test_pieces_lie_between_labels(source: Film) -> None:
    assert [(one.start, one.end) for one in pieces(source, 0)] == [(40 * n + 2, 40 * n + 38) for n in range(6)]


def test_a_tape_that_is_read_is_within_a_level_of_the_one_that_is_written(source: Film) -> None:
    read = read_tape(source.video, source.rate, len(source.tape))
    for one, other in zip((read.y, read.u, read.v), (source.tape.y, source.tape.u, source.tape.v), strict=True):
        assert np.abs(one.astype(int) - other).max() <= 1


@pytest.mark.parametrize("style", [RECIPE, HARDER])
def test_a_composite_is_labelled_where_its_transitions_are(
    style: composites.Style, source: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composites, "LEAST_JUMP", 4)
    video = tmp_path / "b.mp4"
    true = compose([source], 5, style, 6, video)
    again = compose([source], 5, style, 6, tmp_path / "c.mp4")
    assert again == true and len(true.every) == 6
    assert (tmp_path / "c.mp4").read_bytes() == video.read_bytes()
    film = Film("b", video, Fraction(24), tape_of(video, Fraction(24), tmp_path / "b.yuv"), (0, 0, 640, 360), true)
    step = np.abs(np.diff(film.tape.y.astype(int), axis=0)).mean(axis=(1, 2))
    for one in true.every:
        if one.is_hard:
            assert step[one.start - 1] > 2 * np.median(step)
    assert score([one.at for one in detected(film)], true).all.f1 >= 0.7
