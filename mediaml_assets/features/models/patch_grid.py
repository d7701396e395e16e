"""The patches of a transformers picture encoder as a coarse grid: what stands where, and not what is there in all.

A dense encoder gives a vector for each patch of the picture (DINOv2: Oquab et al., TMLR 2024). A picture's mean over
its patches is taken away, as it says what the picture is of; the rest is averaged over 8 x 5 cells, each cell reduced
by a fixed random projection to 20 numbers, and the whole scaled to length 1.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.measures.random_projection import random_projection
from mediaml_assets.features.models.saved_model import saved_model
from mediaml_assets.features.models.transformers_model import Preparation, architecture_of
from mediaml_assets.jasper.reading.frame import Frame

Array = npt.NDArray[np.float32]

ROWS, COLUMNS = 5, 8
NUMBERS = 20  # of each cell: 800 in all
LEADING = {
    "Dinov2Model": 1,
    "Dinov2WithRegistersModel": 1,
    "DINOv3ViTModel": 1,
    "SiglipVisionModel": 0,
    "CLIPVisionModel": 1,
}
"""Encoders that keep their patches row by row: class that is loaded -> tokens before them, without registers."""
PLAIN = {"CLIPVisionModelWithProjection": "CLIPVisionModel"}  # whose patches have no projection


class PatchGrid:
    """A loaded encoder as a description of one frame's layout; deterministic."""

    def __init__(self, model: Any, leading: int, prepare: Preparation) -> None:
        self._model, self._leading, self._prepare = model, leading, prepare

    def __call__(self, frame: Frame, active: tuple[int, int, int, int]) -> Array:
        """The unit vector, float32 [800], of a frame's active picture; zero where all patches are alike."""
        import torch

        x, y, width, height = active
        picture = frame.rgb()[y : y + height, x : x + width]
        with torch.inference_mode():
            prepared = self._prepare(torch.from_numpy(picture.copy())[None].permute(0, 3, 1, 2))
            tokens = self._model(pixel_values=prepared).last_hidden_state[0, self._leading :]
            edge = int(self._model.config.patch_size)
            rows, columns = prepared.shape[-2] // edge, prepared.shape[-1] // edge
            patches = tokens[: rows * columns].reshape(rows, columns, -1)
            patches = torch.nn.functional.normalize(patches, dim=-1)
            patches = (patches - patches.mean(dim=(0, 1))).permute(2, 0, 1)[None]
            grid = torch.nn.functional.adaptive_avg_pool2d(patches, (ROWS, COLUMNS))[0].permute(1, 2, 0).numpy()
        vector = (grid @ random_projection(grid.shape[-1], NUMBERS)).ravel()
        length = float(np.linalg.norm(vector))
        return np.asarray(vector / length if length > 1e-4 else np.zeros_like(vector), np.float32)


def load_grid(folder: str) -> PatchGrid:
    """Load the encoder in a folder; raises ModelMissing when it cannot be used or keeps no grid of patches."""
    path = Path(folder).expanduser()
    loads = architecture_of(path).loads
    loads = PLAIN.get(loads, loads)
    if loads not in LEADING:
        raise ModelMissing(f"{path} holds a {loads}, which has no grid of patches; use one of {', '.join(LEADING)}")
    model = saved_model(path, loads)
    leading = LEADING[loads] + int(getattr(model.config, "num_register_tokens", 0))
    return PatchGrid(model, leading, Preparation.read(path / "preprocessor_config.json"))
