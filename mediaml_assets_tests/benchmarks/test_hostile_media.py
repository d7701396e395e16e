"""The benchmark's own parts on known answers, and a few variants of each kind of damage through the real thing."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.hostile.films import films
from benchmarks.hostile.variants import DAMAGES
from benchmarks.hostile_media import FIGURES, Answer, answer, answers, count, difference, outcome


@pytest.mark.slow
def test_a_few_corrupted_films_neither_crash_nor_hang(tmp_path: Path) -> None:
    given = films(tmp_path, 7)[:5]
    assert all(path.stat().st_size > 10_000 for path in given)
    whole = {path.name: answer(path) for path in given}
    assert all(one.tape is not None and len(one.tape) >= 75 for one in whole.values())
    variants = answers(given, 7, 4, tmp_path)
    counts, _ = count(variants, whole)
    assert set(counts) == set(FIGURES)
    assert (counts["crashes"], counts["hangs"]) == (0, 0)
    named = ("crashes", "silently_wrong", "used_ok", "used_with_damage", "quarantined")
    assert sum(counts[name] for name in named) == len(variants) == 20
    assert counts["quarantined"] > 0 and counts["used_with_damage"] > 0


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_follows_from_the_generator_alone(name: str) -> None:
    film, other = np.random.default_rng(1).bytes(50_000), np.random.default_rng(2).bytes(40_000)
    made = [DAMAGES[name](film, other, np.random.default_rng(seed)) for seed in (3, 3, 4)]
    assert made[0] == made[1] and made[0] != film and made[2] != made[0]


def tape(*levels: int) -> "np.typing.NDArray[np.uint8]":
    return np.stack([np.full((36, 64), level, np.uint8) for level in levels])


def test_outcomes() -> None:
    whole = Answer("warn", ("quiet",), 1.0, tape(10, 20, 30))
    assert outcome(Answer("warn", ("quiet",), 1.0, tape(10, 21, 30)), whole) == "used_ok"
    assert outcome(Answer("warn", ("quiet",), 1.0, tape(10, 90, 30)), whole) == "silently_wrong"
    assert outcome(Answer("warn", ("quiet",), 1.0, tape(10, 20)), whole) == "silently_wrong"
    assert outcome(Answer("warn", ("quiet", "2 pictures"), 1.0, tape(10, 90, 30)), whole) == "used_with_damage"
    assert outcome(Answer("quarantine", ("black",), 1.0, tape(10, 20, 30)), whole) == "quarantined"
    assert outcome(Answer("refused", ("empty",), 1.0), whole) == "quarantined"
    assert outcome(Answer("crashed", ("KeyError",), 1.0), whole) == "crashes"
    assert difference(Answer("ok", (), 1.0, tape(10, 90, 30)), whole) == "1 frames from 1 on, by up to 70.0"
