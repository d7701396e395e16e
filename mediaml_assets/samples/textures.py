"""Painting: a scenery from a palette, and the patterns that cover figures.

Every painter draws in fractions of the sheet, so the same picture can be painted small (to plan with) or large (to
film). The random numbers it draws never depend on the size.
"""

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from mediaml_assets.samples.plan import Look, Picture

Image = npt.NDArray[np.uint8]
Field = npt.NDArray[np.float32]
Colour = tuple[int, int, int]


def noise(rng: np.random.Generator, width: int, height: int, cells: float, octaves: int = 4) -> Field:
    """Value noise in about [0, 1], float32 [height, width]; `cells` patches across the width in the coarsest octave."""
    total = np.zeros((height, width), np.float32)
    weight, norm = 1.0, 0.0
    for octave in range(octaves):
        columns = max(2, round(cells * 2**octave))
        grid = rng.random((max(2, round(columns * 0.5625)), columns), dtype=np.float32)
        total += np.float32(weight) * enlarge(grid, width, height)
        norm += weight
        weight *= 0.55
    return np.asarray(np.clip((total / np.float32(norm) - 0.5) * 1.7 + 0.5, 0, 1), np.float32)


def enlarge(grid: Field, width: int, height: int) -> Field:
    """A grid spread over the sheet: smoothly when it grows, by areas when it shrinks."""
    method = cv2.INTER_CUBIC if grid.shape[1] < width else cv2.INTER_AREA
    return np.asarray(cv2.resize(grid, (width, height), interpolation=method), np.float32)


def coloured(field: Field, palette: Sequence[Colour]) -> Image:
    """A field in [0, 1] through the palette, dark to light: uint8 [h, w, 3]."""
    levels = np.linspace(0, 1, len(palette))
    ramp = np.linspace(0, 1, 256)
    lut = np.stack([np.interp(ramp, levels, [c[i] for c in palette]) for i in range(3)], -1)[None].round()
    grey = (field * 255).astype(np.uint8)
    return np.asarray(cv2.LUT(cv2.merge([grey, grey, grey]), lut.astype(np.uint8)), np.uint8)


def pick(rng: np.random.Generator, palette: Sequence[Colour], low: int = 0) -> Colour:
    """One colour of the palette, from index `low` on."""
    return palette[int(rng.integers(low, len(palette)))]


class Sheet:
    """A picture being painted, in fractions of its width (x) and height (y)."""

    def __init__(self, ground: Image) -> None:
        self.image = np.ascontiguousarray(ground)
        self.height, self.width = ground.shape[:2]

    def polygon(self, points: Sequence[tuple[float, float]], colour: Colour) -> None:
        """Fill a polygon."""
        ring = np.round(np.array(points) * (self.width * 8, self.height * 8)).astype(np.int32)
        cv2.fillPoly(self.image, [ring], colour, cv2.LINE_AA, 3)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        """Fill an upright rectangle."""
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Fill a disc; the radius is in widths."""
        centre = (round(x * self.width * 8), round(y * self.height * 8))
        cv2.circle(self.image, centre, max(8, round(radius * self.width * 8)), colour, -1, cv2.LINE_AA, 3)


def ridges(rng: np.random.Generator, palette: Sequence[Colour], width: int, height: int) -> Image:
    """Hills behind hills under a clouded sky."""
    flipped = rng.random() < 0.5
    sky = palette[3:] if flipped else palette[:2]
    sheet = Sheet(coloured(noise(rng, width, height, 5), sky))
    layers = int(rng.integers(4, 7))
    top = 0.22 + 0.25 * rng.random()
    for i in range(layers):
        base = top + (0.95 - top) * i / layers
        crest = np.interp(np.linspace(0, 1, 60), np.linspace(0, 1, 12), rng.random(12)) * 0.22 - 0.11
        line = [(float(x), float(base + c)) for x, c in zip(np.linspace(0, 1, 60), crest, strict=True)]
        order = i / (layers - 1) * 3
        colour = palette[int(3 - order) if flipped else int(1 + order)]
        sheet.polygon([*line, (1.0, 1.0), (0.0, 1.0)], colour)
    return sheet.image


def city(rng: np.random.Generator, palette: Sequence[Colour], width: int, height: int) -> Image:
    """House fronts with lit windows."""
    sheet = Sheet(coloured(noise(rng, width, height, 4), palette[1:4]))
    x = -0.02
    while x < 1:
        wide, top = 0.04 + 0.09 * rng.random(), 0.12 + 0.6 * rng.random()
        sheet.box(x, top, x + wide, 1.0, pick(rng, palette))
        lamp, rows, columns = pick(rng, palette, 2), int((1 - top) / 0.055), max(1, int(wide / 0.022))
        lit = rng.random((rows, columns)) < 0.55
        for row, column in zip(*np.nonzero(lit), strict=True):
            left, up = x + wide * (column + 0.25) / columns, top + 0.02 + 0.055 * float(row)
            sheet.box(left, up, left + 0.5 * wide / columns, up + 0.028, lamp)
        x += wide * (0.8 + 0.4 * rng.random())
    return sheet.image


def woods(rng: np.random.Generator, palette: Sequence[Colour], width: int, height: int) -> Image:
    """Trunks before foliage."""
    sheet = Sheet(coloured(noise(rng, width, height, 14), palette[1:]))
    for _ in range(int(rng.integers(12, 26))):
        x, half, lean = rng.random(), 0.006 + 0.022 * rng.random(), 0.12 * (rng.random() - 0.5)
        top, colour = 0.25 * rng.random(), pick(rng, palette)
        sheet.polygon(
            [(x - half, 1.0), (x + half, 1.0), (x + half * 0.6 + lean, top), (x - half * 0.6 + lean, top)], colour
        )
        for _ in range(3):
            y = 0.1 + 0.6 * rng.random()
            sheet.disc(
                x + lean * (1 - y) + 0.05 * (rng.random() - 0.5), y, 0.01 + 0.02 * rng.random(), pick(rng, palette)
            )
    return sheet.image


def water(rng: np.random.Generator, palette: Sequence[Colour], width: int, height: int) -> Image:
    """Waves under a low sky, with a disc of light and its reflections."""
    horizon, up = 0.25 + 0.45 * rng.random(), rng.random() < 0.5
    sky = noise(rng, width, height, 4)
    waves = enlarge(rng.random((64, 24), dtype=np.float32), width, height)
    sheet = Sheet(coloured(sky, palette[2:] if up else palette[:3]))
    low = round(horizon * height)
    sheet.image[low:] = coloured(waves, palette[:3] if up else palette[2:])[low:]
    x, colour = 0.2 + 0.6 * rng.random(), palette[4] if not up else palette[0]
    sheet.disc(x, horizon - 0.12, 0.03 + 0.06 * rng.random(), colour)
    for _ in range(30):
        y, half = horizon + (1 - horizon) * rng.random(), 0.02 + 0.05 * rng.random()
        left = x + 0.14 * (rng.random() - 0.5)
        sheet.box(left - half, y, left + half, y + 0.009, colour)
    return sheet.image


def bricks(rng: np.random.Generator, palette: Sequence[Colour], width: int, height: int) -> Image:
    """A wall of stones, each with its own tone, and some openings."""
    rows, columns = int(rng.integers(12, 26)), int(rng.integers(10, 22))
    tone = noise(rng, columns * 4, rows * 4, 4)[::4, ::4] * 0.5 + 0.5 * rng.random((rows, columns), dtype=np.float32)
    sheet = Sheet(np.full((height, width, 3), palette[0], np.uint8))
    for r in range(rows):
        for c in range(-1, columns):
            x, y = (c + 0.5 * (r % 2)) / columns, r / rows
            colour = palette[1 + min(3, int(tone[r, c] * 4))]
            sheet.box(x, y, x + 0.88 / columns, y + 0.86 / rows, colour)
    for _ in range(int(rng.integers(2, 6))):
        x, y, wide, high = rng.random(), rng.random(), 0.05 + 0.09 * rng.random(), 0.1 + 0.2 * rng.random()
        sheet.box(x, y, x + wide, y + high, palette[4])
        sheet.box(x + 0.012, y + 0.02, x + wide - 0.012, y + high, palette[0])
    return sheet.image


def panes(rng: np.random.Generator, palette: Sequence[Colour], width: int, height: int) -> Image:
    """Coloured glass between leads that run two ways."""
    sheet = Sheet(coloured(noise(rng, width, height, 3, 2), palette))
    slant, columns = 0.5 * (rng.random() - 0.5), int(rng.integers(9, 18))
    rows = int(rng.integers(7, 13))
    for r in range(rows):
        for c in range(-3, columns + 3):
            if rng.random() < 0.6:
                x, y, wide, high = c / columns, r / rows, 1 / columns, 1 / rows
                shift, low = slant * (y - 0.5), slant * (y + high - 0.5)
                corners = [(x + shift, y), (x + wide + shift, y), (x + wide + low, y + high), (x + low, y + high)]
                sheet.polygon(corners, pick(rng, palette))
    for c in range(-3, columns + 3):
        x = c / columns
        sheet.polygon(
            [(x - slant / 2, 0.0), (x - slant / 2 + 0.006, 0.0), (x + slant / 2 + 0.006, 1.0), (x + slant / 2, 1.0)],
            palette[0],
        )
    return sheet.image


def lights(rng: np.random.Generator, palette: Sequence[Colour], width: int, height: int) -> Image:
    """Discs of light out of focus over a dim ground."""
    sheet = Sheet(coloured(noise(rng, width, height, 3), palette[:3]))
    for _ in range(int(rng.integers(60, 140))):
        sheet.disc(rng.random(), rng.random(), 0.008 + 0.035 * rng.random() ** 2, pick(rng, palette, 1))
    return sheet.image


def strata(rng: np.random.Generator, palette: Sequence[Colour], width: int, height: int) -> Image:
    """Bands of stone, folded."""
    across, down = np.meshgrid(np.linspace(0, 1, width, dtype=np.float32), np.linspace(0, 1, height, dtype=np.float32))
    turn = math.pi * rng.random()
    field = across * math.cos(turn) + down * math.sin(turn) + 0.5 * noise(rng, width, height, 3, 3)
    bands = (field * (3 + 4 * rng.random()) + rng.random()) % 1.0
    return coloured(np.abs(bands * 2 - 1).astype(np.float32) * 0.8 + 0.2 * noise(rng, width, height, 20, 2), palette)


def fields(rng: np.random.Generator, palette: Sequence[Colour], width: int, height: int) -> Image:
    """Land from above: patches with furrows, each its own colour."""
    centres = rng.random((int(rng.integers(26, 60)), 2))
    small = np.full((216, 384), 255, np.uint8)
    for x, y in centres:
        small[int(y * 216), int(x * 384)] = 0
    _, labels = cv2.distanceTransformWithLabels(small, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    table = np.array([pick(rng, palette) for _ in range(len(centres) + 1)], np.uint8)
    patches = np.asarray(cv2.resize(table[labels], (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    across, down = np.meshgrid(np.linspace(0, 1, width, dtype=np.float32), np.linspace(0, 1, height, dtype=np.float32))
    furrows = np.sin((across * rng.normal() + down * rng.normal()) * 260 / (0.6 + rng.random())) > 0.3
    patches[furrows] = (patches[furrows] * np.float32(0.75)).astype(np.uint8)
    return patches


def rays(rng: np.random.Generator, palette: Sequence[Colour], width: int, height: int) -> Image:
    """A hall in perspective: wedges that run to one point, with doors between."""
    sheet = Sheet(coloured(noise(rng, width, height, 6), palette[1:4]))
    x, y = 0.3 + 0.4 * rng.random(), 0.3 + 0.4 * rng.random()
    edges = np.sort(rng.random(int(rng.integers(14, 26)))) * 2 * math.pi
    for start, end in zip(edges[::2], edges[1::2], strict=False):
        points = [(x, y)] + [(x + 1.5 * math.cos(t), y + 1.5 * math.sin(t)) for t in np.linspace(start, end, 5)]
        sheet.polygon(points, pick(rng, palette))
    for size in (0.5, 0.33, 0.2, 0.1):
        side = size * (0.8 + 0.4 * rng.random())
        for dx in (-side, side):
            sheet.box(
                x + dx * 0.6 - side * 0.07, y - side * 0.6, x + dx * 0.6 + side * 0.07, y + side, pick(rng, palette)
            )
    return sheet.image


FAMILIES: dict[str, Callable[[np.random.Generator, Sequence[Colour], int, int], Image]] = {
    "ridges": ridges,
    "city": city,
    "woods": woods,
    "water": water,
    "bricks": bricks,
    "panes": panes,
    "lights": lights,
    "strata": strata,
    "fields": fields,
    "rays": rays,
}


def paint(picture: Picture, width: int, height: int) -> Image:
    """The scenery as uint8 [height, width, 3] (B, G, R), with an uneven light and a surface all over it."""
    rng = np.random.default_rng([picture.seed, 1])
    image = FAMILIES[picture.family](rng, picture.palette, width, height)
    light = 0.62 + 0.5 * noise(rng, width, height, 1.6, 1) + 0.34 * (noise(rng, width, height, 36, 3) - 0.5)
    shade = np.clip(light * 128, 0, 255).astype(np.uint8)
    return np.asarray(cv2.multiply(image, cv2.merge([shade, shade, shade]), scale=1 / 128), np.uint8)


def pattern(look: Look, size: int) -> Image:
    """The surface of a figure as uint8 [size, size, 3]: stripes, checks or spots in two colours, worn by noise."""
    rng = np.random.default_rng([look.seed, 2])
    across, down = np.meshgrid(np.linspace(0, 1, size, dtype=np.float32), np.linspace(0, 1, size, dtype=np.float32))
    turn, pitch = math.pi * rng.random(), 5 + 5 * rng.random()
    u = (across * math.cos(turn) + down * math.sin(turn)) * pitch
    v = (down * math.cos(turn) - across * math.sin(turn)) * pitch
    if look.pattern == "stripes":
        mix = (u % 1 < 0.5).astype(np.float32)
    elif look.pattern == "checks":
        mix = ((u % 1 < 0.5) ^ (v % 1 < 0.5)).astype(np.float32)
    else:
        mix = ((u % 1 - 0.5) ** 2 + (v % 1 - 0.5) ** 2 < 0.09).astype(np.float32)
    mix = 0.75 * mix + 0.25 * noise(rng, size, size, 9, 2)
    image = coloured(np.asarray(mix, np.float32), look.colours)
    shade = np.clip((1.12 - 0.45 * (across * rng.random() + down * rng.random())) * 128, 0, 255).astype(np.uint8)
    return np.asarray(cv2.multiply(image, cv2.merge([shade, shade, shade]), scale=1 / 128), np.uint8)
