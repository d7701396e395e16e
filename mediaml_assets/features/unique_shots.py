"""The `unique_shots` feature: the shots that remain when repeated takes and set-ups are dropped."""

from dataclasses import dataclass
from typing import ClassVar, Self

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
    """When a later shot counts as another take of a kept one; cosines in [0, 1], higher keeps more shots.

    Attributes:
        threshold: of their two most similar moments.
        again: and of two of the three moments of the later one, each with some moment of the kept one. A shot that
            only begins (or ends) on a picture seen before, and then goes elsewhere, is no take.
    """

    threshold: float = 0.84
    again: float = 0.7


@dataclass(frozen=True)
class UniqueShots(Shots):
    """The kept shots of a title, and which were dropped for each."""

    columns: ClassVar[tuple[str, ...]] = (*Shots.columns, "duplicates")

    duplicates: tuple[tuple[int, ...], ...] = ()
    """Of each kept shot, in order, the indices of the shots that were dropped for it."""

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """Read the columns of `columns` from a table of `UNIQUE_SHOTS`."""
        return cls(Shots.from_table(table).rows, tuple(map(tuple, table.column("duplicates").to_pylist())))


@amber_feature(
    version="2",
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

    In order of time each shot is compared with the kept ones and dropped when it is a take of one of them: the answer
    depends on nothing but the order, and likeness is not chained from dropped shot to dropped shot.
    """
    duplicates = keep_earliest(takes(shot_embedding, config.again), config.threshold)
    places = list(duplicates)
    kept = [shots[place] for place in places]
    dropped = [[shots[other].index for other in duplicates[place]] for place in places]
    columns = [[getattr(shot, name) for shot in kept] for name in Shots.columns]
    return pa.table([*columns, [1 + len(group) for group in dropped], dropped], schema=UNIQUE_SHOTS)


def takes(embeddings: Embeddings, again: float) -> npt.NDArray[np.float32]:
    """How like a take of shot a (row) each shot b (column) is: [n, n], the best cosine over their moments.

    It is -1 where fewer than two of b's three moments (first, middle, last) reach `again` with any moment of a.
    """
    n, moments, dimensions = embeddings.vectors.shape
    flat = embeddings.vectors.reshape(n * moments, dimensions)
    likeness = np.empty((n, n), np.float32)
    for start in range(0, n, BLOCK):
        rows = embeddings.vectors[start : start + BLOCK].reshape(-1, dimensions)
        seen = np.sort((rows @ flat.T).reshape(-1, moments, n, moments).max(axis=1), axis=2)
        likeness[start : start + BLOCK] = np.where(seen[..., -2] >= again, seen[..., -1], -1)
    return likeness


def keep_earliest(likeness: npt.NDArray[np.float32], threshold: float) -> dict[int, list[int]]:
    """Kept places in order, each with the later places dropped for it, the kept one they are most like.

    Args:
        likeness: [n, n], of each place (column) to the earlier ones (rows); nothing else is looked at.
        threshold: from which a place is dropped.
    """
    groups: dict[int, list[int]] = {}
    for place in range(len(likeness)):
        kept = np.fromiter(groups, np.intp)
        like = likeness[kept, place]
        if len(kept) and like.max() >= threshold:
            groups[int(kept[like.argmax()])].append(place)
        else:
            groups[place] = []
    return groups
