"""Encoders of queries: texts and pictures as vectors like those of the shots, by the feature's own model."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mediaml_assets.errors import BadInput, ModelMissing
from mediaml_assets.features.artwork_embedding import picture_vector
from mediaml_assets.features.models.saved_model import HUGGING_FACE
from mediaml_assets.features.models.text_tower import TextTower, load_text_tower
from mediaml_assets.features.shot_embedding import Encoder, Vectors, encoder
from mediaml_assets.jasper.delivered.isolated import isolated
from mediaml_assets.jasper.pictures.artwork import Picture
from mediaml_assets.jasper.pictures.standardize import write_picture


class ShotEncoder:
    """Makes vectors that can be held against those of `shot_embedding`; a model is loaded when it is first needed.

    Args:
        model: as the feature is configured: "descriptor", or "hf:<folder>".
    """

    def __init__(self, model: str) -> None:
        self._model = model

    def vectors(self, to: Mapping[str, Any]) -> Vectors:
        """The unit vector, float32 [d], of {"text": words} or of {"image": bytes of a picture file}.

        A picture is read in a process of its own, under bounds, as artwork that was delivered.

        Raises:
            BadInput: the bytes are no picture, or the model reads no words.
            ModelMissing: the model is not there.
        """
        return self._words(str(to["text"])) if "text" in to else self._picture(bytes(to["image"]))

    @cached_property
    def _pictures(self) -> Encoder:
        return encoder(self._model)

    @cached_property
    def _texts(self) -> TextTower:
        return load_text_tower(self._model.removeprefix(HUGGING_FACE))

    def _words(self, text: str) -> Vectors:
        if not self._model.startswith(HUGGING_FACE):
            raise BadInput(
                f"shots are described by the {self._model}, which knows no words: search by a picture or a shot, or "
                'set [features.shot_embedding] model = "hf:<folder of a CLIP or SigLIP model>" in mediaml.toml'
            )
        try:
            return self._texts(text)
        except ModelMissing as missing:
            raise BadInput(f"shots cannot be searched by words: {missing}") from missing

    def _picture(self, content: bytes) -> Vectors:
        with TemporaryDirectory(prefix="mediaml-") as folder:
            given, made = Path(folder) / "picture", Path(folder) / "picture.png"
            given.write_bytes(content)
            isolated(write_picture, given, made)
            return picture_vector(self._pictures, Picture(0, made))
