"""A projection of embeddings in which matching shots are near, learned from the positive pairs alone.

The metric learning of Chen et al. (WACV 2023): a network in -> hidden -> out with LeakyReLU between, cosine, NT-Xent
loss (Sohn 2016; Chen et al. 2020) over the hard negatives of a batch, the positive pairs of train and nothing else.
Hyper-parameters are the published ones. The epoch is chosen by AP on validation, among every tenth.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from mediaml_assets.evaluation.labels.average_precision import Scores, average_precision
from mediaml_assets.evaluation.labels.embeddings import Embeddings, cosine_scores, pair_vectors
from mediaml_assets.evaluation.labels.pairs import LabelledPairs, Task
from mediaml_assets.features.models.scorer_file import SLOPE, Layer, Scorer, mapped

if TYPE_CHECKING:
    import torch

BATCH = 256
LOOK = 10  # epochs from one look at validation to the next
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
    """A trained network, as `write_scorer` writes it for the learned flavour, its epoch and its AP on validation.

    The scorer's `level` is the cosine below which 95 % of two shots of different titles of train lie.
    """

    scorer: Scorer
    epoch: int
    validation: float

    def score(self, pairs: LabelledPairs, embeddings: Embeddings) -> Scores:
        """Cosine of the projected shots of each pair: float64 [n]."""
        return cosine_scores(*(mapped(side, self.scorer.out) for side in pair_vectors(pairs, embeddings)))


def train(
    pairs: LabelledPairs, validation: LabelledPairs, embeddings: Embeddings, settings: Settings, seed: int
) -> Projection:
    """Train a projection; the same seed and data give the same one on the same machine.

    On one thread: the matrices are small, and several threads would spend their time waiting for each other.

    Args:
        pairs: of train; only the positive ones are learned from.
        validation: what decides when to stop.
        embeddings: of all their shots.
        settings: of the training.
        seed: of the first weights and of the batches.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _trained(pairs, validation, embeddings, settings, seed)
    finally:
        torch.set_num_threads(threads)


def _trained(
    pairs: LabelledPairs, validation: LabelledPairs, embeddings: Embeddings, settings: Settings, seed: int
) -> Projection:
    import torch

    positive = torch.from_numpy(np.flatnonzero(pairs.label))
    raw = [torch.from_numpy(side)[positive] for side in pair_vectors(pairs, embeddings)]
    mean, deviation = torch.cat(raw).mean(dim=0), torch.cat(raw).std(dim=0).clamp_min(1e-6)
    first, second = ((side - mean) / deviation for side in raw)
    numbers = {name: number for number, name in enumerate(sorted({*_shots(pairs, 1), *_shots(pairs, 2)}))}
    ids = [torch.tensor([numbers[name] for name in _shots(pairs, which)])[positive] for which in (1, 2)]
    related = _related(len(numbers), *ids)
    generator = torch.Generator().manual_seed(seed)
    layers = _layers(first.shape[1], settings, generator)
    network = torch.nn.Sequential(layers[0], torch.nn.LeakyReLU(SLOPE), layers[1])
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.rate, weight_decay=settings.decay)
    best: Projection | None = None
    for epoch in range(1, settings.epochs + 1):
        order = torch.randperm(len(positive), generator=generator)
        for rows in torch.split(order, BATCH):
            shots = torch.cat([ids[0][rows], ids[1][rows]])
            vectors = network(torch.cat([first[rows], second[rows]]))
            loss = _loss(vectors, related[shots][:, shots], settings.temperature)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
        if epoch % LOOK == 0 or epoch == settings.epochs:
            now = _folded(layers, mean, deviation, epoch)
            found = average_precision(validation.label, now.score(validation, embeddings))
            if best is None or found > best.validation:
                best = replace(now, validation=found)
    if best is None:
        raise ValueError(f"{settings.epochs} epochs train nothing; ask for at least one")
    level = _level(best.scorer, pairs, embeddings, seed)
    return replace(best, scorer=replace(best.scorer, level=level))


def _shots(pairs: LabelledPairs, which: int) -> list[tuple[str, int]]:
    return list(zip(pairs.title.tolist(), (pairs.shot1 if which == 1 else pairs.shot2).tolist(), strict=True))


def _related(count: int, first: "torch.Tensor", second: "torch.Tensor") -> "torch.Tensor":
    """Which of `count` shots are no negatives of each other, bool [count, count]: themselves and positive pairs."""
    import torch

    related = torch.eye(count, dtype=torch.bool)
    related[first, second] = related[second, first] = True
    return related


def _layers(width: int, settings: Settings, generator: "torch.Generator") -> "list[torch.nn.Linear]":
    """The layers in -> hidden -> out, with torch's own first weights, drawn from the generator."""
    import torch

    sizes = (width, settings.hidden, settings.out)
    layers = [torch.nn.Linear(a, b) for a, b in pairwise(sizes)]
    with torch.no_grad():
        for layer in layers:
            bound = layer.in_features**-0.5
            for part in (layer.weight, layer.bias):
                part.uniform_(-bound, bound, generator=generator)
    return layers


def _loss(vectors: "torch.Tensor", related: "torch.Tensor", temperature: float) -> "torch.Tensor":
    """NT-Xent over hard negatives.

    Args:
        vectors: float32 [2b, w], row i and row b + i a positive pair.
        related: bool [2b, 2b], rows that are no negatives of each other.
        temperature: of the softmax.

    A negative is hard when it is nearer to the anchor than the positive is; an anchor without one costs nothing.
    """
    import torch

    unit = torch.nn.functional.normalize(vectors, dim=1)
    likeness = unit @ unit.T / temperature
    half = len(vectors) // 2
    partner = torch.arange(2 * half).roll(half)
    positive = likeness[torch.arange(2 * half), partner]
    hard = ~related & (likeness > positive[:, None])
    masked = likeness.masked_fill(~hard, float("-inf"))
    losses = torch.logsumexp(torch.cat([positive[:, None], masked], dim=1), dim=1) - positive
    return losses[hard.any(dim=1)].sum() / (2 * half)


def _folded(
    layers: "Sequence[torch.nn.Linear]", mean: "torch.Tensor", deviation: "torch.Tensor", epoch: int
) -> Projection:
    """The network as it is, with the standardising of its input folded into the first layer."""
    import torch

    with torch.no_grad():
        weight = layers[0].weight / deviation
        maps = ((weight, layers[0].bias - weight @ mean), (layers[1].weight, layers[1].bias))
        written = [Layer(*(np.array(part.numpy(), np.float32) for part in map_)) for map_ in maps]
    return Projection(Scorer(written, written), epoch, float("nan"))


def _level(scorer: Scorer, pairs: LabelledPairs, embeddings: Embeddings, seed: int) -> float:
    """The cosine below which 95 % of two shots of different titles lie, in [0, 1)."""
    first, second = (mapped(side, scorer.out) for side in pair_vectors(pairs, embeddings))
    other = np.random.default_rng(seed).permutation(len(pairs))
    apart = pairs.title != pairs.title[other]
    if not apart.any():
        return 0.0
    level = float(np.percentile(cosine_scores(first[apart], second[other][apart]), UNRELATED))
    return min(max(level, 0.0), 0.999)
