"""Labelled pairs and embeddings with a known answer, for tests."""

import numpy as np

from mediaml_assets.evaluation.labels.embeddings import Embeddings
from mediaml_assets.evaluation.labels.pairs import LabelledPairs


def known_pairs(
    seed: int, titles: list[str], shots: int = 60, places: int = 400, width: int = 32
) -> tuple[LabelledPairs, Embeddings]:
    """Pairs of shots that match when a few of their numbers agree, under a nuisance that is far larger.

    Every shot's embedding is [what counts (8 numbers), nuisance x 6 (the rest)]: plain cosine sees the nuisance alone.
    A third of the shots come in couples that agree in what counts; those are the positives.
    """
    rng = np.random.default_rng(seed)
    embeddings: dict[tuple[str, int], np.ndarray[tuple[int], np.dtype[np.float32]]] = {}
    rows: list[tuple[str, int, int, bool]] = []
    for title in titles:
        core = rng.normal(size=(shots, 8))
        couples = rng.permutation(shots)[: 2 * (shots // 6)].reshape(-1, 2)
        core[couples[:, 1]] = core[couples[:, 0]] + 0.1 * rng.normal(size=(len(couples), 8))
        nuisance = 6 * rng.normal(size=(shots, width - 8))
        for shot in range(shots):
            embeddings[title, shot] = np.concatenate([core[shot], nuisance[shot]]).astype(np.float32)
        matches = {(int(min(c)), int(max(c))) for c in couples}
        drawn = {(int(a), int(b)) for a, b in rng.integers(0, shots, (places, 2)) if a < b} | matches
        rows += [(title, a, b, (a, b) in matches) for a, b in sorted(drawn)]
    n = len(rows)
    shot1, shot2 = (np.array([row[which] for row in rows], np.int64) for which in (1, 2))
    return (
        LabelledPairs(
            np.array([row[0] for row in rows]), shot1, shot2,
            shot1 * 4.0, shot1 * 4.0 + 3, shot2 * 4.0, shot2 * 4.0 + 3,
            np.array([row[3] for row in rows]), np.array([3 * row[3] for row in rows], np.int64), np.full(n, np.nan),
        ),
        embeddings,
    )  # fmt: skip
