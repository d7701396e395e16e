"""Regions: WKT geometries in normalised picture coordinates, x and y in [0, 1], y downwards.

GEOS (through shapely) reads, writes and compares them, many at a time. Predicates are those of OGC Simple Features
(OGC 06-103r4, 6.1.15), of the row's region first and the query's second.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

MOST_POINTS = 500
"""Of one geometry: comparing two that zigzag through each other costs the product of their points, seconds at 500."""
LONGEST = 25_000
"""Bytes of a WKT."""
EDGE = 1e-6
"""So far beyond the picture a coordinate is taken as on its edge: what rounding to float32 does."""

NO_WKT = "is no WKT geometry"

RELATIONS = ("s_intersects", "s_disjoint", "s_equals", "s_touches", "s_crosses", "s_within", "s_contains", "s_overlaps")
"""As CQL2 names them, in lower case."""

# prepared geometries are fast as the first argument, so that the query's one stands there and the relation is turned
_TURNED = {
    "s_intersects": shapely.intersects,
    "s_disjoint": shapely.disjoint,
    "s_equals": shapely.equals,
    "s_touches": shapely.touches,
    "s_crosses": shapely.crosses,
    "s_within": shapely.contains,
    "s_contains": shapely.within,
    "s_overlaps": shapely.overlaps,
}


def parse(wkt: str) -> shapely.Geometry:
    """The geometry of a WKT: two-dimensional, valid, not empty, of finite coordinates anywhere.

    Raises:
        ValueError: why it is none; the caller knows the place.
    """
    geometries, reasons = parse_all([wkt])
    if reasons[0] is not None:
        raise ValueError(reasons[0])
    return geometries[0]


def parse_all(wkts: Sequence[str]) -> tuple[npt.NDArray[Any], list[str | None]]:
    """The geometries of many, and for each why it is none (None where it is one)."""
    reasons: list[str | None] = [
        f"is longer than {LONGEST:,} bytes" if len(wkt) > LONGEST else None if wkt.isascii() else NO_WKT for wkt in wkts
    ]
    short = np.array([None if reason else wkt for wkt, reason in zip(wkts, reasons, strict=True)], object)
    with warnings.catch_warnings():
        # a NaN in a text: told below
        warnings.simplefilter("ignore", RuntimeWarning)
        geometries = shapely.from_wkt(short, on_invalid="ignore")
    coordinates, owners = shapely.get_coordinates(geometries, return_index=True)
    endless = np.zeros(len(geometries), bool)
    endless[owners[~np.isfinite(coordinates).all(axis=1)]] = True
    for wrong, reason in (
        (shapely.is_missing(geometries), NO_WKT),
        (shapely.is_empty(geometries), "is empty"),
        (shapely.has_z(geometries) | shapely.has_m(geometries), "has more than two dimensions"),
        (shapely.get_num_coordinates(geometries) > MOST_POINTS, f"has over {MOST_POINTS:,} points"),
        (endless, "has a coordinate that is no finite number"),
    ):
        for row in np.flatnonzero(wrong):
            reasons[row] = reasons[row] or reason
    good = np.array([reason is None for reason in reasons], bool)
    invalid = np.zeros(len(geometries), bool)
    invalid[good] = ~shapely.is_valid(geometries[good])
    for row in np.flatnonzero(invalid):
        reasons[row] = f"is not valid ({shapely.is_valid_reason(geometries[row])})"
    return geometries, reasons


def written(geometries: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Their WKT, every double in its shortest exact digits."""
    return np.asarray(shapely.to_wkt(geometries, rounding_precision=30))


def outside(geometries: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which reach beyond the picture by more than `EDGE`."""
    bounds = shapely.bounds(geometries)
    return np.asarray((bounds < -EDGE).any(axis=1) | (bounds > 1 + EDGE).any(axis=1))


def snapped(geometries: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """With what lies beyond the picture on its edge, and boxes (`are_boxes`) all drawn in one way.

    What has no area within the picture is not valid then.
    """
    coordinates = shapely.get_coordinates(geometries)
    # -0.0 is written with its sign, and is 0.0
    if (np.signbit(coordinates) | (coordinates > 1)).any():
        geometries = shapely.set_coordinates(geometries.copy(), np.clip(coordinates, 0, 1) + 0.0)
    box = are_boxes(geometries)
    return np.where(box, shapely.box(*shapely.bounds(geometries).T), geometries)


def are_boxes(geometries: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which are just their bounding box, of an area above 0."""
    bounds = shapely.bounds(geometries)
    full = (bounds[:, 2] - bounds[:, 0]) * (bounds[:, 3] - bounds[:, 1])
    found = shapely.get_type_id(geometries) == shapely.GeometryType.POLYGON
    # comparing shapes is dear, and most that are no box have an area far from one
    found &= np.abs(shapely.area(geometries) - full) <= 1e-9 * full
    found[found] = shapely.equals(geometries[found], shapely.box(*bounds[found].T))
    return np.asarray(found)


def holds(relation: str, wkts: Sequence[str], geometry: shapely.Geometry) -> npt.NDArray[np.bool_]:
    """Whether each region, [n] canonical WKTs, stands in a relation to a geometry: `region S_WITHIN geometry`, say.

    Args:
        relation: one of `RELATIONS`.
        wkts: of canonical rows, so that each is valid.
        geometry: of the query (`parse`).
    """
    turned = _TURNED[relation]
    shapely.prepare(geometry)
    return np.asarray(turned(geometry, shapely.from_wkt(np.asarray(wkts, object))), bool)


def iou(wkts: Sequence[str], geometry: shapely.Geometry) -> npt.NDArray[np.float64]:
    """Area of the intersection over area of the union, [n] in [0, 1]; 0 where neither has an area."""
    regions = shapely.from_wkt(np.asarray(wkts, object))
    areas = shapely.area(regions)
    common = np.zeros(len(regions))
    # of what has no area nothing is common, and finding that out is dear where lines cross often
    some = (areas > 0) & (shapely.area(geometry) > 0)
    common[some] = shapely.area(shapely.intersection(regions[some], geometry))
    union = areas + shapely.area(geometry) - common
    return np.asarray(np.divide(common, union, out=np.zeros(len(regions)), where=union > 0))
