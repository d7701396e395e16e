"""What a detector of shot boundaries is, and the one that a configuration names.

tape                       our own, from the frame tape (the default)
scenedetect:<name>         PySceneDetect's adaptive, content, hash or histogram detector
transnet:<file or folder>  a TransNetV2-style network, its weights from a local safetensors file
"""

from typing import Protocol

from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.detectors import scenedetect_adapter, transnet_weights
from mediaml_assets.features.detectors.boundary import Boundary
from mediaml_assets.features.detectors.tape_detector import from_tape
from mediaml_assets.jasper.reading.media import Media

TAPE, SCENEDETECT, TRANSNET = "tape", "scenedetect:", "transnet:"


class Detector(Protocol):
    """Finds every boundary of a film: deterministic, and the film's pictures are all that it depends on."""

    def __call__(self, film: Media, /) -> list[Boundary]:
        """Its boundaries in order: first the `start` at frame 0, last the `end` at the frame after the last.

        `start` and `end` say which frames there show no picture yet, or no more; each other one has its own frame.
        """


def named(name: str) -> Detector:
    """The detector of that name; raises ModelMissing when there is none, or it lacks what it needs."""
    if name == TAPE:
        return from_tape
    if name.startswith(SCENEDETECT):
        return scenedetect_adapter.load(name.removeprefix(SCENEDETECT))
    if name.startswith(TRANSNET):
        from mediaml_assets.features.detectors import transnet_detector

        return transnet_detector.load(name.removeprefix(TRANSNET))
    raise ModelMissing(
        f"no shot detector is named {name!r}: use '{TAPE}', '{SCENEDETECT}adaptive' or '{TRANSNET}<safetensors file>'"
    )


def key_part(name: str) -> str | None:
    """What stands for a detector in keys beside its name: its weights, or its library; None when the name says all."""
    if name.startswith(SCENEDETECT):
        return f"{name}@{scenedetect_adapter.version()}"
    if name.startswith(TRANSNET):
        return f"{TRANSNET}sha256:{transnet_weights.digest(name.removeprefix(TRANSNET))}"
    return None
