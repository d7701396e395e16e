"""PySceneDetect's detectors, for comparison: its own classes at their defaults, fed with a film's pictures.

PySceneDetect is optional (`pip install scenedetect-headless`); it knows cuts alone, so every boundary is one.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import Any

import cv2
import numpy as np

from mediaml_assets.errors import ModelMissing
from mediaml_assets.features.detectors.boundary import Boundary
from mediaml_assets.jasper.reading.media import Media

DETECTORS = {
    "adaptive": "AdaptiveDetector",
    "content": "ContentDetector",
    "hash": "HashDetector",
    "histogram": "HistogramDetector",
}
PACKAGES = ("scenedetect-headless", "scenedetect")


def load(name: str) -> Callable[[Media], list[Boundary]]:
    """The detector of that name; raises ModelMissing if there is none, or PySceneDetect is not installed."""
    if name not in DETECTORS:
        raise ModelMissing(f"PySceneDetect has no detector {name!r} here: use one of {', '.join(DETECTORS)}")
    version()
    kind = getattr(import_module("scenedetect.detectors"), DETECTORS[name])
    return lambda film: _boundaries(kind(), film)


def version() -> str:
    """The version of PySceneDetect that is installed; raises ModelMissing without one."""
    for package in PACKAGES:
        try:
            return installed_version(package)
        except PackageNotFoundError:
            continue
    raise ModelMissing(
        "PySceneDetect is not installed: pip install scenedetect-headless, or configure the detector 'tape'"
    )


def _boundaries(detector: Any, film: Media) -> list[Boundary]:
    """What PySceneDetect finds when it is fed as its own SceneManager would feed it."""
    common, manager = import_module("scenedetect.common"), import_module("scenedetect.scene_manager")
    factor = manager.compute_downscale_factor(film.width)
    size = max(1, round(film.width / factor)), max(1, round(film.height / factor))
    rate, found, place = float(film.rate), [], None
    for frame in film.video.sequential():
        place = common.FrameTimecode(frame.index, rate)
        picture = cv2.resize(frame.rgb(), size, interpolation=cv2.INTER_LINEAR)
        found += detector.process_frame(place, np.ascontiguousarray(picture[..., ::-1]))
    if place is not None:
        found += detector.post_process(place)
    cuts = sorted({int(one.frame_num) for one in found} - {0})
    count = film.frame_count
    inside = [Boundary("cut", at, at, at, 1.0) for at in cuts if at < count]
    return [Boundary("start", 0, 0, 0, 1.0), *inside, Boundary("end", count, count, count, 1.0)]
