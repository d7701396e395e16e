"""The `scenes` feature: which shots of a title belong to one scene.

Overlapping links (A. Hanjalic, R. Lagendijk, J. Biemond, Automated High-Level Movie Segmentation for Advanced
Video-Retrieval Systems, IEEE CSVT 9(4), 1999): two shots that look alike and stand near each other belong to one scene,
and so does everything between them; a scene ends where no link crosses. Shots look alike when they share their colours
(the intersection of HSV histograms, as in Z. Rasheed, M. Shah, Scene Detection in Hollywood Movies and TV Shows, CVPR
2003) or a picture (`shot_embedding`). A fade through black always ends a scene.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mediaml_assets.amber.checks import at_least, in_range, increasing
from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.features.detectors.tape_signals import ActiveTape, active_tape
from mediaml_assets.features.joined_shots import JoinedShots
from mediaml_assets.features.shot_embedding import Embeddings, Vectors
from mediaml_assets.jasper.reading.media import Media

BINS = (12, 4, 4)  # of hue, saturation and value
LOOKS = 5  # frames of a shot whose colours are looked at

SCENES = pa.schema(
    [
        column("index", pa.int32(), "Of the shot, among those of `shots`."),
        column("scene", pa.int32(), "Number of its scene in the title, from 0; it grows with the shots."),
    ]
)
"""One row a shot."""


@dataclass(frozen=True)
class ScenesConfig:
    """When two shots belong to one scene; higher makes more scenes.

    Attributes:
        window: how many shots apart they may stand, at most.
        colours: share of their colours that they have in common, in [0, 1].
        likeness: or the cosine of their most similar moments, in [0, 1].
    """

    window: int = 6
    colours: float = 0.5
    likeness: float = 0.7


@dataclass(frozen=True)
class Scenes:
    """The scenes of a title's shots: `index` and `scene`, both int64 [n]."""

    columns: ClassVar[tuple[str, ...]] = ("index", "scene")

    index: npt.NDArray[np.int64]
    scene: npt.NDArray[np.int64]

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """Read a table of `SCENES`."""
        return cls(*(np.asarray(table.column(name).to_numpy(), np.int64) for name in cls.columns))

    @classmethod
    def from_value(cls, view: Any) -> Self:
        """Read a stored value of `scenes`."""
        return cls.from_table(view.table(columns=list(cls.columns)))


@amber_feature(
    version="1",
    schema=SCENES,
    kinds=("opencv",),
    checks=[at_least(1, blocking=False), increasing("index", blocking=False), in_range("scene", 0, None)],
)
def scenes(standard_encode: Media, shots: JoinedShots, shot_embedding: Embeddings, config: ScenesConfig) -> pa.Table:
    """Number the scenes of a title: runs of shots that are linked by looking alike."""
    colours = shot_colours(active_tape(standard_encode.tape, standard_encode.active), shots)
    begins = scene_starts(colours, shot_embedding.vectors, config)
    begins |= np.array([kind == "fade" for kind in shots.transitions])
    return pa.table([[shot.index for shot in shots], np.cumsum(begins) - begins[0]], schema=SCENES)


def scene_starts(colours: Vectors, pictures: Vectors, config: ScenesConfig) -> npt.NDArray[np.bool_]:
    """Which of n shots begin a scene, bool [n]: the first, and those that no link crosses to.

    Args:
        colours: float32 [n, k, bins], histograms of sum 1.
        pictures: float32 [n, m, d], unit vectors.
        config: when two shots are linked.
    """
    n = len(colours)
    crossed = np.zeros(n + 1, np.int64)  # links that begin to cross, less those that end, before each shot
    for apart in range(1, min(config.window, n - 1) + 1):
        together = zip(colours[:-apart], colours[apart:], strict=True)
        shared = [np.minimum(a[:, None], b[None]).sum(axis=2).max() for a, b in together]
        alike = np.einsum("nad,nbd->nab", pictures[:-apart], pictures[apart:], optimize=True).max(axis=(1, 2))
        linked = np.flatnonzero((np.array(shared) >= config.colours) | (alike >= config.likeness))
        np.add.at(crossed, linked + 1, 1)
        np.add.at(crossed, linked + apart + 1, -1)
    return np.asarray(np.cumsum(crossed)[:n] == 0)


def shot_colours(tape: ActiveTape, shots: JoinedShots) -> Vectors:
    """HSV histograms of `LOOKS` usable frames of each shot, float32 [n, LOOKS, 192], each of sum 1."""
    looks = [np.linspace(s.usable_start, s.usable_end - 1, LOOKS).round().astype(np.intp) for s in shots]
    return np.stack([[_histogram(tape, int(frame)) for frame in frames] for frames in looks])


def _histogram(tape: ActiveTape, frame: int) -> Vectors:
    """The colours of one frame."""
    red, blue = tape.v[frame], tape.u[frame]
    luma = cv2.resize(tape.y[frame], red.shape[::-1], interpolation=cv2.INTER_AREA)
    hsv = cv2.cvtColor(cv2.cvtColor(cv2.merge([luma, red, blue]), cv2.COLOR_YCrCb2BGR), cv2.COLOR_BGR2HSV)
    counts = cv2.calcHist([hsv], [0, 1, 2], None, list(BINS), [0, 180, 0, 256, 0, 256]).ravel()
    return np.asarray(counts / counts.sum(), np.float32)
