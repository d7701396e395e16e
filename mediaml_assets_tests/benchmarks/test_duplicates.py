"""The benchmark of near-duplicates counts as it says, and its labels are whole."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.duplicate_truth.curves import curve, draw
from benchmarks.duplicate_truth.films import TRUTH, labelled_pairs
from mediaml_assets.evaluation.copies import NAME, read_copies
from mediaml_assets.evaluation.takes import SUFFIX, read_takes


def test_precision_and_recall_at_each_threshold() -> None:
    pairs = [(0.9, True), (0.8, False), (0.7, True), (0.2, False)]
    found = curve(pairs, [0.0, 0.75, 0.85, 1.0])
    assert found.precision == [0.5, 0.5, 1.0, 1.0]
    assert found.recall == [1.0, 0.5, 0.5, 0.0]
    assert found.at(0.86) == (1.0, 0.5)


def test_the_drawing_is_an_svg_with_two_lines_a_curve(tmp_path: Path) -> None:
    one = curve([(0.9, True), (0.1, False)], [0.0, 0.5, 1.0])
    draw(tmp_path / "curve.svg", {"films": one, "drawn": one}, 0.5, "cosine")
    assert len(ElementTree.parse(tmp_path / "curve.svg").findall(".//{*}polyline")) == 4


def test_two_shots_are_takes_when_they_repeat_the_same() -> None:
    assert labelled_pairs({0: 0, 3: 0, 5: 5, 7: 0}) == [
        (0, 3, True), (0, 5, False), (0, 7, True), (3, 5, False), (3, 7, True), (5, 7, False),
    ]  # fmt: skip


@pytest.mark.parametrize("file", sorted(TRUTH.glob(f"*{SUFFIX}")), ids=lambda file: file.name)
def test_what_is_repeated_is_labelled_itself(file: Path) -> None:
    truth = read_takes(file)
    assert truth.alone
    assert {of for _, of in truth.repeats} <= set(truth.alone)
    assert not {shot for shot, _ in truth.repeats} & set(truth.alone)


def test_copies_are_between_different_films() -> None:
    rows = [line.split(",") for line in (TRUTH / NAME).read_text().splitlines()[2:]]
    titles = {name: (name, int) for row in rows for name in (row[0], row[2])}
    found = read_copies(TRUTH / NAME, titles)
    assert len(found) == len(rows) and all(one.title1 != one.title2 for one in found)
