"""Silhouettes by an instance segmentation model of the transformers library, loaded from a local folder.

What stands in front is the people a model finds or, where there are none, the thing it is surest of for its size. The
preparation and the rules of loading are those of the other models.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.measures.silhouette_mask import COLUMNS, ROWS, Silhouette, reduced
from mediaml_assets.features.models.saved_model import saved_architecture, saved_model
from mediaml_assets.features.models.transformers_model import Preparation
from mediaml_assets.jasper.reading.frame import Frame

if TYPE_CHECKING:
    import torch

PERSON = "person"
LEAST_SCORE = 0.5  # of an instance that counts
COMPANY = 0.25  # a further person is at least this large, compared with the largest
LEAST_AREA = 0.005  # share of the picture
_THINGS = """person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant,
stop sign, parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, backpack, umbrella,
handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, skateboard,
surfboard, tennis racket, bottle, wine glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange, broccoli,
carrot, hot dog, pizza, donut, cake, chair, couch, potted plant, bed, dining table, toilet, tv, laptop, mouse, remote,
keyboard, cell phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase, scissors, teddy bear, hair drier,
toothbrush"""
THINGS = frozenset(" ".join(name.split()) for name in _THINGS.split(","))
"""The countable classes of COCO; of a model that has any of these, other classes (sky, wall) are none."""


@dataclass(frozen=True)
class Answer:
    """Names of what a model answers with: class scores [1, queries, classes + 1] and masks [1, queries, h, w]."""

    classes: str
    masks: str


ARCHITECTURES = {
    "Mask2FormerForUniversalSegmentation": Answer("class_queries_logits", "masks_queries_logits"),
    "MaskFormerForInstanceSegmentation": Answer("class_queries_logits", "masks_queries_logits"),
    "DetrForSegmentation": Answer("logits", "pred_masks"),
}


class SilhouetteModel:
    """A loaded model; deterministic (evaluation mode, no gradients)."""

    def __init__(self, model: Any, answer: Answer, prepare: Preparation) -> None:
        self._model, self._answer, self._prepare = model, answer, prepare
        self._things, self._people = thing_labels(model.config.id2label)

    def __call__(self, frame: Frame, active: tuple[int, int, int, int]) -> Silhouette:
        """The silhouette of a frame's active picture (x, y, width, height); empty when nothing was found."""
        import torch

        x, y, width, height = active
        picture = np.ascontiguousarray(frame.rgb()[y : y + height, x : x + width])
        with torch.inference_mode():
            answer = self._model(pixel_values=self._prepare(torch.from_numpy(picture).permute(2, 0, 1)[None]))
            classes, masks = (getattr(answer, name)[0] for name in (self._answer.classes, self._answer.masks))
            return self._chosen(classes.softmax(dim=-1)[:, :-1], masks.sigmoid() > 0.5)

    def _chosen(self, scores: "torch.Tensor", masks: "torch.Tensor") -> Silhouette:
        """The people, or the surest large thing, of class scores [q, classes] and masks, bool [q, h, w]."""
        best, label = (part.numpy() for part in scores.max(dim=-1))
        found = masks.numpy()
        areas = found.mean(axis=(1, 2))
        counts = (best >= LEAST_SCORE) & (areas >= LEAST_AREA)
        things, people = (counts & np.isin(label, list(wanted)) for wanted in (self._things, self._people))
        if people.any():
            kept = np.flatnonzero(people & (areas >= COMPANY * areas[people].max()))
        elif things.any():
            kept = np.array([np.argmax(np.where(things, best * np.sqrt(areas), -1))])
        else:
            return Silhouette(np.zeros((ROWS, COLUMNS), np.bool_), 0.0)
        sure = float(np.average(best[kept], weights=areas[kept]))
        return Silhouette(reduced(np.asarray(found[kept].any(axis=0))), sure)


def thing_labels(names: Mapping[int, str]) -> tuple[set[int], set[int]]:
    """The numbers of a model's classes that are things, and of those that are people.

    Every class is a thing for a model that knows none of `THINGS`.
    """
    things = {int(number) for number, name in names.items() if name.lower() in THINGS}
    people = {int(number) for number, name in names.items() if name.lower() == PERSON}
    return things or {int(number) for number in names}, people


def load(folder: str) -> SilhouetteModel:
    """Load the model in a folder; raises ModelMissing with the reason when it cannot be used."""
    path = Path(folder).expanduser()
    name = saved_architecture(path)
    if name not in ARCHITECTURES:
        raise ModelMissing(f"{path} holds a {name}, which outlines nothing; use one of {', '.join(ARCHITECTURES)}")
    try:
        model = saved_model(path, name)
    except ImportError as error:  # two of the architectures build their training loss with scipy
        raise ModelMissing(f"{path}: {str(error).strip()}; pip install 'mediaml-assets[masks]'") from error
    return SilhouetteModel(model, ARCHITECTURES[name], Preparation.read(path / "preprocessor_config.json"))
