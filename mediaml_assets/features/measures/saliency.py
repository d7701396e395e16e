"""How likely each part of a picture is the thing it shows, from one picture, without a model.

A picture is cut into some 160 regions of one colour (SLIC, Achanta et al., PAMI 2012). What is connected to the
picture's border by soft colour steps is behind, what differs in colour from that is in front, and both are settled
together, over regions that look alike, by one linear system: Zhu, Liang, Wei and Sun, "Saliency optimization from
robust background detection", CVPR 2014, sections 3 and 4.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.float32]
Labels = npt.NDArray[np.intp]
Values = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]

COLUMNS, ROWS = 16, 10  # regions at the start
ROUNDS = 3  # of moving the regions' centres
COMPACT = 12.0  # Lab units that one region's width weighs
COLOUR = 10.0  # Lab distance at which two colours count as different
REACH = 0.4  # picture widths over which regions are held against each other
BACKED = 1.0  # connectivity to the border at which a region is taken to be behind
FLOOR = 0.1  # how much unlike neighbours hold together
BEHIND = 5.0  # weight of what is behind against what is in front
BOTTOM = 0.5  # people touch the picture's lower edge: it says half as much as the other three


@dataclass(frozen=True)
class Regions:
    """A picture [h, w, 3] cut into n regions.

    labels: [h, w]; lab: mean colours [n, 3], L in 0-100; places: middles [n, 2], x and y in picture widths; areas: [n],
    shares of the picture; adjacent: bool [n, n]; rim: [n], how much each one lies at the border.
    """

    labels: Labels
    lab: Values
    places: Values
    areas: Values
    adjacent: npt.NDArray[np.bool_]
    rim: Values


def saliency(regions: Regions) -> Values:
    """How likely each region is in front, [n] in [0, 1]."""
    colours = np.linalg.norm(regions.lab[:, None] - regions.lab[None], axis=2)
    behind = 1 - np.exp(-0.5 * (_connectivity(regions, colours) / BACKED) ** 2)
    apart = np.linalg.norm(regions.places[:, None] - regions.places[None], axis=2)
    weight = np.exp(-0.5 * (apart / REACH) ** 2) * behind[None] * regions.areas[None]
    contrast = (colours * weight).sum(axis=1)
    front = contrast / max(float(contrast.max()), 1e-6)
    return _settled(regions, colours, front, BEHIND * behind)


def _connectivity(regions: Regions, colours: Values) -> Values:
    """How much of the border each region reaches over soft colour steps, against the root of the area it reaches."""
    n = len(colours)
    rim = regions.rim > 0
    linked = regions.adjacent | (rim[:, None] & rim[None])
    np.fill_diagonal(linked, False)
    way = np.where(linked, colours, np.inf)
    soft = float(np.median(way.min(axis=1)))  # steps this small are within one thing
    way = np.maximum(way - soft, 0)
    np.fill_diagonal(way, 0)
    for middle in range(n):  # Floyd and Warshall
        np.minimum(way, way[:, middle : middle + 1] + way[middle : middle + 1], out=way)
    near = np.exp(-0.5 * (way / COLOUR) ** 2)
    return np.asarray((near @ regions.rim) / np.sqrt(near @ (regions.areas * n)))


def _settled(regions: Regions, colours: Values, front: Values, behind: Values) -> Values:
    """The least squares answer: 1 where `front` weighs, 0 where `behind` does, alike where neighbours look alike."""
    near = regions.adjacent | (regions.adjacent.astype(np.float32) @ regions.adjacent.astype(np.float32) > 0)
    alike = np.where(near, np.exp(-0.5 * (colours / COLOUR) ** 2) + FLOOR, 0.0)
    np.fill_diagonal(alike, 0)
    system = np.diag(alike.sum(axis=1) + front + behind + 1e-6) - alike
    return np.asarray(np.clip(np.linalg.solve(system, front), 0, 1))


def regions_of(lab: Picture) -> Regions:
    """Cut a picture, uint8 Lab [h, w, 3], into regions."""
    height, width = lab.shape[:2]
    colour = lab.reshape(-1, 3).astype(np.float64) * (100 / 255, 1, 1)
    labels = _slic(colour, height, width)
    used, labels = np.unique(labels, return_inverse=True)
    n, labels = len(used), labels.reshape(-1)
    counts = np.bincount(labels, minlength=n)
    x, y = _grid(height, width)
    means = [np.bincount(labels, values, n) / counts for values in (*colour.T, x, y)]
    square = labels.reshape(height, width)
    adjacent = np.zeros((n, n), np.bool_)
    for a, b in ((square[:, :-1], square[:, 1:]), (square[:-1], square[1:])):
        adjacent[a, b] = adjacent[b, a] = True
    np.fill_diagonal(adjacent, False)
    rim = np.zeros(n)
    for line, weight in ((square[0], 1.0), (square[:, 0], 1.0), (square[:, -1], 1.0), (square[-1], BOTTOM)):
        rim[np.unique(line)] = np.maximum(rim[np.unique(line)], weight)
    return Regions(square, np.stack(means[:3], 1), np.stack(means[3:], 1) / width, counts / counts.sum(), adjacent, rim)


def _slic(colour: Values, height: int, width: int) -> Labels:
    """Labels [h * w] of pixels by colour and place: each looks at the nine centres around it."""
    x, y = _grid(height, width)
    across, down = width / COLUMNS, height / ROWS
    candidates = _candidates(height, width)
    labels = np.asarray(candidates[4], np.intp)
    points = np.stack([*colour.T, x * (COMPACT / across), y * (COMPACT / down)]).astype(np.float32)
    n, pixels = COLUMNS * ROWS, np.arange(points.shape[1])
    for _ in range(ROUNDS):
        counts = np.maximum(np.bincount(labels, minlength=n), 1)
        centres = [(np.bincount(labels, values, n) / counts).astype(np.float32) for values in points]
        off = np.zeros(candidates.shape, np.float32)
        for values, centre in zip(points, centres, strict=True):
            off += (values - centre[candidates]) ** 2
        labels = np.asarray(candidates[off.argmin(axis=0), pixels], np.intp)
    return labels


@cache
def _grid(height: int, width: int) -> tuple[Values, Values]:
    """Columns x and rows y of every pixel, [h * w] each."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    return x.ravel(), y.ravel()


@cache
def _candidates(height: int, width: int) -> Labels:
    """For each pixel the nine regions around its own, [9, h * w], the fifth its own; at the border some come twice."""
    x, y = _grid(height, width)
    column = (x * COLUMNS / width).astype(np.intp)
    row = (y * ROWS / height).astype(np.intp)
    around = [
        np.clip(row + dy, 0, ROWS - 1) * COLUMNS + np.clip(column + dx, 0, COLUMNS - 1)
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
    ]
    return np.asarray(np.stack(around), np.intp)
