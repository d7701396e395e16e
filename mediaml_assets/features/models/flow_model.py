"""Optical flow by the Perceiver IO model of the transformers library, loaded from a local folder.

Jaegle et al., "Perceiver IO: A General Architecture for Structured Inputs & Outputs", 2021, section 4.3. The model sees
3 x 3 neighbourhoods of two pictures at the size that it was trained on.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.measures.optical_flow import Flow
from mediaml_assets.features.models.saved_model import saved_architecture, saved_model
from mediaml_assets.jasper.reading.frame import Frame

ARCHITECTURE = "PerceiverForOpticalFlow"
PIXELS = 20.0  # a pixel at the trained size, in the model's answers: its authors scale flow down by it


class FlowModel:
    """A loaded model; deterministic (evaluation mode, no gradients)."""

    def __init__(self, model: Any) -> None:
        self._model = model
        height, width = model.config.train_size
        self._size = (int(height), int(width))

    def __call__(self, a: Frame, b: Frame, active: tuple[int, int, int, int], size: tuple[int, int]) -> Flow:
        """Where each place of `a`'s active picture is in `b`: float32 [height, width, 2] in pixels of `size`.

        Args:
            a: the earlier frame.
            b: the later one.
            active: x, y, width and height of the active picture.
            size: (width, height) of the answer.
        """
        import torch

        with torch.inference_mode():
            pair = torch.stack([self._patches(frame, active) for frame in (a, b)])[None]
            found = self._model(inputs=pair).logits[0].numpy() * PIXELS
        scale = np.array([size[0] / self._size[1], size[1] / self._size[0]], np.float32)
        return np.asarray(cv2.resize(found, size, interpolation=cv2.INTER_AREA) * scale, np.float32)

    def _patches(self, frame: Frame, active: tuple[int, int, int, int]) -> Any:
        """The 3 x 3 neighbourhoods of every pixel, in [-1, 1]: float32 [27, height, width], colour fastest."""
        import torch

        x, y, width, height = active
        picture = torch.from_numpy(np.ascontiguousarray(frame.rgb()[y : y + height, x : x + width]))
        small = torch.nn.functional.interpolate(
            picture.permute(2, 0, 1)[None].float(), self._size, mode="bilinear", antialias=True
        )
        around = torch.nn.functional.unfold(small / 127.5 - 1, kernel_size=3, padding=1)
        return around.view(3, 9, *self._size).transpose(0, 1).reshape(27, *self._size)


def load(folder: str) -> FlowModel:
    """Load the model in a folder; raises ModelMissing with the reason when it cannot be used."""
    path = Path(folder).expanduser()
    name = saved_architecture(path, prepared=False)
    if name != ARCHITECTURE:
        raise ModelMissing(f"{path} holds a {name}, which measures no flow; use a {ARCHITECTURE}")
    return FlowModel(saved_model(path, ARCHITECTURE))
