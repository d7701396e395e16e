"""Vectors of shots, made from a seed."""

import numpy as np
from numpy.typing import NDArray

from mediaml_assets.features.measures.unit import unit_rows

Vectors = NDArray[np.float32]
CLUSTER = 20


def embedding_like(seed: int, shots: int, width: int) -> tuple[Vectors, Vectors]:
    """Out and in vectors, float32 [shots, width], each of length 1: as embeddings of shots are.

    Components' variance falls as 1/r, randomly rotated; twenty consecutive shots share a cluster (0.7 cluster + 0.7
    shot), and the out and the in vector of a shot differ by noise (0.4).
    """
    random = np.random.default_rng(seed)
    spread = (np.arange(1, width + 1) ** -0.5).astype(np.float32)

    def draw(count: int) -> Vectors:
        return unit_rows(random.standard_normal((count, width), dtype=np.float32) * spread)

    clusters = np.repeat(draw(-(-shots // CLUSTER)), CLUSTER, axis=0)[:shots]
    shot = 0.7 * clusters + 0.7 * draw(shots)
    rotation = np.linalg.qr(random.standard_normal((width, width)))[0].astype(np.float32)
    return unit_rows((shot + 0.4 * draw(shots)) @ rotation), unit_rows((shot + 0.4 * draw(shots)) @ rotation)


def isotropic(seed: int, shots: int, width: int) -> tuple[Vectors, Vectors]:
    """Out and in vectors of length 1 in independent directions: the hardest case for any bound."""
    random = np.random.default_rng(seed)
    out, in_ = (unit_rows(random.standard_normal((shots, width), dtype=np.float32)) for _ in range(2))
    return out, in_
