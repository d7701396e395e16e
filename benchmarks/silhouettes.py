"""How well silhouettes without a model outline drawn figures, whose true outlines are known.

Two sets, both drawn with their grain, not encoded, and held against the true mask at 32 x 18. `titles`: every end of
every shot of the sample titles; their figures were cast so that they show. `hard`: figures of any kind, size, place
and paint before scenery of any family, nothing screened; camera and figure each stand still in half of them.

titles_iou        mean overlap of outlines with the truth (a wrong outline counts as it is).
iou, iou_median   the same over the hard set, and the median.
iou_still         its mean where neither the camera nor the figure moves.
over_half         share of the hard set with an overlap over 0.5.
kept, iou_kept    share of the hard set whose outline is sure enough to be stored, and the mean overlap of those.
wrong_kept        share of stored outlines with an overlap under 0.3: what would match by mistake.
nothing_kept      share of ends of the titles without any figure whose outline is stored all the same.
ends, empty_ends  how many ends of the titles there are with a figure of a sensible size, and with none.
cpu_ms            CPU time of one outline.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.harness import Target
from mediaml_assets.features.measures.silhouette_mask import COLUMNS, GAPS, ROWS, Mask, silhouette_mask
from mediaml_assets.features.silhouette import LEAST_CONFIDENCE
from mediaml_assets.jasper.reading.frame import Frame
from mediaml_assets.samples import casting, planting, script
from mediaml_assets.samples.plan import STILL, Camera, Figure, Light, Move, Picture, ShotPlan, Span, TitlePlan
from mediaml_assets.samples.scenes import Planar, Projector, Stage
from mediaml_assets.samples.textures import FAMILIES

TARGETS: dict[str, Target] = {"titles_iou": (">=", 0.85), "iou": (">=", 0.64), "wrong_kept": ("<=", 0.05)}

WIDTH, HEIGHT = 640, 360
ASPECT = HEIGHT / WIDTH
RATE = 25.0
WHOLE = (0, 0, WIDTH, HEIGHT)
SENSIBLE = (0.03, 0.6)  # shares of the picture that a figure covers
HARD = 96
PAN, SWAY = 0.25, 0.05  # picture widths a second of the camera, and picture widths of the figure, where they move


@dataclass(frozen=True)
class Drawn:
    """A drawn frame with what silhouettes read of a `Frame`: its planes, uint8."""

    index: int
    y: npt.NDArray[np.uint8]
    u: npt.NDArray[np.uint8]
    v: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, index: int, planar: Planar) -> "Drawn":
        """From a planar picture [360 * 3 / 2, 640]."""
        chroma = planar[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
        return cls(index, planar[:HEIGHT], chroma[0], chroma[1])


@dataclass(frozen=True)
class End:
    """The frames at one end of a shot, nearest to the cut first, and where its figure is; None without one."""

    frames: Sequence[Drawn]
    truth: Mask | None
    still: bool = False


@dataclass(frozen=True)
class Outlined:
    """How an outline fared: its overlap with the truth (NaN without a figure), whether it is stored, CPU seconds."""

    overlap: float
    kept: bool
    still: bool
    cpu: float


def run(seed: int) -> dict[str, float]:
    """Outline both sets of a seed."""
    seen = [outlined(end) for title in script.write(seed).titles for end in ends(title)]
    hard = [outlined(end) for end in hard_ends(seed)]
    titles = [one for one in seen if not np.isnan(one.overlap)]
    nothing = [one for one in seen if np.isnan(one.overlap)]
    return figures(titles, nothing, hard)


def outlined(end: End) -> Outlined:
    """Outline one end."""
    started = time.process_time()
    found = silhouette_mask(cast(Sequence[Frame], end.frames), WHOLE)
    cpu = time.process_time() - started
    over = float("nan") if end.truth is None else overlap(found.mask, end.truth)
    return Outlined(over, found.confidence >= LEAST_CONFIDENCE, end.still, cpu)


def figures(titles: Sequence[Outlined], nothing: Sequence[Outlined], hard: Sequence[Outlined]) -> dict[str, float]:
    """Every figure."""
    overlaps = np.array([one.overlap for one in hard])
    kept = np.array([one.overlap for one in hard if one.kept])
    return {
        "titles_iou": float(np.mean([one.overlap for one in titles])),
        "iou": float(overlaps.mean()),
        "iou_median": float(np.median(overlaps)),
        "iou_still": float(np.mean([one.overlap for one in hard if one.still])),
        "over_half": float((overlaps > 0.5).mean()),
        "kept": len(kept) / len(hard),
        "iou_kept": float(kept.mean()) if len(kept) else float("nan"),
        "wrong_kept": float((kept < 0.3).mean()) if len(kept) else float("nan"),
        "nothing_kept": float(np.mean([one.kept for one in nothing])),
        "ends": len(titles),
        "empty_ends": len(nothing),
        "cpu_ms": 1000 * float(np.mean([one.cpu for one in (*titles, *nothing, *hard)])),
    }


def hard_ends(seed: int) -> Iterator[End]:
    """Figures that nobody screened, `HARD` of them."""
    for number in range(HARD):
        rng = np.random.default_rng([seed, 77, number])
        pans, sways = number % 2 == 1, number % 4 >= 2
        stage = hard_stage(rng, PAN if pans else 0.0, SWAY if sways else 0.0)
        covered = stage.figure_mask(0).astype(np.float32) / 255
        grain = rng.normal(0, 2, (HEIGHT, WIDTH)).astype(np.float32)
        frames = []
        for k in range(max(GAPS) + 1):
            planar = stage.planar(k)
            planar[:HEIGHT] = np.clip(planar[:HEIGHT] + np.roll(grain, 31 * k, axis=(0, 1)), 0, 255)
            frames.append(Drawn.of(k, planar))
        yield End(frames, reduced(covered), not pans and not sways)


def hard_stage(rng: np.random.Generator, pan: float, sway: float) -> Stage:
    """A shot of one figure before scenery; the camera pans and the figure sways as fast as said, each some way."""
    family = list(FAMILIES)[int(rng.integers(len(FAMILIES)))]
    colours = casting.palette(rng, ("dark", "middle", "bright")[int(rng.integers(3))])
    paint = casting.look(rng, colours)
    turn = 2 * np.pi * rng.random()
    move = Move(float(pan * np.cos(turn)), float(pan * np.sin(turn)))
    place = planting.any_place(rng)
    while not SENSIBLE[0] <= 0.35 * place.height**2 * ASPECT <= SENSIBLE[1]:
        place = planting.any_place(rng)
    figure = Figure(planting.random_shape(rng), paint, place, place, (9.0, 0.0), sway, 1.0, float(turn * 3))
    nothing = Span(0.0, 0.0)
    camera = Camera(move, move, STILL, nothing, 0.0, nothing, (0.0, 0.0), 1.0, 0)
    frames = max(GAPS) + 1
    picture = Picture(family, int(rng.integers(2**31)), colours)
    shot = ShotPlan(0, 0, frames, 0, frames, camera, picture, figure, Light(1.0, 1.0, nothing, 0.0), None)
    return Stage(shot, WIDTH, HEIGHT, ASPECT, RATE)


def overlap(a: Mask, b: Mask) -> float:
    """Intersection over union of two masks."""
    return float((a & b).sum() / max((a | b).sum(), 1))


def ends(title: TitlePlan) -> Iterator[End]:
    """Both ends of every shot: without a figure, or with one of a sensible size."""
    projector = Projector(title, WIDTH, HEIGHT)
    for shot in title.shots:
        stage = Stage(shot, WIDTH, HEIGHT, title.geometry.aspect, float(title.rate))
        for numbers in windows(title, shot):
            covered = stage.figure_mask(numbers[0] - shot.first).astype(np.float32) / 255
            share = float(covered.mean())
            if 0 < share < SENSIBLE[0] or share > SENSIBLE[1]:
                continue
            drawn = {number: Drawn.of(number, projector.frame(number)) for number in sorted(numbers)}
            yield End([drawn[number] for number in numbers], reduced(covered) if share else None)


def reduced(covered: npt.NDArray[np.floating[Any]]) -> Mask:
    """A mask [360, 640] in [0, 1] at 32 x 18."""
    return np.asarray(cv2.resize(covered, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA) > 0.5)


def windows(title: TitlePlan, shot: ShotPlan) -> list[list[int]]:
    """Frames at the head and the tail of a shot that no join touches, the one nearest to the cut first."""
    first, last = shot.start, shot.end
    for join in title.joins[max(0, shot.index - 1) : shot.index + 1]:
        if join.kind == "cut":
            continue
        if join.boundary == shot.start:
            first = join.end
        else:
            last = join.start
    length = max(GAPS) + 1
    return [list(range(first, min(last, first + length))), list(range(last - 1, max(first, last - length) - 1, -1))]
