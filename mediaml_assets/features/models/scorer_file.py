"""Trained scorers of shots: what turns the embeddings of two ends into vectors whose cosine says how well they match.

A scorer is one safetensors file, format `mediaml-scorer` version 1.

Tensors, float32 or float16, one map an end:

    out.0.weight [h, d], out.0.bias [h]     first layer of the tail's map, d the width of `shot_embedding`
    out.1.weight [w, h], out.1.bias [w]     second layer, and so on; the last layer's height w is the vector's width
    in.0.weight ...                         the head's map, likewise [.., d] to [w, ..]

A bias may be absent, which is 0. Without any `in.` tensor both ends share the tail's map. Between two layers stands
LeakyReLU with slope 0.01, after the last one nothing: one layer is a linear projection, two are the network of the
metric learning of Chen et al., "Match Cutting: Finding Cuts with Smooth Visual Transitions" (WACV 2023), in -> hidden
-> out. What standardises the embedding before (mean, deviation) is folded into the first layer.

Metadata, text: `format` = "mediaml-scorer", `version` = "1"; and, where known, `level`, the cosine in [0, 1) at which
two ends match no better than unrelated ones (default 0), and `embedding`, which model of `shot_embedding` it was
trained on, for messages.

The score of a cut from A to B is max(0, (cos(out(last of A), in(first of B)) - level) / (1 - level)).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.models.saved_model import file_digest

Vectors = npt.NDArray[np.float32]

FORMAT = {"format": "mediaml-scorer", "version": "1"}
SLOPE = 0.01  # of LeakyReLU below 0
SIDES = ("out", "in")


@dataclass(frozen=True)
class Layer:
    """One linear map: weight float32 [height, width], bias float32 [height]."""

    weight: Vectors
    bias: Vectors


@dataclass(frozen=True)
class Scorer:
    """The layers of both ends' maps, the level that scores 0, and the embedding it was trained on ("" if not said)."""

    out: Sequence[Layer]
    in_: Sequence[Layer]
    level: float = 0.0
    embedding: str = field(default="", compare=False)

    @property
    def reads(self) -> int:
        """Width of the embeddings it was trained on."""
        return int(self.out[0].weight.shape[1])


def mapped(vectors: npt.NDArray[np.floating[Any]], layers: Sequence[Layer]) -> Vectors:
    """Embeddings [n, d] through a map's layers, in their precision: float32 [n, w], not normalised."""
    for number, layer in enumerate(layers):
        if number:
            vectors = np.where(vectors > 0, vectors, SLOPE * vectors)
        vectors = vectors @ layer.weight.T + layer.bias
    return np.asarray(vectors, np.float32)


def write_scorer(path: Path, scorer: Scorer) -> None:
    """Write a scorer to a file of the format above; the head's map is left out when it is the tail's own."""
    from safetensors.numpy import save_file

    sides = {"out": scorer.out} if scorer.in_ is scorer.out else {"out": scorer.out, "in": scorer.in_}
    tensors = {
        f"{side}.{number}.{name}": np.ascontiguousarray(getattr(layer, name), np.float32)
        for side, layers in sides.items()
        for number, layer in enumerate(layers)
        for name in ("weight", "bias")
    }
    said = {"embedding": scorer.embedding} if scorer.embedding else {}
    save_file(tensors, path, {**FORMAT, "level": repr(float(scorer.level)), **said})


def scorer_digest(path: Path) -> str:
    """SHA-256 of a scorer's file; raises ModelMissing when it is not there."""
    try:
        return file_digest(path)
    except OSError as error:
        raise ModelMissing(
            f"there is no scorer {path} ({error.strerror}): give the safetensors file that training wrote"
        ) from error


def read_scorer(path: Path) -> Scorer:
    """Read a scorer; raises ModelMissing with the reason when the file is not there or not of the format above."""
    from safetensors import SafetensorError, safe_open

    scorer_digest(path)
    try:
        with safe_open(path, framework="numpy") as file:
            return _scorer(file.metadata() or {}, {name: file.get_tensor(name) for name in list(file.keys())})
    except (SafetensorError, ValueError, TypeError) as error:
        raise ModelMissing(f"{path} is no scorer of format mediaml-scorer 1: {error}") from error


def _scorer(said: dict[str, str], tensors: dict[str, npt.NDArray[np.generic]]) -> Scorer:
    if {name: said.get(name) for name in FORMAT} != FORMAT:
        raise ValueError(f"its metadata says format {said.get('format')!r}, version {said.get('version')!r}")
    unknown = [name for name in tensors if name.partition(".")[0] not in SIDES]
    if unknown:
        raise ValueError(f"it holds the tensor {unknown[0]}")
    out = _layers("out", tensors)
    in_ = _layers("in", tensors) if any(name.startswith("in.") for name in tensors) else out
    for what, place, axis in (("read", 0, 1), ("give", -1, 0)):
        if out[place].weight.shape[axis] != in_[place].weight.shape[axis]:
            raise ValueError(f"its two maps {what} vectors of different widths")
    level = float(said.get("level", "0"))
    if not 0 <= level < 1:
        raise ValueError(f"its level {level} is not in [0, 1)")
    return Scorer(out, in_, level, said.get("embedding", ""))


def _layers(side: str, tensors: dict[str, npt.NDArray[np.generic]]) -> list[Layer]:
    """The layers of one side's map, every tensor of it understood."""
    mine = {name for name in tensors if name.startswith(f"{side}.")}
    layers: list[Layer] = []
    while f"{side}.{len(layers)}.weight" in mine:
        names = [f"{side}.{len(layers)}.{kind}" for kind in ("weight", "bias")]
        weight = _numbers(names[0], tensors[names[0]], 2)
        bias = _numbers(names[1], tensors[names[1]], 1) if names[1] in mine else np.zeros(len(weight), np.float32)
        if len(bias) != len(weight):
            raise ValueError(f"{names[1]} has {len(bias)} numbers for {len(weight)} rows of {names[0]}")
        mine -= set(names)
        layers.append(Layer(weight, bias))
    if mine or not layers:
        raise ValueError(f"it holds {sorted(mine)[0]} out of order" if mine else f"it holds no {side}.0.weight")
    for number, (one, other) in enumerate(pairwise(layers)):
        if len(one.weight) != other.weight.shape[1]:
            raise ValueError(f"layer {side}.{number} gives {len(one.weight)} numbers, the next one does not read them")
    return layers


def _numbers(name: str, tensor: npt.NDArray[np.generic], dimensions: int) -> Vectors:
    if tensor.dtype not in (np.float32, np.float16) or tensor.ndim != dimensions or not tensor.size:
        raise ValueError(f"{name} is {tensor.dtype} {list(tensor.shape)}, wanted float32 or float16 and {dimensions}-d")
    numbers = tensor.astype(np.float32)
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name} holds what is no number")
    return numbers
