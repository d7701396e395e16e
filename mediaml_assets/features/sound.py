"""The `sound` feature: what is heard just before a shot's end and just after its start."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pyarrow as pa

from mediaml_assets.amber.checks import increasing, no_nans
from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.measures.heard import (
    PITCH,
    RATE,
    TIMBRE,
    Array,
    Sound,
    chroma,
    decibels,
    is_heard,
    timbre,
)
from mediaml_assets.features.measures.unit import unit
from mediaml_assets.features.models.audio_model import load_audio
from mediaml_assets.features.models.saved_model import HUGGING_FACE, model_key
from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets.jasper.reading.media import Media

NEAR = 0.25  # seconds on either side of a cut that timbre and pitch are heard in
AT_CUT = 0.05  # seconds that loudness is measured in
FOR_MODEL = 1.0  # seconds that a model hears
DECIMALS, LOUDNESS_DECIMALS = 5, 2

_VECTOR = pa.list_(pa.field("item", pa.float32(), nullable=False))
SOUND = pa.schema(
    [
        column("index", pa.int32(), "Of the shot, among those of `unique_shots`."),
        column("out_vector", _VECTOR, "Timbre (19 numbers) and pitch classes (12) before its end; 0 of silence."),
        column("in_vector", _VECTOR, "The same after its start."),
        column("out_loudness", pa.float32(), "Of its last 50 ms, A-weighted decibels of full scale, at least -120."),
        column("in_loudness", pa.float32(), "Of its first 50 ms, likewise."),
    ]
)
"""One row a shot: what is heard in the quarter of a second before its end and after its start, as unit vectors."""


@dataclass(frozen=True)
class SoundConfig:
    """`model`: "cepstra" (needs nothing), or "hf:<folder>", an AST model whose vector takes the timbre's place."""

    model: str = "cepstra"

    def key_parts(self) -> dict[str, str]:
        """What stands for the model in the memo key: its weights, wherever their folder is."""
        return model_key(self.model)


@dataclass(frozen=True)
class Timbre:
    """What describes a timbre: the seconds at the cut that it hears, the width of its vectors, and itself."""

    seconds: float
    width: int
    of: Callable[[Sound], Array]


@amber_feature(
    version="2",
    schema=SOUND,
    kinds=("numpy",),
    checks=[
        increasing("index", blocking=False),
        no_nans("out_vector", blocking=False),
        no_nans("in_vector", blocking=False),
    ],
)
def sound(standard_encode: Media, unique_shots: Shots, config: SoundConfig) -> pa.Table:
    """Describe timbre, pitch and loudness of the last and the first moments of each shot; zero where all is silent."""
    describe = timbre_of(config.model)
    vectors: tuple[list[Array], list[Array]] = ([], [])
    loudness: tuple[list[float], list[float]] = ([], [])
    for shot in unique_shots:
        for at_end in (False, True):
            samples = end_sound(standard_encode, shot, at_end, max(NEAR, describe.seconds))
            vectors[at_end].append(np.round(vector(samples, at_end, describe), DECIMALS))
            loudness[at_end].append(round(decibels(nearest(samples, at_end, AT_CUT)), LOUDNESS_DECIMALS))
    index = [shot.index for shot in unique_shots]
    return pa.table([index, vectors[True], vectors[False], loudness[True], loudness[False]], schema=SOUND)


def vector(samples: Sound, at_end: bool, describe: Timbre) -> Array:
    """The unit vector of one end's sound, its timbre and its pitch, which counts as much where all is tonal.

    It is zero when the quarter of a second at the cut is silent.
    """
    near = nearest(samples, at_end, NEAR)
    if not is_heard(near):
        return np.zeros(describe.width + PITCH, np.float32)
    return unit(np.concatenate([describe.of(nearest(samples, at_end, describe.seconds)), chroma(near)]))


def timbre_of(model: str) -> Timbre:
    """What describes a timbre, as a model is configured; raises ModelMissing when it is not there."""
    if model == "cepstra":
        return Timbre(NEAR, TIMBRE, timbre)
    if model.startswith(HUGGING_FACE):
        encoder = load_audio(model.removeprefix(HUGGING_FACE))
        return Timbre(FOR_MODEL, encoder.width, encoder)
    raise ModelMissing(f"no model is named {model!r}: use 'cepstra', or 'hf:<folder>' for a transformers model")


def nearest(samples: Sound, at_end: bool, seconds: float) -> Sound:
    """Of samples before (`at_end`) or after a cut those that are nearest to it."""
    count = round(seconds * RATE)
    return samples[max(0, len(samples) - count) :] if at_end else samples[:count]


def end_sound(media: Media, shot: Shot, at_end: bool, seconds: float) -> Sound:
    """The samples at 16 kHz of the last or first `seconds` of a shot's usable frames; fewer where it has fewer.

    None are there of a title without sound.
    """
    if media.audio is None:
        return np.zeros(0, np.float32)
    start, end = shot.usable_start / media.rate, shot.usable_end / media.rate
    length = min(end - start, Fraction(seconds))
    return media.audio.samples(*((end - length, end) if at_end else (start, start + length)), RATE)
