"""A projection of embeddings in which matching shots are near, learned from the positive pairs alone.

The metric learning of Chen et al. (WACV 2023): a network in -> hidden -> out with LeakyReLU between, cosine, NT-Xent
loss (Sohn 2016; Chen et al. 2020) over the hard negatives of a batch, the positive pairs of train and nothing else.
Hyper-parameters are the published ones. The epoch is chosen by AP on validation, among every tenth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mediaml_assets.evaluation.labels.average_precision import Scores, average_precision
from mediaml_assets.evaluation.labels.embeddings import Embeddings, Vectors, cosine_scores, pair_vectors
from mediaml_assets.evaluation.labels.pairs import LabelledPairs, Task

if TYPE_CHECKING:
    import torch

BATCH = 256
LOOK = 10  # epochs from one look at validation to the next
SLOPE = 0.01  # of LeakyReLU below 0
UNRELATED = 95  # per cent of shots of different titles lie below the level of a scorer


@dataclass(frozen=True)
class Settings:
    """Of the training of one task."""

    temperature: float
    hidden: int
    out: int
    rate: float
    decay: float
    epochs: int


PUBLISHED: Mapping[Task, Settings] = {
    "frame": Settings(0.007362, 128, 1024, 3.147e-3, 1e-4, 300),
    "motion": Settings(0.013412, 256, 1024, 4.056e-4, 4.54e-4, 100),
}


@dataclass(frozen=True)
class Projection:
    """A trained network: first and second weight [h, d] and [w, h], and their biases.

    `level` is the cosine below which 95 % of shots of different titles of train lie; `validation` its AP there.
    """

    weights: tuple[Vectors, Vectors]
    biases: tuple[Vectors, Vectors]
    level: float
    epoch: int
    validation: float

    def project(self, vectors: Vectors) -> Vectors:
        """Embeddings [n, d] as the network has them: float32 [n, w]."""
        hidden = vectors @ self.weights[0].T + self.biases[0]
        hidden = np.where(hidden > 0, hidden, SLOPE * hidden)
        return np.asarray(hidden @ self.weights[1].T + self.biases[1], np.float32)

    def score(self, pairs: LabelledPairs, embeddings: Embeddings) -> Scores:
        """Cosine of the projected shots of each pair: float64 [n]."""
        return cosine_scores(*(self.project(side) for side in pair_vectors(pairs, embeddings)))


def train(
    pairs: LabelledPairs, validation: LabelledPairs, embeddings: Embeddings, settings: Settings, seed: int
) -> Projection:
    """Train a projection; the same seed, data and machine give the same one.

    Args:
        pairs: of train; only the positive ones are learned from.
        validation: what decides when to stop.
        embeddings: of all their shots.
        settings: of the training.
        seed: of the first weights and of the batches.
    """
    import torch

    kept = np.flatnonzero(pairs.label)
    raw = [torch.from_numpy(side[kept]) for side in pair_vectors(pairs, embeddings)]
    mean, deviation = torch.cat(raw).mean(dim=0), torch.cat(raw).std(dim=0).clamp_min(1e-6)
    first, second = ((side - mean) / deviation for side in raw)
    numbers = {name: number for number, name in enumerate(sorted({*_shots(pairs, 1), *_shots(pairs, 2)}))}
    ids = [torch.tensor([numbers[name] for name in _shots(pairs, which)])[kept] for which in (1, 2)]
    related = _related(len(numbers), *ids)
    generator = torch.Generator().manual_seed(seed)
    network = _network(first.shape[1], settings, generator)
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.rate, weight_decay=settings.decay)
    best: Projection | None = None
    for epoch in range(1, settings.epochs + 1):
        order = torch.randperm(len(kept), generator=generator)
        for rows in order.split(BATCH):
            vectors = network(torch.cat([first[rows], second[rows]]))
            loss = _loss(vectors, related[torch.cat([ids[0][rows], ids[1][rows]])], settings.temperature)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        if epoch % LOOK == 0 or epoch == settings.epochs:
            now = _folded(network, mean, deviation, epoch)
            found = average_precision(validation.label, now.score(validation, embeddings))
            if best is None or found > best.validation:
                best = replace(now, validation=found)
    if best is None:
        raise ValueError(f"{settings.epochs} epochs train nothing; ask for at least one")
    return replace(best, level=_level(best, pairs, embeddings, seed))


def _shots(pairs: LabelledPairs, which: int) -> list[tuple[str, int]]:
    return list(zip(pairs.title.tolist(), (pairs.shot1 if which == 1 else pairs.shot2).tolist(), strict=True))


