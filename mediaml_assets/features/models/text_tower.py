"""The text half of a two-tower model: words as vectors that can be held against those of pictures.

CLIP (Radford et al., 2021) and SigLIP (Zhai et al., 2023) place a picture and words that describe it near one another.
The folder is the one that `transformers_model` reads the picture half from, with the tokenizer that belongs to it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.models.saved_model import saved_architecture, saved_model


@dataclass(frozen=True)
class Tower:
    """How the text half of a model named in config.json is loaded and read."""

    loads: str
    """Class of transformers that is loaded."""
    output: str
    """Attribute of its answer that is the vector."""
    padding: str | bool
    """How the tokenizer fills up: SigLIP was trained on texts of full length."""


TOWERS = {
    "CLIPModel": Tower("CLIPTextModelWithProjection", "text_embeds", True),
    "SiglipModel": Tower("SiglipTextModel", "pooler_output", "max_length"),
    "Siglip2Model": Tower("Siglip2TextModel", "pooler_output", "max_length"),
}


class TextTower:
    """A loaded text half; deterministic (evaluation mode, no gradients)."""

    def __init__(self, model: Any, tokenizer: Any, tower: Tower) -> None:
        self._model, self._tokenizer, self._tower = model, tokenizer, tower

    def __call__(self, text: str) -> npt.NDArray[np.float32]:
        """The unit vector, float32 [d], of a text; what is beyond the model's length is not read."""
        import torch

        length = self._model.config.max_position_embeddings
        tokens = self._tokenizer(
            [text], padding=self._tower.padding, truncation=True, max_length=length, return_tensors="pt"
        )
        known = {name: tokens[name] for name in ("input_ids", "attention_mask") if name in tokens}
        with torch.inference_mode():
            answer = getattr(self._model(**known), self._tower.output)
            return np.asarray(torch.nn.functional.normalize(answer, dim=1).numpy()[0], np.float32)


def load_text_tower(folder: str) -> TextTower:
    """Load the text half of the model in a folder; raises ModelMissing when it has none, or it cannot be used."""
    path = Path(folder).expanduser()
    name = saved_architecture(path)
    if name not in TOWERS:
        raise ModelMissing(f"{path} holds a {name}, which reads no words; use one of {', '.join(TOWERS)}")
    # without any of these the library makes a tokenizer that knows no word, and says nothing
    if not any((path / file).is_file() for file in ("tokenizer.json", "vocab.json", "spiece.model")):
        raise ModelMissing(f"{path} has no tokenizer; save the model's tokenizer there too")
    import transformers

    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(path, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError) as error:
        raise ModelMissing(
            f"{path} has no tokenizer that can be read ({str(error)[:300]}); save the model's tokenizer there too"
        ) from error
    return TextTower(saved_model(path, TOWERS[name].loads), tokenizer, TOWERS[name])
