"""The reads of a tiny catalogue, each checked against the flat files that hold the same."""

from math import isfinite
from pathlib import Path

import pytest

from benchmarks.reads import TARGETS, _in_turns, measured


def test_a_tiny_catalogue_reads_the_same_on_both_sides(tmp_path: Path) -> None:
    figures = measured(tmp_path, seed=2, titles=5, rows=40)
    assert set(TARGETS) <= set(figures)
    assert all(isfinite(figure) and figure >= 0 for figure in figures.values())


def test_sides_that_differ_are_not_compared() -> None:
    with pytest.raises(AssertionError, match="did not read the same"):
        _in_turns(lambda: 1, lambda: 2, same=lambda one, other: one == other)
