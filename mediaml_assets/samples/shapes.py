"""Silhouettes of foreground figures, drawn from eight free values each.

A shape is drawn into a square whose side is its height; the same values give the same outline at any size.
"""

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from mediaml_assets.samples.plan import Place, Shape

Mask = npt.NDArray[np.uint8]
Point = tuple[float, float]


class Paper:
    """A square sheet on which outlines are filled in units of its side."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.mask: Mask = np.zeros((size, size), np.uint8)

    def polygon(self, points: Sequence[Point]) -> None:
        """Fill the polygon through the points."""
        ring = np.round(np.array(points, np.float64) * self.size * 16).astype(np.int32)
        cv2.fillPoly(self.mask, [ring], 255, cv2.LINE_AA, 4)

    def disc(self, x: float, y: float, radius: float, stretch: float = 1.0) -> None:
        """Fill an ellipse of half-height `radius` and half-width `radius * stretch`."""
        turn = np.linspace(0, 2 * math.pi, 48, endpoint=False)
        ring = zip(x + radius * stretch * np.cos(turn), y + radius * np.sin(turn), strict=True)
        self.polygon([(float(a), float(b)) for a, b in ring])

    def limb(self, start: Point, end: Point, width: float) -> None:
        """Fill a bar with round ends."""
        dx, dy = end[0] - start[0], end[1] - start[1]
        length = math.hypot(dx, dy) or 1e-6
        nx, ny = -dy / length * width / 2, dx / length * width / 2
        self.polygon(
            [
                (start[0] + nx, start[1] + ny),
                (end[0] + nx, end[1] + ny),
                (end[0] - nx, end[1] - ny),
                (start[0] - nx, start[1] - ny),
            ]
        )
        self.disc(*start, width / 2)
        self.disc(*end, width / 2)


def reach(start: Point, angle: float, length: float) -> Point:
    """The point `length` away from `start`; angle 0 points down, pi / 2 to the right."""
    return start[0] + length * math.sin(angle), start[1] + length * math.cos(angle)


def person(paper: Paper, v: Sequence[float]) -> None:
    """A standing figure: two jointed arms, two legs, a lean, and a build."""
    build, lean = 0.105 + 0.06 * v[0], (v[1] - 0.5) * 0.2
    neck, hip = (0.5 + lean, 0.24), (0.5, 0.58)
    paper.disc(0.5 + lean * 1.2, 0.115, 0.095, 0.85)
    paper.limb((neck[0], neck[1] + 0.05), hip, 2 * build)
    paper.limb(neck, (neck[0], neck[1] - 0.08), build)
    for side, upper, lower in ((-1, v[2], v[3]), (1, v[4], v[5])):
        shoulder = (neck[0] + side * build * 0.9, neck[1] + 0.03)
        elbow = reach(shoulder, side * (0.25 + 2.3 * upper), 0.17)
        paper.limb(shoulder, elbow, build * 0.85)
        paper.limb(elbow, reach(elbow, side * (0.1 + 2.8 * lower), 0.16), build * 0.75)
        spread = side * (0.08 + 0.45 * v[6 if side < 0 else 7])
        knee = reach((hip[0] + side * build * 0.5, hip[1]), spread, 0.21)
        paper.limb((hip[0] + side * build * 0.5, hip[1]), knee, build * 1.05)
        paper.limb(knee, reach(knee, spread * 0.3, 0.19), build * 0.9)


def animal(paper: Paper, v: Sequence[float]) -> None:
    """A four-legged animal in profile."""
    top, belly, half = 0.42 + 0.1 * v[0], 0.12 + 0.07 * v[1], 0.26 + 0.08 * v[2]
    side = 1 if v[3] < 0.5 else -1
    paper.disc(0.5, top + 0.06, belly, half / belly)
    for at, bend in ((-0.8, v[4]), (-0.55, 1 - v[4]), (0.55, v[5]), (0.8, 1 - v[5])):
        hip = (0.5 + at * half, top + 0.06)
        paper.limb(hip, reach(hip, (bend - 0.5) * 0.7, 0.9 - top - 0.08), 0.1)
    chest = (0.5 + side * half * 0.85, top)
    head = reach(chest, side * (1.9 + 0.9 * v[6]), 0.16 + 0.18 * v[7])
    paper.limb(chest, head, 0.13)
    paper.disc(head[0] + side * 0.05, head[1] + 0.02, 0.07, 1.5)


def vase(paper: Paper, v: Sequence[float]) -> None:
    """A vessel turned on a wheel: a smooth profile, mirrored."""
    heights = np.linspace(0.03, 0.97, 60)
    radius = np.interp(heights, np.linspace(0, 1, 7), [0.07 + 0.33 * x for x in v[:7]])
    radius = np.convolve(np.pad(radius, 5, mode="edge"), np.ones(11) / 11, "valid")
    right = [(0.5 + float(r), float(y)) for r, y in zip(radius, heights, strict=True)]
    paper.polygon(right + [(1 - x, y) for x, y in reversed(right)])


def boat(paper: Paper, v: Sequence[float]) -> None:
    """A sailing boat: hull, mast and two sails."""
    deck, half = 0.74 + 0.08 * v[0], 0.3 + 0.18 * v[1]
    paper.polygon([(0.5 - half, deck), (0.5 + half, deck), (0.5 + half * 0.65, 0.97), (0.5 - half * 0.7, 0.97)])
    mast = 0.4 + 0.2 * v[2]
    paper.limb((mast, 0.04), (mast, deck), 0.05)
    low = deck - 0.04
    paper.polygon([(mast, 0.05 + 0.3 * v[3]), (mast + 0.12 + 0.33 * v[4], low), (mast, low)])
    paper.polygon([(mast, 0.05 + 0.3 * v[5]), (mast - 0.1 - 0.3 * v[6], low), (mast, low)])


def tree(paper: Paper, v: Sequence[float]) -> None:
    """A trunk under a crown of five discs."""
    foot = 0.5 + 0.2 * (v[0] - 0.5)
    paper.limb((foot, 0.96), (0.5, 0.4), 0.1 + 0.05 * v[1])
    for i in range(5):
        turn = i * 1.26 + v[2] * 6.3
        far = 0.05 + 0.17 * v[3 + i]
        paper.disc(0.5 + 1.2 * far * math.cos(turn), 0.3 + far * math.sin(turn), 0.1 + 0.1 * v[7 - i])


def star(paper: Paper, v: Sequence[float]) -> None:
    """A lobed leaf or star of three to seven points."""
    lobes = 3 + int(v[0] * 5)
    turn = np.linspace(0, 2 * math.pi, 180, endpoint=False)
    wave = np.cos(lobes * turn + 6.3 * v[1])
    radius = 0.33 + (0.08 + 0.1 * v[2]) * wave + 0.05 * v[3] * np.cos(2 * turn + 6.3 * v[4])
    wide = 0.6 + 0.6 * v[5]
    x, y = 0.5 + wide * radius * np.cos(turn), 0.5 + radius * np.sin(turn)
    paper.polygon([(float(a), float(b)) for a, b in zip(x, y, strict=True)])


def tower(paper: Paper, v: Sequence[float]) -> None:
    """A tower of three storeys with a roof and a wing on one side."""
    base, mid, top = 0.14 + 0.2 * v[0], 0.1 + 0.14 * v[1], 0.07 + 0.14 * v[2]
    for half, y0, y1 in ((base, 0.66, 0.97), (mid, 0.38, 0.68), (top, 0.2, 0.4)):
        paper.polygon([(0.5 - half, y0), (0.5 + half, y0), (0.5 + half, y1), (0.5 - half, y1)])
    paper.polygon([(0.5 - top - 0.06, 0.21), (0.5 + top + 0.06, 0.21), (0.35 + 0.3 * v[3], 0.03)])
    edge = 0.5 + (base if v[4] < 0.5 else -base)
    out = edge + (0.08 + 0.12 * v[5]) * (1 if v[4] < 0.5 else -1)
    high = 0.5 + 0.3 * v[6]
    paper.polygon([(0.5, high), (out, high + 0.1 * v[7]), (out, 0.97), (0.5, 0.97)])


def bird(paper: Paper, v: Sequence[float]) -> None:
    """A bird with spread wings, seen from the front."""
    paper.disc(0.5, 0.55, 0.17 + 0.12 * v[0], 0.55 + 0.3 * v[1])
    paper.disc(0.5, 0.3, 0.09 + 0.04 * v[2])
    for side, lift, span in ((-1, v[3], v[4]), (1, v[5], v[6])):
        tip = (0.5 + side * (0.28 + 0.2 * span), 0.75 - 0.65 * lift)
        paper.polygon([(0.5, 0.42), tip, (0.5 + side * 0.25, 0.68 - 0.2 * lift), (0.5, 0.7)])
    paper.polygon([(0.46, 0.65), (0.54, 0.65), (0.6 + 0.1 * v[7], 0.95), (0.4 - 0.1 * v[7], 0.95)])


def umbrella(paper: Paper, v: Sequence[float]) -> None:
    """A dome on a stem, like an umbrella, a lamp or a mushroom."""
    half, rise, rim = 0.25 + 0.22 * v[0], 0.18 + 0.22 * v[1], 0.38 + 0.12 * v[2]
    turn = np.linspace(math.pi, 2 * math.pi, 40)
    paper.polygon([(float(0.5 + half * math.cos(t)), float(rim + rise * math.sin(t))) for t in turn])
    foot = 0.4 + 0.2 * v[3]
    paper.limb((0.5, rim - 0.05), (foot, 0.93), 0.08 + 0.1 * v[4])
    paper.disc(foot, 0.92, 0.04 + 0.02 * v[5], 1.5 + 3.5 * v[6])


def jug(paper: Paper, v: Sequence[float]) -> None:
    """A round pot with a spout, a handle and a lid."""
    radius, low = 0.2 + 0.1 * v[0], 0.66
    side = 1 if v[1] < 0.5 else -1
    paper.disc(0.5, low, radius, 0.9 + 0.35 * v[2])
    paper.limb((0.5, low), (0.5, 0.25 + 0.2 * v[3]), 0.12 + 0.16 * v[4])
    paper.limb((0.5, low), (0.5 + side * 0.42, 0.3 + 0.3 * v[5]), 0.1)
    paper.disc(0.5, 0.2 + 0.2 * v[3], 0.05 + 0.05 * v[6], 2)
    paper.limb((0.5 - side * radius, low - 0.1), (0.5 - side * 0.42, low - 0.05 + 0.15 * v[7]), 0.08)


KINDS: dict[str, Callable[[Paper, Sequence[float]], None]] = {
    "person": person,
    "animal": animal,
    "vase": vase,
    "boat": boat,
    "tree": tree,
    "star": star,
    "tower": tower,
    "bird": bird,
    "umbrella": umbrella,
    "jug": jug,
}


def mask(shape: Shape, size: int) -> Mask:
    """The silhouette as uint8 [size, size], 0 outside and 255 inside, with soft edges."""
    paper = Paper(size)
    KINDS[shape.kind](paper, shape.values)
    return paper.mask


def placing(row: Sequence[float], side: int, to_pixels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The matrix, float64 [3, 3], from pixels of a silhouette of `side` pixels to pixels of the picture.

    `row` is x, y, height (picture widths from the middle) and lean; `to_pixels` leads from there to pixels.
    """
    x, y, high, lean = row
    c, s = math.cos(lean) * high / side, math.sin(lean) * high / side
    turn = np.array([[c, -s, x], [s, c, y], [0, 0, 1]], np.float64)
    centre = np.array([[1, 0, -side / 2], [0, 1, -side / 2], [0, 0, 1]], np.float64)
    return np.asarray(to_pixels @ turn @ centre, np.float64)


def pixels(width: int, height: int, aspect: float) -> npt.NDArray[np.float64]:
    """The matrix, float64 [3, 3], from picture widths about the middle to pixels; `aspect`: height over width."""
    return np.array([[width, 0, width / 2], [0, height / aspect, height / 2], [0, 0, 1]], np.float64)


def standing(shape: Shape, place: Place, width: int, height: int, aspect: float) -> Mask:
    """The silhouette at its place in a picture, uint8 [height, width]."""
    row = (place.x, place.y, place.height * aspect, place.lean)
    outline = mask(shape, max(16, round(place.height * height)))
    return np.asarray(
        cv2.warpAffine(outline, placing(row, len(outline), pixels(width, height, aspect))[:2], (width, height))
    )
