"""Truth that lies beside the films: of rendered samples, and written by people."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mediaml_assets.errors import TruthRefused
from mediaml_assets.evaluation import takes
from mediaml_assets.evaluation.hand_labels import SUFFIX, read_labels, true_boundaries
from mediaml_assets.evaluation.truth import TitleTruth
from mediaml_assets.jasper.frame_map import FrameMap
from mediaml_assets.samples.render import truth_file
from mediaml_assets.samples.truth import Truth, load_truth, read_mark

COUNT_SLACK = 1  # pictures by which a file and its labels may differ in number: some readers lose the last one


@dataclass(frozen=True)
class LandedTitle:
    """A title as it lies in the landing folder: path relative to it, and bytes."""

    title: str
    path: str
    size: int


def rendered_truth(folders: Sequence[Path], landed: LandedTitle) -> Truth | None:
    """The truth that was rendered with a title's file; None where there is none.

    Raises:
        TruthRefused: there is one, but of another file of that name.
    """
    file = _first([truth_file(folder, landed.title) for folder in folders])
    if file is None:
        return None
    mark = read_mark(file)
    if mark is None or mark[2] != landed.size:
        raise TruthRefused(f"{file} was rendered with another {landed.path}; render the samples again")
    return load_truth(file)


def written_truth(folders: Sequence[Path], landed: LandedTitle, frame_map: FrameMap) -> TitleTruth | None:
    """What people wrote of a title, in frames of its standard encode; None where nobody did.

    Raises:
        TruthRefused: a file is not of its format, or is of another film.
    """
    cuts, repeated = (_first([f / f"{landed.path}{suffix}" for f in folders]) for suffix in (SUFFIX, takes.SUFFIX))
    frame = placing(frame_map)
    boundaries = None
    if cuts is not None:
        labels = read_labels(cuts)
        if labels.count and abs(labels.count - frame_map.picture_count) > COUNT_SLACK:
            raise TruthRefused(
                f"{cuts} labels {labels.count} pictures, but the title was made from {frame_map.picture_count}: "
                "another stream or another edit was labelled"
            )
        boundaries = true_boundaries(labels.rows, frame)
    true_takes = takes.read_takes(repeated, frame) if repeated is not None else None
    return None if boundaries is None and true_takes is None else TitleTruth(boundaries, true_takes)


def placing(frame_map: FrameMap) -> Callable[[int], int]:
    """Picture of the file -> frame of the standard encode that shows it, or the next one that is shown."""
    shown, last = frame_map.source_frame, frame_map.frame_count - 1
    return lambda picture: min(int(np.searchsorted(shown, picture)), last)


def _first(files: Sequence[Path]) -> Path | None:
    """The first of the files that is there."""
    return next((file for file in files if file.is_file()), None)
