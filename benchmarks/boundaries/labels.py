"""What is true of a film's shot boundaries: labels as `<film>.cuts.csv` holds them.

# n_frames=1252 mean_fps=24.0000    of the stream whose frames are numbered
type,start_frame,end_frame,...     lines that begin with # are remarks
hard,226,226                       first frame of the new shot
dissolve,118,150                   first and last frame that the transition touches; likewise every other type
ignore,1085,1164                   nothing is scored from the first of these frames to the last
"""

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Label:
    """A true boundary: frames [start, end) are touched by the transition; a cut's only frame is the new shot's first.

    `kind` is hard, or whatever gradual transition the file names.
    """

    kind: str
    start: int
    end: int

    @property
    def is_hard(self) -> bool:
        """Whether it is a cut."""
        return self.kind == "hard"


@dataclass(frozen=True)
class Labels:
    """A film's labels in order, and the frame ranges [start, end) in which nothing is scored."""

    every: tuple[Label, ...]
    ignored: tuple[tuple[int, int], ...] = ()
    frames: int | None = None
    """How many the labelled stream has, where the file says so."""

    def moved(self, place: Callable[[int], int]) -> "Labels":
        """The same with every frame number put through `place`."""
        return Labels(
            tuple(Label(one.kind, place(one.start), place(one.end - 1) + 1) for one in self.every),
            tuple((place(start), place(end - 1) + 1) for start, end in self.ignored),
        )


def beside(film: Path) -> Path:
    """The file that holds a film's labels."""
    return film.with_name(f"{film.name}.cuts.csv")


def read(path: Path) -> Labels:
    """Read a file of labels; raises KeyError or ValueError if it is none."""
    said = re.search(r"n_frames=(\d+)", path.read_text())
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    rows = [Label(row["type"], int(row["start_frame"]), int(row["end_frame"]) + 1) for row in csv.DictReader(lines)]
    scored = sorted((row for row in rows if row.kind != "ignore"), key=lambda row: row.start)
    ignored = tuple((row.start, row.end) for row in rows if row.kind == "ignore")
    return Labels(tuple(scored), ignored, int(said[1]) if said else None)
