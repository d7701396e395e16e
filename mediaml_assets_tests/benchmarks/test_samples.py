from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.harness import missed_targets
from benchmarks.samples import TARGETS, Title, figures, planted_ranks, run
from mediaml_assets.evaluation.truth import planted_cuts
from mediaml_assets.features.detectors.boundary import Boundary
from mediaml_assets.features.motion import DIMENSIONS, MOTION
from mediaml_assets.features.shots import Shots, shot_table
from mediaml_assets.features.unique_shots import UNIQUE_SHOTS
from mediaml_assets.matching.flavours.registry import FLAVOURS
from mediaml_assets_tests.evaluation.small_film import TRUTH


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
    return Title(TRUTH, shots, unique, {"motion": motion})


def test_figures_of_a_title_that_is_right_and_of_one_that_is_not() -> None:
    good = figures([title([(31, "cut"), (58, "dissolve")], [0, 1])])
    assert (good["hard_cut_f1"], good["transition_f1"]) == (1, 1)
    assert (good["takes_missed"], good["distinct_dropped"], good["planted_missed"]) == (0, 0, 1)
    bad = figures([title([(28, "cut"), (61, "dissolve"), (75, "cut")], [0, 2, 3])])
    assert (bad["hard_cut_f1"], bad["transition_f1"]) == (0, pytest.approx(0.4))
    assert (bad["takes_missed"], bad["distinct_dropped"]) == (1, 1)


def test_the_rank_of_a_planted_pair() -> None:
    kept = title([(30, "cut"), (60, "dissolve")], [0, 1, 2])
    plants = planted_cuts({"film": kept.truth})
    found = planted_ranks([kept], plants, FLAVOURS["motion"])
    assert (found.ranks, found.inside, found.within) == ((1,), (1, 1), 1)
    dropped = title([(30, "cut"), (60, "dissolve")], [0, 1])
    assert planted_ranks([dropped], plants, FLAVOURS["motion"]).ranks == (0,)


@pytest.mark.slow
def test_the_figures_of_a_seed_meet_their_targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIAML_HOME", str(tmp_path))
    assert missed_targets(run(1), TARGETS) == []
