"""Picture and video encoders of the transformers library, loaded from a local folder.

Only allow-listed architectures are loaded, see `saved_model`. The preparation of frames follows the model's
preprocessor_config.json with torch alone. torch and transformers are imported when a model is loaded.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.models.saved_model import saved_architecture, saved_model, understood
from mediaml_assets.jasper.reading.frame import Frame

if TYPE_CHECKING:
    import torch

RESAMPLE = {0: "nearest", 2: "bilinear", 3: "bicubic"}  # numbers of PIL's filters, as the configuration files hold them


@dataclass(frozen=True)
class Architecture:
    """How a model named in config.json is loaded and read."""

    loads: str
    """Class of transformers that is loaded: the vision half of a two-tower model."""
    output: str = "pooler_output"
    """Attribute of its answer that is the vector; "last_hidden_state" is averaged over tokens."""
    layout: str = "image"
    """"image": [n, 3, h, w]; "patches": flattened patches; "video": [n, frames, 3, h, w]."""


CLIP = Architecture("CLIPVisionModelWithProjection", "image_embeds")
SIGLIP = Architecture("SiglipVisionModel")
SIGLIP2 = Architecture("Siglip2VisionModel", layout="patches")
VIDEO_MAE = Architecture("VideoMAEModel", "last_hidden_state", "video")
ARCHITECTURES = {
    "CLIPModel": CLIP,
    "CLIPVisionModelWithProjection": CLIP,
    "CLIPVisionModel": Architecture("CLIPVisionModel"),
    "SiglipModel": SIGLIP,
    "SiglipVisionModel": SIGLIP,
    "Siglip2Model": SIGLIP2,
    "Siglip2VisionModel": SIGLIP2,
    "Dinov2Model": Architecture("Dinov2Model"),
    "Dinov2WithRegistersModel": Architecture("Dinov2WithRegistersModel"),
    "DINOv3ViTModel": Architecture("DINOv3ViTModel"),
    "ResNetModel": Architecture("ResNetModel"),
    "VideoMAEModel": VIDEO_MAE,
    "VideoMAEForPreTraining": VIDEO_MAE,
    "VideoMAEForVideoClassification": VIDEO_MAE,
}


@dataclass(frozen=True)
class Preparation:
    """What a model's preprocessor_config.json asks for. `size` and `crop` are (height, width)."""

    size: tuple[int, int] | None
    shortest_edge: int | None
    crop: tuple[int, int] | None
    resample: str
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def read(cls, path: Path) -> "Preparation":
        """Read the file; absent values are those of the library's defaults; raises ModelMissing."""
        with understood(path):
            return cls._from(json.loads(path.read_text()))

    @classmethod
    def _from(cls, values: dict[str, Any]) -> "Preparation":
        size = _lengths(values.get("size", 224), "max_size" in values)
        crop = _lengths(values["crop_size"]) if values.get("do_center_crop") and "crop_size" in values else None
        fixed = values.get("do_normalize", True)
        return cls(
            size=None if "shortest_edge" in size else (size["height"], size["width"]),
            shortest_edge=size.get("shortest_edge"),
            crop=(crop["height"], crop["width"]) if crop else None,
            resample=RESAMPLE.get(values.get("resample", 2), "bilinear"),
            scale=float(values.get("rescale_factor", 1 / 255)),
            mean=_of_channels(values.get("image_mean", (0.5,) * 3)) if fixed else (0.0,) * 3,
            std=_of_channels(values.get("image_std", (0.5,) * 3)) if fixed else (1.0,) * 3,
        )

    def __call__(self, pictures: "torch.Tensor") -> "torch.Tensor":
        """Resize, crop and normalise uint8 pictures [n, 3, h, w]: float32 [n, 3, height, width]."""
        import torch

        smooth = self.resample != "nearest"
        resized = torch.nn.functional.interpolate(
            pictures.float(), self._resized(*pictures.shape[-2:]), mode=self.resample, antialias=smooth
        ).clamp(0, 255)
        if self.crop:
            top, left = (resized.shape[-2] - self.crop[0]) // 2, (resized.shape[-1] - self.crop[1]) // 2
            resized = resized[..., top : top + self.crop[0], left : left + self.crop[1]]
        mean, std = (torch.tensor(three).view(3, 1, 1) for three in (self.mean, self.std))
        return (resized * self.scale - mean) / std

    def _resized(self, height: int, width: int) -> tuple[int, int]:
        if self.size:
            return self.size
        ratio = (self.shortest_edge or min(height, width)) / min(height, width)
        return round(height * ratio), round(width * ratio)


class TransformersEncoder:
    """A loaded model as an encoder of clips; deterministic (evaluation mode, no gradients)."""

    def __init__(self, model: Any, architecture: Architecture, prepare: Preparation) -> None:
        self._model = model
        self._architecture = architecture
        self._prepare = prepare
        self.clip_length = int(model.config.num_frames) if architecture.layout == "video" else 1

    def __call__(self, clips: Sequence[Sequence[Frame]], active: tuple[int, int, int, int]) -> npt.NDArray[np.float32]:
        """Unit vectors, float32 [len(clips), d]."""
        import torch

        x, y, width, height = active
        pictures = np.stack([frame.rgb()[y : y + height, x : x + width] for clip in clips for frame in clip])
        with torch.inference_mode():
            prepared = self._prepare(torch.from_numpy(pictures).permute(0, 3, 1, 2))
            answer = getattr(self._model(**self._arguments(prepared)), self._architecture.output)
            if self._architecture.output == "last_hidden_state":
                answer = answer.mean(dim=1)
            return np.asarray(torch.nn.functional.normalize(answer.flatten(1), dim=1).numpy(), np.float32)

    def _arguments(self, pictures: "torch.Tensor") -> "dict[str, torch.Tensor]":
        """The model's inputs from prepared pictures [n, 3, h, w]."""
        if self._architecture.layout == "video":
            return {"pixel_values": pictures.view(-1, self.clip_length, *pictures.shape[1:])}
        if self._architecture.layout == "patches":
            return _patches(pictures, int(self._model.config.patch_size))
        return {"pixel_values": pictures}


def load(folder: str) -> TransformersEncoder:
    """Load the model in a folder; raises ModelMissing with the reason when it cannot be used."""
    path = Path(folder).expanduser()
    architecture = architecture_of(path)
    model = saved_model(path, architecture.loads)
    return TransformersEncoder(model, architecture, Preparation.read(path / "preprocessor_config.json"))


def architecture_of(path: Path) -> Architecture:
    """How the picture or video encoder in a folder is loaded and read; raises ModelMissing when it is none."""
    name = saved_architecture(path)
    if name not in ARCHITECTURES:
        raise ModelMissing(f"{path} holds a {name}, which is not supported; use one of {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[name]


def width(folder: str) -> int:
    """How many numbers the vectors of the model in a folder have, known without its weights; raises ModelMissing."""
    path = Path(folder).expanduser()
    output = architecture_of(path).output
    import transformers

    with understood(path / "config.json"):
        config = transformers.AutoConfig.from_pretrained(path, local_files_only=True, trust_remote_code=False)
        picture = getattr(config, "vision_config", config)
        if output == "image_embeds":
            return int(picture.projection_dim)
        return int(picture.hidden_sizes[-1] if hasattr(picture, "hidden_sizes") else picture.hidden_size)


def _lengths(size: Any, shortest: bool = False) -> dict[str, int]:
    """A size in any of the forms that configuration files use: named edges, or a number for both or the shortest."""
    if isinstance(size, int):
        return {"shortest_edge": size} if shortest else {"height": size, "width": size}
    return {edge: int(n) for edge, n in size.items()}


def _of_channels(values: Any) -> tuple[float, ...]:
    """The three numbers of the three colours."""
    red, green, blue = values
    return float(red), float(green), float(blue)


def _patches(pictures: "torch.Tensor", edge: int) -> "dict[str, torch.Tensor]":
    """Pictures cut into patches of `edge` pixels, each flattened as height, width, channel."""
    import torch

    rows, columns = pictures.shape[-2] // edge, pictures.shape[-1] // edge
    cut = pictures[..., : rows * edge, : columns * edge].reshape(len(pictures), 3, rows, edge, columns, edge)
    flat = cut.permute(0, 2, 4, 3, 5, 1).reshape(len(pictures), rows * columns, edge * edge * 3)
    return {
        "pixel_values": flat,
        "pixel_attention_mask": torch.ones(flat.shape[:2], dtype=torch.int32),
        "spatial_shapes": torch.tensor([[rows, columns]] * len(flat)),
    }
