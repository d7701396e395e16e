"""Labels of shot boundaries that people wrote beside a film, `<file>.cuts.csv`.

    # n_frames=1440 mean_fps=24.0                 lines that begin with # are remarks; this one is read where it is
    type,start_frame,end_frame,start_s,end_s
    hard,285,285,11.875,11.875                    first frame of the new shot
    dissolve,762,797,31.75,33.2                   first and last frame touched; also fade_in, fade_out, fade_out_in
    ignore,11724,13941,488.5,580.9                nothing is scored inside

Frames are pictures of the file in the order shown, from 0.

Black is no shot. A fade to black and what follows it (a fade in, or a cut from black) are one boundary, which counts
anywhere from the first frame of the one to the last of the other; so are a cut to black and the fade in after it. A
fade in with nothing before it opens the film and a fade out with nothing after it closes it: these join no two shots,
so none is asked for there and none is wrong.
"""

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mediaml_assets.errors import TruthRefused
from mediaml_assets.evaluation.boundaries import Range, TrueBoundaries, cut_range, gradual_range

SUFFIX = ".cuts.csv"
_STREAM = re.compile(r"n_frames=(\d+)")
_KINDS = ("hard", "dissolve", "fade_in", "fade_out", "fade_out_in", "ignore")


@dataclass(frozen=True)
class Label:
    """One labelled row: the frames [start, end) of the file that it touches; a hard cut touches one."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class LabelFile:
    """The rows of a label file in order of frames; how many pictures were labelled, 0 where the file does not say."""

    rows: tuple[Label, ...]
    count: int


def read_labels(file: Path) -> LabelFile:
    """Read a label file.

    Raises:
        TruthRefused: a row is not of that format; it names the file and the line.
    """
    labels = []
    with file.open(encoding="utf-8", newline="") as text:
        rows = [(number, line) for number, line in enumerate(text, start=1) if line.strip() and line[0] != "#"]
    reader = csv.DictReader([line for _, line in rows])
    for (number, _), row in zip(rows[1:], reader, strict=True):
        try:
            label = Label(row["type"], int(row["start_frame"]), int(row["end_frame"]) + 1)
        except (KeyError, TypeError, ValueError) as problem:
            raise TruthRefused(f"{file}, line {number}: {problem!r}; write type,start_frame,end_frame") from problem
        if label.kind not in _KINDS or not 0 <= label.start < label.end:
            raise TruthRefused(f"{file}, line {number}: not a {', '.join(_KINDS)} over frames that follow each other")
        labels.append(label)
    said = _STREAM.search(file.read_text(encoding="utf-8"))
    return LabelFile(tuple(sorted(labels, key=lambda one: (one.start, one.end))), int(said[1]) if said else 0)


def true_boundaries(labels: Sequence[Label], frame: Callable[[int], int] = int) -> TrueBoundaries:
    """What the labels of a film say is true.

    Args:
        labels: in order of frames.
        frame: the frame of the standard encode that shows a picture of the file (or the next one that it shows).
    """
    moved = [Label(one.kind, frame(one.start), frame(one.end - 1) + 1) for one in labels]
    ignored = [(one.start, one.end) for one in moved if one.kind == "ignore"]
    shown = [one for one in moved if not any(start <= one.start and one.end <= end for start, end in ignored)]
    transitions: list[Range] = []
    gradual: list[Range] = []
    groups = _joined_over_black(shown)
    for place, group in enumerate(groups):
        if [one.kind for one in group] == ["hard"]:
            transitions.append(cut_range(group[0].start))
            continue
        gradual.append(gradual_range(group[0].start, group[-1].end))
        opens = place == 0 and group[0].kind == "fade_in"
        closes = place == len(groups) - 1 and group[-1].kind == "fade_out"
        (ignored if opens or closes else transitions).append(gradual[-1])
    cuts = [cut_range(one.start) for one in shown if one.kind == "hard"]
    return TrueBoundaries(cuts, transitions, gradual, ignored)


def _joined_over_black(labels: Sequence[Label]) -> list[list[Label]]:
    """Labels, those on both sides of one stretch of black together."""
    groups: list[list[Label]] = []
    for label in labels:
        before = [one.kind for one in groups[-1]] if groups else []
        if before == ["fade_out"] or (before == ["hard"] and label.kind == "fade_in"):
            groups[-1].append(label)
        else:
            groups.append([label])
    return groups
