"""Audio encoders of the transformers library, loaded from a local folder see `saved_model`.

The Audio Spectrogram Transformer (Gong, Chung & Glass, Interspeech 2021); its preparation is the library's own, which
needs numpy alone. Its vectors are reduced to 56 numbers by a fixed random projection: beside loudness, with which the
sound flavour multiplies them out, more would be too wide.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.measures.heard import RATE, Sound
from mediaml_assets.features.measures.random_projection import random_projection
from mediaml_assets.features.measures.unit import unit
from mediaml_assets.features.models.saved_model import saved_architecture, saved_model, understood

NUMBERS = 56
LOADED = {"ASTModel": "ASTModel", "ASTForAudioClassification": "ASTModel"}
"""Architecture named in config.json -> class that is loaded."""


class AudioEncoder:
    """A loaded model as a description of a stretch of sound; deterministic."""

    def __init__(self, model: Any, extractor: Any) -> None:
        self._model, self._extractor = model, extractor
        self.width = NUMBERS

    def __call__(self, samples: Sound) -> npt.NDArray[np.float32]:
        """The unit vector, float32 [56], of samples at 16 kHz."""
        import torch

        prepared = self._extractor(samples, sampling_rate=RATE, return_tensors="pt")
        with torch.inference_mode():
            found = self._model(prepared["input_values"]).pooler_output[0].numpy()
        return unit(found @ random_projection(len(found), NUMBERS))


def load_audio(folder: str) -> AudioEncoder:
    """Load the model in a folder; raises ModelMissing when it cannot be used."""
    path = Path(folder).expanduser()
    name = saved_architecture(path)
    if name not in LOADED:
        raise ModelMissing(f"{path} holds a {name}, which hears nothing; use one of {', '.join(LOADED)}")
    import transformers

    with understood(path / "preprocessor_config.json"):
        extractor = transformers.ASTFeatureExtractor.from_pretrained(path, local_files_only=True)
    if extractor.sampling_rate != RATE:
        raise ModelMissing(f"{path} hears {extractor.sampling_rate} samples a second, the standard encode has {RATE}")
    return AudioEncoder(saved_model(path, LOADED[name]), extractor)
