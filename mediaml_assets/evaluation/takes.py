"""Repeated takes: which were found, which were missed, and which shots were dropped that repeat none.

Labels that people write beside a film, `<file>.takes.csv`, one row a shot they are sure of:

    frame,of          a picture of the file, and one of the earlier shot that this one repeats
    3895,3744         the shot that holds picture 3895 is another take of the one that holds 3744
    4200,             the shot that holds 4200 repeats none
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mediaml_assets.errors import TruthRefused
from mediaml_assets.evaluation.boundaries import Range
from mediaml_assets.evaluation.truth import TrueTakes, found_shot
from mediaml_assets.features.shots import Shots

SUFFIX = ".takes.csv"


@dataclass(frozen=True)
class TakeCounts:
    """Of one title: repeats that were dropped, repeats that were kept, and shots of their own that were dropped.

    `missed` and `dropped` hold the true shots, as frames [start, end); `alone` is how many there are of their own.
    """

    found: int
    missed: tuple[Range, ...]
    dropped: tuple[Range, ...]
    alone: int


def take_counts(shots: Shots, kept: Shots, truth: TrueTakes) -> TakeCounts:
    """Compare the shots that were kept with what is true.

    Args:
        shots: all that were found.
        kept: those of `unique_shots`.
        truth: of the title.
    """
    indices = {shot.index for shot in kept}
    missed = tuple(shot for shot, _ in truth.repeats if found_shot(shots, shot) in indices)
    dropped = tuple(shot for shot in truth.alone if found_shot(shots, shot) not in indices)
    return TakeCounts(len(truth.repeats) - len(missed), missed, dropped, len(truth.alone))


def read_takes(file: Path, frame: Callable[[int], int] = int) -> TrueTakes:
    """The takes that people labelled.

    Args:
        file: `<film>.takes.csv`.
        frame: the frame of the standard encode that shows a picture of the file.

    Raises:
        TruthRefused: a row is not of that format; it names the file and the line.
    """
    repeats: list[tuple[Range, Range]] = []
    alone: list[Range] = []
    with file.open(encoding="utf-8", newline="") as text:
        lines = [(number, line) for number, line in enumerate(text, start=1) if line.strip() and line[0] != "#"]
    for (number, _), row in zip(lines[1:], csv.DictReader([line for _, line in lines]), strict=True):
        try:
            shot = _moment(frame, row["frame"])
            if row["of"]:
                repeats.append((shot, _moment(frame, row["of"])))
            else:
                alone.append(shot)
        except (KeyError, TypeError, ValueError) as problem:
            raise TruthRefused(f"{file}, line {number}: {problem!r}; write frame,of with picture numbers") from problem
    return TrueTakes(repeats, alone)


def _moment(frame: Callable[[int], int], text: str) -> Range:
    place = frame(int(text))
    return place, place + 1
