"""The shots of rendered titles, drawn at three moments each instead of rendered, encoded and standardised whole."""

from dataclasses import dataclass
from itertools import combinations
from typing import cast

import numpy as np
import numpy.typing as npt

from benchmarks.duplicate_truth.curves import Pair
from mediaml_assets.features.measures.descriptor import descriptor
from mediaml_assets.features.shot_embedding import Embeddings, Vectors
from mediaml_assets.features.unique_shots import UniqueShotsConfig, keep_earliest, takes
from mediaml_assets.jasper.reading.frame import Frame
from mediaml_assets.samples import script
from mediaml_assets.samples.plan import ShotPlan, TitlePlan
from mediaml_assets.samples.scenes import Projector

Plane = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Drawn:
    """A drawn frame's planes."""

    y: Plane
    u: Plane
    v: Plane


def rendered_takes(seed: int) -> tuple[list[Pair], int, int]:
    """Every two shots of each title of a seed; takes that were kept, and shots of their own that were dropped."""
    config = UniqueShotsConfig()
    pairs: list[Pair] = []
    missed = dropped = 0
    for plan in script.write(seed).titles:
        embedding = _embedding(plan)
        likeness = takes(embedding, config.again)
        of = [shot.index if shot.take_of is None else shot.take_of for shot in plan.shots]
        pairs += [(float(likeness[a, b]), of[a] == of[b]) for a, b in combinations(range(len(of)), 2)]
        kept = keep_earliest(likeness, config.threshold)
        missed += sum(shot != original and shot in kept for shot, original in enumerate(of))
        dropped += sum(shot == original and shot not in kept for shot, original in enumerate(of))
    return pairs, missed, dropped


def _embedding(plan: TitlePlan) -> Embeddings:
    """Descriptors of the first, middle and last frame of each shot that no join touches."""
    height = round(640 * plan.geometry.aspect / 4) * 4
    projector = Projector(plan, 640, height)

    def look(frame: int) -> Vectors:
        return descriptor(cast("Frame", _drawn(projector, frame)), (0, 0, 640, height))

    vectors = [[look(frame) for frame in _moments(plan, shot)] for shot in plan.shots]
    return Embeddings(np.arange(len(vectors), dtype=np.int32), np.asarray(vectors, np.float32))


def _drawn(projector: Projector, frame: int) -> Drawn:
    picture = projector.frame(frame)
    height = len(picture) * 2 // 3
    u, v = picture[height:].reshape(2, height // 2, -1)
    return Drawn(picture[:height], u, v)


def _moments(plan: TitlePlan, shot: ShotPlan) -> tuple[int, int, int]:
    first = max([shot.start, *(join.end for join in plan.joins if join.start <= shot.start < join.end)])
    last = min([shot.end, *(join.start for join in plan.joins if join.start < shot.end < join.end)]) - 1
    return first, (first + last) // 2, max(first, last)
