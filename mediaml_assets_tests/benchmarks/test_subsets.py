"""The benchmark of subsets holds on a small catalogue, and notices answers that are not those of brute force."""

from dataclasses import replace
from typing import Any

import pytest

from benchmarks import subsets
from mediaml_assets.matching.pairs.top_k import Pairs


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subsets, "K", 60)
    monkeypatch.setattr(subsets, "REPEATS", 3)
    monkeypatch.setattr("mediaml_assets.matching.blocks.making.DEPTH", 8)


def test_right_answers_are_found_right_and_scored_once() -> None:
    found = subsets.measure(5, titles=6, shots=100, subsets=12)
    assert subsets.TARGETS.keys() <= found.keys()
    assert (found["not_identical"], found["pairs_scored_at_query"], found["foreign_pairs_scored"]) == (0, 0, 0)
    assert found["deepened_blocks"] > 0 and found["files_stored"] == 6


def test_two_pairs_in_the_wrong_order_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = subsets.best

    def wrong(*args: Any, **how: Any) -> Pairs:
        pairs = right(*args, **how)
        order = [1, 0, *range(2, len(pairs))] if len(pairs) > 1 else [0]
        return replace(pairs, rows=pairs.rows[order], cols=pairs.cols[order])

    monkeypatch.setattr(subsets, "best", wrong)
    found = subsets.measure(5, titles=3, shots=100, subsets=4)
    assert found["not_identical"] == found["answers"]


def test_an_answer_that_is_wrong_only_when_asked_again_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right, asked = subsets.best, 0

    def wrong_later(*args: Any, **how: Any) -> Pairs:
        nonlocal asked
        asked += 1
        pairs = right(*args, **how)
        # one call makes the blocks, then 4 subsets, 3 of ten titles and one of all are asked for the first time
        return replace(pairs, rows=pairs.rows[:-1], cols=pairs.cols[:-1]) if asked == 10 else pairs

    monkeypatch.setattr(subsets, "best", wrong_later)
    assert subsets.measure(5, titles=3, shots=100, subsets=4)["not_identical"] == 1
