from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.harness import missed_targets
from benchmarks.samples import (
    TARGETS,
    Counts,
    Title,
    boundary_counts,
    distinct_dropped,
    planted_ranks,
    run,
    takes_missed,
)
from mediaml_assets.features.detectors.shot_boundaries import Boundary
from mediaml_assets.features.motion import DIMENSIONS, MOTION
from mediaml_assets.features.shots import Shots, shot_table
from mediaml_assets.features.unique_shots import UNIQUE_SHOTS
from mediaml_assets.matching.flavours.registry import FLAVOURS
from mediaml_assets.samples.truth import TrueDisplay, TruePlant, TrueShot, TrueTake, TrueTransition, Truth


def title(found: list[tuple[int, str]], kept: list[int]) -> Title:
    """A film of three true shots, the third a take of the first, with boundaries found at some frames."""
    edges = [Boundary("start", 0, 0, 0, 1.0), *(Boundary(kind, at, at, at, 1.0) for at, kind in found)]  # type: ignore[arg-type]
    shots = shot_table(edges, [*edges[1:], Boundary("end", 90, 90, 90, 1.0)])
    rows = [shot for shot in Shots.from_table(shots) if shot.index in kept]
    columns = [[getattr(shot, name) for shot in rows] for name in Shots.columns]
    unique = pa.table([*columns, [1] * len(rows), [[]] * len(rows)], schema=UNIQUE_SHOTS)
    vectors = np.eye(4, DIMENSIONS, dtype=np.float32)[: len(rows)]
    sure = [1.0] * len(rows)
    motion = pa.table([kept, list(vectors), list(vectors[::-1]), sure, sure], schema=MOTION)
    truth = Truth(
        title="film",
        file="film.mp4",
        seed=0,
        rate=Fraction(25),
        frame_count=90,
        display=TrueDisplay(640, 360, (0, 0, 640, 360), 0),
        left_out=(),
        shots=(TrueShot(0, 0, 30), TrueShot(1, 30, 60), TrueShot(2, 60, 90)),
        transitions=(TrueTransition("cut", 30, 31), TrueTransition("dissolve", 54, 66)),
        flashes=(),
        takes=(TrueTake(2, 0),),
        plants=(TruePlant("motion", "film", 0, "film", 2, "right"),),
        decoys=(),
    )
    return Title(truth, shots, unique, {"motion": motion})


def test_boundaries_count_once_and_within_their_tolerance() -> None:
    good = title([(31, "cut"), (58, "dissolve")], [0, 1])
    assert boundary_counts(good, ("cut",)) == Counts(1, 0, 0)
    assert boundary_counts(good, ("cut", "dissolve", "fade")) == Counts(2, 0, 0)
    bad = title([(28, "cut"), (61, "dissolve"), (75, "cut")], [0, 1])
    assert boundary_counts(bad, ("cut",)) == Counts(0, 2, 1)
    assert boundary_counts(bad, ("cut", "dissolve", "fade")) == Counts(1, 2, 1)
    assert Counts(1, 2, 1).f1 == pytest.approx(0.4)


def test_takes_and_distinct_shots() -> None:
    found: list[tuple[int, str]] = [(30, "cut"), (60, "dissolve")]
    assert (takes_missed(title(found, [0, 1])), distinct_dropped(title(found, [0, 1]))) == ([], [])
    assert (takes_missed(title(found, [0, 2])), distinct_dropped(title(found, [0, 2]))) == ([2], [1])


def test_the_rank_of_a_planted_pair() -> None:
    kept = title([(30, "cut"), (60, "dissolve")], [0, 1, 2])
    assert planted_ranks([kept], FLAVOURS["motion"]) == [1]
    dropped = title([(30, "cut"), (60, "dissolve")], [0, 1])
    assert planted_ranks([dropped], FLAVOURS["motion"]) == [0]


@pytest.mark.slow
def test_the_figures_of_a_seed_meet_their_targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIAML_HOME", str(tmp_path))
    assert missed_targets(run(1), TARGETS) == []
