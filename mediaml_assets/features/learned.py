"""The `learned` feature: both ends of a shot as a trained scorer sees them, or plainly as `shot_embedding` has them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from mediaml_assets.amber.checks import in_range, increasing, no_nans
from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.errors import FeatureError, ModelMissing
from mediaml_assets.features.measures.random_projection import random_projection
from mediaml_assets.features.measures.unit import unit_rows
from mediaml_assets.features.models.scorer_file import Layer, Scorer, mapped, read_scorer, scorer_digest
from mediaml_assets.features.shot_embedding import MOMENTS, Embeddings
from mediaml_assets.features.shots import Shots

FILE = "file:"
WIDEST = 1024  # wider embeddings are projected when no scorer does it
DECIMALS = 5
FIRST, LAST = MOMENTS.index("first"), MOMENTS.index("last")

_VECTOR = pa.list_(pa.field("item", pa.float32(), nullable=False))
LEARNED = pa.schema(
    [
        column("index", pa.int32(), "Of the shot, among those of `unique_shots`."),
        column("out_vector", _VECTOR, "Of its last usable frames, length 1."),
        column("in_vector", _VECTOR, "Of its first usable frames, length 1."),
        column("level", pa.float32(), "Cosine in [0, 1) at which two ends are unrelated; the same in every row."),
    ]
)
"""One row a shot: unit vectors of its tail and its head, and the cosine from which they match."""


@dataclass(frozen=True)
class LearnedConfig:
    """How ends are scored.

    Attributes:
        scorer: "file:<path>", a safetensors file as `scorer_file` describes; or "cosine", which needs none: the
            embedding of the last against that of the first frames.
        level: of "cosine" only: the cosine in [0, 1) of unrelated ends, which scores 0. 0.5 is where 95 % of pairs
            from different films lie below with the descriptor; a model of `shot_embedding` has its own.
    """

    scorer: str = "cosine"
    level: float = 0.5

    def key_parts(self) -> dict[str, str]:
        """What stands for the scorer in the memo key: its bytes, wherever the file is."""
        if not self.scorer.startswith(FILE):
            return {}
        return {"scorer": f"{FILE}sha256:{scorer_digest(scorer_path(self.scorer))}"}


@amber_feature(
    version="2",
    schema=LEARNED,
    kinds=("numpy",),
    checks=[
        increasing("index", blocking=False),
        no_nans("out_vector", blocking=False),
        no_nans("in_vector", blocking=False),
        in_range("level", 0, 1, blocking=False),
    ],
)
def learned(shot_embedding: Embeddings, unique_shots: Shots, config: LearnedConfig) -> pa.Table:
    """Turn the embeddings of each shot's last and first frames into vectors whose cosine a trained scorer meant."""
    place = {int(index): number for number, index in enumerate(shot_embedding.index)}
    index = [shot.index for shot in unique_shots]
    ends = shot_embedding.vectors[[place[one] for one in index]]
    scorer = scorer_of(config, ends.shape[2])
    if scorer.reads != ends.shape[2]:
        trained_on = f" (trained on {scorer.embedding})" if scorer.embedding else ""
        raise FeatureError(
            f"the scorer {config.scorer} reads embeddings of {scorer.reads} numbers{trained_on}, those of this title "
            f"have {ends.shape[2]}: configure the shot_embedding model that it was trained on, or another scorer"
        )
    # in single precision the last digit would depend on how a library shares the product out among threads
    exact = ends.astype(np.float64)
    maps = (LAST, scorer.out), (FIRST, scorer.in_)
    sides = [np.round(unit_rows(mapped(exact[:, moment], map_)), DECIMALS) for moment, map_ in maps]
    level = np.full(len(index), scorer.level, np.float32)
    return pa.table([index, list(sides[0]), list(sides[1]), level], schema=LEARNED)


def scorer_of(config: LearnedConfig, width: int) -> Scorer:
    """The configured scorer, for embeddings of `width` numbers where it has no width of its own.

    Raises:
        ModelMissing: the file is not there or is no scorer, or no scorer has that name.
        FeatureError: `level` is not in [0, 1).
    """
    if config.scorer.startswith(FILE):
        return read_scorer(scorer_path(config.scorer))
    if config.scorer != "cosine":
        raise ModelMissing(f"no scorer is named {config.scorer!r}: use 'cosine', or 'file:<path>' for a trained one")
    if not 0 <= config.level < 1:
        raise FeatureError(f"the level of unrelated ends must be in [0, 1), not {config.level}")
    layers = [projection(width)]
    return Scorer(layers, layers, config.level)


def projection(width: int) -> Layer:
    """The identity, or for more than `WIDEST` numbers a fixed random projection to so many."""
    weight = np.eye(width, dtype=np.float32) if width <= WIDEST else random_projection(width, WIDEST).T
    return Layer(weight, np.zeros(len(weight), np.float32))


def scorer_path(name: str) -> Path:
    """The file of a "file:<path>"."""
    return Path(name.removeprefix(FILE)).expanduser()
