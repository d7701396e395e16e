"""The ground truth of a rendered title: what a detector, a duplicate finder and a match cutter should have found.

All ranges are half-open, in frames of the title's nominal constant rate, counted from 0. The boundary of a dissolve or
a fade is its middle frame. The first shot starts at 0 and the last ends at `frame_count`.
"""

import json
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from mediaml_assets.samples.plan import TitlePlan


@dataclass(frozen=True)
class TrueShot:
    """A shot: the frames [start, end)."""

    index: int
    start: int
    end: int


@dataclass(frozen=True)
class TrueTransition:
    """How two shots meet: `cut`, `dissolve` or `fade` over the frames [start, end); a cut touches one."""

    kind: str
    start: int
    end: int

    @property
    def boundary(self) -> int:
        """The first frame of the new shot."""
        return self.start if self.kind == "cut" else (self.start + self.end) // 2


@dataclass(frozen=True)
class TrueTake:
    """Shot `shot` is another take of the earlier shot `of` of the same title."""

    shot: int
    of: int


@dataclass(frozen=True)
class TruePlant:
    """A planted match cut of a flavour: from the tail of (title1, shot1) to the head of (title2, shot2)."""

    flavour: str
    title1: str
    shot1: int
    title2: str
    shot2: int
    code: str


@dataclass(frozen=True)
class TrueDecoy:
    """The `end` (head or tail) of a shot that looks like a planted one but differs in what counts."""

    flavour: str
    shot: int
    end: str
    differs: str
    code: str


@dataclass(frozen=True)
class TrueDisplay:
    """How the picture is to be shown: size in square pixels, the active picture (x, y, width, height) in it, the turn.

    `rotation` is the clockwise turn in degrees that the file asks a player to make.
    """

    width: int
    height: int
    active: tuple[int, int, int, int]
    rotation: int


@dataclass(frozen=True)
class Truth:
    """All that is true of one title; `left_out` are frames that a variable-rate file lacks."""

    title: str
    file: str
    seed: int
    rate: Fraction
    frame_count: int
    display: TrueDisplay
    left_out: tuple[int, ...]
    shots: tuple[TrueShot, ...]
    transitions: tuple[TrueTransition, ...]
    flashes: tuple[tuple[int, int], ...]
    takes: tuple[TrueTake, ...]
    plants: tuple[TruePlant, ...]
    decoys: tuple[TrueDecoy, ...]


def of_plan(plan: TitlePlan, seed: int) -> Truth:
    """The truth of a plan of the catalogue with that seed."""
    shape = plan.geometry
    width = round(shape.width * float(shape.sample_aspect))
    return Truth(
        title=plan.title,
        file=plan.file,
        seed=seed,
        rate=plan.rate,
        frame_count=plan.frame_count,
        display=TrueDisplay(width, shape.height, (0, shape.bar, width, shape.active_height), shape.rotation),
        left_out=plan.left_out,
        shots=tuple(TrueShot(s.index, s.start, s.end) for s in plan.shots),
        transitions=tuple(TrueTransition(j.kind, j.start, j.end) for j in plan.joins),
        flashes=tuple((f.start, f.end) for f in plan.flashes),
        takes=tuple(TrueTake(s.index, s.take_of) for s in plan.shots if s.take_of is not None),
        plants=tuple(TruePlant(p.flavour, p.title1, p.shot1, p.title2, p.shot2, p.code) for p in plan.plants),
        decoys=tuple(TrueDecoy(d.flavour, d.shot, d.end, d.differs, d.code) for d in plan.decoys),
    )


def to_json(truth: Truth, renderer: str, size: int) -> str:
    """The truth as JSON, with the version of the renderer and the size of the media file in bytes: the mark."""
    rate = f"{truth.rate.numerator}/{truth.rate.denominator}"
    return json.dumps({**asdict(truth), "rate": rate, "renderer": renderer, "size": size}, indent=1)


def load_truth(file: Path) -> Truth:
    """Read the truth of one title from its JSON file.

    Raises:
        OSError: there is no such file.
        ValueError: it is not JSON (json.JSONDecodeError), or not a truth.
    """
    data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    try:
        display = data["display"]
        return Truth(
            title=data["title"],
            file=data["file"],
            seed=data["seed"],
            rate=Fraction(data["rate"]),
            frame_count=data["frame_count"],
            display=TrueDisplay(**{**display, "active": tuple(display["active"])}),
            left_out=tuple(data["left_out"]),
            shots=tuple(TrueShot(**s) for s in data["shots"]),
            transitions=tuple(TrueTransition(**t) for t in data["transitions"]),
            flashes=tuple((int(start), int(end)) for start, end in data["flashes"]),
            takes=tuple(TrueTake(**t) for t in data["takes"]),
            plants=tuple(TruePlant(**p) for p in data["plants"]),
            decoys=tuple(TrueDecoy(**d) for d in data["decoys"]),
        )
    except (KeyError, TypeError) as problem:
        raise ValueError(
            f"{file} is not the truth of a sample title ({problem!r}): render the samples again"
        ) from problem


def read_mark(file: Path) -> tuple[int, str, int] | None:
    """Seed, renderer and size in bytes that a truth file says its media file was finished with; None without one."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return int(data["seed"]), str(data["renderer"]), int(data["size"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
