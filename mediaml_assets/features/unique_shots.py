"""The `unique_shots` feature: the shots that remain when repeated takes and set-ups are dropped."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mediaml_assets.amber.checks import at_least, in_range, increasing
from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.features.shot_embedding import Embeddings
from mediaml_assets.features.shots import Shots

_INDICES = pa.list_(pa.field("item", pa.int32(), nullable=False))
UNIQUE_SHOTS = pa.schema(
    [
        column("index", pa.int32(), "Number of the shot in its title; it never changes."),
        column("start", pa.int32(), "First frame, of the standard encode."),
        column("end", pa.int32(), "The frame after its last."),
        column("usable_start", pa.int32(), "First frame that no dissolve or fade touches."),
        column("usable_end", pa.int32(), "The frame after the last such one."),
        column("take_count", pa.int32(), "How many takes there are, with this one."),
        column("duplicates", _INDICES, "Shots that were dropped for it."),
    ]
)
"""One row a kept shot, indices unchanged; `duplicates` were dropped for it, `take_count` counts them and it."""

BLOCK = 256  # shots compared at once with all the others


@dataclass(frozen=True)
class UniqueShotsConfig:
    """`threshold`: cosine in [0, 1] from which two shots count as takes of one; higher keeps more shots."""

    threshold: float = 0.84


@amber_feature(
    version="1",
    schema=UNIQUE_SHOTS,
    kinds=("numpy",),
    checks=[
        at_least(1, blocking=False),
        increasing("index", blocking=False),
        in_range("take_count", 1, None, blocking=False),
    ],
)
def unique_shots(shots: Shots, shot_embedding: Embeddings, config: UniqueShotsConfig) -> pa.Table:
    """Keep the earliest shot of each group of near-duplicates.

    In order of time each shot is compared with the kept ones and dropped when it is like one of them: the answer
    depends on nothing but the order, and likeness is not chained from dropped shot to dropped shot.
    """
    duplicates = keep_earliest(similarities(shot_embedding), config.threshold)
    places = list(duplicates)
    kept = [shots[place] for place in places]
    dropped = [[shots[other].index for other in duplicates[place]] for place in places]
    columns = [[getattr(shot, name) for shot in kept] for name in Shots.columns]
    return pa.table([*columns, [1 + len(group) for group in dropped], dropped], schema=UNIQUE_SHOTS)


def similarities(embeddings: Embeddings) -> npt.NDArray[np.float32]:
    """Likeness of every two shots, [n, n] in [-1, 1]: the best cosine over their first, middle and last frames."""
    n, moments, dimensions = embeddings.vectors.shape
    flat = embeddings.vectors.reshape(n * moments, dimensions)
    best = np.empty((n, n), np.float32)
    for start in range(0, n, BLOCK):
        rows = embeddings.vectors[start : start + BLOCK].reshape(-1, dimensions)
        best[start : start + BLOCK] = (rows @ flat.T).reshape(-1, moments, n, moments).max(axis=(1, 3))
    return best


def keep_earliest(similarity: npt.NDArray[np.float32], threshold: float) -> dict[int, list[int]]:
    """Kept places in order, each with the later places dropped for it, the kept one they are most like."""
    groups: dict[int, list[int]] = {}
    for place in range(len(similarity)):
        kept = np.fromiter(groups, np.intp)
        likeness = similarity[place, kept]
        if len(kept) and likeness.max() >= threshold:
            groups[int(kept[likeness.argmax()])].append(place)
        else:
            groups[place] = []
    return groups
