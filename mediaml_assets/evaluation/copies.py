"""Copies of footage in several titles: which of those that people wrote down share a group of near-duplicates.

Labels, `copies.csv` in a folder of truth, one row two shots that show the same footage:

    file,frame,of_file,of_frame       paths as in the landing folder, and a picture of each that the shot holds
    film.mp4,180,trailer.mp4,178
"""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from mediaml_assets.errors import TruthRefused

NAME = "copies.csv"

Place = tuple[str, int]
"""A title and the index of one of its shots."""


@dataclass(frozen=True)
class TrueCopy:
    """Two shots that show the same footage: a frame of the standard encode of each."""

    title1: str
    frame1: int
    title2: str
    frame2: int


@dataclass(frozen=True)
class FoundCopy(TrueCopy):
    """The same, and whether the two share a group."""

    found: bool


def read_copies(file: Path, titles: Mapping[str, tuple[str, Callable[[int], int]]]) -> list[TrueCopy]:
    """The copies that people labelled, those between titles that are there.

    Args:
        file: `copies.csv`.
        titles: path of a landed film to its title and to the frame of the standard encode that shows a picture.

    Raises:
        TruthRefused: a row is not of that format; it names the file and the line.
    """
    with file.open(encoding="utf-8", newline="") as text:
        lines = [(number, line) for number, line in enumerate(text, start=1) if line.strip() and line[0] != "#"]
    copies = []
    for (number, _), row in zip(lines[1:], csv.DictReader([line for _, line in lines]), strict=True):
        try:
            sides = [(row["file"], int(row["frame"])), (row["of_file"], int(row["of_frame"]))]
        except (KeyError, TypeError, ValueError) as problem:
            raise TruthRefused(f"{file}, line {number}: {problem!r}; write file,frame,of_file,of_frame") from problem
        if all(path in titles for path, _ in sides):
            (title1, place1), (title2, place2) = (titles[path] for path, _ in sides)
            copies.append(TrueCopy(title1, place1(sides[0][1]), title2, place2(sides[1][1])))
    return copies


def groups_of(shot_groups: pa.Table) -> dict[Place, set[int]]:
    """The groups that each shot in the rows of `shot_groups` belongs to: its own, and those of others it is like."""
    rows = shot_groups.to_pylist()
    own = {(row["title"], row["index"]): row["group"] for row in rows}
    groups: dict[Place, set[int]] = defaultdict(set)
    for row in rows:
        place = (row["title"], row["index"])
        others = zip(row["also_title"], row["also_index"], strict=True)
        groups[place] |= {own[place], *(own[other] for other in others if other in own)}
    return dict(groups)


def found_copies(
    copies: Iterable[TrueCopy], groups: Mapping[Place, set[int]], kept: Callable[[str, int], int]
) -> Sequence[FoundCopy]:
    """Whether the shots of each copy share a group.

    Args:
        copies: of people.
        groups: of `groups_of`.
        kept: title and frame to the index of the shot that holds it, or of the one that was kept in its place.
    """
    found = []
    for one in copies:
        sides = [groups.get((title, kept(title, frame)), set()) for title, frame in _sides(one)]
        found.append(FoundCopy(one.title1, one.frame1, one.title2, one.frame2, bool(sides[0] & sides[1])))
    return found


def kept_shot(shots: pa.Table, unique_shots: pa.Table, frame: int) -> int:
    """The index of the shot [start, end) that holds a frame, or of the one of `unique_shots` it was dropped for."""
    held = next(row["index"] for row in shots.to_pylist() if row["start"] <= frame < row["end"])
    for row in unique_shots.to_pylist():
        if held in row["duplicates"]:
            return int(row["index"])
    return int(held)


def _sides(one: TrueCopy) -> tuple[tuple[str, int], tuple[str, int]]:
    return (one.title1, one.frame1), (one.title2, one.frame2)
