"""The `shot_embedding` feature: what each shot looks like, as vectors; and `Embeddings`, how other features read it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mediaml_assets.amber.checks import at_least, unit_norm
from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.frame_windows import windows
from mediaml_assets.features.measures.descriptor import DIMENSIONS, descriptor
from mediaml_assets.features.models import transformers_model
from mediaml_assets.features.models.saved_model import HUGGING_FACE, model_key
from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets.jasper.reading.frame import Frame
from mediaml_assets.jasper.reading.media import Media

Vectors = npt.NDArray[np.float32]

MOMENTS = ("first", "middle", "last")
DECIMALS = 4  # values are rounded: a library's last bit must not make new rows
BATCH = 24  # clips encoded at once

_VECTOR = pa.list_(pa.field("item", pa.float32(), nullable=False))
SHOT_EMBEDDING = pa.schema(
    [
        column("index", pa.int32(), "Of the shot, among those of `shots`."),
        *(column(name, _VECTOR, f"Its {name} usable frames, a vector of length 1.") for name in MOMENTS),
    ]
)
"""One row a shot: unit vectors of its first, middle and last usable frames (2,096 numbers with the descriptor)."""


@dataclass(frozen=True)
class ShotEmbeddingConfig:
    """`model`: "descriptor" (needs nothing), or "hf:<folder>", a transformers model saved with safetensors."""

    model: str = "descriptor"

    def key_parts(self) -> dict[str, str]:
        """What stands for the model in the memo key: its weights, wherever their folder is."""
        return model_key(self.model)


@dataclass(frozen=True)
class Embeddings:
    """Vectors of a title's shots: `index` int32 [n], `vectors` float32 [n, 3, d] (first, middle, last), unit length."""

    columns: ClassVar[tuple[str, ...]] = ("index", *MOMENTS)

    index: npt.NDArray[np.int32]
    vectors: Vectors

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """Read a table of `SHOT_EMBEDDING`."""
        index = np.asarray(table.column("index").to_numpy(), np.int32)
        moments = [table.column(name).combine_chunks().flatten().to_numpy() for name in MOMENTS]
        return cls(index, np.stack([flat.reshape(len(index), -1) for flat in moments], axis=1))

    @classmethod
    def from_value(cls, view: Any) -> Self:
        """Read a stored value of `shot_embedding`."""
        return cls.from_table(view.table(columns=list(cls.columns)))


class Encoder(Protocol):
    """What turns clips into vectors."""

    @property
    def clip_length(self) -> int:
        """Frames it looks at together: 1 for a picture encoder."""

    def __call__(self, clips: Sequence[Sequence[Frame]], active: tuple[int, int, int, int]) -> Vectors:
        """Unit vectors [len(clips), d] of clips of at most `clip_length` frames, of the active picture."""


class DescriptorEncoder:
    """The descriptor that needs no model, on single frames."""

    clip_length = 1

    def __call__(self, clips: Sequence[Sequence[Frame]], active: tuple[int, int, int, int]) -> Vectors:
        """Descriptors [len(clips), 2096] of the clips' only frames."""
        return np.stack([descriptor(clip[0], active) for clip in clips])


@amber_feature(
    version="1",
    schema=SHOT_EMBEDDING,
    kinds=("numpy",),
    checks=[at_least(1, blocking=False), *(unit_norm(name, blocking=False) for name in MOMENTS)],
    replicas=("shards", "vectors", "marken"),
)
def shot_embedding(standard_encode: Media, shots: Shots, config: ShotEmbeddingConfig) -> pa.Table:
    """Describe how the first, middle and last usable frames of each shot look, as unit vectors."""
    encode = encoder(config.model)
    clips = [clip for shot in shots for clip in moments(shot, encode.clip_length)]
    batches = [encode(batch, standard_encode.active) for batch in _batches(windows(standard_encode, clips))]
    vectors = np.round(np.concatenate(batches), DECIMALS).reshape(len(shots), len(MOMENTS), -1)
    columns = [list(np.ascontiguousarray(vectors[:, place])) for place in range(len(MOMENTS))]
    return pa.table([[shot.index for shot in shots], *columns], schema=SHOT_EMBEDDING)


def encoder(model: str) -> Encoder:
    """The encoder that a configuration names; raises ModelMissing when it is not there."""
    if model == "descriptor":
        return DescriptorEncoder()
    if model.startswith(HUGGING_FACE):
        return transformers_model.load(model.removeprefix(HUGGING_FACE))
    raise ModelMissing(f"no model is named {model!r}: use 'descriptor', or 'hf:<folder>' for a transformers model")


def width(model: str) -> int:
    """How many numbers the vectors have that a configuration's model makes; raises ModelMissing."""
    if model.startswith(HUGGING_FACE):
        return transformers_model.width(model.removeprefix(HUGGING_FACE))
    return DIMENSIONS


def moments(shot: Shot, length: int) -> list[list[int]]:
    """Frame indices of the first, middle and last clip of a shot's usable frames; clips of `length` share thirds."""
    first, last = shot.usable_start, shot.usable_end - 1
    if length == 1:
        return [[first], [(first + last) // 2], [last]]
    edges = np.linspace(first, last, len(MOMENTS) + 1)
    return [np.linspace(a, b, length).round().astype(int).tolist() for a, b in pairwise(edges)]


def _batches(clips: Iterator[list[Frame]]) -> Iterator[list[list[Frame]]]:
    """The clips, `BATCH` at a time, so that few frames are held."""
    batch: list[list[Frame]] = []
    for clip in clips:
        batch.append(clip)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
