"""Regions of a batch, WKT or boxes, made canonical columns."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from mediaml_assets.marken import regions
from mediaml_assets.marken.columns import Values, numbers, strings, valid
from mediaml_assets.marken.refusal import At

SIDES = ("x0", "y0", "x1", "y1")
_INSIDE = "give x and y in [0, 1] of the picture, y downwards; clip what reaches beyond it"


def region(wkts: Values | None, sides: Mapping[str, Values | None], rows: int, at: At) -> dict[str, pa.Array]:
    """The canonical columns of a region: its WKT, its bounding box, and whether it is that box.

    A row has a WKT, or the four sides of a box; with both they must agree.
    """
    texts = strings(wkts, at, regions.LONGEST) if wkts is not None else pa.nulls(rows, pa.string())
    box = _sides(sides, rows, at)
    boxed = ~np.isnan(box).any(axis=1)
    geometries = np.full(rows, None, object)
    written = np.full(rows, None, object)
    is_box = np.zeros(rows, bool)
    alone = boxed & ~valid(texts)
    if alone.any():
        geometries[alone] = _boxes(box, alone, at)
        written[alone], is_box[alone] = regions.written(geometries[alone]), True
    if valid(texts).any():
        encoded = texts.dictionary_encode()
        index = encoded.indices.to_numpy(zero_copy_only=False)
        there = valid(texts)
        of_row = index[there].astype(np.int64)
        distinct = _parsed(encoded.dictionary.to_pylist(), there, of_row, at)
        geometries[there], written[there] = distinct[of_row], regions.written(distinct)[of_row]
        is_box[there] = regions.are_boxes(distinct)[of_row]
    bounds = shapely.bounds(geometries)
    differing = boxed & ~alone & (np.abs(bounds - box) > regions.EDGE).any(axis=1)
    if differing.any():
        raise at.refused(differing, "says another box than its WKT", "give one of them")
    missing = shapely.is_missing(geometries)
    return {
        at.property: pa.array(written, pa.string()),
        **{f"{at.property}_{side}": pa.array(bounds[:, place], mask=missing) for place, side in enumerate(SIDES)},
        f"{at.property}_is_box": pa.array(is_box, mask=missing),
    }


def _boxes(box: npt.NDArray[np.float64], rows: npt.NDArray[np.bool_], at: At) -> npt.NDArray[Any]:
    snapped = np.clip(box, 0, 1) + 0.0
    with np.errstate(invalid="ignore"):
        empty = rows & ((snapped[:, 0] >= snapped[:, 2]) | (snapped[:, 1] >= snapped[:, 3]))
        beyond = rows & ((box < -regions.EDGE).any(axis=1) | (box > 1 + regions.EDGE).any(axis=1))
    if beyond.any():
        raise at.refused(beyond, "reaches beyond the picture", _INSIDE)
    if empty.any():
        raise at.refused(empty, "has no area", "give [x0, y0, x1, y1] with x0 < x1 and y0 < y1, or a POINT as WKT")
    return np.asarray(shapely.box(*snapped[rows].T))


def _parsed(wkts: list[str], there: npt.NDArray[np.bool_], of_row: npt.NDArray[np.int64], at: At) -> npt.NDArray[Any]:
    """The canonical geometries of distinct WKTs; `of_row` says which of them each row that is there has."""
    geometries, reasons = regions.parse_all(wkts)
    bad = np.array([reason is not None for reason in reasons], bool)
    if bad.any():
        place = int(np.flatnonzero(bad[of_row])[0])
        row = int(np.flatnonzero(there)[place])
        raise at.refused(row, str(reasons[of_row[place]]), "give a valid WKT geometry of the picture")
    snapped = regions.snapped(geometries)
    beyond = regions.outside(geometries) | ~shapely.is_valid(snapped)
    if beyond.any():
        rows = np.zeros(len(there), bool)
        rows[np.flatnonzero(there)[beyond[of_row]]] = True
        raise at.refused(rows, "reaches beyond the picture", _INSIDE)
    return snapped


def _sides(sides: Mapping[str, Values | None], rows: int, at: At) -> npt.NDArray[np.float64]:
    """[rows, 4], NaN where a row gives none."""
    box = np.full((rows, 4), np.nan)
    for place, side in enumerate(SIDES):
        values = sides.get(side)
        if values is not None:
            array = numbers(values, At(at.type, f"{at.property}_{side}"))
            box[:, place] = array.to_numpy(zero_copy_only=False)
    some, every = (~np.isnan(box)).any(axis=1), (~np.isnan(box)).all(axis=1)
    if (some & ~every).any():
        raise at.refused(some & ~every, "lacks a side of its box", "give x0, y0, x1 and y1")
    return box
